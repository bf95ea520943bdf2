"""A span to a citation: the only offset arithmetic of ``qa/``."""

from __future__ import annotations

from index.sentences import sentences
from index.types import Document, Passage, Range
from qa.types import Citation, Span

MAX_QUOTE_SENTENCES = 3
MAX_QUOTE_CHARACTERS = 400


def cite(number: int, span: Span, passage: Passage, document: Document) -> Citation:
    """Return the citation of ``span``: the sentences of its passage that hold it are the quote.

    The quote has at most 3 sentences and 400 characters, but never less than the span and, where the span
    lies within one sentence, never less than that sentence. It cannot cross marked text, because no
    passage does.
    """
    return citation_at(number, Range(span.start, span.end), _quote(span, passage, document), document)


def citation_at(number: int, answer: Range, quote: Range, document: Document) -> Citation:
    """Return the citation of a known stretch of a document."""
    section = document.section_at(quote.start)
    return Citation(
        number=number,
        document_id=document.id,
        title=section.title if section and section.title else document.title,
        date=section.date if section else None,
        source=document.source,
        page=document.page_at(quote.start),
        start=quote.start,
        end=quote.end,
        quote=document.text[quote.start : quote.end],
        answer_start=answer.start,
        answer_end=answer.end,
    )


def _quote(span: Span, passage: Passage, document: Document) -> Range:
    held = [
        sentence
        for sentence in sentences(document.text, passage.start, passage.end)
        if sentence.start < span.end and span.start < sentence.end
    ]
    if not held:
        return Range(span.start, span.end)
    start, end = min(held[0].start, span.start), max(held[-1].end, span.end)
    if len(held) > 1 and (len(held) > MAX_QUOTE_SENTENCES or end - start > MAX_QUOTE_CHARACTERS):
        return Range(span.start, span.end)
    return Range(start, end)
