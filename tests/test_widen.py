"""How much of the text a question asks for: a few words, their sentence, or the whole list."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Passage
from qa.types import Span
from qa.widen import widen

OFFSET = 1_000
HALL = (
    "The conference was held in Vienna. The hall was closed because of the heavy rain. About 300 people came."
)
SESSIONS = """The conference has four sessions:

- countering the financing of terrorism
- foreign fighters
- protection of critical infrastructure
- the way ahead

It ends on Friday."""
NUMBERED = "Steps follow.\n1. Mix flour and water.\n2. Wait for a day.\n3. Bake the bread.\nThen eat."


def passage(text, start=OFFSET):
    return Passage(1, "d", start, start + len(text), text, "")


def span(text, words, start=OFFSET, score=2.5):
    at = start + text.index(words)
    return Span(at, at + len(words), words, score)


def widened(question, text, words):
    found = widen(question, span(text, words), passage(text))
    assert found.text == text[found.start - OFFSET : found.end - OFFSET]
    assert found.score == 2.5
    return found.text


# --- reasons and manners -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        "Why was the hall closed?",
        "why was the hall closed",
        "Tell me why the hall was closed.",
        "How was the hall closed?",
        "How did it come to the closing of the hall?",
        "What was the reason for the closing?",
        "What is the purpose of the closing?",
    ],
)
def test_a_reason_or_a_manner_is_a_sentence(question):
    assert widened(question, HALL, "heavy rain") == "The hall was closed because of the heavy rain."


@pytest.mark.parametrize(
    "question",
    [
        "How many people came?",
        "How much rain fell?",
        "How long was the hall closed?",
        "HOW OFTEN was the hall closed?",
        "How old is the hall?",
        "How far is it?",
        "Who closed the hall?",
        "When was the hall closed?",
        "What closed the hall?",
        "Where was the show held?",
        "Whyever?",
        "",
    ],
)
def test_a_measure_or_a_name_stays_as_it_is(question):
    given_ = span(HALL, "300")
    assert widen(question, given_, passage(HALL)) is given_


@pytest.mark.parametrize(
    ("words", "wide"),
    [("the heavy rain", True), ("of the heavy rain", True), ("because of the heavy rain", False)],
)
def test_an_explanation_of_five_words_is_none_in_pieces(words, wide):
    expected = "The hall was closed because of the heavy rain." if wide else words
    assert widened("Why was the hall closed?", HALL, words) == expected


def test_a_span_across_two_sentences_stays_as_it_is():
    assert widened("Why?", HALL, "rain. About") == "rain. About"


def test_a_sentence_of_more_than_400_characters_is_too_much():
    for words, wide in ((80, False), (60, True)):
        text = f"The hall was closed because of {'very ' * words}heavy rain."
        assert (len(text) <= 400) == wide
        assert (widened("Why was it closed?", text, "heavy rain") == text) == wide


# --- lists -------------------------------------------------------------------------------------------------------

ITEMS = SESSIONS[SESSIONS.index("- countering") : SESSIONS.index("\n\nIt ends")]


@pytest.mark.parametrize(
    "question",
    [
        "What are the sessions of the conference?",
        "Which are the sessions?",
        "What sessions are there?",
        "Which sessions does the conference have? What sessions have been planned?",
        "What main sessions were held?",
        "List the sessions of the conference.",
        "Name all sessions.",
    ],
)
@pytest.mark.parametrize("words", ["foreign fighters", "countering", "the way ahead"])
def test_a_question_for_several_things_is_answered_by_the_whole_list(question, words):
    assert widened(question, SESSIONS, words) == ITEMS


def test_a_numbered_list_is_a_list_too():
    expected = "1. Mix flour and water.\n2. Wait for a day.\n3. Bake the bread."
    assert widened("What are the steps?", NUMBERED, "Wait for a day") == expected


@pytest.mark.parametrize(
    "question",
    [
        "What is the third session about?",
        "Who fights?",
        "What is the topic of the second session?",
        "How many sessions are there?",
    ],
)
def test_a_question_for_one_thing_gets_one_item(question):
    assert widened(question, SESSIONS, "foreign fighters") == "foreign fighters"


@pytest.mark.parametrize("words", ["four sessions", "Friday", "The conference has four sessions"])
def test_beside_a_list_there_is_no_list(words):
    assert widened("What are the sessions?", SESSIONS, words) == words


def test_a_span_across_items_gets_the_whole_list():
    whole = SESSIONS.split("\n\n")[1]
    assert widened("What are the sessions?", SESSIONS, "fighters\n- protection") == whole
    assert widened("Which of them is first?", SESSIONS, "fighters\n- protection") == "fighters\n- protection"


def test_a_span_from_a_list_into_prose_stays_as_it_is():
    words = "the way ahead\n\nIt ends"
    assert widened("What are the sessions?", SESSIONS, words) == words


def test_two_lists_are_two():
    text = "Needed:\n- flour\n- water\n\nThe tools come from Vienna.\n\n- a bowl\n- an oven\n"
    assert widened("What are the ingredients?", text, "water") == "- flour\n- water"
    assert widened("What are the tools?", text, "bowl") == "- a bowl\n- an oven"


def test_a_list_of_more_than_400_characters_is_too_much():
    for items, wide in ((40, False), (20, True)):
        text = "\n".join(f"- item number {number}" for number in range(items))
        assert (len(text) <= 400) == wide
        assert (widened("What are the items?", text, "item number 7") == text) == wide


# --- anything ----------------------------------------------------------------------------------------------------

questions = st.sampled_from(
    ["Why?", "How was it?", "How many are there?", "What are the items?", "List the things.", "Who?", "名?"]
)
lines = st.sampled_from(["- one thing", "2. another", "It is so. It was so!", "", "Да 😀.", "x" * 130])


@given(question=questions, rows=st.lists(lines, min_size=1, max_size=12), data=st.data())
def test_of_any_passage(question, rows, data):
    text = "\n".join(rows)
    words = [place for place, character in enumerate(text) if not character.isspace()]
    if not words:
        return
    first, last = sorted((data.draw(st.sampled_from(words)), data.draw(st.sampled_from(words))))
    start = data.draw(st.integers(0, 10_000))
    here = passage(text, start)
    before = Span(start + first, start + last + 1, text[first : last + 1], 1.0)
    after = widen(question, before, here)
    assert here.start <= after.start <= before.start
    assert before.end <= after.end <= here.end
    assert after.text == text[after.start - start : after.end - start]
    assert after == before or len(after.text) <= 400
    assert after.text.strip() == after.text
    assert after.score == before.score
    # What is wide already is wide enough.
    assert widen(question, after, here) == after


# --- enumerations in running text --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "text", "first", "whole"),
    [
        ("Who are the wardens?", "They are Piotr Lis (night), Ines Oka (day) and Hannah Voss (shop). They meet.",
         "Piotr Lis", "Piotr Lis (night), Ines Oka (day) and Hannah Voss (shop)"),
        ("Who were the founders?", "Ada Byron and Karl of Larnsby founded it.", "Ada Byron",
         "Ada Byron and Karl of Larnsby"),
        ("What tools does the kit hold?", "It holds a saw, two spanners, a hammer and a roll of tape.", "saw",
         "saw, two spanners, a hammer and a roll of tape"),
        ("Which firms made offers?", "Offers: Oven (£12,400), Backhaus (£1) and Forno Italia.", "Oven",
         "Oven (£12,400), Backhaus (£1) and Forno Italia"),
        ("Which firms made offers?", "Offers: Oven (£12,400), Backhaus (£1) and Forno Italia.", "Backhaus",
         "Backhaus"),
        ("Who are the sponsors?", "They are Northwind, the city of Larnsby, Harbour Radio and the museum.", "Northwind",
         "Northwind, the city of Larnsby, Harbour Radio and the museum"),
        ("Which allergens are in it?", "Allergens: wheat, milk, mustard. Keep cool.", "wheat", "wheat, milk, mustard"),
        ("Who were the pilots?", "Led by A. Byron, Karl J. Lis and St. John. They flew.", "A. Byron",
         "A. Byron, Karl J. Lis and St. John"),
        ("What colours can it have?", "Red, white or sea green will do.", "Red", "Red, white or sea green"),
        # None, or what may be none.
        ("Who is the warden?", "Piotr Lis, Ines Oka and Hannah Voss met.", "Piotr Lis", "Piotr Lis"),
        ("What is the name of the islands?", "The Marianas, Palau and Yap are there.", "Marianas", "Marianas"),
        ("Who were the guests?", "A towel and thought I would try were there.", "towel", "towel"),
        ("Which towels are best?", "The towel, which I bought, and thought it good, lasts.", "towel", "towel"),
        ("Which areas were hit?", "The coast, the hills and much of what lies behind were hit.", "coast", "coast"),
        ("Which towns are there?", "Larnsby. Gull Rock and Seal Bay are others.", "Larnsby", "Larnsby"),
        ("Who are they?", "Ada Byron, 36, of Larnsby.", "Ada Byron", "Ada Byron"),
    ],
)  # fmt: skip
def test_several_things_are_the_whole_enumeration(question, text, first, whole):
    assert widened(question, text, first) == whole


@pytest.mark.parametrize("bit", ["a, ", "A and ", "A (b), ", "the a b c d ", ", and ", "(" * 50])
def test_hostile_enumerations_are_quick(bit):
    text = "A" + bit * 20_000
    start = time.monotonic()
    widen("Who are they?", Span(0, 1, "A", 1.0), Passage(1, "d", 0, len(text), text, ""))
    assert time.monotonic() - start < 5  # milliseconds
