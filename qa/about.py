"""Questions about the documents themselves: what they are about, when they were published.

Answered from titles and dates that the text shows, so that these answers are quotes as well.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator

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


def about(question: str, index: Index, documents: Collection[str] | None, most: int) -> Answer | None:
    """Return the answer to a question about the documents themselves, or ``None`` for any other.

    Args:
        question: as it was asked.
        index: where the documents are.
        documents: ids of the only documents to use; ``None`` for all.
        most: how many candidates to give at most.
    """
    if _ABOUT.match(question):
        found: Iterable[tuple[Document, Range] | None] = (
            _topic(document, section) for document, section in _sections(index, documents)
        )
    elif (match := _PUBLISHED.match(question)) and _VERB.search(question):
        found = _dates(index, documents, match["topic"])
    else:
        return None
    stretches = itertools.islice((one for one in found if one is not None), _MOST_SECTIONS)
    candidates = _candidates(stretches, most)
    return Answer(question, question, "answered", candidates) if candidates else None


def _candidates(stretches: Iterable[tuple[Document, Range]], most: int) -> tuple[Candidate, ...]:
    """Return the first ``most`` distinct texts among ``stretches``, each with all that show it."""
    same: dict[str, list[tuple[Document, Range]]] = {}
    for document, stretch in stretches:
        same.setdefault(document.text[stretch.start : stretch.end], []).append((document, stretch))
    number = itertools.count(1)
    return tuple(
        Candidate(text, 1.0, tuple(citation_at(next(number), at, at, document) for document, at in places))
        for text, places in itertools.islice(same.items(), most)
    )


def _sections(index: Index, documents: Collection[str] | None) -> Iterator[tuple[Document, Section]]:
    for document_id in index.document_ids():
        if documents is None or document_id in documents:
            document = index.document(document_id)
            if document is not None:
                whole = Section(0, len(document.text), document.title)
                yield from ((document, section) for section in document.sections or (whole,))


def _topic(document: Document, section: Section) -> tuple[Document, Range] | None:
    """Return where a section says what it is about: its title, or its first sentence that is not marked."""
    if section.title_at is not None:
        return document, section.title_at
    opening = sentences(document.text, section.start, min(section.end, section.start + 20 * _OPENING))
    for sentence in opening:
        free = _without_marked(document, sentence)
        if free is not None:
            return document, free
    return None


def _without_marked(document: Document, sentence: Range) -> Range | None:
    """Return the part of a sentence after any marked text in it, or ``None`` where nothing is left."""
    inside = [mark for mark in document.marked if mark.overlaps(sentence)]
    start = max((mark.end for mark in inside), default=sentence.start)
    while start < sentence.end and document.text[start].isspace():
        start += 1
    return Range(start, sentence.end) if start < sentence.end else None


def _dates(
    index: Index, documents: Collection[str] | None, topic: str
) -> Iterator[tuple[Document, Range] | None]:
    """Yield where sections show their dates; with a topic, of the section it is found in only."""
    dated: Iterable[tuple[Document, Section]] = (
        (document, section)
        for document, section in _sections(index, documents)
        if section.date_at is not None
    )
    if content_words(topic):
        nearest = index.search(topic, 1, documents=documents)
        hits = [hit for hit in nearest if hit.dense >= OFF_TOPIC_COSINE and hit.lexical > 0]
        dated = [
            (document, section)
            for document, section in dated
            for hit in hits
            if hit.passage.document_id == document.id and section.start <= hit.passage.start < section.end
        ]
    for document, section in dated:
        yield (document, section.date_at) if section.date_at else None
