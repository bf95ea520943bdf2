"""From readings to distinct answers: behaviour that holds for both kinds of readers, whatever the coefficients."""

import dataclasses
import math
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Hit, Passage
from qa.confidence import CALIBRATIONS, Calibration, Evidence, decide, rank
from qa.types import Kind, Reading, Span

TEXT = "".join(chr(ord("a") + place % 26) for place in range(1_000))


BOTH = pytest.mark.parametrize("calibration", CALIBRATIONS.values(), ids=CALIBRATIONS)
SENTENCES = CALIBRATIONS["sentences"]


def hit(number, start=0, document="d", dense=0.5, score=0.5):
    return Hit(
        Passage(number, document, start, start + 200, TEXT[start : start + 200], ""), score, dense, 1.0
    )


def span(start, end, score, text=None):
    return Span(start, end, text or TEXT[start:end], score)


def reading(number, *spans, null=0.0):
    return Reading(number, tuple(spans), null)


def places(ranked):
    return [[(one.start, one.end) for one, _ in answer.spans] for answer in ranked]


def test_there_is_a_calibration_for_each_kind_of_reader():
    assert set(CALIBRATIONS) == set(typing.get_args(Kind))
    for calibration in CALIBRATIONS.values():
        assert 0 < calibration.threshold <= calibration.strict < 1


@BOTH
def test_nothing_read_nothing_ranked(calibration):
    assert rank([], [], calibration) == []
    assert rank([reading(1)], [hit(1)], calibration) == []


@BOTH
def test_the_best_span_comes_first(calibration):
    ranked = rank(
        [reading(1, span(0, 10, 1.0), span(50, 60, 3.0)), reading(2, span(300, 310, 2.0))],
        [hit(1), hit(2, 200)],
        calibration,
    )
    assert places(ranked) == [[(50, 60)], [(300, 310)], [(0, 10)]]
    assert ranked[0].spans[0][1] == hit(1).passage


@BOTH
def test_the_same_place_through_overlapping_passages_is_one_answer(calibration):
    hits = [hit(1, 0), hit(2, 100)]
    ranked = rank(
        [reading(1, span(120, 160, 2.0)), reading(2, span(122, 160, 1.9), span(180, 190, 1.0))],
        hits,
        calibration,
    )
    assert places(ranked) == [[(120, 160)], [(180, 190)]]


@BOTH
def test_the_same_place_in_another_document_is_another_answer(calibration):
    hits = [hit(1, 0), hit(2, 0, "other")]
    readings = [reading(1, span(0, 10, 2.0, "one")), reading(2, span(0, 10, 1.0, "two"))]
    assert len(rank(readings, hits, calibration)) == 2


@BOTH
def test_the_same_words_elsewhere_support_one_answer(calibration):
    hits = [hit(1, 0), hit(2, 300), hit(3, 0, "other")]
    readings = [
        reading(1, span(0, 14, 2.0, "On July 3, it\nwas")),
        reading(2, span(310, 324, 1.0, "on  july 3, it was")),
        reading(3, span(0, 14, 1.5, "On July 3, it was")),
    ]
    [answer] = rank(readings, hits, calibration)
    assert [(one.score, passage.document_id) for one, passage in answer.spans] == [
        (2.0, "d"),
        (1.5, "other"),
        (1.0, "d"),
    ]


@BOTH
def test_support_is_the_logarithm_of_the_places_that_say_the_same(calibration):
    def evidence(*texts):
        hits = [hit(number, 300 * number) for number in range(len(texts))]
        readings = [
            reading(number, span(300 * number, 300 * number + 9, 2.0 - number / 10, text))
            for number, text in enumerate(texts)
        ]
        return rank(readings, hits, calibration)[0].evidence

    alone, twice, thrice = evidence("Ann"), evidence("Ann", "Ann"), evidence("Ann", "ann.", "the Ann")
    assert (alone.support, twice.support, thrice.support) == (0.0, math.log(2), math.log(3))
    # Those that agree are no rivals: the lead is over what is said otherwise.
    assert thrice.margin == alone.margin > evidence("Ann", "Bob").margin
    assert evidence("Ann", "Bob", "Bob").support == 0.0


@pytest.mark.parametrize(
    "other",
    [
        "vienna",
        "VIENNA",
        "Vienna.",
        "the Vienna",
        "The Vienna",
        "“Vienna”",
        "«Vienna»,",
        "a Vienna!",
        "(Vienna)",
        "Vienna …",
        "An  Vienna -",
    ],
)
def test_case_articles_and_punctuation_tell_no_answers_apart(other):
    readings = [reading(1, span(0, 10, 2.0, "Vienna")), reading(2, span(300, 310, 1.0, other))]
    [answer] = rank(readings, [hit(1), hit(2, 300)], SENTENCES)
    assert [one.text for one, _ in answer.spans] == ["Vienna", other]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vienna", "Vienna 2020"),
        ("U.S.", "US"),
        ("3.5", "35"),
        ("not guilty", "guilty"),
        ("A", "The"),
        ("?", "!"),
        ("Mann", "Männ"),
    ],
)
def test_other_words_are_other_answers(one, other):
    readings = [reading(1, span(0, 10, 2.0, one)), reading(2, span(300, 310, 1.0, other))]
    assert len(rank(readings, [hit(1), hit(2, 300)], SENTENCES)) == 2


def test_an_answer_of_nothing_but_articles_is_still_one():
    readings = [reading(1, span(0, 10, 2.0, "The The")), reading(2, span(300, 310, 1.0, "the the"))]
    assert len(rank(readings, [hit(1), hit(2, 300)], SENTENCES)) == 1


@BOTH
def test_confidence_rises_with_the_score_and_with_the_passage(calibration):
    def confidence(score, dense, other=None):
        spans = [span(0, 10, score)] + ([] if other is None else [span(50, 60, other)])
        return rank([reading(1, *spans)], [hit(1, dense=dense)], calibration)[0].confidence

    assert confidence(1.0, 0.5) < confidence(2.0, 0.5) < confidence(3.0, 0.5)
    assert confidence(2.0, 0.2) < confidence(2.0, 0.5) < confidence(2.0, 0.8)
    assert confidence(2.0, 0.5, other=1.9) < confidence(2.0, 0.5, other=1.0)
    assert 0 <= confidence(-50.0, -1.0) < confidence(50.0, 1.0) <= 1


@BOTH
def test_agreement_beats_contradiction(calibration):
    def confidence(*texts):
        hits = [hit(number, 300 * number) for number in range(len(texts))]
        readings = [
            reading(number, span(300 * number, 300 * number + 9, 2.0, text))
            for number, text in enumerate(texts)
        ]
        return rank(readings, hits, calibration)[0].confidence

    assert confidence("Ann", "Bob") < confidence("Ann", "Ann")
    assert confidence("Ann", "Bob", "Cid") < confidence("Ann", "Ann", "the Ann")


def test_spans_are_ordered_by_the_weighted_sum():
    calibration = dataclasses.replace(SENTENCES, span=0.5, lead=2.0, passage=3.0)
    one, read, found = span(0, 10, 4.0), reading(1, null=1.0), hit(1, score=0.5)
    assert calibration.order(one, read, found) == 0.5 * 4.0 + 2.0 * (4.0 - 1.0) + 3.0 * 0.5
    # The better span of the passage that is nearer, or where "no answer" scores less.
    readings = [
        reading(1, span(0, 10, 4.0), null=4.0),
        reading(2, span(200, 210, 3.0), null=0.0),
        reading(3, span(400, 410, 3.0), null=0.0),
    ]
    hits = [hit(1, 0, score=1.0), hit(2, 200, score=0.1), hit(3, 400, score=0.2)]
    assert places(rank(readings, hits, calibration)) == [[(400, 410)], [(200, 210)], [(0, 10)]]


def test_the_probability_is_a_logistic_regression_over_the_evidence():
    weights = Evidence(score=1.0, margin=2.0, cosine=3.0, support=4.0)
    calibration = dataclasses.replace(SENTENCES, intercept=-1.0, weights=weights)

    def probability(*values):
        return calibration.probability(Evidence(*values))

    assert probability(1.0, 0.0, 0.0, 0.0) == 0.5
    assert probability(0.0, 0.0, 0.0, 0.0) == pytest.approx(1 / (1 + math.e))
    assert probability(0.5, 0.25, 0.1, 0.2) == pytest.approx(1 / (1 + math.exp(-1.1)))
    assert (probability(-1e6, 0.0, 0.0, 0.0), probability(1e6, 0.0, 0.0, 0.0)) == (0.0, 1.0)


@BOTH
@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.0])
def test_answered_from_the_threshold_on(calibration, threshold):
    ranked = rank([reading(1, span(0, 10, 1.0))], [hit(1)], calibration)
    confidence = ranked[0].confidence
    assert (decide(ranked, [hit(1)], threshold) == "answered") == (confidence >= threshold)
    assert decide(ranked, [hit(1)], confidence) == "answered"


def test_the_reason_says_how_near_it_came():
    assert decide([], [], 0.0) == "off_topic"
    assert decide([], [hit(1, dense=0.05)], 0.5) == "off_topic"
    assert decide([], [hit(1, dense=0.05), hit(2, dense=0.8)], 0.5) == "not_found"


spans = st.builds(
    lambda start, length, score: span(start, start + length, score),
    st.integers(0, 180),
    st.integers(1, 60),
    st.floats(-1e3, 1e3),
)


calibrations = st.one_of(
    st.sampled_from(list(CALIBRATIONS.values())),
    st.builds(
        Calibration,
        span=st.floats(0, 2),
        lead=st.floats(0, 2),
        passage=st.floats(0, 5),
        intercept=st.floats(-9, 9),
        weights=st.builds(Evidence, *([st.floats(-5, 5)] * 4)),
        threshold=st.just(0.1),
        strict=st.just(0.6),
    ),
)


@given(
    readings=st.lists(st.lists(spans, max_size=6), max_size=4),
    cosines=st.lists(st.floats(-1, 1), min_size=4, max_size=4),
    nulls=st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4),
    calibration=calibrations,
)
def test_of_any_readings_and_any_calibration(readings, cosines, nulls, calibration):
    hits = [hit(number, dense=cosines[number]) for number in range(len(readings))]
    read = [reading(number, *found, null=nulls[number]) for number, found in enumerate(readings)]
    ranked = rank(read, hits, calibration)
    assert bool(ranked) == any(readings)
    values = [answer.evidence.score for answer in ranked]
    assert values == sorted(values, reverse=True)
    everything = [calibration.order(one, of, hits[of.passage_id]) for of in read for one in of.spans]
    assert values[:1] == sorted(everything, reverse=True)[:1]
    for answer, following in zip(ranked, ranked[1:], strict=False):
        assert answer.evidence.margin == answer.evidence.score - following.evidence.score
    confidences = [answer.confidence for answer in ranked]
    assert confidences == sorted(confidences, reverse=True)
    kept = [one for answer in ranked for one, _ in answer.spans]
    for number, one in enumerate(kept):
        for other in kept[number + 1 :]:
            shared = min(one.end, other.end) - max(one.start, other.start)
            assert shared <= 0.5 * min(one.end - one.start, other.end - other.start)
    for answer in ranked:
        assert 0 <= answer.confidence <= calibration.probability(answer.evidence) <= 1
        assert answer.evidence.support == math.log(len(answer.spans))
        assert answer.evidence.cosine == cosines[answer.spans[0][1].id]
        assert len({" ".join(one.text.casefold().split()) for one, _ in answer.spans}) == 1
    assert len({" ".join(answer.spans[0][0].text.casefold().split()) for answer in ranked}) == len(ranked)
