"""Fits what :mod:`qa.confidence` weighs, on articles that the reader was not trained on.

Questions with and without an answer come in equal numbers: see :mod:`qa.evaluation.abstention`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np
from numpy.typing import NDArray

from qa.confidence import CALIBRATIONS, Calibration, Evidence
from qa.evaluation.abstention import Judged, Observation, judge_all
from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import f1, is_right
from qa.types import Kind

STRICT_PRECISION = 0.8
WITHHELD = 0.8
_THRESHOLDS = np.arange(0.0, 1.0, 0.01)
_Z = 1.6449  # of the normal distribution, for 95 % on one side
_REGULARISATION = 10.0  # scikit-learn's C: nearly none, for five weights and a thousand observations

Matrix = NDArray[np.float64]


def fit(
    corpora: Sequence[tuple[Corpus, Sequence[Observation]]], kind: Kind
) -> tuple[Calibration, list[Judged]]:
    """Return a calibration fitted on observations, and how it judges them.

    The order of spans is a conditional logistic regression over the spans of each answerable question; the
    sentence reader's scores are in order already. The threshold is the lowest that leaves 80 % of the
    questions without an answer unanswered: what is answered below that of a clear answer is shown as what
    comes nearest (:mod:`qa.wording`).
    """
    calibration = CALIBRATIONS[kind]
    if kind == "spans":
        observations = [one for _, observed in corpora for one in observed]
        span, lead, passage = _fit_order(observations)
        calibration = replace(calibration, span=span, lead=lead, passage=passage)
    judged = _judge_all(corpora, kind, calibration)
    intercept, weights = _fit_confidence(judged)
    calibration = replace(calibration, intercept=intercept, weights=weights)
    judged = _judge_all(corpora, kind, calibration)
    calibration = replace(calibration, threshold=_lowest(judged), strict=_strict(judged))
    return calibration, judged


def _judge_all(
    corpora: Sequence[tuple[Corpus, Sequence[Observation]]], kind: Kind, calibration: Calibration
) -> list[Judged]:
    return [one for corpus, observed in corpora for one in judge_all(corpus, observed, kind, calibration)]


def _fit_order(observations: Sequence[Observation]) -> tuple[float, float, float]:
    from scipy.optimize import minimize  # noqa: PLC0415 - slow, and needed here alone

    questions = [_spans(one) for one in observations if one.answerable]
    questions = [(features, right) for features, right in questions if right.any()]

    def loss(weights: Matrix) -> float:
        total = 0.0
        for features, right in questions:
            values = features @ weights
            total += np.logaddexp.reduce(values) - np.logaddexp.reduce(values[right])
        return total / len(questions) + 1e-3 * float(weights @ weights)

    found = minimize(loss, np.array([0.2, 0.2, 1.0]), method="Nelder-Mead")
    return float(found.x[0]), float(found.x[1]), float(found.x[2])


def _spans(observation: Observation) -> tuple[Matrix, NDArray[np.bool_]]:
    golds = [gold.text for gold in observation.example.answers]
    pairs = [
        (reading, hit, span)
        for reading, hit in zip(observation.readings, observation.hits, strict=True)
        for span in reading.spans
    ]
    features = [(span.score, span.score - reading.null_score, hit.score) for reading, hit, span in pairs]
    right = [is_right(f1(span.text, golds)) for _, _, span in pairs]
    return np.array(features).reshape(-1, 3), np.array(right, dtype=bool)


def _fit_confidence(judged: Sequence[Judged]) -> tuple[float, Evidence]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow, and needed here alone

    features = np.array([astuple(one.evidence) for one in judged])
    right = np.array([one.right for one in judged])
    model = LogisticRegression(C=_REGULARISATION).fit(features, right)
    return float(model.intercept_[0]), Evidence(*(float(weight) for weight in model.coef_[0]))


def _lowest(judged: Sequence[Judged]) -> float:
    """Return the lowest threshold that leaves enough unanswerable questions unanswered; 1 if none does."""
    confidences = np.array([one.confidence for one in judged if not one.answerable])
    withheld = np.array([(confidences < one).mean() for one in _THRESHOLDS])
    return float(next(iter(_THRESHOLDS[withheld >= WITHHELD]), 1.0))


def _strict(judged: Sequence[Judged]) -> float:
    """Return the lowest threshold from which answers are surely right often enough; 1 where there is none.

    Surely: by the lower end of Wilson's one-sided 95 % interval (1927), as the next documents are others.
    """
    confidences = np.array([one.confidence for one in judged])
    right = np.array([one.right for one in judged])
    answered = ((one, right[confidences >= one]) for one in _THRESHOLDS)
    enough = (one for one, held in answered if _at_least(int(held.sum()), len(held)) >= STRICT_PRECISION)
    return float(next(enough, 1.0))


def _at_least(right: int, count: int) -> float:
    """Return the lower end of Wilson's one-sided 95 % interval for a share, in [0, 1]; 0 for none."""
    if not count:
        return 0.0
    share, square = right / count, _Z * _Z / count
    spread = _Z * math.sqrt(share * (1.0 - share) / count + square / (4.0 * count))
    return (share + square / 2.0 - spread) / (1.0 + square)
