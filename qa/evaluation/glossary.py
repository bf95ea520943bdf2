"""What the figures of a result mean, in a sentence each."""

from __future__ import annotations

from collections.abc import Iterable

_MEANINGS = {
    "EM": "exact match: the answer is a right one, but for case, articles and punctuation (SQuAD's script)",
    "F1": "words shared with the nearest right answer; an abstention counts 1 where there is no answer",
    "abstaining EM": "EM, questions left unanswered where the reader's null score wins",
    "abstaining F1": "F1, questions left unanswered where the reader's null score wins",
    "right": "questions whose answer has an F1 of at least 0.5; a ranked sentence has to hold a right answer",
    "right and quoted": "questions whose answer has an F1 over 0.5, and whose first quote holds one",
    "first quote": "questions whose first citation's quote holds a right answer",
    "first document": "questions whose first citation is of the document that answers them",
    "citation precision": "of the quotes that an answer cites, those that hold a right answer",
    "HasAns EM": "EM over the questions that have an answer",
    "HasAns F1": "F1 over the questions that have an answer",
    "NoAns": "of the questions without an answer, those that were left unanswered",
    "answered": "questions that were answered, of those that have an answer where kinds are apart",
    "answered: not_answered": "of the questions on the subject that have no answer, those answered",
    "answered: off_topic": "of the questions about something else altogether, those answered",
    "right of these": "of the questions that were answered, those answered rightly",
    "AUROC": "the chance that a right first candidate has more confidence than a wrong one; 0.5 is a coin's",
    "ECE": "expected calibration error: how far confidences are from the share that is right, over ten bins",
    "AURC": "area under the risk-coverage curve: the share of wrong answers, averaged over all thresholds",
    "altered": "questions that were asked in other words than were typed",
    "Success": "questions with a relevant passage among the first k",
    "R": "of the relevant passages, those among the first k",
    "MRR": "one over the rank of the first relevant passage, 0 beyond k",
    "nDCG": "relevant passages among the first k, the later the less, beside the best order",
    "MAP": "precision at each relevant passage among the first k, averaged",
}


def meanings(figures: Iterable[str]) -> dict[str, str]:
    """Return what figures mean, by name, each once and without its cut-off; those unknown are left out."""
    names = dict.fromkeys(name.removeprefix("alone: ").partition("@")[0] for name in figures)
    return {name: _MEANINGS[name] for name in names if name in _MEANINGS}
