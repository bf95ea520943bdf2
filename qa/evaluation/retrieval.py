"""Retrieval by itself: how early come the passages, or documents, that are relevant?

Of sets with answers, a passage is relevant that holds one of a question's answers whole; of BEIR's, a
document that was judged so, and a document is found where the first of its passages is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index import Hit, Index
from qa.evaluation.corpus import Corpus, JudgedCorpus
from qa.evaluation.metrics import rank_scores
from qa.evaluation.rows import Excerpt, Row, around, expected, gold_texts
from qa.evaluation.sets import QuestionSet
from qa.evaluation.squad import Example

MEASURES = (
    "Success@1",
    "Success@5",
    "Success@10",
    "R@10",
    "R@100",
    "MRR@10",
    "nDCG@10",
    "MAP@100",
)
KINDS = ("dense", "lexical", "fused")
_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Query:
    """A question with the grades of what is relevant: passages or, ``by_document``, documents, by id."""

    example: Example
    grades: Mapping[str, int]
    by_document: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one kind of search found for one question: ids, best first, and the first passage."""

    ids: tuple[str, ...]
    first: Hit | None


@dataclass(frozen=True, slots=True)
class Searched:
    """A question with what each kind of search found, and the seconds that the fused one took."""

    query: Query
    rankings: Mapping[str, Ranking]
    seconds: float


def queries(corpus: Corpus, examples: Iterable[Example]) -> list[Query]:
    """Return the questions that have an answer; one that chunking cut in two has nothing to be found."""
    return [
        Query(one, {str(passage): 1 for passage in corpus.relevant(one)}, by_document=False)
        for one in examples
        if one.answers
    ]


def judged_queries(
    corpus: JudgedCorpus, sets: Sequence[QuestionSet], asked: Iterable[Example]
) -> list[Query]:
    """Return the questions of sets in BEIR's format."""
    by_name = {one.name: one for one in sets}
    return [Query(one, corpus.judgements(by_name[one.set], one), by_document=True) for one in asked]


def search_all(index: Index, asked: Iterable[Query], dense_weight: float) -> Iterator[Searched]:
    """Search for each question: by vectors alone, by words alone, and by both with ``dense_weight``."""
    for query in asked:
        rankings: dict[str, Ranking] = {}
        for kind, weight in zip(KINDS, (1.0, 0.0, dense_weight), strict=True):
            began = time.perf_counter()
            hits = index.search(query.example.question, _DEPTH, dense_weight=weight)
            seconds = time.perf_counter() - began
            if kind == "lexical":
                hits = [hit for hit in hits if hit.lexical > 0]
            rankings[kind] = _ranking(hits, by_document=query.by_document)
        # Of the fused search, the last.
        yield Searched(query, rankings, seconds)


def _ranking(hits: Sequence[Hit], *, by_document: bool) -> Ranking:
    ids = (hit.passage.document_id if by_document else str(hit.passage.id) for hit in hits)
    return Ranking(tuple(dict.fromkeys(ids)), hits[0] if hits else None)


def retrieval_rows(index: Index, searched: Sequence[Searched], titles: Callable[[str], str]) -> list[Row]:
    """Return a row for each question; ``titles`` gives what a document of an id is called."""
    names = [str(place) for place in range(len(searched))]
    judgements = {name: one.query.grades for name, one in zip(names, searched, strict=True)}
    scores = {
        kind: rank_scores(
            {name: one.rankings[kind].ids for name, one in zip(names, searched, strict=True)},
            judgements,
            MEASURES,
        )
        for kind in KINDS
    }
    return [
        _row(index, one, {kind: scores[kind][name] for kind in KINDS}, titles)
        for name, one in zip(names, searched, strict=True)
    ]


def _row(
    index: Index, one: Searched, scores: Mapping[str, Mapping[str, float]], titles: Callable[[str], str]
) -> Row:
    query, example = one.query, one.query.example
    first = one.rankings["fused"].first
    best = _best_judged(index, query)
    return Row(
        set=example.set,
        id=example.id,
        # Questions on one article stand or fall together; those of BEIR have none in common.
        group=example.id if query.by_document else example.group,
        kind=example.kind,
        question=example.question,
        gold=gold_texts(example),
        expected=best or expected(example),
        expected_in=example.title,
        answer=None,
        quote=_shown(first, example) if first else Excerpt(),
        quoted_from=titles(first.passage.document_id) if first else "",
        confidence=None,
        right=scores["fused"]["Success@1"] == 1.0,
        scores=scores,
        seconds=one.seconds,
        ranks={kind: _first_relevant(ranking.ids, query.grades) for kind, ranking in one.rankings.items()},
    )


def _best_judged(index: Index, query: Query) -> Excerpt | None:
    """Return how the document with the highest grade begins, where documents were judged."""
    relevant = [name for name, grade in query.grades.items() if grade > 0]
    if not query.by_document or not relevant:
        return None
    document = index.document(max(relevant, key=lambda name: query.grades[name]))
    return around(document.text, 0, 0) if document else None


def _shown(hit: Hit, example: Example) -> Excerpt:
    """Return a passage, with the first right answer that it holds."""
    text = hit.passage.text
    start, answer = min(
        ((text.find(gold), gold) for gold in gold_texts(example) if gold in text), default=(0, "")
    )
    return Excerpt(text, start, start + len(answer))


def _first_relevant(ids: Sequence[str], grades: Mapping[str, int]) -> int | None:
    return next((rank for rank, name in enumerate(ids, 1) if grades.get(name, 0) > 0), None)
