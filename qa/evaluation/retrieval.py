"""Retrieval by itself: is the passage that holds the answer among the first k?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from index import Hit
from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import ranking
from qa.evaluation.squad import Example

CUTOFFS = (1, 5, 10)
# Deep enough to hold the best hundred of either kind.
_DEPTH = 200

_ORDERS: Mapping[str, Callable[[Hit], float]] = {
    "dense": lambda hit: hit.dense,
    "lexical": lambda hit: hit.lexical,
    "fused": lambda hit: hit.score,
}


def evaluate_retrieval(corpus: Corpus, examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Return R@1, R@5, R@10 and MRR@10 as fractions, of dense, lexical and fused search."""
    runs: dict[str, dict[str, list[str]]] = {name: {} for name in _ORDERS}
    relevant: dict[str, set[str]] = {}
    for example in examples:
        wanted = corpus.relevant(example)
        if not wanted:
            continue
        relevant[example.id] = {str(passage) for passage in wanted}
        hits = corpus.index.search(example.question, _DEPTH)
        for name, order in _ORDERS.items():
            ranked = sorted(hits, key=order, reverse=True)[: max(CUTOFFS)]
            runs[name][example.id] = [str(hit.passage.id) for hit in ranked]
    return {name: ranking(run, relevant, CUTOFFS) for name, run in runs.items()}
