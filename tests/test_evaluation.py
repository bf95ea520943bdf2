"""Figures against those worked out by hand, the SQuAD reader, and the questions over the seeds."""

import gzip
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from index import Hit, Index
from index.errors import SettingsError
from qa.confidence import CALIBRATIONS, Evidence
from qa.evaluation.__main__ import app
from qa.evaluation.abstention import (
    Judged,
    Observation,
    auroc,
    calibration_error,
    judge,
    judge_all,
    observe,
    risk_coverage,
)
from qa.evaluation.answers import Shares, answered_shares, outcome, shares
from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import bootstrap_interval, exact_match, f1, normalize, ranking
from qa.evaluation.plots import plot_abstention
from qa.evaluation.reading import Read, read_gold
from qa.evaluation.squad import Example, Gold, read_squad
from qa.sentence_reader import SentenceReader
from qa.types import Answer, Candidate, Citation, Reading, Span
from tests.conftest import HashingEncoder

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "qa" / "evaluation" / "data" / "seeds.json"


# --- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Eiffel Tower!", "eiffel tower"),
        ("  an\tapple,\n a pear ", "apple pear"),
        ("U.S.-born", "usborn"),
        ("Another theory than that", "another theory than that"),
        ("a.n. b", "b"),  # punctuation goes first, so what it leaves may be an article
        ("“The Times” – 1999", "“ times” – 1999"),  # only ASCII punctuation goes
        ("a", ""),
        ("", ""),
    ],
)
def test_normalize_follows_the_official_steps(text, expected):
    assert normalize(text) == expected


@pytest.mark.parametrize(
    ("prediction", "golds", "expected"),
    [
        ("the Victory Monument.", ["Victory Monument"], 1.0),
        ("July 2", ["July 3", "on July 3"], 0.0),
        ("on July 3", ["July 3", "on July 3"], 1.0),
        ("Victory", ["Victory Monument"], 0.0),
        ("", [], 1.0),
        ("July 3", [], 0.0),
        ("", ["July 3"], 0.0),
        ("", ["The"], 1.0),  # the only gold normalises to nothing, so the question counts as unanswered
        ("", ["The", "July 3"], 0.0),  # but beside a real gold it must not reward an abstention
    ],
)
def test_exact_match(prediction, golds, expected):
    assert exact_match(prediction, golds) == expected


@pytest.mark.parametrize(
    ("prediction", "golds", "expected"),
    [
        ("July 3", ["July 3"], 1.0),
        ("on July 3", ["July 3"], 4 / 5),  # precision 2/3, recall 1
        ("July 3 1944", ["on July 3 in 1996"], 4 / 8),  # 2 shared of 3 and 5
        (
            "the the cat",
            ["the cat cat"],
            2 * 1 / (1 + 2),
        ),  # articles go; a word counts as often as both have it
        ("cat cat", ["cat cat dog"], 4 / 5),
        ("Vienna", ["Minsk"], 0.0),
        ("Minsk", ["Vienna", "in Minsk", "Minsk on 9 October"], 2 / 3),  # the best of the golds
        ("", [], 1.0),
        ("Minsk", [], 0.0),
        ("", ["Minsk"], 0.0),
        ("the", ["Minsk"], 0.0),
        ("", ["The", "Minsk"], 0.0),
    ],
)
def test_f1(prediction, golds, expected):
    assert f1(prediction, golds) == pytest.approx(expected)


# --- rankings --------------------------------------------------------------------------------------------


def test_ranking_by_hand():
    run = {
        "first": ["p1", "p2"],
        "third": ["p1", "p2", "p3"],
        "tenth": [f"p{n}" for n in range(1, 13)],
        "eleventh": [f"p{n}" for n in range(1, 13)],
    }
    relevant = {"first": {"p1"}, "third": {"p3"}, "tenth": {"p10"}, "eleventh": {"p11"}}
    assert ranking(run, relevant) == pytest.approx(
        {"R@1": 1 / 4, "R@5": 2 / 4, "R@10": 3 / 4, "MRR@10": (1 + 1 / 3 + 1 / 10) / 4}
    )


def test_ranking_takes_the_first_of_several_relevant_passages():
    scores = ranking({"q": ["a", "b", "c", "d"]}, {"q": {"b", "d"}}, cutoffs=(1, 2, 3))
    assert scores == pytest.approx({"R@1": 0.0, "R@2": 1.0, "R@3": 1.0, "MRR@3": 0.5})


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_ranking_keeps_the_order_given(order):
    # Tools break ties by id: whichever way, one of these orders would come out differently.
    for rank, passage in enumerate(order, 1):
        assert ranking({"q": order}, {"q": {passage}})["MRR@10"] == pytest.approx(1 / rank)


def test_ranking_keeps_the_order_far_down():
    passages = [f"p{n:05}" for n in range(20_000)]
    scores = ranking({"q": passages}, {"q": {"p19000"}}, cutoffs=(19_000, 19_001))
    assert scores == pytest.approx({"R@19000": 0.0, "R@19001": 1.0, "MRR@19001": 1 / 19_001})


def test_ranking_counts_every_question_that_has_a_judgement():
    run = {"found": ["a"], "empty": [], "lost": ["a"], "not judged": ["a"]}
    relevant = {"found": {"a"}, "empty": {"a"}, "lost": set(), "not run": {"a"}}
    assert ranking(run, relevant) == pytest.approx(
        {"R@1": 1 / 4, "R@5": 1 / 4, "R@10": 1 / 4, "MRR@10": 1 / 4}
    )


@pytest.mark.parametrize(
    ("run", "relevant", "cutoffs"),
    [
        ({"q": ["a"]}, {}, (1,)),
        ({"q": ["a"]}, {"q": {"a"}}, ()),
        ({"q": ["a"]}, {"q": {"a"}}, (0, 1)),
        ({"q": ["b", "a", "b"]}, {"q": {"a"}}, (1,)),
    ],
)
def test_ranking_refuses_what_it_cannot_score(run, relevant, cutoffs):
    with pytest.raises(SettingsError):
        ranking(run, relevant, cutoffs)


def test_ranking_without_ir_measures_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ir_measures", None)  # what Python itself does to block an import
    with pytest.raises(SettingsError, match=re.escape('pip install "verbatim-qa[test]"')):
        ranking({"q": ["a"]}, {"q": {"a"}})


# --- intervals -------------------------------------------------------------------------------------------


def test_bootstrap_of_equal_values_is_a_point():
    assert bootstrap_interval([0.5] * 6, ["a", "a", "b", "b", "b", "c"]) == pytest.approx((0.5, 0.5))


def test_bootstrap_of_one_group_is_its_mean():
    assert bootstrap_interval([0.0, 1.0, 1.0, 1.0], ["a"] * 4) == pytest.approx((0.75, 0.75))


def test_bootstrap_is_reproducible_and_holds_the_mean():
    values = [float(n % 3 == 0) for n in range(300)]
    groups = [f"article {n // 10}" for n in range(300)]
    low, high = bootstrap_interval(values, groups, seed=7)
    assert (low, high) == bootstrap_interval(values, groups, seed=7)
    assert (low, high) != bootstrap_interval(values, groups, seed=8)
    assert 0 < low < sum(values) / 300 < high < 1


def test_bootstrap_agrees_with_the_normal_approximation():
    values = [float(n % 2) for n in range(2_000)]
    low, high = bootstrap_interval(values, [str(n) for n in range(2_000)], rounds=4_000)
    margin = 1.96 * np.sqrt(0.25 / 2_000)
    assert (0.5 - low, high - 0.5) == pytest.approx((margin, margin), rel=0.1)


def test_bootstrap_resamples_articles_not_questions():
    # Ten articles, all right or all wrong: only ten independent observations, however many questions.
    values = [float(n // 100 % 2) for n in range(1_000)]
    by_article = bootstrap_interval(values, [str(n // 100) for n in range(1_000)])
    by_question = bootstrap_interval(values, [str(n) for n in range(1_000)])
    assert by_article[1] - by_article[0] > 5 * (by_question[1] - by_question[0])


def test_bootstrap_weighs_articles_by_their_questions():
    # Drawn alone, an article has mean 0 or 1; drawn both once, the mean is 9/10, not 1/2.
    low, high = bootstrap_interval([0.0] + [1.0] * 9, ["small"] + ["large"] * 9)
    assert (low, high) == (0.0, 1.0)
    means = {
        bootstrap_interval([0.0] + [1.0] * 9, ["small"] + ["large"] * 9, seed, 1)[0] for seed in range(30)
    }
    assert means == {0.0, 0.9, 1.0}


@pytest.mark.parametrize(
    ("values", "groups", "rounds"), [([], [], 10), ([1.0], ["a", "b"], 10), ([1.0], ["a"], 0)]
)
def test_bootstrap_refuses_what_it_cannot_resample(values, groups, rounds):
    with pytest.raises(SettingsError):
        bootstrap_interval(values, groups, rounds=rounds)


# --- reading SQuAD ---------------------------------------------------------------------------------------


def squad(**changes):
    """One question in SQuAD 1.1 shape, with ``changes`` to its record."""
    record = {"id": "q1", "question": "Where?", "answers": [{"text": "Minsk", "answer_start": 3}]} | changes
    return {
        "version": "1.1",
        "data": [{"title": "T", "paragraphs": [{"context": "In Minsk.", "qas": [record]}]}],
    }


def write(path, root):
    path.write_text(json.dumps(root), encoding="utf-8")
    return path


PLAIN = Example("q1", "Where?", "In Minsk.", "T", (Gold("Minsk", 3),), impossible=False, kind="answerable")


def test_reads_squad_1(tmp_path):
    assert read_squad(write(tmp_path / "one.json", squad())) == [PLAIN]


def test_reads_squad_2(tmp_path):
    root = squad(answers=[], is_impossible=True, plausible_answers=[{"text": "Minsk", "answer_start": 3}])
    root["data"].append(squad(id="q2", is_impossible=False)["data"][0] | {"title": "U"})
    impossible, answerable = read_squad(str(write(tmp_path / "two.json", root)))
    assert impossible == Example("q1", "Where?", "In Minsk.", "T", (), impossible=True, kind="not_answered")
    assert (answerable.id, answerable.title, answerable.kind) == ("q2", "U", "answerable")


def test_reads_the_kind_where_the_file_gives_one(tmp_path):
    (example,) = read_squad(
        write(tmp_path / "k.json", squad(answers=[], is_impossible=True, kind="off_topic"))
    )
    assert example.kind == "off_topic"


@pytest.mark.parametrize("name", ["set.json.gz", "set.json"])
def test_reads_gzip_whatever_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(json.dumps(squad()).encode()))
    assert read_squad(tmp_path / name) == [PLAIN]


def test_reads_past_a_byte_order_mark(tmp_path):
    (tmp_path / "bom.json").write_text(json.dumps(squad()), encoding="utf-8-sig")
    assert read_squad(tmp_path / "bom.json") == [PLAIN]


def test_offsets_are_code_points(tmp_path):
    root = squad(answers=[{"text": "Minsk", "answer_start": 2}])
    root["data"][0]["paragraphs"][0]["context"] = "\U0001f600 Minsk"
    (example,) = read_squad(write(tmp_path / "emoji.json", root))
    assert example.answers == (Gold("Minsk", 2),)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON"),
        (b'{"data": [', "not JSON"),
        (b'{"data": []}\n{"data": []}', "not JSON"),
        (b"[" * 1_000_000, "not JSON"),
        (b'{"data": "\xff"}', "not JSON in UTF-8"),
        (gzip.compress(b'{"data": []}' * 100)[:-20], "broken gzip"),
        (b"\x1f\x8bnot really", "broken gzip"),
        (gzip.compress(b"a")[:10] + b"\xff" * 30, "broken gzip"),
    ],
)
def test_a_broken_file_is_named(tmp_path, content, complaint):
    path = tmp_path / "broken.json.gz"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=complaint) as caught:
        read_squad(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_or_a_folder_is_named(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read") as caught:
            read_squad(path)
        assert str(path) in str(caught.value)


FIRST = r"root\.data\[0\]\.paragraphs\[0\]\.qas\[0\]"


@pytest.mark.parametrize(
    ("root", "complaint"),
    [
        ([], "root is not an object"),
        ({"version": "v2.0"}, 'root has no "data"'),
        ({"data": {}}, 'root: "data" is not a list'),
        ({"data": ["x"]}, r"root\.data\[0\] is not an object"),
        ({"data": [{"title": "T"}]}, r'root\.data\[0\] has no "paragraphs"'),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, r'root\.data\[0\]\.paragraphs\[0\] has no "context"'),
        ({"data": [{"title": 1, "paragraphs": []}]}, '"title" is not a string'),
        (squad(id=7), FIRST + ': "id" is not a string'),
        (squad(question=None), FIRST + ' has no "question"'),
        (squad(answers="Minsk"), FIRST + ': "answers" is not a list'),
        (squad(answers=[]), FIRST + " has no answer"),
        (squad(is_impossible=True), FIRST + " has answers, but"),
        (squad(is_impossible="no"), FIRST + ': "is_impossible" is not true or false'),
        (squad(answers=[{"text": "Minsk"}]), FIRST + r'\.answers\[0\] has no "answer_start"'),
        (squad(answers=[{"text": "n", "answer_start": True}]), '"answer_start" is not a whole number'),
        (squad(answers=[{"text": "Minsk", "answer_start": 4}]), "does not hold 'Minsk' at 4"),
        (squad(answers=[{"text": "Minsk", "answer_start": -6}]), "does not hold 'Minsk' at -6"),
        (squad(answers=[{"text": "", "answer_start": 0}]), "does not hold '' at 0"),
    ],
)
def test_a_wrong_shape_is_named_with_its_place(tmp_path, root, complaint):
    path = write(tmp_path / "shape.json", root)
    with pytest.raises(SettingsError, match=complaint) as caught:
        read_squad(path)
    assert str(path) in str(caught.value)


def test_a_repeated_id_is_refused(tmp_path):
    root = squad()
    root["data"] *= 2
    with pytest.raises(SettingsError, match="'q1' for several questions"):
        read_squad(write(tmp_path / "twice.json", root))


# --- reading ---------------------------------------------------------------------------------------------


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


# --- answers to a whole corpus ---------------------------------------------------------------------------


def answered(text, confidence, quote):
    citation = Citation(1, "d", "T", None, "s", None, 0, len(quote), quote, 0, len(text))
    return Answer("Where?", "Where?", "answered", (Candidate(text, confidence, (citation,)),))


NOTHING = Answer("Where?", "Where?", "not_found")
HERE = asked("It is in Minsk on July 3.", "Minsk", "in Minsk")


def test_an_outcome_compares_answer_and_quote():
    right = outcome(HERE, answered("Minsk", 0.9, "It is in Minsk."))
    assert (right.exact_match, right.f1, right.quoted, right.mostly_right) == (1.0, 1.0, True, True)
    near = outcome(HERE, answered("it is on July 3", 0.4, "It is in Minsk on July 3."))
    assert (near.exact_match, near.f1, near.quoted, near.mostly_right) == (0.0, 0.0, True, False)
    half = outcome(HERE, answered("in Minsk on July", 0.4, "it is elsewhere"))
    assert (half.f1, half.quoted, half.mostly_right) == (pytest.approx(4 / 6), False, True)
    none = outcome(HERE, NOTHING)
    assert (none.exact_match, none.f1, none.quoted, none.confidence) == (0.0, 0.0, False, 0.0)
    assert outcome(asked("x"), NOTHING).f1 == 1.0


def test_shares_by_hand():
    outcomes = [
        outcome(HERE, answered("Minsk", 0.9, "in Minsk")),
        outcome(HERE, answered("in Minsk on July", 0.5, "nowhere")),
        outcome(HERE, answered("Vienna", 0.3, "Minsk, Vienna")),
        outcome(HERE, NOTHING),
        # Questions without an answer do not count here.
        outcome(asked("x"), answered("Vienna", 0.8, "Vienna")),
    ]
    f1s = 1.0, 4 / 6, 0.0, 0.0
    assert shares(outcomes) == Shares(0.75, 0.25, pytest.approx(sum(f1s) / 4), 0.5, 0.5)
    # What is exactly at the threshold is answered.
    assert shares(outcomes, 0.5) == Shares(0.5, 0.25, pytest.approx(sum(f1s) / 4), 0.5, 0.25)
    assert shares(outcomes, 0.6) == Shares(0.25, 0.25, 0.25, 0.25, 0.25)
    assert shares(outcomes, 1.0) == Shares(0.0, 0.0, 0.0, 0.0, 0.0)
    assert shares(outcomes[-1:]) == Shares(0.0, 0.0, 0.0, 0.0, 0.0)


def test_answered_shares_by_kind():
    kinds = [("answerable", 0.9), ("answerable", 0.2), ("off_topic", 0.0), ("not_answered", 0.5)]
    outcomes = [
        outcome(
            asked("Minsk", *(["Minsk"] if kind == "answerable" else []), kind=kind), answered("x", c, "x")
        )
        for kind, c in kinds
    ]
    assert answered_shares(outcomes, 0.0) == {"answerable": 1.0, "off_topic": 1.0, "not_answered": 1.0}
    assert answered_shares(outcomes, 0.5) == {"answerable": 0.5, "off_topic": 0.0, "not_answered": 1.0}


# --- abstention ------------------------------------------------------------------------------------------


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
    ],
)
def test_auroc_by_hand(pairs, area):
    assert auroc(judged(*pairs)) == pytest.approx(area)


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


def test_the_picture_is_drawn(tmp_path):
    found = judged((0.0, False), (0.2, False), (0.55, True), (0.9, True), (1.0, True), (1.0, False))
    plot_abstention(found, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    plot_abstention(found[:1], tmp_path / "picture.svg")
    assert "<svg" in (tmp_path / "picture.svg").read_text("utf-8")


def test_pictures_without_matplotlib_name_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SettingsError, match=re.escape('pip install "verbatim-qa[test]"')):
        plot_abstention(judged((0.5, True)), tmp_path / "picture.png")


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


# --- the command line ------------------------------------------------------------------------------------


@pytest.fixture
def evaluate(home, tmp_path, monkeypatch):
    """Run a command over the questions on ships; return what it printed."""
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "150")
    articles = [
        {
            "title": example.title,
            "paragraphs": [
                {
                    "context": example.context,
                    "qas": [
                        {
                            "id": example.id,
                            "question": example.question,
                            "answers": [
                                {"text": gold.text, "answer_start": gold.start} for gold in example.answers
                            ],
                        }
                    ],
                }
            ],
        }
        for example in CAPTAINS
    ]
    path = write(tmp_path / "ships.json", {"version": "1.1", "data": articles})

    def run(command, *options):
        result = CliRunner().invoke(app, [command, str(path), *map(str, options)], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    return run


def test_retrieval_from_the_command_line(evaluate):
    shown = evaluate("retrieval")
    assert "5 passages" in shown
    assert re.search(r"fused\W+[\d.]+\W+100\.0\W+100\.0", shown)


@pytest.mark.parametrize("reader", ["sentences", None])
def test_reading_from_the_command_line(evaluate, reader):
    shown = evaluate("reading", *(["--reader", reader] if reader else []))
    row = next(line for line in shown.splitlines() if "ships" in line)
    questions, em, forced = (float(cell) for cell in re.findall(r"\d+(?:\.\d+)?", row)[:3])
    assert questions == 5
    assert (em == 0.0) == (reader == "sentences")  # no answer is a whole sentence
    assert forced > (20 if reader else 60)


def test_answers_from_the_command_line(evaluate):
    shown = evaluate("answers", "--failures", "--reader", "sentences")
    assert "whole corpus, answers forced" in shown
    assert re.search(r"whole corpus, answers forced\W+100\.0", shown)
    assert "(default)" in shown
    assert "expected: John Carter" in shown


def test_abstention_from_the_command_line(evaluate, tmp_path):
    shown = evaluate("abstention", "--reader", "sentences", "--plot", tmp_path / "picture.png")
    assert "10 questions, half of them without their article" in shown
    calibration = CALIBRATIONS["sentences"]
    assert f"default {calibration.threshold:.2f}" in shown
    assert f"strict {calibration.strict:.2f}" in shown
    area = float(re.search(r"AUROC ([\d.]+)", shown)[1])
    assert 0.5 < area <= 1
    assert (tmp_path / "picture.png").stat().st_size > 1_000


# --- the questions over the seeds ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def questions():
    return read_squad(SEEDS)


def test_contexts_are_the_seeds(questions):
    contexts = {example.title: example.context for example in questions}
    assert contexts.pop("unanswerable") == ""
    files = {path.name: path.read_bytes().decode("utf-8") for path in (ROOT / "seeds").glob("*.txt")}
    assert contexts == {name: re.sub(r"\r\n?", "\n", text) for name, text in files.items()}


def test_every_offset_cuts_its_answer_out(questions):
    golds = [(example, gold) for example in questions for gold in example.answers]
    assert len(golds) > 100
    for example, gold in golds:
        assert example.context[gold.start : gold.start + len(gold.text)] == gold.text
        assert gold.text == gold.text.strip()
        assert normalize(gold.text)


def test_no_answer_is_given_twice(questions):
    for example in questions:
        assert len(set(example.answers)) == len(example.answers), example.id


def test_kinds_and_counts(questions):
    kinds = Counter(example.kind for example in questions)
    assert set(kinds) == {"answerable", "off_topic", "not_answered"}
    assert kinds["answerable"] >= 40
    assert kinds["off_topic"] >= 10
    assert kinds["not_answered"] >= 10
    for example in questions:
        assert example.impossible == (example.kind != "answerable") == (example.title == "unanswerable")


def test_both_documents_are_asked_about_throughout(questions):
    for title in {example.title for example in questions} - {"unanswerable"}:
        asked = [example for example in questions if example.title == title]
        starts = [gold.start for example in asked for gold in example.answers]
        assert len(asked) >= 20
        for quarter in range(4):
            low, high = (len(asked[0].context) * end // 4 for end in (quarter, quarter + 1))
            assert any(low <= start < high for start in starts), (title, quarter)


def test_ids_and_questions_are_unique(questions):
    assert len({example.id for example in questions}) == len(questions)
    assert len({example.question.casefold() for example in questions}) == len(questions)
