"""Answers to HTML: pure functions. Knows no request and no index.

Text of documents and people enters it through :mod:`qa.web.prose` alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from index.types import Document, Passage, Range
from qa.types import Answer, Candidate, Citation
from qa.web import strings
from qa.web.prose import attribute, escape, excerpt, prose, surroundings, unwrapped
from qa.wording import CONFIDENCE, FAINT, UNSURE, confidence_in_words, written_date

# In a list of answers a quote is cut to about four lines of a wide window.
_EXCERPT = 280
# Answers of other documents stand beside the first one where they are at least so likely, compared with it.
_RIVAL = 0.5


@dataclass(frozen=True, slots=True)
class Cited:
    """What is known of the documents that answers cite.

    ``documents`` and ``passages`` are by document id; ``has_original`` says whether a source is a file
    that can be downloaded.
    """

    documents: Mapping[str, Document]
    passages: Mapping[str, Sequence[Passage]]
    has_original: Callable[[str], bool]


def digest(quote: str) -> str:
    """Return what tells whether a quote still stands where it stood."""
    return hashlib.sha256(quote.encode()).hexdigest()[:12]


def button(
    action: str, text: str, kind: str, *, label: str = "", data: Mapping[str, str | int] | None = None
) -> str:
    """Return a button that does an action of the page's scripts; ``label`` is what screen readers say."""
    extra = "".join(f' data-{name}="{attribute(value)}"' for name, value in (data or {}).items())
    named = f' aria-label="{attribute(label)}"' if label else ""
    return (
        f'<button type="button" class="{kind}" data-action="{action}"{named}{extra}>{escape(text)}</button>'
    )


def failure(text: str) -> str:
    """Return the message about a question that could not be asked."""
    return f'<div class="answer abstention"><p>{escape(text[:1].upper() + text[1:])}</p></div>'


def answer(result: Answer, number: int, documents: Mapping[str, Document]) -> str:
    """Return an answer, or an abstention."""
    if not result.candidates:
        return _abstention(result)
    candidates = shown(result)
    first, *others = candidates
    if _is_unclear(result):
        told = _list(strings.UNCLEAR, candidates, number, documents)
        return f'<div class="answer unclear">{told}</div>'
    rivals = [other for other in others if _is_rival(other, first)]
    also = _list(strings.ALSO, [other for other in others if other not in rivals], number, documents)
    if rivals:
        told = _list(strings.SEVERAL, [first, *rivals], number, documents, kind="side-by-side")
        return f'<div class="answer several">{told}{also}</div>'
    found = f"{_quoted(first, documents, links=_links(first, number))}{_confidence(first)}"
    return f'<div class="answer">{found}{also}</div>'


def shown(result: Answer) -> tuple[Candidate, ...]:
    """Return the candidates that are worth showing: the first, and others that are not faint."""
    further = (one for one in result.candidates[1:] if one.confidence >= FAINT)
    return (*result.candidates[:1], *further)


def sources(result: Answer, turn: int, found: Cited) -> str:
    """Return the sources of one answer as cards."""
    cited = [citation for candidate in shown(result) for citation in candidate.citations]
    cards = "".join(
        _card(
            citation,
            turn,
            found,
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


def passage_of(citation: Citation, passages: Sequence[Passage]) -> Passage | None:
    """Return the first passage that holds the whole quote, or ``None``."""
    return next((one for one in passages if _holds(one, citation)), None)


def highlighted(citation: Citation, document: Document | None, passage: Passage | None) -> str:
    """Return the passage with the quote marked in it; only the quote where there is no passage."""
    text = _quote(citation, document)
    quote = _set_off(citation, text, Range(0, len(text)))
    if passage is None:
        return f"<mark>{quote}</mark>"
    text = flowing(Range(passage.start, passage.end), passage.text, document)
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


def _abstention(result: Answer) -> str:
    reason = strings.EMPTY if result.status == "no_index" else result.reason
    advice = strings.ADVICE[result.status]
    everything = button("ask-all", strings.ASK_ALL, "chip ask-all")
    if result.status == "removed":
        everything = button("example", strings.RETRY, "chip", data={"question": result.asked})
    return (
        f'<div class="answer abstention"><p>{escape(reason)}</p>'
        + (f'<p class="advice">{escape(advice)}</p>' if advice else "")
        + f"{everything}</div>"
    )


def _list(
    title: str,
    candidates: Sequence[Candidate],
    turn: int,
    documents: Mapping[str, Document],
    kind: str = "stacked",
) -> str:
    """Return answers as a list under a title, or nothing where there are none."""
    if not candidates:
        return ""
    items = "".join(
        f"<li>{_links(one, turn)}<div>{_quoted(one, documents, most=_EXCERPT)}{_confidence(one)}</div></li>"
        for one in candidates
    )
    return f'<div class="list {kind}"><h3>{escape(title)}</h3><ul>{items}</ul></div>'


def _quoted(
    candidate: Candidate, documents: Mapping[str, Document], *, links: str = "", most: int | None = None
) -> str:
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
        f'<a class="cite" href="#{_anchor(citation, turn)}" '
        f'aria-label="{strings.SOURCE.format(citation.number)}">[{citation.number}]</a>'
        for citation in candidate.citations
    )
    return f'<span class="cites">{" ".join(links)}</span>'


def _confidence(candidate: Candidate) -> str:
    level = next(level for least, _, level in CONFIDENCE if candidate.confidence >= least)
    return f'<p class="confidence {level}">{escape(confidence_in_words(candidate.confidence))}</p>'


def _card(citation: Citation, turn: int, found: Cited) -> str:
    page = [] if citation.page is None else [strings.PAGE.format(citation.page)]
    facts = [written_date(citation.date), *page, PurePath(citation.source).name]
    document = found.documents.get(citation.document_id)
    passage = passage_of(citation, found.passages.get(citation.document_id, ()))
    return (
        f'<article class="card" id="{_anchor(citation, turn)}" tabindex="-1">'
        f'<header><span class="number" aria-hidden="true">{citation.number}</span>'
        f'<h3 dir="auto">{escape(citation.title)}</h3></header>'
        f'<p class="facts">{_facts(facts)}</p>'
        f'<p class="passage" dir="auto">{highlighted(citation, document, passage)}</p>'
        f"{_card_tools(citation, document, found)}</article>"
    )


def _card_tools(citation: Citation, document: Document | None, found: Cited) -> str:
    if document is None:
        return f'<p class="gone">{strings.GONE}</p>'
    place: dict[str, str | int] = {
        "document": citation.document_id,
        "start": citation.start,
        "end": citation.end,
        "answer-start": citation.answer_start,
        "answer-end": citation.answer_end,
        "digest": digest(citation.quote),
    }
    label = strings.VIEW_LABEL.format(number=citation.number, title=citation.title)
    view = button("view", strings.VIEW, "quiet", label=label, data=place)
    file = f"/api/documents/{attribute(citation.document_id)}/file"
    download = (
        f'<a class="quiet" href="{file}" download>{strings.DOWNLOAD}</a>'
        if found.has_original(citation.source)
        else ""
    )
    return f'<div class="card-tools">{view}{download}</div>'


def _from(citation: Citation) -> list[str]:
    """Return where a quote is from, in brief; a file that is named like its title is named once."""
    page = [] if citation.page is None else [strings.PAGE_SHORT.format(citation.page)]
    file = PurePath(citation.source)
    date = written_date(citation.date)
    if citation.title in (file.name, file.stem):
        return [file.name, date, *page]
    return [citation.title, date, *page, file.name]


def _facts(facts: Sequence[str]) -> str:
    # The dot ends a line where one breaks, and begins none.
    return "&nbsp;· ".join(f"<bdi>{escape(fact)}</bdi>" for fact in facts)


def _anchor(citation: Citation, turn: int) -> str:
    return f"c-{turn}-{citation.number}"


def _answer_in_quote(citation: Citation) -> Range:
    return Range(citation.answer_start - citation.start, citation.answer_end - citation.start)


def _quote(citation: Citation, document: Document | None) -> str:
    """Return the quote, of the same length, with the line breaks that are shown."""
    return flowing(Range(citation.start, citation.end), citation.quote, document)


def flowing(part: Range, text: str, document: Document | None) -> str:
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
