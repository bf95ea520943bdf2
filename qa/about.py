"""Questions about the documents themselves: what they are about, when they were published.

Answered from titles and dates that the text shows, so that these answers are quotes as well.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from index.index import Index
from index.search import content_words
from index.sentences import sentences
from index.types import Document, Range, Section
from qa.cite import citation_at
from qa.confidence import OFF_TOPIC_COSINE
from qa.types import Answer, Candidate

_THIS = r"(?:this|these|it|they|the|your|all(?: of)? (?:this|these|the))"
_THING = (
    r"(?:documents?|files?|texts?|articles?|pages?|news|story|stories|reports?|folder|corpus|collection|"
    r"posts?)"
)
_ABOUT = re.compile(
    rf"^(?:what(?:'s|’s|s)?|tell me what)\s*(?:is|are)?\s*{_THIS}(?:\s+{_THING})?\s*(?:is|are)?\s*"
    r"(?:all\s+)?about\W*$|"
    rf"^(?:what|which) (?:documents|files|articles) (?:are there|do you have|have you got)\W*$|"
    rf"^(?:what (?:is|are) the )?(?:titles?|topics?|headlines?) of {_THIS}(?:\s+{_THING})?\W*$",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(
    rf"^(?:when (?:was|were|is|did)|(?:on )?what (?:date|day) (?:was|were|is)|"
    r"what is the (?:publication )?date of|"
    rf"how old (?:is|are))\s+{_THIS}(?:\s+{_THING})?(?P<topic>\s+(?:about|on|titled|called|that)\b.*?|)"
    rf"\s*(?:published|posted|written|released|dated|issued|from|come out|appear)?\W*$",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:published|posted|written|released|dated|issued|come out|appear)|\bdate of\b|\bhow old\b",
    re.IGNORECASE,
)
_OPENING = 400
# Of a large collection the first ones say enough; each is read whole.
_MOST_SECTIONS = 200
# What one of several documents says is no certain answer to a question that names none of them.
_ONE_OF_SEVERAL = 0.8


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where a document shows what was asked of one of its sections."""

    document: Document
    section: Section
    at: Range

    @property
    def text(self) -> str:
        return self.document.text[self.at.start : self.at.end]


def about(question: str, index: Index, documents: Collection[str] | None, most: int) -> Answer | None:
    """Return the answer to a question about the documents themselves, or ``None`` for any other.

    Each document comes first with its first section, then each with its second one, and so on.

    Args:
        question: as it was asked.
        index: where the documents are.
        documents: ids of the only documents to use; ``None`` for all.
        most: how many candidates to give at most.
    """
    titles = _ABOUT.match(question)
    dates = _PUBLISHED.match(question) if _VERB.search(question) else None
    if not titles and not dates:
        return None
    chosen = [one for one in index.document_ids() if documents is None or one in documents]
    if dates and not titles:
        shown = _dates(index, chosen, dates["topic"])
    else:
        shown = _in_turn(_topics(document) for document in _read(index, chosen))
    confidence = 1.0 if len(chosen) == 1 else _ONE_OF_SEVERAL
    candidates = _candidates(itertools.islice(shown, _MOST_SECTIONS), confidence, most)
    return Answer(question, question, "answered", candidates) if candidates else None


def _candidates(shown: Iterable[_Shown], confidence: float, most: int) -> tuple[Candidate, ...]:
    """Return the first ``most`` distinct texts among what is shown, each with all the places that show it."""
    same: dict[str, dict[tuple[str, Range], _Shown]] = {}
    for one in shown:
        # The sections of a document may have one date, which it shows once.
        same.setdefault(one.text, {}).setdefault((one.document.id, one.at), one)
    number = itertools.count(1)
    return tuple(
        Candidate(
            text,
            confidence,
            tuple(
                citation_at(next(number), one.at, one.at, one.document, one.section)
                for one in places.values()
            ),
        )
        for text, places in itertools.islice(same.items(), most)
    )


def _read(index: Index, chosen: Iterable[str]) -> Iterator[Document]:
    """Yield the chosen documents; one that was removed meanwhile is left out."""
    return (document for one in chosen if (document := index.document(one)) is not None)


def _in_turn(documents: Iterable[Iterator[_Shown]]) -> Iterator[_Shown]:
    """Yield what documents show: the first of each, then the second of each, and so on."""
    going: list[Iterator[_Shown]] = []
    for document in documents:
        first = next(document, None)
        if first is not None:
            yield first
            going.append(document)
    for turn in itertools.zip_longest(*going):
        yield from (one for one in turn if one is not None)


def _sections(document: Document) -> Sequence[Section]:
    return document.sections or (Section(0, len(document.text), document.title),)


def _topics(document: Document) -> Iterator[_Shown]:
    """Yield where each section says what it is about: its title, or its first sentence that is not marked."""
    for section in _sections(document):
        at = section.title_at or _first_sentence(document, section)
        if at is not None:
            yield _Shown(document, section, at)


def _first_sentence(document: Document, section: Section) -> Range | None:
    opening = sentences(document.text, section.start, min(section.end, section.start + 20 * _OPENING))
    found = (_without_marked(document, sentence) for sentence in opening)
    return next((one for one in found if one is not None), None)


def _without_marked(document: Document, sentence: Range) -> Range | None:
    """Return the part of a sentence after any marked text in it, or ``None`` where nothing is left."""
    inside = [mark for mark in document.marked if mark.overlaps(sentence)]
    start = max((mark.end for mark in inside), default=sentence.start)
    while start < sentence.end and document.text[start].isspace():
        start += 1
    return Range(start, sentence.end) if start < sentence.end else None


def _dates(index: Index, chosen: Sequence[str], topic: str) -> Iterator[_Shown]:
    """Return where documents show their dates; with a topic, of the section it is found in only."""
    if not content_words(topic):
        return _in_turn(_dates_of(document) for document in _read(index, chosen))
    nearest = index.search(topic, 1, documents=chosen)
    hits = [hit.passage for hit in nearest if hit.dense >= OFF_TOPIC_COSINE and hit.lexical > 0]
    return (
        one
        for hit in hits
        for document in _read(index, [hit.document_id])
        for one in _dates_of(document)
        if one.section.start <= hit.start < one.section.end
    )


def _dates_of(document: Document) -> Iterator[_Shown]:
    return (
        _Shown(document, section, section.date_at)
        for section in _sections(document)
        if section.date_at is not None
    )
