"""Fits the confidence: how likely is the first candidate right, given its scores?

Every question is asked three times: over its corpus, over its corpus without its own document, and over
another corpus. Only in the first case can the first candidate be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index import Index
from qa.cite import cite
from qa.confidence import rank
from qa.evaluation.corpus import Corpus
from qa.evaluation.squad import Example
from qa.read import SentenceReader
from qa.settings import Settings
from qa.types import Reader

# The share of off-topic questions to leave unanswered. Asking for more costs answers: a quote that is not
# quite the answer still shows where to look.
_WITHHELD = 0.8


@dataclass(frozen=True, slots=True)
class Observation:
    """The evidence for one first candidate, whether it was right, and how the question was asked."""

    evidence: tuple[float, ...]
    right: bool
    asked: str


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients (intercept first), AUROC, and the lowest threshold that withholds enough off topic.

    ``answered`` holds the share answered at that threshold, by how questions were asked.
    """

    coefficients: tuple[float, ...]
    auroc: float
    threshold: float
    answered: dict[str, float]


def observe(
    corpus: Corpus, examples: Sequence[Example], strangers: Sequence[Example]
) -> Iterator[Observation]:
    """Ask ``examples`` with and without their documents, and ``strangers``, whose documents are elsewhere."""
    reader = SentenceReader(corpus.index.encoder)
    everything = {info.id for info in corpus.index.documents()}
    for example in examples:
        own = corpus.document_id(example)
        yield _ask(corpus.index, reader, example, None, "answerable")
        yield _ask(corpus.index, reader, example, everything - {own} if own else everything, "left out")
    for example in strangers:
        yield _ask(corpus.index, reader, example, None, "off topic")


def _ask(
    index: Index, reader: Reader, example: Example, documents: set[str] | None, asked: str
) -> Observation:
    hits = index.search(example.question, Settings().passages, documents=documents)
    ranked = rank(reader.read(example.question, hits), hits)
    span, passage = ranked[0].spans[0]
    document = index.document(passage.document_id)
    quote = cite(1, span, passage, document).quote if document else ""
    right = asked == "answerable" and any(gold.text in quote for gold in example.answers)
    return Observation(ranked[0].evidence, right, asked)


def fit(observations: Sequence[Observation]) -> Fit:
    """Fit a logistic regression, right against wrong."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow, and needed here alone
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    features = np.array([one.evidence for one in observations])
    right = np.array([one.right for one in observations])
    model = LogisticRegression(C=10.0).fit(features, right)
    probabilities: NDArray[np.float64] = model.predict_proba(features)[:, 1]
    asked = np.array([one.asked for one in observations])
    threshold = _lowest_threshold(probabilities[asked == "off topic"])
    return Fit(
        coefficients=(float(model.intercept_[0]), *(float(weight) for weight in model.coef_[0])),
        auroc=float(roc_auc_score(right, probabilities)),
        threshold=threshold,
        answered={
            kind: float((probabilities[asked == kind] >= threshold).mean()) for kind in dict.fromkeys(asked)
        },
    )


def _lowest_threshold(off_topic: NDArray[np.float64]) -> float:
    thresholds = np.arange(0.01, 1.0, 0.01)
    withheld = np.array([(off_topic < one).mean() for one in thresholds])
    return float(thresholds[int(np.argmax(withheld >= _WITHHELD))])
