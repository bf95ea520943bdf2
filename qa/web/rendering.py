"""Answers to HTML: pure functions. Knows no gradio and no index.

Text of documents and people enters it through :mod:`qa.web.prose` alone. The HTML is one line, so that
Markdown sees one block of HTML in it and looks no further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from index.types import Document, Passage, Range
from qa.types import Answer, Candidate, Citation
from qa.web import strings
from qa.web.prose import escape, excerpt, prose, surroundings, unwrapped
from qa.wording import CONFIDENCE, FAINT, UNSURE, confidence_in_words, written_date

Documents = Mapping[str, Document]
# In a list of answers a quote is cut to about four lines of a wide window.
_EXCERPT = 280
# Answers of other documents stand beside the first one where they are at least so likely, compared with it.
_RIVAL = 0.5


def header(answering_over: str, documents: int, passages: int) -> str:
    """Return the page's head: what it answers over."""
    size = f"{strings.counted(documents, 'document')}, {strings.counted(passages, 'passage')}"
    return (
        f'<div class="brand"><h1>{strings.TITLE}</h1>'
        f'<p class="over">Answering over: <b dir="auto">{escape(answering_over)}</b>'
        f'<span class="size"> — {size}</span></p></div>'
    )


def welcome(documents: int, adding: str) -> str:
    """Return what an empty conversation shows; ``adding`` says how to add documents."""
    title, text = (strings.INVITATION, strings.PROMISE) if documents else (strings.EMPTY, adding)
    return f'<div class="welcome"><h2>{escape(title)}</h2><p dir="auto">{escape(text)}</p></div>'


def question(text: str) -> str:
    """Return a person's message."""
    return f'<div class="question" dir="auto">{escape(text)}</div>'


def stage(text: str) -> str:
    """Return the message of an answer on its way."""
    return f'<div class="stage">{escape(text)}</div>'


def failure(text: str) -> str:
    """Return the message about a question that could not be asked."""
    return f'<div class="abstention"><p>{escape(text[:1].upper() + text[1:])}</p></div>'


def answer(result: Answer, turn: int, documents: Documents, adding: str) -> str:
    """Return the message of an answer, or of an abstention.

    Args:
        result: what to show.
        turn: counts the answers of a conversation.
        documents: those that are cited, by id.
        adding: how to add documents, in words.
    """
    if not result.candidates:
        return _abstention(result, adding)
    candidates = shown(result)
    first, *others = candidates
    if _is_unclear(result):
        told = _list(strings.UNCLEAR, candidates, turn, documents)
        return f'<div class="answer unclear">{told}</div>'
    rivals = [other for other in others if _is_rival(other, first)]
    also = _list(strings.ALSO, [other for other in others if other not in rivals], turn, documents)
    if rivals:
        told = _list(strings.SEVERAL, [first, *rivals], turn, documents)
        return f'<div class="answer several">{told}{also}</div>'
    found = f"{_quoted(first, documents, links=_links(first, turn))}{_confidence(first)}"
    return f'<div class="answer">{found}{also}</div>'


def shown(result: Answer) -> tuple[Candidate, ...]:
    """Return the candidates that are worth showing: the first, and others that are not faint."""
    further = (one for one in result.candidates[1:] if one.confidence >= FAINT)
    return (*result.candidates[:1], *further)


def sources(
    result: Answer, turn: int, documents: Documents, passages: Mapping[str, Sequence[Passage]]
) -> str:
    """Return the sources of one answer as cards; ``passages`` are those of each cited document, by id."""
    cited = [citation for candidate in shown(result) for citation in candidate.citations]
    cards = "".join(
        _card(
            citation,
            turn,
            documents.get(citation.document_id),
            passage_of(citation, passages.get(citation.document_id, ())),
        )
        for citation in cited or result.near_misses
    )
    title = strings.SOURCES if cited and not _is_unclear(result) else strings.NEAREST
    return (
        f'<section class="group" id="s-{turn}"><h2>{title}'
        f'<span class="for" dir="auto">{escape(result.question)}</span></h2>'
        + (cards or f'<p class="none">{strings.SOURCES_NONE}</p>')
        + "</section>"
    )


def panel(groups: Sequence[str]) -> str:
    """Return the panel: the sources of all answers, of which the page shows the last, or the chosen, ones."""
    empty = f'<h2>{strings.SOURCES}</h2><p class="none">{strings.SOURCES_EMPTY}</p>'
    return f'<div class="sources">{"".join(groups) or empty}</div>'


def passage_of(citation: Citation, passages: Sequence[Passage]) -> Passage | None:
    """Return the first passage that holds the whole quote, or ``None``."""
    return next((one for one in passages if _holds(one, citation)), None)


def highlighted(citation: Citation, document: Document | None, passage: Passage | None) -> str:
    """Return the passage with the quote marked in it; only the quote where there is no passage."""
    text = _quote(citation, document)
    quote = _set_off(citation, text, Range(0, len(text)))
    if passage is None:
        return f"<mark>{quote}</mark>"
    text = _flowing(Range(passage.start, passage.end), passage.text, document)
    before = text[: citation.start - passage.start]
    after = text[citation.end - passage.start :]
    return f"{prose(before)}<mark>{quote}</mark>{prose(after)}"


def _holds(passage: Passage, citation: Citation) -> bool:
    # A document may have been replaced since it was cited: then its passages hold other words there.
    start, end = citation.start - passage.start, citation.end - passage.start
    return start >= 0 and passage.text[start:end] == citation.quote


def _is_unclear(result: Answer) -> bool:
    return bool(result.candidates) and result.confidence < UNSURE


def _is_rival(other: Candidate, first: Candidate) -> bool:
    """Whether another document gives another answer about as clearly."""
    elsewhere = {one.document_id for one in other.citations} - {one.document_id for one in first.citations}
    return bool(elsewhere) and other.confidence >= _RIVAL * first.confidence


def _abstention(result: Answer, adding: str) -> str:
    reason = strings.EMPTY if result.status == "no_index" else result.reason
    advice = strings.ADVICE[result.status].format(adding)
    return (
        f'<div class="abstention"><p>{escape(reason)}</p>'
        + (f'<p class="advice" dir="auto">{escape(advice)}</p>' if advice else "")
        + "</div>"
    )


def _list(title: str, candidates: Sequence[Candidate], turn: int, documents: Documents) -> str:
    """Return answers as a list under a title, or nothing where there are none."""
    if not candidates:
        return ""
    items = "".join(
        f"<li>{_links(one, turn)}<div>{_quoted(one, documents, most=_EXCERPT)}{_confidence(one)}</div></li>"
        for one in candidates
    )
    return f'<div class="list"><h3>{escape(title)}</h3><ul>{items}</ul></div>'


def _quoted(candidate: Candidate, documents: Documents, *, links: str = "", most: int | None = None) -> str:
    """Return the first quote of an answer, cut to about ``most`` characters, and where it is from."""
    first = candidate.citations[0]
    text = _quote(first, documents.get(first.document_id))
    part = excerpt(text, _answer_in_quote(first), most) if most else Range(0, len(text))
    # What is left out is told outside of the quotation marks: the words between them are the document's.
    before, after = ("…&nbsp;" if part.start > 0 else ""), ("&nbsp;…" if part.end < len(text) else "")
    return (
        f'<blockquote dir="auto">{before}“{_set_off(first, text, part)}”{after}'
        f"{'&nbsp;' if links else ''}{links}</blockquote>"
        f'<p class="from">{_facts(_from(first))}</p>'
    )


def _links(candidate: Candidate, turn: int) -> str:
    links = (
        f'<a class="cite" href="#{_anchor(citation, turn)}">[{citation.number}]</a>'
        for citation in candidate.citations
    )
    return f'<span class="cites">{" ".join(links)}</span>'


def _confidence(candidate: Candidate) -> str:
    level = next(level for least, _, level in CONFIDENCE if candidate.confidence >= least)
    return f'<p class="confidence {level}">{escape(confidence_in_words(candidate.confidence))}</p>'


def _card(citation: Citation, turn: int, document: Document | None, passage: Passage | None) -> str:
    page = [] if citation.page is None else [strings.PAGE.format(citation.page)]
    facts = [written_date(citation.date), *page, PurePath(citation.source).name]
    return (
        f'<article class="card" id="{_anchor(citation, turn)}" tabindex="-1">'
        f'<header><span class="number">{citation.number}</span>'
        f'<h3 dir="auto">{escape(citation.title)}</h3></header>'
        f'<p class="facts">{_facts(facts)}</p>'
        f'<p class="passage" dir="auto">{highlighted(citation, document, passage)}</p></article>'
    )


def _from(citation: Citation) -> list[str]:
    """Return where a quote is from, in brief; a file that is named like its title is named once."""
    page = [] if citation.page is None else [strings.PAGE_SHORT.format(citation.page)]
    file = PurePath(citation.source)
    date = written_date(citation.date)
    if citation.title in (file.name, file.stem):
        return [file.name, date, *page]
    return [citation.title, date, *page, file.name]


def _facts(facts: Sequence[str]) -> str:
    return " · ".join(f"<bdi>{escape(fact)}</bdi>" for fact in facts)


def _anchor(citation: Citation, turn: int) -> str:
    return f"c-{turn}-{citation.number}"


def _answer_in_quote(citation: Citation) -> Range:
    return Range(citation.answer_start - citation.start, citation.answer_end - citation.start)


def _quote(citation: Citation, document: Document | None) -> str:
    """Return the quote, of the same length, with the line breaks that are shown."""
    return _flowing(Range(citation.start, citation.end), citation.quote, document)


def _flowing(part: Range, text: str, document: Document | None) -> str:
    """Return ``text``, which stands at ``part`` of the document, without the breaks of wrapped lines."""
    # Many lines tell better than a few whether they were wrapped; a replaced document tells nothing.
    if document is not None and document.text[part.start : part.end] == text:
        return unwrapped(document.text, part, surroundings(document, part))
    whole = Range(0, len(text))
    return unwrapped(text, whole, whole)


def _set_off(citation: Citation, text: str, part: Range) -> str:
    """Return ``part`` of a quote's text, with the answer set off where it is only a part of the quote."""
    answer = _answer_in_quote(citation)
    if not text[: answer.start].strip() and not text[answer.end :].strip():
        return prose(text[part.start : part.end])
    before, after = text[part.start : answer.start], text[answer.end : part.end]
    return f"{prose(before)}<strong>{prose(text[answer.start : answer.end])}</strong>{prose(after)}"
