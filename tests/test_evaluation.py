"""Reading, answers and abstention: what becomes of each question, and the rows that figures are made of."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Hit, Index
from qa.confidence import CALIBRATIONS, Evidence
from qa.evaluation.abstention import (
    Judged,
    Observation,
    abstention_rows,
    auroc,
    calibration_error,
    judge,
    judge_all,
    observe,
    risk_coverage,
)
from qa.evaluation.answers import DEFAULT, FORCED, OWN_TEXT, answered_shares, answers_rows, outcome
from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import exact_match, f1
from qa.evaluation.reading import Read, read_gold, reading_rows
from qa.evaluation.retrieval import MEASURES, queries, retrieval_rows, search_all
from qa.evaluation.rows import CANDIDATE, Excerpt, around
from qa.evaluation.squad import Example, Gold
from qa.sentence_reader import SentenceReader
from qa.types import Answer, Candidate, Citation, Reading, Span
from tests.conftest import HashingEncoder

PLAIN = Example("q1", "Where?", "In Minsk.", "T", (Gold("Minsk", 3),), impossible=False, kind="answerable")


# --- reading ------------------------------------------------------------------------------------------


def asked(text, *answers, title="T", kind=None, question="Where?", name=None):
    """An example whose answers are the first places of ``answers`` in ``text``."""
    golds = tuple(Gold(answer, text.index(answer)) for answer in answers)
    kind = kind or ("answerable" if golds else "not_answered")
    return Example(name or text, question, text, title, golds, impossible=not golds, kind=kind)


@pytest.mark.parametrize(
    ("text", "lead", "forced", "abstaining"),
    [
        ("Minsk", 0.5, (1.0, 1.0), (1.0, 1.0)),
        ("the Minsk.", 0.5, (1.0, 1.0), (1.0, 1.0)),
        ("in Minsk", 0.5, (0.0, 2 / 3), (0.0, 2 / 3)),
        ("Minsk", -0.5, (1.0, 1.0), (0.0, 0.0)),
        ("Minsk", 0.0, (1.0, 1.0), (0.0, 0.0)),  # a draw is an abstention, as in the official script
        ("Vienna", 9.0, (0.0, 0.0), (0.0, 0.0)),
        ("", float("-inf"), (0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_reading_scores_the_answer_or_the_abstention(text, lead, forced, abstaining):
    read = Read(PLAIN, text, lead)
    assert (read.exact_match(), read.f1()) == pytest.approx(forced)
    assert (read.exact_match(lead=0.0), read.f1(lead=0.0)) == pytest.approx(abstaining)


@pytest.mark.parametrize(("lead", "right"), [(0.5, 0.0), (0.0, 1.0), (-3.0, 1.0)])
def test_where_there_is_no_answer_an_abstention_is_right(lead, right):
    read = Read(asked("In Minsk."), "Minsk", lead)
    assert (read.exact_match(), read.f1()) == (0.0, 0.0)
    assert (read.exact_match(lead=0.0), read.f1(lead=0.0)) == (right, right)


class Words:
    """A reader that finds given words, the first of them with the highest score; null scores are 1."""

    def __init__(self, *words, kind="spans"):
        self.kind = kind
        self._words = words

    def read(self, question, hits):
        readings = []
        for hit in hits:
            text, start = hit.passage.text, hit.passage.start
            spans = tuple(
                Span(start + text.index(word), start + text.index(word) + len(word), word, 9.0 - rank)
                for rank, word in enumerate(self._words)
                if word in text
            )
            readings.append(Reading(hit.passage.id, spans, 1.0))
        return readings


def test_each_question_is_read_in_its_own_paragraph():
    examples = [asked("It is in Minsk.", "Minsk"), asked("It is Vienna."), asked("Nothing.", "Nothing")]
    found = list(read_gold(Words("Vienna", "Minsk"), examples))
    assert [(one.text, one.lead) for one in found] == [("Minsk", 7.0), ("Vienna", 8.0), ("", float("-inf"))]
    assert [one.example for one in found] == examples


def test_rows_of_reading_score_answers_and_abstentions():
    examples = [
        asked("It is in Minsk.", "Minsk", name="right"),
        asked("In Vienna.", "Vienna", name="withheld"),
        asked("It is nowhere.", name="none"),
    ]
    read = [
        Read(examples[0], "in Minsk", 1.0, 6, 0.5),
        Read(examples[1], "Vienna", -1.0, 3),
        Read(examples[2], "It", 1.0, 0),
    ]
    right, withheld, none = reading_rows(read)
    score = 2 / 3
    assert right.scores[""] == pytest.approx(
        {
            "EM": 0.0,
            "F1": score,
            "abstaining EM": 0.0,
            "abstaining F1": score,
            "HasAns EM": 0.0,
            "HasAns F1": score,
        }
    )
    assert withheld.scores[""] == {
        "EM": 1.0,
        "F1": 1.0,
        "abstaining EM": 0.0,
        "abstaining F1": 0.0,
        "HasAns EM": 0.0,
        "HasAns F1": 0.0,
    }
    assert none.scores[""] == {"abstaining EM": 0.0, "abstaining F1": 0.0, "NoAns": 0.0}
    assert [row.right for row in (right, withheld, none)] == [True, True, False]
    assert right.quote == Excerpt("It is in Minsk.", 6, 14)
    assert right.expected == Excerpt("It is in Minsk.", 9, 14)
    assert (right.seconds, right.group, none.gold) == (0.5, "T", ())
    # Where every question has an answer, those that have one are all.
    assert "HasAns F1" not in next(reading_rows(read[:1])).scores[""]


@given(st.text("ab \n", max_size=500), st.integers(0, 500), st.integers(0, 500))
def test_an_excerpt_shows_its_stretch_whole(text, start, length):
    start = min(start, len(text))
    end = min(len(text), start + length)
    shown = around(text, start, end)
    assert shown.text in text
    assert shown.text[shown.start : shown.end] == text[start:end]
    assert len(shown.text) <= end - start + 320


# --- answers to a whole corpus ------------------------------------------------------------------------


def answered(text, confidence, quote):
    citation = Citation(1, "d", "T", None, "s", None, 0, len(quote), quote, 0, len(text))
    return Answer("Where?", "Where?", "answered", (Candidate(text, confidence, (citation,)),))


NOTHING = Answer("Where?", "Where?", "not_found")
HERE = asked("It is in Minsk on July 3.", "Minsk", "in Minsk")


def test_an_outcome_compares_answer_and_quote():
    right = outcome(HERE, answered("Minsk", 0.9, "It is in Minsk."), document_id="d")
    assert (right.exact_match, right.f1, right.quoted, right.right) == (1.0, 1.0, True, True)
    assert (right.precision, right.documented) == (1.0, True)
    near = outcome(HERE, answered("it is on July 3", 0.4, "It is in Minsk on July 3."), document_id="other")
    assert (near.exact_match, near.f1, near.quoted, near.right) == (0.0, 0.0, True, False)
    assert not near.documented
    half = outcome(HERE, answered("in Minsk on July", 0.4, "it is elsewhere"))
    assert (half.f1, half.quoted, half.right) == (pytest.approx(4 / 6), False, True)
    none = outcome(HERE, NOTHING)
    assert (none.exact_match, none.f1, none.quoted, none.confidence) == (0.0, 0.0, False, 0.0)
    assert (none.precision, none.documented) == (0.0, False)
    assert outcome(asked("x"), NOTHING).f1 == 1.0


def test_of_sentences_the_quote_decides():
    given = answered(
        "It is in Minsk, as they have said over and over again.", 0.9, "It is in Minsk, as they say."
    )
    assert not outcome(HERE, given).right
    assert outcome(HERE, given, "sentences").right
    assert not outcome(asked("x"), given, "sentences").right


def test_citation_precision_is_over_all_citations():
    one, other = (answered("Minsk", 0.9, quote).citations[0] for quote in ("In Minsk.", "In Vienna."))
    both = Answer("Where?", "Where?", "answered", (Candidate("Minsk", 0.9, (other, one, other, one)),))
    found = outcome(HERE, both, document_id="d")
    assert (found.precision, found.quoted) == (0.5, False)


def test_rows_of_answers_by_hand():
    nothing = asked("x", name="none", kind="off_topic")
    outcomes = [
        outcome(HERE, answered("Minsk", 0.9, "in Minsk"), document_id="d", seconds=0.2),
        outcome(asked(HERE.context, "Minsk", name="low"), answered("in Minsk", 0.3, "nowhere")),
        outcome(nothing, answered("Vienna", 0.8, "Vienna")),
        outcome(asked("y", name="silent"), answered("Vienna", 0.1, "Vienna")),
    ]
    gold = [Read(HERE, "in Minsk", 1.0)]
    first, low, none, silent = answers_rows(outcomes, gold, 0.5, {"d": "The title"}.get)
    assert first.scores[OWN_TEXT] == {"EM": 1.0, "F1": 1.0, "right": 1.0}  # the second gold
    assert OWN_TEXT not in low.scores
    assert low.scores[FORCED] == {
        "EM": 0.0,
        "F1": pytest.approx(2 / 3),
        "right": 1.0,
        "first quote": 0.0,
        "first document": 0.0,
        "citation precision": 0.0,
    }
    withheld = ("EM", "F1", "HasAns EM", "HasAns F1", "right", "first quote", "first document", "answered")
    assert low.scores[DEFAULT] == dict.fromkeys(withheld, 0.0)
    assert first.scores[DEFAULT] == dict.fromkeys([*withheld, "right of these", "citation precision"], 1.0)
    assert none.scores[DEFAULT] == {
        "EM": 0.0,
        "F1": 0.0,
        "NoAns": 0.0,
        "answered: off_topic": 1.0,
        "right of these": 0.0,
        "citation precision": 0.0,
    }
    assert silent.scores[DEFAULT] == {"EM": 1.0, "F1": 1.0, "NoAns": 1.0, "answered: not_answered": 0.0}
    assert FORCED not in none.scores
    assert [row.right for row in (first, low, none, silent)] == [True, False, False, True]
    assert [row.scores[CANDIDATE]["right"] for row in (first, low, none, silent)] == [1.0, 1.0, 0.0, 0.0]
    assert (first.quoted_from, first.seconds, first.answer) == ("The title", 0.2, "Minsk")
    shares = answered_shares([first, low, none, silent], 0.3)
    assert shares == {"answerable": 1.0, "off_topic": 1.0, "not_answered": 0.0}
    # What is exactly at the threshold is answered.
    assert answered_shares([first, low], 0.9) == {"answerable": 0.5}


# --- abstention ---------------------------------------------------------------------------------------


def judged(*pairs):
    return [
        Judged(Evidence(0.0, 0.0, 0.0, 0.0), confidence, float(right), float(right), right, right, right)
        for confidence, right in pairs
    ]


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([(1.0, True)], 0.0),
        ([(0.0, False), (1.0, True)], 0.0),
        ([(1.0, False)], 1.0),
        ([(0.95, True), (0.95, False)], (1.9 - 1) / 2),
        ([(0.5, True), (0.5, False)], 0.0),
        ([(0.25, True), (0.25, False), (0.85, True), (0.85, True)], (0.5 + 0.3) / 4),
        ([(0.31, False), (0.39, True)], (1 - 0.7) / 2),  # of one bin: only the means count
        ([(0.29, False), (0.31, True)], (0.29 + 0.69) / 2),  # of two
    ],
)
def test_calibration_error_by_hand(pairs, error):
    assert calibration_error(judged(*pairs)) == pytest.approx(error)


@pytest.mark.parametrize(
    ("pairs", "area"),
    [
        ([(0.9, True), (0.1, False)], 1.0),
        ([(0.1, True), (0.9, False)], 0.0),
        ([(0.5, True), (0.5, False)], 0.5),
        ([(0.9, True), (0.8, False), (0.7, True), (0.1, False)], 3 / 4),
        ([(0.9, True), (0.7, False), (0.7, True), (0.1, False)], 3.5 / 4),
        ([(0.9, True), (0.1, True)], float("nan")),
    ],
)
def test_auroc_by_hand(pairs, area):
    assert auroc(judged(*pairs)) == pytest.approx(area, nan_ok=True)


def test_risk_and_coverage_by_hand():
    coverage, risk = risk_coverage(judged((0.5, False), (0.9, True), (0.1, False), (0.7, True)))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0.0, 0.0, 1 / 3, 2 / 4])


confidences = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


@given(confidences)
def test_of_any_confidences(pairs):
    found = judged(*pairs)
    wrong = sum(not right for _, right in pairs) / len(pairs)
    assert 0 <= calibration_error(found) <= 1
    # Never below what the means of all say.
    gap = abs(sum(confidence for confidence, _ in pairs) / len(pairs) - (1 - wrong))
    assert calibration_error(found) >= gap - 1e-9
    coverage, risk = risk_coverage(found)
    assert coverage[-1] == 1.0
    assert risk[-1] == pytest.approx(wrong)
    assert ((risk >= 0) & (risk <= 1)).all()


SHIPS = {
    "Aurora": ("The ship Aurora is at sea.", "The captain of the Aurora is John Carter."),
    "Bounty": ("The ship Bounty is in Tahiti.", "The captain of the Bounty is William Bligh."),
    "": ("Bread needs flour and water.",),
}
CAPTAINS = [
    asked(SHIPS["Aurora"][1], "John Carter", title="Aurora", question="Who is captain of the Aurora?"),
    asked(SHIPS["Aurora"][0], "sea", title="Aurora", question="Where is the ship Aurora?"),
    asked(SHIPS["Bounty"][1], "William Bligh", title="Bounty", question="Who is captain of the Bounty?"),
    asked(SHIPS["Bounty"][0], "Tahiti", title="Bounty", question="Where is the ship Bounty?"),
    asked(SHIPS[""][0], "flour and water", title="", question="What does bread need?"),
]


@pytest.fixture
def ships(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        yield Corpus(index, CAPTAINS)


def test_every_question_is_asked_with_and_without_its_article(ships):
    found = list(observe(ships, SentenceReader(HashingEncoder()), CAPTAINS))
    assert [(one.example, one.answerable) for one in found] == [
        (example, answerable) for example in CAPTAINS for answerable in (True, False)
    ]
    for one in found:
        texts = {hit.passage.text for hit in one.hits}
        assert (one.example.context in texts) == one.answerable
        if not one.answerable:
            assert texts
            # Nor is another paragraph of the same article there.
            assert not texts & set(SHIPS[one.example.title])
        assert [reading.passage_id for reading in one.readings] == [hit.passage.id for hit in one.hits]


def observation(corpus, example, *, answerable, reader):
    passages = [passage for info in corpus.index.documents() for passage in corpus.index.passages(info.id)]
    hits = [Hit(passage, 0.5, 0.6, 1.0) for passage in passages]
    return Observation(example, answerable, hits, reader.read(example.question, hits))


@pytest.mark.parametrize(
    ("words", "kind", "right"),
    [
        ("John Carter", "spans", True),
        ("is John Carter", "spans", True),  # F1 is 0.8
        ("captain of the Aurora is John", "spans", False),  # F1 is 0.29
        ("captain of the Aurora is John", "sentences", True),  # its sentence holds the answer
        ("William Bligh", "spans", False),
        ("William Bligh", "sentences", False),
    ],
)
def test_what_counts_as_right(ships, words, kind, right):
    reader = Words(words, kind=kind)
    [example, *_] = CAPTAINS
    for answerable in (True, False):
        one = observation(ships, example, answerable=answerable, reader=reader)
        found = judge(ships, one, kind, CALIBRATIONS[kind])
        assert found.right == (right and answerable)
        assert found.answerable == answerable
        assert found.f1 == f1(words, ["John Carter"])
        assert found.exact_match == exact_match(words, ["John Carter"])
        assert found.quoted == ("Bligh" not in words)
        assert found.confidence == CALIBRATIONS[kind].probability(found.evidence)


def test_without_a_candidate_there_is_nothing_to_judge(ships):
    empty = observation(ships, CAPTAINS[0], answerable=True, reader=Words())
    full = observation(ships, CAPTAINS[0], answerable=True, reader=Words("John Carter"))
    assert judge(ships, empty, "spans", CALIBRATIONS["spans"]) is None
    assert len(judge_all(ships, [empty, full, empty], "spans", CALIBRATIONS["spans"])) == 1


def test_a_question_without_an_answer_is_asked_once(ships):
    nothing = asked("", title="", name="none", question="Where is Atlantis?")
    found = list(observe(ships, SentenceReader(HashingEncoder()), [nothing]))
    assert [(one.example, one.answerable) for one in found] == [(nothing, False)]
    assert found[0].hits


def test_rows_of_abstention_by_hand(ships):
    reader = Words("John Carter")
    [example, *_] = CAPTAINS
    calibration = replace(CALIBRATIONS["spans"], threshold=0.0, strict=1.0)
    cases = [
        observation(ships, example, answerable=True, reader=reader),
        observation(ships, example, answerable=False, reader=reader),
        observation(ships, example, answerable=True, reader=Words()),
    ]
    found, left_out, empty = abstention_rows(ships, cases, "spans", calibration)
    full = {"answered": 1.0, "F1": 1.0, "HasAns F1": 1.0, "right of these": 1.0}
    assert found.scores == {
        CANDIDATE: {"right": 1.0},
        "default": full,
        "strict": {"answered": 0.0, "F1": 0.0, "HasAns F1": 0.0},
    }
    assert left_out.scores["default"] == {"answered": 1.0, "F1": 0.0, "NoAns": 0.0, "right of these": 0.0}
    assert left_out.scores["strict"] == {"answered": 0.0, "F1": 1.0, "NoAns": 1.0}
    assert (left_out.kind, left_out.gold) == ("left out", ())
    assert left_out.id != found.id
    # Nothing was found: an abstention, however low the threshold.
    assert (empty.confidence, empty.answer, empty.scores["default"]["answered"]) == (0.0, None, 0.0)
    assert [one.right for one in (found, left_out, empty)] == [True, False, False]


# --- retrieval ----------------------------------------------------------------------------------------


def test_rows_of_retrieval(ships):
    searched = list(search_all(ships.index, queries(ships, CAPTAINS), 1.0))
    rows = retrieval_rows(ships.index, searched, ships.title)
    assert [row.id for row in rows] == [example.id for example in CAPTAINS]
    for row, example in zip(rows, CAPTAINS, strict=True):
        assert list(row.scores) == ["dense", "lexical", "fused"]
        assert list(row.scores["fused"]) == list(MEASURES)
        # Vectors alone.
        assert row.scores["fused"] == row.scores["dense"]
        for kind, rank in row.ranks.items():
            assert row.scores[kind]["Success@1"] == float(rank == 1)
            assert row.scores[kind]["MRR@10"] == pytest.approx(1 / rank if rank else 0.0)
        assert row.right == (row.quote.text == example.context)
        assert row.expected.text[row.expected.start : row.expected.end] == example.answers[0].text
    assert sum(row.right for row in rows) >= 4


def test_words_that_are_nowhere_find_nothing(ships):
    strange = replace(CAPTAINS[0], question="Zzyzx qwerty?")
    [row] = retrieval_rows(
        ships.index, [*search_all(ships.index, queries(ships, [strange]), 0.5)], ships.title
    )
    assert row.ranks["lexical"] is None
    assert set(row.scores["lexical"].values()) == {0.0}


def test_a_question_whose_answer_was_cut_in_two_counts(ships):
    cut = replace(CAPTAINS[0], answers=(Gold("The captain of the Aurora is John Carter. And more", 0),))
    [query] = queries(ships, [cut, replace(cut, answers=(), impossible=True)])
    assert query.grades == {}
    [row] = retrieval_rows(ships.index, [*search_all(ships.index, [query], 0.5)], ships.title)
    assert set(row.scores["fused"].values()) == {0.0}
