"""From readings to distinct answers: behaviour that holds whatever the coefficients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Hit, Passage
from qa.confidence import decide, rank
from qa.types import Reading, Span

TEXT = "".join(chr(ord("a") + place % 26) for place in range(1_000))


def hit(number, start=0, document="d", dense=0.5):
    return Hit(Passage(number, document, start, start + 200, TEXT[start : start + 200], ""), 0.5, dense, 1.0)


def span(start, end, score, text=None):
    return Span(start, end, text or TEXT[start:end], score)


def reading(number, *spans):
    return Reading(number, tuple(spans), 0.0)


def places(ranked):
    return [[(one.start, one.end) for one, _ in answer.spans] for answer in ranked]


def test_nothing_read_nothing_ranked():
    assert rank([], []) == []
    assert rank([reading(1)], [hit(1)]) == []


def test_the_best_span_comes_first():
    ranked = rank(
        [reading(1, span(0, 10, 1.0), span(50, 60, 3.0)), reading(2, span(300, 310, 2.0))],
        [hit(1), hit(2, 200)],
    )
    assert places(ranked) == [[(50, 60)], [(300, 310)], [(0, 10)]]
    assert ranked[0].spans[0][1] == hit(1).passage


def test_the_same_place_through_overlapping_passages_is_one_answer():
    hits = [hit(1, 0), hit(2, 100)]
    ranked = rank(
        [reading(1, span(120, 160, 2.0)), reading(2, span(122, 160, 1.9), span(180, 190, 1.0))], hits
    )
    assert places(ranked) == [[(120, 160)], [(180, 190)]]


def test_the_same_place_in_another_document_is_another_answer():
    hits = [hit(1, 0), hit(2, 0, "other")]
    ranked = rank([reading(1, span(0, 10, 2.0, "one")), reading(2, span(0, 10, 1.0, "two"))], hits)
    assert len(ranked) == 2


def test_the_same_words_elsewhere_support_one_answer():
    hits = [hit(1, 0), hit(2, 300), hit(3, 0, "other")]
    readings = [
        reading(1, span(0, 14, 2.0, "On July 3, it\nwas")),
        reading(2, span(310, 324, 1.0, "on  july 3, it was")),
        reading(3, span(0, 14, 1.5, "On July 3, it was")),
    ]
    [answer] = rank(readings, hits)
    assert [(one.score, passage.document_id) for one, passage in answer.spans] == [
        (2.0, "d"),
        (1.5, "other"),
        (1.0, "d"),
    ]


def test_confidence_rises_with_the_score_and_with_the_passage():
    def confidence(score, dense, other=None):
        spans = [span(0, 10, score)] + ([] if other is None else [span(50, 60, other)])
        return rank([reading(1, *spans)], [hit(1, dense=dense)])[0].confidence

    assert confidence(1.0, 0.5) < confidence(2.0, 0.5) < confidence(3.0, 0.5)
    assert confidence(2.0, 0.2) < confidence(2.0, 0.5) < confidence(2.0, 0.8)
    assert 0 <= confidence(-50.0, -1.0) < confidence(50.0, 1.0) <= 1


@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.0])
def test_answered_from_the_threshold_on(threshold):
    ranked = rank([reading(1, span(0, 10, 1.0))], [hit(1)])
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


@given(
    readings=st.lists(st.lists(spans, max_size=6), max_size=4),
    cosines=st.lists(st.floats(-1, 1), min_size=4, max_size=4),
)
def test_of_any_readings(readings, cosines):
    hits = [hit(number, dense=cosines[number]) for number in range(len(readings))]
    ranked = rank([reading(number, *found) for number, found in enumerate(readings)], hits)
    best = [answer.spans[0][0].score for answer in ranked]
    assert best == sorted(best, reverse=True)
    assert bool(ranked) == any(readings)
    confidences = [answer.confidence for answer in ranked]
    assert confidences == sorted(confidences, reverse=True)
    kept = [one for answer in ranked for one, _ in answer.spans]
    for number, one in enumerate(kept):
        for other in kept[number + 1 :]:
            shared = min(one.end, other.end) - max(one.start, other.start)
            assert shared <= 0.5 * min(one.end - one.start, other.end - other.start)
    for answer in ranked:
        assert 0 <= answer.confidence <= 1
        assert len({" ".join(one.text.casefold().split()) for one, _ in answer.spans}) == 1
    assert len({" ".join(answer.spans[0][0].text.casefold().split()) for answer in ranked}) == len(ranked)
