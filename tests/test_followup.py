"""Follow-ups: resolved from the turns before; a question that stands alone comes back as it is."""

import json
from importlib import resources

import pytest
from conftest import HashingEncoder
from hypothesis import given
from hypothesis import strategies as st

from index import Index
from qa.evaluation.conversations import (
    PARTS,
    WAYS,
    Conversation,
    Exchange,
    add_texts,
    conversation_rows,
    evaluate,
    read_conversations,
)
from qa.evaluation.results import Result
from qa.evaluation.squad import read_squad
from qa.followup import stand_alone
from qa.phrases import parse
from qa.referents import dates
from qa.types import Answer, Candidate, Citation, Turn


def turns(*exchanges):
    """A conversation of (question, answer), each resolved by what comes before it; None abstains."""
    held = ()
    for question, text in exchanges:
        asked = stand_alone(question, held)
        if text is None:
            answer = Answer(question, asked, "not_found")
        else:
            cited = Citation(1, "d", "T", None, "s", None, 0, len(text), text, 0, len(text))
            answer = Answer(question, asked, "answered", (Candidate(text, 0.9, (cited,)),))
        held = (*held, Turn("user", question), Turn.of(answer))
    return held


ZAS = ("Where did Stanislav Zas lay flowers?", "the Victory Monument")
LED = ("Who led the CSTO delegation in Vienna?", "Murad Kunakbaev")
SESSION = ("What will the first session of the conference focus on?", "the progress and challenges")
DAY = ("When is Independence Day celebrated in Belarus?", "July 3")
QUAKE = ("How many people did the 2008 Sichuan earthquake kill?", "69,197")
CONVERSATIONS = (
    (ZAS,), (LED,), (SESSION,), (DAY,), (QUAKE,), (ZAS, LED, QUAKE), (("Who are they?", None),),
    (("tell me more", "Something else entirely, which is long and says a lot of things that nobody asked for."),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "question", "asked"),
    [
        # A pronoun for a person: the answer to "who", else who was asked about.
        ([LED], "What office does he head?", "What office does Murad Kunakbaev head?"),
        ([LED], "What was his speech about?", "What was Murad Kunakbaev's speech about?"),
        ([ZAS], "What position does he hold in the CSTO?", "What position does Stanislav Zas hold in the CSTO?"),
        ([ZAS, ("What did he attend?", "a meeting")], "Who met him?", "Who met Stanislav Zas?"),
        ([("Who leads it?", "head of the Office, Ann Lee")], "When was she born?", "When was Ann Lee born?"),
        # For a thing, a place, several things, a time.
        ([QUAKE], "Where was its epicenter?", "Where was the 2008 Sichuan earthquake's epicenter?"),
        ([("Which treaty ended the war?", "the Treaty of Ghent")], "Who signed it?", "Who signed the Treaty of Ghent?"),
        ([("Where was Ann Lee born?", "Oslo")], "How many people live there?", "How many people live in Oslo?"),
        ([("Who wrote the play?", "Ann Lee and Bo Ek")], "When did they meet?", "When did Ann Lee and Bo Ek meet?"),
        ([DAY], "What else is celebrated then?", "What else is celebrated on July 3?"),
        ([("When was the vote?", "1996")], "Who was president then?", "Who was president in 1996?"),
        (
            [("How many people lived in Oslo in 2014?", "600,000")],
            "Who was mayor at that time?",
            "Who was mayor in 2014?",
        ),
        # All but what is asked for is left out.
        ([DAY], "Why?", "Why is Independence Day celebrated in Belarus?"),
        ([DAY], "And why is that?", "Why is Independence Day celebrated in Belarus?"),
        ([ZAS], "When did he do it?", "When did Stanislav Zas lay flowers?"),
        ([LED], "When?", "When was it that Murad Kunakbaev led the CSTO delegation in Vienna?"),
        (
            [("Which town did Ann Lee found?", "Leeville")],
            "In which year?",
            "In which year did Ann Lee found Leeville?",
        ),
        ([("Who attended the meeting?", "Ann Lee")], "Who else?", "Who else attended the meeting?"),
        # All but one phrase is left out.
        ([SESSION], "And the third?", "What will the third session of the conference focus on?"),
        ([SESSION], "What about the second one?", "What will the second session of the conference focus on?"),
        ([("Who won the race in 2019?", "Ann Lee")], "What about 2020?", "Who won the race in 2020?"),
        ([("Who won the race?", "Ann Lee")], "And in 2020?", "Who won the race in 2020?"),
        ([("How many people live in Oslo?", "600,000")], "And in Minsk?", "How many people live in Minsk?"),
        ([("Who plays Ann Lee in Riverside?", "Bo Ek")], "And Carl Orr?", "Who plays Carl Orr in Riverside?"),
        ([("What is high tide called?", "flow")], "And low tide?", "What is low tide called?"),
        ([QUAKE], "How many were injured?", "How many people were injured (the 2008 Sichuan earthquake)?"),
    ],
)  # fmt: skip
def test_a_follow_up_is_resolved(before, question, asked):
    assert stand_alone(question, turns(*before)) == asked


STANDING = (
    "Is it true that Minsk is the capital of Belarus?", "How long does it take to fly to Vienna?",
    "What time is it in Minsk?", "Does it rain in Oslo?", "Is it possible to visit the monument?",
    "How many sessions are there?", "What is there to see in Minsk?", "Are there any documents about Vienna?",
    "Was there a referendum in 1996?", "What did Zas say when he opened the conference?",
    "When he was in Minsk, what did Zas do?", "Did Zas say that he would come?",
    "Which cities celebrate their own days?", "How do people celebrate their holidays?",
    "How do I boil an egg and peel it?", "Who said that security is important?",
    "What are the threats that Belarus wants to reduce?", "What happened on July 3?", "What is this about?",
    "When was this published?", "What are these documents about?", "Independence Day?", "CSTO delegation Vienna",
    "And who led the CSTO delegation in Vienna?", "What about me is in the documents of the OSCE in Vienna?",
    "Which document describes itself as a guide?", "Who was the first to speak?", "What happened in the last 50 years?",
    "Why do Belarusians celebrate their independence on the third of July?", "Why was the third session held?",
    "Ist das wahr?", "Was hat er gesagt?", "Wann kam er her?", "¿Qué he hecho?", "Pourquoi?", "Où est-il né?", "Кто он?",
    "它是什么?", "Hvor er her?", "Quando nacque it?",
)  # fmt: skip


def all_standing():
    data = resources.files("qa.evaluation") / "data"
    with resources.as_file(data / "seeds.json") as path:
        asked = [example.question for example in read_squad(path)]
    exchanges = [one for held in read_conversations().conversations for one in held.exchanges]
    return [
        *STANDING,
        *asked,
        *(one.question for one in exchanges if one.rewritten is None),
        *(one.rewritten for one in exchanges if one.rewritten),
    ]


@pytest.mark.parametrize("before", CONVERSATIONS)
def test_a_question_that_stands_alone_is_never_altered(before):
    held = turns(*before)
    assert [one for one in all_standing() if stand_alone(one, held) != one] == []


def test_without_turns_nothing_is_altered():
    for question in ("Why?", "And the third?", "Where did he lay flowers?", ""):
        assert stand_alone(question, ()) == question
        assert stand_alone(question, (Turn("user", "Who?"), Turn("assistant", "failed"))) == question


word = st.sampled_from(
    "who what when where did does was is are the a he she it they there then that first third and of in to for "
    "Zas Vienna “quoted name” July 3 2020 's ? , . ( ) how many which sessions conference Ünïcode 😀 \\ {} \x00".split(
        " "
    )
)
question = st.lists(word, max_size=12).map(" ".join)


@given(question, st.lists(st.tuples(question, st.none() | question), max_size=4))
def test_any_words_give_a_question(asked, before):
    found = stand_alone(asked, turns(*before))
    assert found == stand_alone(asked, turns(*before))
    assert bool(found.strip()) == bool(asked.strip())


@given(question)
def test_phrases_are_cut_from_the_question(text):
    for phrase in parse(text).phrases:
        assert text[phrase.start : phrase.end] == phrase.text != ""


def test_dates_are_found_as_written():
    found = dates(
        "On July 3, 2020, 12 May 1999, in 1944 and around 660 BCE; 69,197 died, 2.5 m, July 1-2, 2020"
    )
    assert found == ["July 3, 2020", "12 May 1999", "1944", "660 BCE", "July 1-2, 2020"]


def test_a_reply_tells_what_was_asked(seeds):
    first = seeds.reply("Where did Stanislav Zas lay flowers?", ())
    assert first.asked == first.question
    held = (Turn("user", first.question), Turn.of(first))
    then = seeds.reply("When did he do it?", held, trace=True)
    assert then.question == "When did he do it?"
    assert then.asked == "When did Stanislav Zas lay flowers?"
    assert then.text == "July 3"
    assert then.trace
    *stages, last = seeds.stages("When did he do it?", turns=held, trace=True)
    assert stages == ["searching", "reading"]
    assert last == then
    assert seeds.answer("When did he do it?").asked == "When did he do it?"


def test_the_set_has_what_it_is_for():
    given_set = read_conversations()
    assert len(given_set.conversations) >= 20
    assert {one.part for one in given_set.conversations} == set(PARTS)
    for held in given_set.conversations:
        assert 3 <= len(held.exchanges) <= 6
        assert held.exchanges[0].rewritten is None
        assert any(one.rewritten for one in held.exchanges)
    written = json.loads(
        (resources.files("qa.evaluation") / "data" / "conversations.json").read_text("utf-8")
    )
    assert all(one["licence"].startswith("CC BY") and one["origin"] for one in written["documents"])


def test_an_answer_that_is_not_in_its_place_is_named(tmp_path):
    from index.errors import SettingsError

    written = json.loads(
        (resources.files("qa.evaluation") / "data" / "conversations.json").read_text("utf-8")
    )
    written["conversations"][0]["turns"][0]["answers"][0]["start"] += 1
    path = tmp_path / "set.json"
    path.write_text(json.dumps(written), "utf-8")
    with pytest.raises(SettingsError, match=r"set\.json: development-1.*Where did Stanislav Zas.*start"):
        read_conversations(path)
    path.write_text("{}", "utf-8")
    with pytest.raises(SettingsError, match=r"set\.json: not a set of conversations"):
        read_conversations(path)


def test_measuring_shows_what_resolving_gains(seeds):
    """Two conversations over the seeds, with the real reader."""
    lay = Exchange(
        "Where did Stanislav Zas lay flowers?", None, "004_d820ce9e78da0c40.txt", ("the Victory Monument",)
    )
    when = Exchange("When did he do it?", "When did Stanislav Zas lay flowers?", lay.document, ("July 3",))
    other = Exchange("Who is the press secretary of the CSTO?", None, lay.document, ("Vladimir Zaynetdinov",))
    held = [Conversation("one", "development", (lay, when)), Conversation("two", "development", (lay, other))]
    found = {way: evaluate(seeds, held, way) for way in WAYS}
    rows = list(conversation_rows(found))
    figures = {(one.part, one.name): one.value for one in Result.of("conversations", {}, rows, 0).metrics}
    assert [figures[way, "right and quoted"] for way in ("resolved", "by hand")] == [1.0, 1.0]
    assert figures["typed", "right and quoted"] < 1.0
    assert [figures[way, "altered"] for way in WAYS] == [0.0, 1.0, 1.0, 1.0]
    assert [figures[way, "alone: altered"] for way in WAYS] == [0.0, 1.0, 0.0, 0.0]
    assert figures["resolved", "alone: right and quoted"] == 1.0
    assert [row.kind for row in rows] == ["opening", "follow-up", "opening", "alone"]
    assert rows[1].question == "When did he do it? (asked: When did Stanislav Zas lay flowers?)"
    assert rows[1].answer == "July 3"
    assert rows[1].quote.text[rows[1].quote.start : rows[1].quote.end] == "July 3"


def test_the_index_of_the_set_holds_its_texts_and_the_seeds(tmp_path):
    given_set = read_conversations()
    with Index.open(tmp_path, encoder=HashingEncoder()) as index:
        add_texts(index, given_set)
        sources = {source for info in index.documents() for source in info.sources}
        names = {one.document for held in given_set.conversations for one in held.exchanges}
        assert all(any(source.endswith(name) for source in sources) for name in names)
