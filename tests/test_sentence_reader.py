"""The reader by its protocol: one reading a hit, spans cut from the document, the likeliest sentence first."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import Hit, Passage
from index.sentences import sentences
from qa.sentence_reader import SentenceReader
from qa.types import Reader
from tests.conftest import HashingEncoder

OFFSET = 1_000


def hit(text, number=1, start=OFFSET, heading="", score=0.5):
    return Hit(Passage(number, "d", start, start + len(text), text, heading), score, 0.5, 1.0)


def sound(readings, hits):
    """Check what the protocol says; return the readings."""
    assert [reading.passage_id for reading in readings] == [hit.passage.id for hit in hits]
    for reading, one in zip(readings, hits, strict=True):
        passage = one.passage
        scores = [span.score for span in reading.spans]
        assert scores == sorted(scores, reverse=True)
        assert not any(map(math.isnan, [*scores, reading.null_score]))
        for span in reading.spans:
            assert passage.start <= span.start < span.end <= passage.end
            assert span.text == passage.text[span.start - passage.start : span.end - passage.start]
            assert span.text == span.text.strip()
            count = len(sentences(span.text))
            assert count <= 3
            assert len(span.text) <= 400 or count == 1
    return readings


def best(reader, question, *texts):
    hits = [hit(text, number, start=number * 5_000) for number, text in enumerate(texts)]
    spans = [span for reading in sound(reader.read(question, hits), hits) for span in reading.spans]
    return max(spans, key=lambda span: span.score).text


@pytest.fixture(scope="module")
def reader(encoder):
    return SentenceReader(encoder)


def test_it_is_a_reader():
    reader: Reader = SentenceReader(HashingEncoder())
    assert reader.read("Who?", []) == []


PARTY = (
    "The conference was held in Vienna. The delegation was led by Murad Kunakbaev. It began on 11 February 2020. "
    "About 300 people attended. The hall was closed because of the rain."
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who led the delegation?", "The delegation was led by Murad Kunakbaev."),
        ("When did it begin?", "It began on 11 February 2020."),
        ("How many people attended?", "About 300 people attended."),
        ("Why was the hall closed?", "The hall was closed because of the rain."),
        ("Where was the conference held?", "The conference was held in Vienna."),
    ],
)
def test_the_sentence_that_answers_comes_first(reader, question, answer):
    assert answer in best(reader, question, PARTY)


def test_the_passage_that_answers_comes_first(reader):
    other = "Bread needs flour, water and salt. The baker says that time matters most."
    assert best(reader, "What does bread need?", PARTY, other) == "Bread needs flour, water and salt."
    assert best(reader, "What does bread need?", other, PARTY) == "Bread needs flour, water and salt."


def test_a_sentence_that_leans_on_the_one_before_brings_it_along(reader):
    text = "Murad Kunakbaev came from Moscow. He led the delegation to the conference in Vienna."
    found = best(reader, "Who led the delegation to the conference in Vienna?", text)
    assert "Murad Kunakbaev" in found


def test_order_of_hits_is_kept(reader):
    texts = [f"Sentence {number} is here. Another one follows." for number in range(6)]
    hits = [hit(text, 10 - number, start=100 * number) for number, text in enumerate(texts)]
    sound(reader.read("Which sentence is here?", hits), hits)


@pytest.mark.parametrize(
    "text", ["word " * 600, "x" * 3_000, "😀 Да. Нет!", "1.", "- a\n- b\n- c", "…", "A\u0301."]
)
def test_strange_passages_are_read(reader, text):
    one = hit(text.strip())
    [reading] = sound(reader.read("What is this word?", [one]), [one])
    assert reading.spans


@pytest.mark.parametrize("question", ["?", "😀", "the the", "Кто?", "a" * 2_000, "\u0301", "What is it?"])
def test_strange_questions_are_read(reader, question):
    one = hit(PARTY)
    [reading] = sound(reader.read(question, [one]), [one])
    assert reading.spans


prose = (
    st.text(st.sampled_from("aBe Дя日😀.!?,\n -12“”"), min_size=1, max_size=200).map(str.strip).filter(bool)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(prose, max_size=5), question=st.text(min_size=1, max_size=40), start=st.integers(0, 9_999)
)
def test_of_any_passages_and_questions(texts, question, start):
    hits = [hit(text, number, start=start + 500 * number) for number, text in enumerate(texts)]
    sound(SentenceReader(HashingEncoder()).read(question, hits), hits)
