"""Answers to take along: citations intact, and nothing in a document's words becomes markup."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from qa.export import (
    answer_markdown,
    answer_text,
    conversation_json,
    conversation_markdown,
    conversation_text,
)
from qa.types import Answer, Candidate, Citation, Turn

HOSTILE = "<script>alert(1)</script> ![x](http://e/x.png) [a](javascript:b) **no** | `c` ~~d~~ &amp; ${e}\n# Head\n- item\n1. one\n> q"


def citation(number, quote, answer, **changes):
    at = quote.index(answer)
    values = {"title": "A title", "date": "2019-07-03", "source": "notes/a.txt", "page": 4} | changes
    return Citation(
        number,
        "d1",
        values["title"],
        values["date"],
        values["source"],
        values["page"],
        10,
        10 + len(quote),
        quote,
        10 + at,
        10 + at + len(answer),
    )


def answered(quote, answer, **changes):
    return Answer(
        "Q?", "Q?", "answered", (Candidate(answer, 0.93, (citation(1, quote, answer, **changes),)),)
    )


def rendered(markdown):
    """The plain text of Markdown, its bold stretches, and the kinds of token in it."""
    text, bold, kinds, inside = [], [], set(), False
    for block in MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(markdown):
        kinds.add(block.type)
        for token in block.children or ():
            kinds.add(token.type)
            inside = token.type == "strong_open" or (inside and token.type != "strong_close")
            text.append(token.content if token.type == "text" else " " if token.type == "softbreak" else "")
            if inside and token.content:
                bold.append(token.content)
        text.append("\n")
    return "".join(text), "".join(bold), kinds


def test_an_answer_in_markdown_has_its_sources():
    text, bold, _ = rendered(answer_markdown(answered("On July 3 he laid flowers.", "July 3")))
    assert bold == "July 3"
    assert "On July 3 he laid flowers. [1]" in text
    assert "Very likely right · 93%" in text
    assert (
        "“On July 3 he laid flowers.” — A title, 3 July 2019, page 4, notes/a.txt, characters 10 to 36"
        in text
    )


def test_an_answer_in_plain_text_has_its_sources():
    assert answer_text(answered("On July 3 he laid flowers.", "July 3", page=None, date=None)) == (
        "July 3 [1]\n(Very likely right · 93%)\n\nSources:\n\n"
        "1. “On July 3 he laid flowers.” — A title, undated, notes/a.txt, characters 10 to 36"
    )


def test_an_abstention_gives_its_reason_and_the_nearest_passages():
    near = Answer("Q?", "Q?", "not_found", near_misses=(citation(1, "Something near.", "near"),))
    for write in (answer_markdown, answer_text):
        assert near.reason.split(":")[0] in write(near)
        assert "Something near." in write(near)


@pytest.mark.parametrize("place", ["quote", "title", "source"])
def test_no_word_of_a_document_becomes_markup(place):
    if place == "quote":
        answer = answered(f"{HOSTILE} end", "end")
    else:
        answer = answered("A quote.", "quote", **{place: HOSTILE})
    text, _, kinds = rendered(conversation_markdown("T", [Turn("user", HOSTILE), Turn.of(answer)]))
    assert not kinds & {
        "html_block",
        "html_inline",
        "image",
        "link_open",
        "code_inline",
        "s_open",
        "em_open",
        "fence",
    }
    assert not kinds & {"bullet_list_open", "table_open"}
    assert (
        "<script>alert(1)</script> ![x](http://e/x.png) [a](javascript:b) **no** | `c` ~~d~~ &amp; ${e}"
        in text
    )


words = st.text(st.sampled_from("abc XY12.,:;!?()[]{}<>*_`~#&|$+-=\\\"'/"), min_size=1, max_size=30)


@given(words, words, words)
def test_a_quote_reads_in_markdown_as_it_stands(before, answer, after):
    quote = f"x{before} {answer} {after}x"
    made = Answer(
        "Q?",
        "Q?",
        "answered",
        (
            Candidate(
                answer,
                0.9,
                (
                    Citation(
                        1,
                        "d",
                        "T",
                        None,
                        "s",
                        None,
                        0,
                        len(quote),
                        quote,
                        len(before) + 2,
                        len(before) + 2 + len(answer),
                    ),
                ),
            ),
        ),
    )
    text, _, kinds = rendered(answer_markdown(made))
    assert " ".join(f"“{quote}”".split()) in " ".join(text.split())
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "code_inline", "table_open"}


def test_a_conversation_is_whole_in_every_form():
    turns = [
        Turn("user", "Where?"),
        Turn.of(answered("At the Monument.", "the Monument")),
        Turn("user", "When?"),
        Turn.of(
            Answer(
                "When?",
                "When did he?",
                "answered",
                (Candidate("July 3", 0.9, (citation(1, "On July 3.", "July 3"),)),),
                chosen=2,
            )
        ),
    ]
    for write in (conversation_markdown, conversation_text):
        written = write("My title", turns)
        order = [
            "My title",
            "Where?",
            "the Monument",
            "At the Monument.",
            "When?",
            "Asked as: When did he?",
            "Asked of 2 chosen documents only.",
            "On July 3.",
        ]
        places = [written.index(one) for one in order]
        assert places == sorted(places)
    read = json.loads(conversation_json("My title", turns))
    assert read["title"] == "My title"
    assert [turn["role"] for turn in read["turns"]] == ["user", "assistant"] * 2
    cited = read["turns"][1]["answer"]["candidates"][0]["citations"][0]
    assert cited["quote"] == "At the Monument."
    assert cited["start"] == 10


def test_further_answers_are_shown_unless_they_are_faint():
    one, two, three = (citation(number, f"Quote {number}.", f"{number}") for number in (1, 2, 3))
    answer = Answer(
        "Q?",
        "Q?",
        "answered",
        (Candidate("1", 0.9, (one,)), Candidate("2", 0.4, (two,)), Candidate("3", 0.01, (three,))),
    )
    for write in (answer_markdown, answer_text):
        assert "Quote 2." in write(answer)
        assert "Quote 3." not in write(answer)
