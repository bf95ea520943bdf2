"""Answers to HTML: pure functions. Knows no gradio and no index.

Text of documents and people is data: it enters HTML through :func:`escape` alone, which leaves nothing in it
that HTML, Markdown or a template could read as theirs. The HTML is one line, so that Markdown sees one
block of HTML in it and looks no further.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from index.types import Passage
from qa.types import Answer, Candidate, Citation
from qa.web import strings
from qa.wording import CONFIDENCE, confidence_in_words, written_date

# Characters that reorder the text around them: shown by name, so that no quote reads other than it is.
_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_ESCAPES = (
    {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation}
    | {code: chr(0x2400 + code) for code in range(0x20)}
    | {ord("\t"): "&#9;", ord("\n"): "&#10;", ord("\r"): "&#13;", 0x7F: "\u2421"}
    | {ord(mark): f'<span class="control">U+{ord(mark):04X}</span>' for mark in _BIDIRECTIONAL}
)
_PARAGRAPHS = re.compile(r"(\n\s*\n)")


def escape(text: str) -> str:
    """Return text as HTML that shows exactly it, and means nothing else in HTML, Markdown or templates.

    For use between tags only: what names a bidirectional control has tags of its own.
    """
    return text.translate(_ESCAPES)


def header(answering_over: str, documents: int, passages: int) -> str:
    """Return the page's head: what it answers over."""
    size = f"{strings.counted(documents, 'document')}, {strings.counted(passages, 'passage')}"
    return (
        f'<div class="brand"><h1>{strings.TITLE}</h1>'
        f'<p class="over">Answering over: <b dir="auto">{escape(answering_over)}</b>'
        f'<span class="size"> — {size}</span></p></div>'
    )


def welcome(documents: int) -> str:
    """Return what an empty conversation shows."""
    invitation = strings.INVITATION if documents else strings.EMPTY
    return f'<div class="welcome"><h2>{escape(invitation)}</h2><p>{escape(strings.PROMISE)}</p></div>'


def question(text: str) -> str:
    """Return a person's message."""
    return f'<div class="question" dir="auto">{escape(text)}</div>'


def stage(text: str) -> str:
    """Return the message of an answer on its way."""
    return f'<div class="stage">{escape(text)}</div>'


def failure(text: str) -> str:
    """Return the message about a question that could not be asked."""
    return f'<div class="abstention"><p>{escape(text[:1].upper() + text[1:])}</p></div>'


def answer(result: Answer, turn: int) -> str:
    """Return the message of an answer, or of an abstention; ``turn`` counts the answers of a conversation."""
    if not result.candidates:
        advice = strings.ADVICE[result.status]
        return (
            f'<div class="abstention"><p>{escape(result.reason)}</p>'
            + (f'<p class="advice">{escape(advice)}</p>' if advice else "")
            + "</div>"
        )
    first, *others = result.candidates
    also = "".join(f"<li>{_links(other, turn)}<div>{_quoted(other)}</div></li>" for other in others)
    return (
        f'<div class="answer">{_quoted(first, _links(first, turn))}{_confidence(first.confidence)}'
        + (f'<div class="also"><h3>{strings.ALSO}</h3><ul>{also}</ul></div>' if also else "")
        + "</div>"
    )


def sources(result: Answer, turn: int, passages: Mapping[str, Sequence[Passage]]) -> str:
    """Return the sources of one answer as cards; ``passages`` are those of each cited document, by id."""
    cited = [citation for candidate in result.candidates for citation in candidate.citations]
    shown = cited or result.near_misses
    cards = "".join(
        _card(citation, turn, passage_of(citation, passages.get(citation.document_id, ())))
        for citation in shown
    )
    return (
        f'<section class="group" id="s-{turn}"><h2>{strings.SOURCES if cited else strings.NEAREST}'
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
    return next(
        (one for one in passages if one.start <= citation.start and citation.end <= one.end),
        None,
    )


def highlighted(citation: Citation, passage: Passage | None) -> str:
    """Return the passage with the quote marked in it; only the quote where there is no passage."""
    if passage is None:
        return f"<mark>{_quote(citation)}</mark>"
    before = passage.text[: citation.start - passage.start]
    after = passage.text[citation.end - passage.start :]
    return f"{_prose(before)}<mark>{_quote(citation)}</mark>{_prose(after)}"


def _quoted(candidate: Candidate, links: str = "") -> str:
    first = candidate.citations[0]
    return (
        f'<blockquote dir="auto">“{_quote(first)}”{"&nbsp;" if links else ""}{links}</blockquote>'
        f'<p class="from"><bdi>{escape(first.title)}</bdi>'
        f'<span class="date"> · {escape(written_date(first.date))}</span></p>'
    )


def _links(candidate: Candidate, turn: int) -> str:
    links = (
        f'<a class="cite" href="#{_anchor(citation, turn)}">[{citation.number}]</a>'
        for citation in candidate.citations
    )
    return f'<span class="cites">{" ".join(links)}</span>'


def _confidence(confidence: float) -> str:
    level = next(level for least, _, level in CONFIDENCE if confidence >= least)
    return f'<p class="confidence {level}">{escape(confidence_in_words(confidence))}</p>'


def _card(citation: Citation, turn: int, passage: Passage | None) -> str:
    facts = [written_date(citation.date)]
    if citation.page is not None:
        facts.append(strings.PAGE.format(citation.page))
    facts.append(PurePath(citation.source).name)
    return (
        f'<article class="card" id="{_anchor(citation, turn)}" tabindex="-1">'
        f'<header><span class="number">{citation.number}</span>'
        f'<h3 dir="auto">{escape(citation.title)}</h3></header>'
        f'<p class="facts">{" · ".join(f"<bdi>{escape(fact)}</bdi>" for fact in facts)}</p>'
        f'<p class="passage" dir="auto">{highlighted(citation, passage)}</p></article>'
    )


def _anchor(citation: Citation, turn: int) -> str:
    return f"c-{turn}-{citation.number}"


def _quote(citation: Citation) -> str:
    """Return the quote, with the answer set off where it is only a part of it."""
    start, end = citation.answer_start - citation.start, citation.answer_end - citation.start
    if not citation.quote[:start].strip() and not citation.quote[end:].strip():
        return _prose(citation.quote)
    before, found, after = citation.quote[:start], citation.quote[start:end], citation.quote[end:]
    return f"{_prose(before)}<strong>{_prose(found)}</strong>{_prose(after)}"


def _prose(text: str) -> str:
    """Return running text: the breaks of hard-wrapped lines close up, those of paragraphs stay."""
    parts = _PARAGRAPHS.split(text)
    return "".join(
        f'<span class="gap">{escape(part)}</span>' if position % 2 else escape(part)
        for position, part in enumerate(parts)
    )
