"""Citations: the quote is cut from the document, holds the answer, and is short."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Document, Passage
from index.chunk import chunk
from index.sentences import sentences
from index.types import Range, Section
from qa.cite import MAX_QUOTE_CHARACTERS, MAX_QUOTE_SENTENCES, citation_at, cite
from qa.types import Span
from tests.conftest import HashingEncoder
from tests.test_chunk import documents

TEXT = (
    "The CSTO delegation. 😀 It was led by Murad Kunakbaev, head of the office. He spoke in Vienna! "
    "Many came. Nobody left early? The end."
)


def document(text=TEXT, **more):
    return Document("d", "/tmp/a.txt", "The document", text, **more)


def cited(answer, made=None, start=0, end=None, number=1):
    made = made or document()
    end = len(made.text) if end is None else end
    at = made.text.index(answer)
    passage = Passage(1, made.id, start, end, made.text[start:end], "")
    found = cite(number, Span(at, at + len(answer), answer, 1.0), passage, made)
    check(found, made)
    assert made.text[found.answer_start : found.answer_end] == answer
    return found


def check(citation, made):
    assert citation.quote == made.text[citation.start : citation.end] != ""
    assert citation.start <= citation.answer_start < citation.answer_end <= citation.end


def test_the_quote_holds_whole_sentences_with_the_answer_among_them():
    found = cited("Murad Kunakbaev", number=3)
    assert "It was led by Murad Kunakbaev, head of the office." in found.quote
    assert found.quote[-1] in ".!?"
    assert 1 <= len(sentences(found.quote)) <= MAX_QUOTE_SENTENCES
    assert (found.number, found.document_id, found.source, found.title) == (
        3,
        "d",
        "/tmp/a.txt",
        "The document",
    )
    assert (found.page, found.date) == (None, None)


def test_an_answer_over_sentences_is_quoted_with_all_of_them():
    quote = cited("office. He spoke").quote
    assert "It was led by Murad Kunakbaev, head of the office. He spoke in Vienna!" in quote
    assert (
        cited("spoke in Vienna! Many came. Nobody left").quote
        == "He spoke in Vienna! Many came. Nobody left early?"
    )


def test_an_answer_over_more_sentences_than_a_quote_has_is_quoted_alone():
    answer = "Vienna! Many came. Nobody left early? The"
    assert cited(answer).quote == answer


def test_sentences_that_are_too_long_together_leave_the_answer_alone():
    first, second = "He said " + "very " * 50 + "much.", "She said " + "quite " * 50 + "little."
    made = document(f"{first} {second}")
    assert len(first) + len(second) > MAX_QUOTE_CHARACTERS
    answer = "much. She said"
    assert cited(answer, made).quote == answer
    assert cited("She said", made).quote == second


CHAPTERS = (
    "1. The river\n\nThe river is wide. It floods in spring.\n\n"
    "2. The bridge\n\nThe bridge is old.\nIt was built by Anna Holt.\n\nThe ferry\nThe ferry is new.\n"
)


@pytest.mark.parametrize(
    ("answer", "quote"),
    [
        ("wide", "The river is wide. It floods in spring."),
        ("floods", "The river is wide. It floods in spring."),
        ("old", "The bridge is old.\nIt was built by Anna Holt."),
        ("Anna Holt", "The bridge is old.\nIt was built by Anna Holt."),
        ("new", "The ferry is new."),
    ],
)
def test_the_quote_stops_at_headings(answer, quote):
    assert cited(answer, document(CHAPTERS)).quote == quote


def test_the_quote_enters_a_list_that_is_announced_alone():
    listed = "- Bring bread.\n- Bring salt."
    assert cited("Tuesday", document(f"We meet on Tuesday.\n\n{listed}")).quote == "We meet on Tuesday."
    announced = f"We meet on Tuesday, and all shall:\n\n{listed}"
    assert cited("Tuesday", document(announced)).quote == announced
    # Nor does it reach back from a list beyond what announces it.
    assert cited("salt", document(f"We meet on Tuesday.\n\n{listed}")).quote == listed
    assert cited("salt", document(announced)).quote == announced


def test_a_heading_that_holds_the_answer_is_quoted_with_what_follows():
    assert cited("The bridge\n\nThe", document(CHAPTERS)).quote == (
        "2. The bridge\n\nThe bridge is old.\nIt was built by Anna Holt."
    )
    assert cited("2. The bridge", document(CHAPTERS)).quote.startswith("2. The bridge\n\nThe bridge is old.")


@pytest.mark.parametrize(
    "text",
    [
        "Bread needs:\n\n- flour\n- water\n",
        "Bread is made so.\n1. Mix flour and water\n2. Wait\n",
        "The baker says this,\n\nand everyone agrees.\n\nis it so?\n",
    ],
)
def test_lists_and_pieces_of_sentences_are_no_headings(text):
    for answer in sentences(text):
        assert cited(text[answer.start : answer.end], document(text)).quote == text.strip()


def test_lines_that_were_wrapped_are_quoted_as_they_stand():
    text = "The bridge over the river was built\nby Anna Holt. It is the oldest one.\n\nThe ferry\n\nIt is new.\n"
    assert cited("Anna Holt", document(text)).quote == text.split("\n\n", maxsplit=1)[0]


def test_one_sentence_is_quoted_whole_whatever_its_length():
    long = "He said " + "very " * 200 + "much."
    assert cited("very much", document(f"Before. {long} After.")).quote == long


def test_the_quote_stays_within_its_passage():
    made = document("A sentence that was cut between two passages because of its length.")
    cut = made.text.index("because")
    assert cited("two passages", made, 0, cut).quote == made.text[: cut - 1]
    assert cited("its length", made, cut).quote == "because of its length."


def test_the_page_is_that_of_the_answer_and_counts_from_one():
    text = "On page one. On page two. On page three."
    cuts = [0, text.index("On page two"), text.index("On page three"), len(text)]
    made = document(text, pages=tuple(Range(a, b) for a, b in itertools.pairwise(cuts)))
    assert [cited(word, made).page for word in ("one", "two", "three")] == [1, 2, 3]


def test_title_and_date_are_those_of_the_section():
    text = "First one. Second one. Outside."
    sections = (Section(0, 11, "The first", "2020-02-12"), Section(11, 23, "", None))
    made = document(text, sections=sections)
    parts = {"First": (0, 10), "Second": (11, 22), "Outside": (23, 31)}
    found = [cited(word, made, *part) for word, part in parts.items()]
    assert [(one.title, one.date) for one in found] == [
        ("The first", "2020-02-12"),
        ("The document", None),
        ("The document", None),
    ]


def test_a_known_stretch_is_cited_as_it_is():
    made = document()
    found = citation_at(2, Range(24, 26), Range(23, 30), made)
    check(found, made)
    assert (found.number, found.quote, found.answer_start, found.answer_end) == (2, TEXT[23:30], 24, 26)
    section = Section(40, 60, "The bridge", "2020-02-12")
    found = citation_at(2, Range(24, 26), Range(23, 30), made, section)
    assert (found.title, found.date) == ("The bridge", "2020-02-12")


@given(made=documents(), choice=st.data())
def test_of_any_span_of_any_document(made, choice):
    encoder = HashingEncoder()
    passages = chunk(made, encoder.count_tokens, encoder.max_tokens)
    if not passages:
        return
    passage = choice.draw(st.sampled_from(passages))
    start = choice.draw(st.integers(passage.start, passage.end - 1))
    end = choice.draw(st.integers(start + 1, passage.end))
    found = cite(1, Span(start, end, made.text[start:end], 0.0), passage, made)
    check(found, made)
    assert (found.answer_start, found.answer_end) == (start, end)
    quote = Range(found.start, found.end)
    assert passage.start <= quote.start < quote.end <= passage.end
    assert not any(quote.overlaps(mark) for mark in made.marked)
    if (quote.start, quote.end) != (start, end):
        count = len(sentences(made.text, quote.start, quote.end))
        assert count <= MAX_QUOTE_SENTENCES
        assert quote.end - quote.start <= MAX_QUOTE_CHARACTERS or count == 1


@pytest.mark.parametrize("answer", ["😀", "Murad", TEXT])
def test_offsets_are_code_points(answer):
    cited(answer)
