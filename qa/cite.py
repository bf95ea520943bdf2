"""A span to a citation: the only offset arithmetic of ``qa/``."""

from __future__ import annotations

from collections.abc import Sequence

from index.lines import could_be_headline, ends_sentence, is_list_item
from index.sentences import paragraphs, sentences
from index.types import Document, Passage, Range, Section
from qa.types import Citation, Span

MAX_QUOTE_SENTENCES = 3
MAX_QUOTE_CHARACTERS = 400


def cite(number: int, span: Span, passage: Passage, document: Document) -> Citation:
    """Return the citation of ``span``: the sentences of its passage that hold it, and some around them.

    The quote has at most 3 sentences and 400 characters, but never less than the span and, where the span
    lies within one sentence, never less than that sentence. What follows the span is added before what
    precedes it, up to the next heading, or to a list that nothing announces: what stands beyond it is about
    something else. The quote cannot cross marked text, because no passage does.
    """
    return citation_at(number, Range(span.start, span.end), _quote(span, passage, document), document)


def citation_at(
    number: int, answer: Range, quote: Range, document: Document, section: Section | None = None
) -> Citation:
    """Return the citation of a known stretch of a document, by default that of the section it stands in."""
    section = section or document.section_at(answer.start)
    return Citation(
        number=number,
        document_id=document.id,
        title=section.title if section and section.title else document.title,
        date=section.date if section else None,
        source=document.source,
        page=document.page_at(answer.start),
        start=quote.start,
        end=quote.end,
        quote=document.text[quote.start : quote.end],
        answer_start=answer.start,
        answer_end=answer.end,
    )


def _quote(span: Span, passage: Passage, document: Document) -> Range:
    found = sentences(document.text, passage.start, passage.end)
    held = [place for place, one in enumerate(found) if one.start < span.end and span.start < one.end]
    if not held:
        return Range(span.start, span.end)
    first, last = held[0], held[-1]
    if first != last and not _fits(found, first, last):
        return Range(span.start, span.end)
    text, headings = document.text, _headings(document.text, passage)
    while (
        last + 1 < len(found)
        and _fits(found, first, last + 1)
        and found[last + 1] not in headings
        and not _enters_list(text, found[last], found[last + 1])
    ):
        last += 1
    while (
        first > 0
        and _fits(found, first - 1, last)
        and found[first - 1] not in headings
        and not _enters_list(text, found[first - 1], found[first])
    ):
        first -= 1
    return Range(min(found[first].start, span.start), max(found[last].end, span.end))


def _enters_list(text: str, one: Range, following: Range) -> bool:
    """Whether a list begins with ``following`` that ``one`` does not announce: apart, and without a colon."""
    items = [is_list_item(text[at.start : at.end]) for at in (one, following)]
    apart = text.count("\n", one.end, following.start) > 1
    return items == [False, True] and apart and text[one.end - 1] != ":"


def _fits(found: Sequence[Range], first: int, last: int) -> bool:
    characters = found[last].end - found[first].start
    return last - first < MAX_QUOTE_SENTENCES and characters <= MAX_QUOTE_CHARACTERS


def _headings(text: str, passage: Passage) -> set[Range]:
    """Return where a passage has headings: paragraphs of their own that do not end as a sentence does."""
    found: set[Range] = set()
    for number, paragraph in enumerate(paragraphs(text, passage.start, passage.end)):
        said = text[paragraph.start : paragraph.end].strip()
        start = text.index(said, paragraph.start)
        at = Range(start, start + len(said))
        above, below = _blank_around(text, at)
        # Numbers without a blank line below count the items of a list.
        headed = could_be_headline(said) or (below and said[0].isdigit() and said[-1] not in ",;:")
        if (above or number == 0) and headed and not ends_sentence(said):
            found.add(at)
    return found


def _blank_around(text: str, at: Range) -> tuple[bool, bool]:
    """Return whether a blank line, or nothing, is above and below a stretch."""
    start, end = at.start, at.end
    while start > 0 and text[start - 1].isspace():
        start -= 1
    while end < len(text) and text[end].isspace():
        end += 1
    above = start == 0 or text.count("\n", start, at.start) > 1
    below = end == len(text) or text.count("\n", at.end, end) > 1
    return above, below
