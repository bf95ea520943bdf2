"""The reader that finds spans: by its protocol with tiny models, and the one that comes with Verbatim."""

import hashlib
import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import Hit, Passage
from index.errors import ModelError
from qa.read import SpanReader, load_reader
from qa.sentence_reader import SentenceReader
from qa.span_models import OpenVinoSpanModel, TorchSpanModel, default_reader, load_span_model
from qa.types import Reader
from tests.conftest import HashingEncoder
from tests.readers import FAMILIES, MAX_TOKENS, save_reader, tokenizer_of

OFFSET = 1_000
QUESTION = "Who is the captain?"


def hit(text, number=1, start=OFFSET):
    return Hit(Passage(number, "d", start, start + len(text), text, ""), 0.5, 0.5, 1.0)


def sound(readings, hits):
    """Check what the protocol says; return the readings."""
    assert [reading.passage_id for reading in readings] == [hit.passage.id for hit in hits]
    for reading, one in zip(readings, hits, strict=True):
        passage = one.passage
        scores = [span.score for span in reading.spans]
        assert len(scores) <= 3
        assert scores == sorted(scores, reverse=True)
        assert all(map(math.isfinite, [*scores, reading.null_score]))
        for span in reading.spans:
            assert passage.start <= span.start < span.end <= passage.end
            assert span.text == passage.text[span.start - passage.start : span.end - passage.start]
            assert span.text == span.text.strip()
            assert any(map(str.isalnum, span.text))
            assert "\n\n" not in span.text
        places = sorted((span.start, span.end) for span in reading.spans)
        assert all(first[1] <= second[0] for first, second in zip(places, places[1:], strict=False))
    return readings


class Pointing:
    """A model that finds given words wherever they stand, those named first with the highest score.

    The null score of the window numbered n is 2 * nulls[n], over and over.
    """

    def __init__(self, family, *words, nulls=(0.0,)):
        self.tokenizer = tokenizer_of(family)
        self.max_tokens = MAX_TOKENS
        self.read = 0
        self._words = [self._tokens(word) for word in words]
        self._nulls = nulls

    def _tokens(self, words):
        found = self.tokenizer.encode(f" {words}", add_special_tokens=False)
        # The space before a word that the vocabulary lacks has a token of its own.
        return tuple(found.ids[1:] if found.tokens[0] in {"Ġ", "▁"} else found.ids)

    def logits(self, windows):
        found = []
        for window in windows:
            scores = np.zeros((2, len(window.ids)), dtype=np.float32)
            for rank, word in enumerate(self._words):
                for place in range(len(window.ids)):
                    # In the text alone, not in the question.
                    if window.starts[place] >= 0 and window.ids[place : place + len(word)] == word:
                        scores[0, place] = scores[1, place + len(word) - 1] = 10 - rank
            scores[:, 0] = self._nulls[self.read % len(self._nulls)]
            self.read += 1
            found.append(scores)
        return found


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """A reader with random weights of each family."""
    folder = tmp_path_factory.mktemp("readers")
    return {family: SpanReader(TorchSpanModel(save_reader(family, folder / family))) for family in FAMILIES}


# --- what is found -----------------------------------------------------------------------------------------------


def test_it_is_a_reader():
    reader: Reader = SpanReader(Pointing("bert"))
    assert reader.kind == "spans"
    assert reader.read(QUESTION, []) == []


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("words", ["John Carter", "The", "captain of the", "Aurora", "is John Carter"])
def test_a_span_is_cut_from_its_document(family, words):
    text = "The captain of the Aurora is John Carter."
    document = "x" * OFFSET + text
    [reading] = sound(SpanReader(Pointing(family, words)).read(QUESTION, [hit(text)]), [hit(text)])
    best = reading.spans[0]
    assert best.text.casefold() == words.casefold()
    assert document[best.start : best.end] == best.text
    assert best.score == 20


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is the cafe\u0301 of Jean", "cafe\u0301"),
        ("the e\u0301te\u0301 is it", "e\u0301te\u0301"),
        ("in \u0939\u093f\u0928\u094d\u0926\u0940 it is", "\u0939\u093f\u0928\u094d\u0926\u0940"),
    ],
)
def test_accents_stay_on_their_letters(family, text, words):
    [reading] = sound(SpanReader(Pointing(family, words)).read(QUESTION, [hit(text)]), [hit(text)])
    assert reading.spans[0].text == words


@pytest.mark.parametrize("family", FAMILIES)
def test_a_passage_longer_than_a_window_is_read_to_its_end(family):
    text = "It is Ann. " + "It is the bread of the day. " * 20 + "The captain is John Carter."
    model = Pointing(family, "John Carter", "Ann")
    [reading] = sound(SpanReader(model).read(QUESTION, [hit(text)]), [hit(text)])
    assert model.read > 2
    last, first, *_ = reading.spans
    assert (last.text, last.end) == ("John Carter", OFFSET + len(text) - 1)
    assert (first.text, first.start) == ("Ann", OFFSET + 6)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_two_windows_hold_is_found_once(family):
    for filler in range(6, 14):
        text = "the bread " * filler + "Ann " + "the bread " * 12
        [reading] = sound(SpanReader(Pointing(family, "Ann")).read(QUESTION, [hit(text)]), [hit(text)])
        assert [span.text for span in reading.spans if "Ann" in span.text] == ["Ann"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_passages_null_score_is_the_lowest_of_its_windows(family):
    text = "It is the bread of the day. " * 20
    model = Pointing(family, "bread", nulls=(3.0, -1.0, 2.0, 5.0))
    [long] = sound(SpanReader(model).read(QUESTION, [hit(text)]), [hit(text)])
    assert long.null_score == -2.0
    [short] = SpanReader(Pointing(family, "bread", nulls=(3.0,))).read(QUESTION, [hit("It is the bread.")])
    assert short.null_score == 6.0


def test_of_spans_that_overlap_the_best_is_kept():
    text = "The captain of the Aurora is John Carter of Vienna."
    reader = SpanReader(Pointing("bert", "John Carter", "Carter of Vienna", "captain"))
    [reading] = sound(reader.read(QUESTION, [hit(text)]), [hit(text)])
    assert [span.text for span in reading.spans[:2]] == ["John Carter", "captain"]
    assert not any("Vienna" in span.text and "Carter" in span.text for span in reading.spans)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("better", ["!", ".", "Ann.\n\nThe", "here.\n \t\nIt", ": ,"])
def test_an_answer_says_something_and_stays_within_its_paragraph(family, better):
    text = "It is Ann.\n\nThe bread is here.\n \t\nIt is: , Bob, is it!"
    model = Pointing(family, better, "Bob")
    [reading] = sound(SpanReader(model).read(QUESTION, [hit(text)]), [hit(text)])
    assert any("Bob" in span.text for span in reading.spans)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_passage_has_its_own_reading_in_the_order_of_hits(family):
    # The longest in the middle: batches are made by length.
    texts = ["The captain is Ann.", "the bread " * 60 + "is Bob", "it is Cid", ""]
    hits = [hit(text, 10 - number, start=5_000 * number) for number, text in enumerate(texts)]
    readings = sound(SpanReader(Pointing(family, "Ann", "Bob", "Cid")).read(QUESTION, hits), hits)
    assert [reading.spans[0].text for reading in readings[:3]] == ["Ann", "Bob", "Cid"]
    assert (readings[3].spans, readings[3].null_score) == ((), 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_company_changes_nothing(family, readers):
    texts = ["the captain is Carter", "of the bread " * 30, "x", "the captain of the bread is here"]
    hits = [hit(text, number, start=1_000 * number) for number, text in enumerate(texts)]
    together = sound(readers[family].read(QUESTION, hits), hits)
    for one, reading in zip(hits, together, strict=True):
        [alone] = readers[family].read(QUESTION, [one])
        assert [span.text for span in alone.spans] == [span.text for span in reading.spans]
        assert [span.score for span in alone.spans] == pytest.approx(
            [span.score for span in reading.spans], abs=1e-3
        )
        assert alone.null_score == pytest.approx(reading.null_score, abs=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("question", ["?", "😀", "", "the the", "Кто?", "the captain " * 160, "\u0301"])
def test_strange_questions_are_read(family, readers, question):
    one = hit("The captain of the Aurora is John Carter. He had a map.")
    [reading] = sound(readers[family].read(question, [one]), [one])
    assert reading.spans


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "text",
    ["word " * 200, "x" * 900, "😀 Да. Нет!", "1.", "- a\n- b\n- c", "…", "A\u0301.", "\u200b", "日本"],
)
def test_strange_passages_are_read(family, readers, text):
    sound(readers[family].read(QUESTION, [hit(text)]), [hit(text)])


prose = st.text(
    st.one_of(st.sampled_from("the breadx isTHE.,!-\n\t é\u0301日😀🏽"), st.characters(codec="utf-8")),
    max_size=150,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    family=st.sampled_from(FAMILIES),
    question=prose,
    texts=st.lists(prose, max_size=4),
    start=st.integers(0, 9_999),
)
def test_of_any_passages_and_questions(readers, family, question, texts, start):
    hits = [hit(text, number, start=start + 500 * number) for number, text in enumerate(texts)]
    sound(readers[family].read(question, hits), hits)


# --- which reader ------------------------------------------------------------------------------------------------


def test_the_sentence_reader_by_its_name():
    assert isinstance(load_reader("sentences", HashingEncoder()), SentenceReader)


def test_any_model_by_its_folder(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").write_text("a file is in the way")
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    folder = save_reader("roberta", tmp_path / "model")
    reader = load_reader(str(folder), HashingEncoder())
    assert reader.kind == "spans"
    [reading] = sound(reader.read(QUESTION, [hit("The captain.")]), [hit("The captain.")])
    assert reading.spans
    with pytest.raises(ModelError, match=r"\./sentences: there is no such folder"):
        load_reader("./sentences", HashingEncoder())


# --- the reader that comes with Verbatim -------------------------------------------------------------------------


@pytest.fixture
def shipped(home, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    return load_reader(None, HashingEncoder())


def test_its_card_names_its_weights():
    weights = default_reader() / "model.safetensors"
    card = (default_reader() / "README.md").read_text("utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", card) == [hashlib.sha256(weights.read_bytes()).hexdigest()]
    assert weights.stat().st_size < 50_000_000
    assert "license:" in card.split("---")[1]


def test_it_runs_on_openvino(home, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    model = load_span_model()
    assert isinstance(model, OpenVinoSpanModel)
    assert model.max_tokens == 512


def test_it_computes_what_transformers_computes(home, monkeypatch):
    from index.runtime import best_precision

    monkeypatch.setenv("VERBATIM_HOME", str(home))
    texts = ["The delegation was led by Murad Kunakbaev.", "Bread needs flour, water and salt. " * 30]
    hits = [hit(text, number) for number, text in enumerate(texts)]
    fast = SpanReader(load_span_model()).read("Who led the delegation?", hits)
    slow = SpanReader(TorchSpanModel(default_reader())).read("Who led the delegation?", hits)
    assert fast[0].spans[0].text == slow[0].spans[0].text == "Murad Kunakbaev"
    within = 0.01 if best_precision() == "f32" else 0.5
    for one, other in zip(fast, slow, strict=True):
        assert one.null_score == pytest.approx(other.null_score, abs=within)
        assert one.spans[0].score == pytest.approx(other.spans[0].score, abs=within)


def test_it_finds_who_led_the_delegation(shipped, seeds):
    passages = [one for info in seeds.index.documents() for one in seeds.index.passages(info.id)]
    hits = [Hit(one, 0.5, 0.5, 1.0) for one in passages if "Murad Kunakbaev" in one.text]
    assert hits
    for reading in sound(shipped.read("Who led the CSTO delegation in Vienna?", hits), hits):
        assert "Murad Kunakbaev" in reading.spans[0].text
        assert len(reading.spans[0].text) < 100


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who led the delegation?", "Murad Kunakbaev"),
        ("Where was the conference held?", "Vienna"),
        ("When did it begin?", "11 February 2020"),
        ("How many people attended?", "300"),
    ],
)
def test_it_finds_the_words_that_answer(shipped, question, answer):
    text = (
        "The conference was held in Vienna. The delegation was led by Murad Kunakbaev. "
        "It began on 11 February 2020. About 300 people attended."
    )
    [reading] = sound(shipped.read(question, [hit(text)]), [hit(text)])
    assert answer in reading.spans[0].text
    assert len(reading.spans[0].text) < 2 * len(answer)
    assert reading.spans[0].score > reading.null_score


def test_a_passage_that_answers_leads_one_that_does_not(shipped):
    texts = ["The delegation was led by Murad Kunakbaev.", "Bread needs flour, water and salt."]
    hits = [hit(text, number) for number, text in enumerate(texts)]
    right, wrong = shipped.read("Who led the delegation?", hits)
    assert right.spans[0].score > wrong.spans[0].score
    assert right.spans[0].score - right.null_score > wrong.spans[0].score - wrong.null_score
