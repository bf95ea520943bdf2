"""Scores, rankings, intervals and tests of significance against those worked out by hand and by others."""

import itertools
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.text import squad
from torchmetrics.functional.text.squad import _normalize_text

from index.errors import SettingsError
from qa.evaluation.metrics import (
    bootstrap_interval,
    exact_match,
    f1,
    is_right,
    normalize,
    rank_scores,
    ranking,
)
from qa.evaluation.reading import read_gold
from qa.evaluation.significance import (
    difference_interval,
    holm,
    mcnemar,
    permutation,
    permutation_of,
    statistic_intervals,
)
from qa.evaluation.squad import read_squad
from qa.read import SpanReader
from qa.span_models import load_span_model

ROOT = Path(__file__).parent.parent

# --- answers ------------------------------------------------------------------------------------------


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


# --- rankings -----------------------------------------------------------------------------------------


def test_ranking_by_hand():
    run = {
        "first": ["p1", "p2"],
        "third": ["p1", "p2", "p3"],
        "tenth": [f"p{n}" for n in range(1, 13)],
        "eleventh": [f"p{n}" for n in range(1, 13)],
    }
    relevant = {"first": {"p1"}, "third": {"p3"}, "tenth": {"p10"}, "eleventh": {"p11"}}
    assert ranking(run, relevant) == pytest.approx(
        {"Success@1": 1 / 4, "Success@5": 2 / 4, "Success@10": 3 / 4, "MRR@10": (1 + 1 / 3 + 1 / 10) / 4}
    )


def test_ranking_takes_the_first_of_several_relevant_passages():
    scores = ranking({"q": ["a", "b", "c", "d"]}, {"q": {"b", "d"}}, cutoffs=(1, 2, 3))
    assert scores == pytest.approx({"Success@1": 0.0, "Success@2": 1.0, "Success@3": 1.0, "MRR@3": 0.5})


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_ranking_keeps_the_order_given(order):
    # Tools break ties by id: whichever way, one of these orders would come out differently.
    for rank, passage in enumerate(order, 1):
        assert ranking({"q": order}, {"q": {passage}})["MRR@10"] == pytest.approx(1 / rank)


def test_ranking_keeps_the_order_far_down():
    passages = [f"p{n:05}" for n in range(20_000)]
    scores = ranking({"q": passages}, {"q": {"p19000"}}, cutoffs=(19_000, 19_001))
    assert scores == pytest.approx({"Success@19000": 0.0, "Success@19001": 1.0, "MRR@19001": 1 / 19_001})


def test_ranking_counts_every_question_that_has_a_judgement():
    run = {"found": ["a"], "empty": [], "lost": ["a"], "not judged": ["a"]}
    relevant = {"found": {"a"}, "empty": {"a"}, "lost": set(), "not run": {"a"}}
    assert ranking(run, relevant) == pytest.approx(
        {"Success@1": 1 / 4, "Success@5": 1 / 4, "Success@10": 1 / 4, "MRR@10": 1 / 4}
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
    with pytest.raises(SettingsError, match=re.escape('pip install "verbatim-qa[eval]"')):
        ranking({"q": ["a"]}, {"q": {"a"}})


# --- intervals ----------------------------------------------------------------------------------------


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


def test_rank_scores_by_hand():
    names = ["Success@1", "Success@5", "R@2", "R@10", "MRR@10", "nDCG@10", "MAP@100"]
    run = {"q": ["wrong", "good", "fair", "other"]}
    scores = rank_scores(run, {"q": {"good": 2, "fair": 1, "missed": 1, "wrong": 0}}, names)["q"]
    gained = 2 / np.log2(3) + 1 / np.log2(4)
    ideal = 2 / np.log2(2) + 1 / np.log2(3) + 1 / np.log2(4)
    assert scores == pytest.approx(
        {
            "Success@1": 0.0,
            "Success@5": 1.0,
            "R@2": 1 / 3,
            "R@10": 2 / 3,
            "MRR@10": 1 / 2,
            "nDCG@10": gained / ideal,
            "MAP@100": (1 / 2 + 2 / 3) / 3,
        }
    )


def test_rank_scores_of_nothing_are_zero():
    judgements = {"nothing found": {"a": 1}, "nothing relevant": {}, "all irrelevant": {"a": 0}}
    run = {"nothing relevant": ["a"], "all irrelevant": ["a"]}
    scores = rank_scores(run, judgements, ["Success@5", "nDCG@10"])
    assert scores == {question: {"Success@5": 0.0, "nDCG@10": 0.0} for question in judgements}


@pytest.mark.parametrize(
    ("score", "right"), [(1.0, True), (0.5, True), (0.5 - 1e-16, True), (0.499, False), (0.0, False)]
)
def test_right_is_from_an_overlap_of_a_half(score, right):
    assert is_right(score) == right


# --- an outside implementation ---------------------------------------------------------------------------

NASTY = [
    ("", []),
    ("Minsk", []),
    ("", ["Minsk"]),
    ("the", ["Minsk"]),
    ("", ["The"]),
    ("a", ["The"]),
    ("the", ["The", "An"]),
    ("Minsk", ["The", "Minsk"]),
    ("the the cat", ["the cat cat"]),
    ("cat cat", ["cat cat dog", "cat"]),
    ("U.S.-born", ["US born", "u.s.born"]),
    ("“The Times” – 1999", ['"The Times" - 1999']),
    ("  an\tapple,\n a pear ", ["apple pear"]),
    ("a.n. b", ["b"]),
    ("Ünïcödé İstanbul", ["ünïcödé i̇stanbul"]),
    ("日本 語", ["日本語", "日本 語"]),
    ("1,000", ["1000", "1 000"]),
    ("...", ["!!!"]),
    ("😀 the 😀", ["😀"]),
    ("one two three four five six seven", ["seven eight nine ten eleven twelve thirteen"]),
    ("x " * 40, ["x " * 39 + "y"]),
    ("theatre and another", ["theatre another"]),
]


def outside(prediction, golds):
    """EM and F1 by torchmetrics, which follows the official script; in double precision, as that computes.

    Which golds count is the official script's rule for SQuAD 2.0: those that normalise to something, or else "".
    """
    kept = [gold for gold in golds if _normalize_text(gold)] or [""]
    torch.set_default_dtype(torch.float64)
    try:
        found = squad(
            [{"prediction_text": prediction, "id": "q"}],
            [{"answers": {"answer_start": [0] * len(kept), "text": kept}, "id": "q"}],
        )
    finally:
        torch.set_default_dtype(torch.float32)
    return found["exact_match"].item(), found["f1"].item()


@pytest.mark.parametrize(("prediction", "golds"), NASTY)
def test_nasty_answers_score_as_outside_to_the_last_bit(prediction, golds):
    assert (100 * exact_match(prediction, golds), 100 * f1(prediction, golds)) == outside(prediction, golds)


words = st.lists(
    st.sampled_from(["the", "a", "An", "cat", "Cat,", "dog", "dog's", "1999", "U.S.", "–", "", "é"]),
    max_size=12,
).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(words, st.lists(words, max_size=3))
def test_any_answer_scores_as_outside_to_the_last_bit(prediction, golds):
    assert (100 * exact_match(prediction, golds), 100 * f1(prediction, golds)) == outside(prediction, golds)


def test_predictions_on_a_real_set_score_as_outside_to_the_last_bit(home, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    examples = read_squad(ROOT / "qa" / "evaluation" / "data" / "seeds.json")
    reader = SpanReader(load_span_model())
    shortened = [replace(one, context=around_answer(one)) for one in examples if one.answers]
    read = [*read_gold(reader, shortened)]
    predictions = [(one.text, [gold.text for gold in one.example.answers]) for one in read]
    predictions += [(one.text if place % 2 else "", []) for place, one in enumerate(read[:20])]
    ours = [(100 * exact_match(*one), 100 * f1(*one)) for one in predictions]
    assert ours == [outside(*one) for one in predictions]
    assert len({score for _, score in ours}) > 5
    for place in (0, 1):
        total = sum(outside(*one)[place] for one in predictions) / len(predictions)
        assert sum(one[place] for one in ours) / len(ours) == total


def around_answer(example):
    start = example.answers[0].start
    return example.context[max(0, start - 300) : start + 300]


# --- significance ----------------------------------------------------------------------------------------


def test_mcnemar_by_hand():
    # Five questions changed sides, all to the second: 2 * (1/2)^5.
    first, second = np.array([0.0] * 5 + [1.0] * 7), np.ones(12)
    assert mcnemar(first, second) == pytest.approx(2 / 32)
    assert mcnemar(second, first) == pytest.approx(2 / 32)
    assert mcnemar(second, second) == 1.0
    # One against three: 2 * (1 + 4) / 2^4.
    assert mcnemar(np.array([1.0, 0, 0, 0]), np.array([0.0, 1, 1, 1])) == pytest.approx(10 / 16)


def test_randomisation_agrees_with_all_arrangements():
    first, second = np.array([0.1, 0.5, 0.2, 0.9, 0.4]), np.array([0.4, 0.6, 0.8, 0.8, 0.9])
    gaps = second - first
    signs = np.array(list(itertools.product((-1, 1), repeat=5)))
    exact = float((np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-12).mean())
    assert permutation(first, second, seed=0) == pytest.approx(exact, abs=0.02)


def test_randomisation_counts_only_what_has_a_value():
    first = np.array([1.0, np.nan, 1.0, 1.0] * 20)
    assert permutation(first, first.copy(), seed=0) == 1.0
    second = np.array([0.0, 0.0, np.nan, 1.0] * 20)
    assert permutation(first, second, seed=0) < 0.001
    assert permutation(np.full(3, np.nan), np.ones(3), seed=0) == 1.0


def test_randomisation_of_noise_is_rarely_significant():
    generator = np.random.default_rng(1)
    found = [permutation(*generator.random((2, 60)), seed=place, rounds=500) for place in range(100)]
    assert np.mean(np.array(found) < 0.05) < 0.13
    assert min(found) >= 1 / 501


def test_intervals_of_differences_hold_them_and_are_paired():
    generator = np.random.default_rng(0)
    groups = [str(n // 10) for n in range(300)]
    hard = np.repeat(generator.random(30), 10)
    first = (generator.random(300) < hard).astype(float)
    second = np.minimum(1.0, first + (generator.random(300) < 0.2))
    low, high = difference_interval(first, second, groups, seed=0)
    assert 0 < low < float((second - first).mean()) < high
    single = bootstrap_interval(list(first), groups)
    assert high - low < (single[1] - single[0]) / 2  # what articles have in common goes out
    assert difference_interval(first, second, ["one"] * 300, seed=0) is None
    assert difference_interval(first, first, groups, seed=0) == (0.0, 0.0)


def test_intervals_of_any_statistic_resample_whole_groups():
    values = np.array([0.0] * 10 + [1.0] * 90)
    groups = ["small"] * 10 + ["large"] * 90
    [interval] = statistic_intervals(
        [lambda places: float(values[places].mean())], groups, seed=0, rounds=200
    )
    assert interval == (0.0, 1.0)
    assert statistic_intervals([len], ["one"] * 100, seed=0) == [None]


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_randomisation_of_any_difference():
    first, second = np.zeros(12), np.ones(12)

    def difference(swapped):
        return float(np.where(swapped, first, second).mean() - np.where(swapped, second, first).mean())

    # Only the two arrangements with all on one side are as far apart, of 4,096.
    assert permutation_of(difference, 12, seed=0, rounds=400) < 0.02
    assert permutation_of(lambda swapped: 0.0, 12, seed=0, rounds=50) == 1.0
