"""Sentence boundaries: what ends a sentence, what does not, and that nothing is lost or doubled."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.sentences import paragraphs, sentences


def cut(text, *bounds):
    return [text[sentence.start : sentence.end] for sentence in sentences(text, *bounds)]


@pytest.mark.parametrize(
    "sentence",
    [
        "The U.S. economy grew by 2.5 percent in 2019.",
        "He met Dr. Smith and Prof. Jones at St. Mary's.",
        "The photo was taken on 11.02.2020 in Vienna.",
        "A report by M. Kunakbaev aroused the interest of the participants.",
        "Kunakbaev M. in Vienna 11.02.2020 is the name of a picture.",
        "The ceremony began at 9 a.m. in the morning.",
        "It costs 3.50 euros in some places, e.g. in Vienna.",
        "J. R. R. Tolkien wrote it.",
        "See http://example.org/a.b.html for more.",
    ],
)
def test_a_full_stop_within_a_sentence_does_not_end_it(sentence):
    following = "Another sentence follows here."
    assert cut(f"{sentence} {following}") in ([sentence, following], [f"{sentence} {following}"])
    assert cut(sentence) == [sentence]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "One is here. Two is here! Three is here? Four.",
            ["One is here.", "Two is here!", "Three is here?", "Four."],
        ),
        ("He led it, said Dr. Smith. Nobody replied.", ["He led it, said Dr. Smith.", "Nobody replied."]),
        ("It was held on 11.02.2020. Many came.", ["It was held on 11.02.2020.", "Many came."]),
        ("“It is over,” he said. They left.", ["“It is over,” he said.", "They left."]),
        ("  Spaces around.  \t And within.  ", ["Spaces around.", "And within."]),
        ("Прошла встреча. Её вёл Иванов.", ["Прошла встреча.", "Её вёл Иванов."]),
        ("Great 😀! Next one 👍🏽 here.", ["Great 😀!", "Next one 👍🏽 here."]),
    ],
)
def test_sentences_end_where_they_end(text, expected):
    assert cut(text) == expected


def test_a_quotation_of_one_sentence_stays_whole():
    text = "“These are not just fine words but the policy of Belarus,” he said. It was new."
    assert cut(text) == ["“These are not just fine words but the policy of Belarus,” he said.", "It was new."]


@pytest.mark.parametrize(
    "items",
    [
        ["- flour and water", "- salt", "- a little time"],
        ["* flour and water", "* salt"],
        ["1. Mix the flour.", "2. Add the salt.", "3. Wait."],
        ["a) the first thing", "b) the second thing"],
        ["• flour and water", "• salt"],
        ["| Home | News |", "| Contact | About |"],
        ["# A heading", "## Another heading"],
    ],
)
def test_list_items_and_rows_are_sentences_of_their_own(items):
    assert cut("\n".join(items)) == items
    assert cut("Some text before it.\n\n" + "\n".join(items))[1:] == items


def test_an_indented_list_keeps_its_items_apart():
    assert cut("Take:\n  - flour and water\n  - salt\n") == ["Take:", "- flour and water", "- salt"]


def test_wrapped_lines_are_one_sentence():
    text = (
        "The event was held jointly by the organisation and by the counter\n"
        "terrorism directorate in cooperation with the current Albanian\n"
        "chairmanship. The conference was the next stage in a series of regional\n"
        "meetings."
    )
    first, second = cut(text)
    assert first.startswith("The event")
    assert first.endswith("chairmanship.")
    assert first.count("\n") == 2
    assert second.startswith("The conference")


def test_a_heading_without_a_full_stop_stands_alone():
    assert cut("The delegation in Vienna\n\nIt arrived on Monday. It left on Friday.") == [
        "The delegation in Vienna",
        "It arrived on Monday.",
        "It left on Friday.",
    ]


def test_lines_that_were_never_wrapped_do_not_run_together():
    assert cut("Belarus Events Calendar\nSouvenirs\nUNESCO World Heritage Sites") == [
        "Belarus Events Calendar",
        "Souvenirs",
        "UNESCO World Heritage Sites",
    ]


def test_blank_lines_end_a_paragraph():
    text = "One line\n\n \t\nanother line"
    assert [text[part.start : part.end].strip() for part in paragraphs(text)] == ["One line", "another line"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t \n", "\u00a0\u2003"])
def test_nothing_in_nothing_out(text):
    assert sentences(text) == []


def test_a_part_of_a_text_keeps_its_offsets():
    text = "Left out. Кто? 😀 This one. And this. Left out too."
    start, end = text.index("This"), text.index("Left out too")
    assert cut(text, start, end) == ["This one.", "And this."]
    assert sentences(text, start, end)[0].start == start


def check_covered(text, start, end):
    found = sentences(text, start, end)
    held = [0] * len(text)
    for sentence in found:
        assert start <= sentence.start < sentence.end <= end
        assert text[sentence.start : sentence.end] == text[sentence.start : sentence.end].strip()
        for position in range(sentence.start, sentence.end):
            held[position] += 1
    for position, character in enumerate(text):
        inside = start <= position < end
        assert held[position] <= 1
        if not character.isspace():
            assert held[position] == inside, (position, character)
    assert found == sorted(found, key=lambda sentence: sentence.start)


prose = st.text(
    st.sampled_from(
        "aBcД 日本😀🇦🇹👍🏽é\u0301.!?…。\"“”'’()-–•*|#\n\n  \t1290,;:\u2028\u0085\u00a0\x0b\x0c\x1c\u200b\ufeff"
    ),
    max_size=300,
)


@given(text=st.one_of(prose, st.text(max_size=200)))
@example("A. B. C.\nd\n- e")
@example("Dr. Who?! (He said: “No.”) 😀. Да.\n\n1. x\n2) y")
@example("x\u2028y\u2029z. A\u0085b. C")
@example("a\x00b. C\x00. D")
def test_every_character_lies_in_exactly_one_sentence(text):
    check_covered(text, 0, len(text))


@given(text=prose, bounds=st.tuples(st.integers(0, 300), st.integers(0, 300)))
def test_so_it_does_in_any_part_of_a_text(text, bounds):
    start, end = sorted(min(bound, len(text)) for bound in bounds)
    check_covered(text, start, end)


@pytest.mark.parametrize("unit", ["The cat sat on the mat. ", "nospacesatall", "日本語の文章です。", "word "])
def test_a_huge_line_takes_time_in_proportion_to_its_length(unit):
    def seconds(characters):
        text = unit * (characters // len(unit))
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            found = sentences(text)
            best = min(best, time.process_time() - start)
        # Nothing is lost where a line is cut into pieces.
        assert sum(len(text[s.start : s.end].replace(" ", "")) for s in found) == len(text.replace(" ", ""))
        return best

    seconds(1_000)
    small, large = seconds(20_000), seconds(100_000)
    # Five times the text; quadratic would be 25 times.
    assert large < 12 * small + 0.05


def test_both_seeds_are_cut_at_their_sentences():
    from importlib import resources

    texts = [
        path.read_text("utf-8")
        for path in sorted(resources.files("seeds").iterdir(), key=str)
        if path.name.endswith(".txt")
    ]
    assert len(texts) == 2
    for text in texts:
        check_covered(text, 0, len(text))
    found = cut(texts[1])
    assert "The ceremonies were attended by the ambassadors of the CSTO member states." in found
    assert (
        "On July 2, he attended a solemn meeting dedicated to this holiday with the participation of the President of the Republic of Belarus Alexander Lukashenko."
        in found
    )
    assert any(one.startswith("A report by M. Kunakbaev, in which") for one in found)
    assert any("“Foreign Militant Terrorists (FMT): Responding to Modern Challenges”" in one for one in found)


def test_rows_of_a_table_are_sentences_of_their_own():
    rows = [
        "Line: Gull Rock; Crossing: 45 minutes; Fare: 12 crowns",
        "Line: Northholm; Crossing: 70 minutes; Fare: 19 crowns",
        "Line: Sandwick; Crossing: 25 minutes; Fare: 8 crowns",
    ]
    text = "\n".join(rows)
    assert [text[one.start : one.end] for one in sentences(text)] == rows
