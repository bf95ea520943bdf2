"""Passages: they cover what is not marked, cross nothing, are exact, and fit the encoder."""

import itertools
import random
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import Document
from index.chunk import PASSAGE_TOKENS, chunk, encoder_text
from index.clean import mark
from index.load import from_text
from index.sections import find_sections
from index.types import Range, Section
from tests.conftest import HashingEncoder

SENTENCE = "The delegation of the secretariat took part in the conference in Vienna on day {}."


def document(text, sections=(), marked=()):
    return Document("d", "source", "title", text, tuple(sections), (), tuple(marked))


def counted(encoder, passages):
    return encoder.count_tokens([encoder_text(passage) for passage in passages])


def check(made, encoder):
    """Check all that holds of the passages of any document; return them."""
    passages = chunk(made, encoder.count_tokens, encoder.max_tokens)
    covered = bytearray(len(made.text))
    for passage in passages:
        assert passage.text == made.text[passage.start : passage.end] != ""
        assert passage.text == passage.text.strip()
        assert (passage.id, passage.document_id) == (0, made.id)
        here = Range(passage.start, passage.end)
        assert not any(here.overlaps(other) for other in made.marked)
        inside = [s for s in made.sections if here.overlaps(Range(s.start, s.end))]
        assert len(inside) <= 1
        for section in inside:
            assert section.start <= passage.start < passage.end <= section.end
            assert section.title.startswith(passage.heading) or section.title_at is None
        covered[passage.start : passage.end] = b"\1" * len(passage.text)
    for other in made.marked:
        covered[other.start : other.end] = b"\1" * (other.end - other.start)
    missed = [i for i, held in enumerate(covered) if not held and not made.text[i].isspace()]
    assert missed == []
    assert max(counted(encoder, passages), default=0) <= encoder.max_tokens
    starts = [passage.start for passage in passages]
    assert starts == sorted(set(starts))
    return passages


@pytest.fixture
def hashing():
    return HashingEncoder()


def test_a_short_text_is_one_passage(hashing):
    [passage] = check(document("  One is here. Two is here.\n"), hashing)
    assert (passage.start, passage.text) == (2, "One is here. Two is here.")


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_no_text_no_passages(hashing, text):
    assert check(document(text), hashing) == []


def test_long_texts_become_passages_of_whole_sentences_about_as_long_as_wanted(hashing):
    text = " ".join(SENTENCE.format(day) for day in range(60))
    passages = check(document(text), hashing)
    tokens = counted(hashing, passages)
    assert all(0.5 * PASSAGE_TOKENS < count <= PASSAGE_TOKENS for count in tokens[:-1])
    for passage in passages:
        assert passage.text.startswith("The delegation")
        assert passage.text.endswith(".")


def test_neighbours_share_one_short_sentence(hashing):
    text = " ".join(SENTENCE.format(day) for day in range(60))
    passages = check(document(text), hashing)
    assert len(passages) > 5
    for before, after in itertools.pairwise(passages):
        shared = text[after.start : before.end]
        assert shared.startswith("The delegation")
        assert shared.count("The delegation") == 1


def test_neighbours_share_no_long_sentence(hashing):
    long = "It said that " + " and ".join(f"clause {n} stands" for n in range(8)) + "."
    passages = check(document(" ".join([long] * 6)), hashing)
    assert len(passages) == 3
    for before, after in itertools.pairwise(passages):
        assert before.end <= after.start


def test_a_sentence_longer_than_a_passage_is_cut_between_words(hashing):
    words = [f"word{number}" for number in range(1000)]
    passages = check(document(" ".join(words)), hashing)
    assert len(passages) > 3
    assert [word for passage in passages for word in passage.text.split()] == words
    assert all(count <= PASSAGE_TOKENS for count in counted(hashing, passages))


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5_000,
        "Before it. " + "9f" * 2_500 + " After it.",
        "日本語の文章" * 400,
        "Chapter one " + "." * 900 + " 12",
        "-" * 3_000,
        "😀" * 1_500,
        "Ж" * 700,
    ],
    ids=["x", "hex", "chinese", "dots", "rule", "emoji", "cyrillic"],
)
def test_no_text_without_spaces_exceeds_the_encoder(encoder, hashing, text):
    for one in (encoder, hashing):
        check(document(text), one)


@pytest.mark.parametrize("title", ["A short title", "Ж" * 400, "日本" * 300, "! " * 200])
@pytest.mark.parametrize("max_tokens", [30, 126, 254])
def test_passages_fit_with_their_heading_whatever_its_length(title, max_tokens):
    small = HashingEncoder(max_tokens=max_tokens)
    text = title + "\n\n" + " ".join(SENTENCE.format(day) for day in range(30)) + " " + "!" * 400
    section = Section(0, len(text), title, None, Range(0, len(title)))
    passages = check(document(text, [section]), small)
    assert all(passage.heading for passage in passages)
    assert all(encoder_text(passage).startswith(passage.heading + "\n") for passage in passages)


def test_a_title_that_the_text_does_not_show_is_no_heading(hashing):
    [passage] = check(document("Some text here.", [Section(0, 15, "000_69e41d.txt")]), hashing)
    assert passage.heading == ""
    assert encoder_text(passage) == "Some text here."


def test_a_passage_ends_where_marked_text_begins(hashing):
    text = "One is here. MENU MENU Two is here."
    start = text.index("MENU")
    passages = check(document(text, marked=[Range(start, start + 10)]), hashing)
    assert [passage.text for passage in passages] == ["One is here.", "Two is here."]


def test_text_outside_of_sections_is_covered(hashing):
    text = "Before them. In the first. Between them. In the second. After them."
    parts = [text.index(word) for word in ("In the first", "Between", "In the second", "After")]
    sections = [Section(parts[0], parts[1], "First"), Section(parts[2], parts[3], "Second")]
    passages = check(document(text, sections), hashing)
    assert [passage.text for passage in passages] == [
        "Before them.",
        "In the first.",
        "Between them.",
        "In the second.",
        "After them.",
    ]


def test_everything_marked_gives_no_passages(hashing):
    assert check(document("All of it.", marked=[Range(0, 10)]), hashing) == []


@st.composite
def documents(draw):
    words = st.one_of(
        st.sampled_from(
            [
                "The",
                "a",
                "delegation",
                "Vienna.",
                "11.02.2020",
                "U.S.",
                "Dr.",
                "said,",
                "“Yes.”",
                "😀",
                "Да.",
                "\n",
                "\n\n",
                "-",
                "1.",
                "!?",
                "…",
            ]
        ),
        st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12),
        st.integers(1, 600).map(lambda length: "x" * length),
    )
    text = " ".join(draw(st.lists(words, max_size=120)))

    def ranges(limit):
        bounds = sorted(draw(st.lists(st.integers(0, len(text)), max_size=2 * limit, unique=True)))
        return [Range(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False)]

    sections = [
        Section(
            part.start,
            part.end,
            text[part.start : part.end][:200],
            None,
            part if draw(st.booleans()) else None,
        )
        for part in ranges(4)
    ]
    return document(text, sections, ranges(6))


@given(made=documents(), max_tokens=st.sampled_from([16, 62, 254]))
def test_of_any_document(made, max_tokens):
    check(made, HashingEncoder(max_tokens=max_tokens))


@settings(max_examples=60, deadline=None)
@given(made=documents())
def test_of_any_document_by_the_count_of_the_real_encoder(encoder, made):
    check(made, encoder)


@pytest.mark.parametrize("name", ["000_69e41dfd36f388bb.txt", "004_d820ce9e78da0c40.txt"])
def test_of_the_seeds(encoder, name):
    loaded = from_text(name, (resources.files("seeds") / name).read_text("utf-8"))
    made = find_sections(mark(loaded))
    passages = check(made, encoder)
    assert made.marked
    assert len(passages) >= 6
    assert max(counted(encoder, passages)) <= 200
    # And with ranges marked and sections set at random.
    choice = random.Random(7)
    for _ in range(20):
        bounds = sorted(choice.sample(range(len(loaded.text)), 12))
        marked = [Range(a, b) for a, b in zip(bounds[0:8:2], bounds[1:8:2], strict=True)]
        cuts = sorted(choice.sample(range(len(loaded.text)), 4))
        sections = [Section(a, b, "A title", None, Range(a, a + 1)) for a, b in itertools.pairwise(cuts)]
        check(document(loaded.text, sections, marked), encoder)
