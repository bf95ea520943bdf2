"""Stored conversations: whose they are, what comes back, and what is left of a removed document."""

import dataclasses
import os
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import SettingsError, StoreError, UnknownConversation
from qa.conversations import TITLE_CHARACTERS, Conversations, shortened
from qa.records import answer_from_json, answer_to_json, quoted_documents, without_document
from qa.types import REASONS, Answer, Candidate, Citation, Span, Trace, Turn
from tests.conftest import at_once

ROOT = Path(__file__).parent.parent


def citation(number=1, document="d1", quote="He laid flowers at the Monument.", answer="the Monument"):
    at = quote.index(answer)
    return Citation(
        number,
        document,
        f"Title of {document}",
        "2020-07-03",
        f"{document}.txt",
        None,
        100,
        100 + len(quote),
        quote,
        100 + at,
        100 + at + len(answer),
    )


def answered(question="Where did he lay flowers?", *citations, asked=None):
    cited = citations or (citation(),)
    first = cited[0]
    text = first.quote[first.answer_start - first.start : first.answer_end - first.start]
    return Answer(question, asked or question, "answered", (Candidate(text, 0.9, tuple(cited)),))


def exchange(question="Where did he lay flowers?", *citations, asked=None):
    return Turn("user", question), Turn.of(answered(question, *citations, asked=asked))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "conversations.db"


@pytest.fixture
def kept(path):
    opened = Conversations(path)
    yield opened
    opened.close()


def held(kept, *questions, owner="ann"):
    conversation = kept.create(owner)
    for question in questions:
        kept.append(owner, conversation, *exchange(question))
    return conversation


def test_turns_come_back_equal_after_a_restart(kept, path):
    conversation = kept.create("ann")
    trace = (Trace("d1", 0, 4, "text", 0.5, 0.25, 3.0, -1.0, (Span(0, 4, "text", 7.5),)),)
    full = dataclasses.replace(answered(), near_misses=(citation(2, "d2"),), trace=trace)
    kept.append("ann", conversation, Turn("user", "Where?"), Turn.of(full))
    before = kept.turns("ann", conversation)
    kept.close()
    again = Conversations(path)
    assert again.turns("ann", conversation) == before == (Turn("user", "Where?"), Turn.of(full))
    assert [one.turns for one in again.list("ann")] == [2]
    again.close()


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
citations = st.builds(
    Citation, st.integers(1, 9), text, text, st.none() | text, text, st.none() | st.integers(1, 9),
    st.integers(0), st.integers(0), text, st.integers(0), st.integers(0),
)  # fmt: skip
numbers = st.floats(allow_nan=False)
spans = st.builds(Span, st.integers(0), st.integers(0), text, numbers)
traces = st.builds(
    Trace,
    text,
    st.integers(0),
    st.integers(0),
    text,
    numbers,
    numbers,
    numbers,
    numbers,
    st.lists(spans, max_size=2).map(tuple),
)
answers = st.builds(
    Answer, text, text, st.sampled_from(sorted(REASONS)),
    st.lists(st.builds(Candidate, text, numbers, st.lists(citations, max_size=2).map(tuple)), max_size=3).map(tuple),
    st.lists(citations, max_size=2).map(tuple), st.lists(traces, max_size=2).map(tuple), st.none() | st.integers(0, 9),
)  # fmt: skip


@given(answers)
def test_an_answer_comes_back_equal_from_json(answer):
    assert answer_from_json(answer_to_json(answer)) == answer


@given(answers, st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_without_a_document_nothing_of_it_is_left(answer, data):
    documents = sorted(quoted_documents(answer))
    if documents:
        gone = data.draw(st.sampled_from(documents))
        left = without_document(answer, gone)
        assert quoted_documents(left) == quoted_documents(answer) - {gone}
        assert without_document(left, gone) == left


def test_another_owner_sees_nothing_and_is_told_nothing(kept):
    conversation = held(kept, "Where?")
    assert kept.list("bob") == []
    for act in (
        lambda name: kept.turns("bob", name),
        lambda name: kept.info("bob", name),
        lambda name: kept.append("bob", name, *exchange()),
        lambda name: kept.truncate("bob", name, 0),
        lambda name: kept.rename("bob", name, "mine"),
        lambda name: kept.delete("bob", name),
    ):
        with pytest.raises(UnknownConversation) as foreign:
            act(conversation)
        with pytest.raises(UnknownConversation) as unknown:
            act("0123456789abcdef")
        assert str(foreign.value).replace(conversation, "") == str(unknown.value).replace(
            "0123456789abcdef", ""
        )
    with pytest.raises(UnknownConversation):
        kept.feedback.add("bob", conversation, 1, "right")
    assert len(kept.turns("ann", conversation)) == 2
    with pytest.raises(SettingsError, match="needs an owner"):
        kept.create("")


def test_the_list_is_newest_first_and_searched_by_all_words(kept):
    first = held(kept, "Where did Zas lay flowers?")
    second = held(kept, "ÜBER 100 % oder_was?")
    assert [one.id for one in kept.list("ann")] == [second, first]
    kept.append("ann", first, *exchange("And when?"))
    assert [one.id for one in kept.list("ann")] == [first, second]
    for query, found in [
        ("zas FLOWERS", [first]), ("when zas", [first]), ("über", [second]), ("100 %", [second]), ("%", [second]),
        ("_was", [second]), ("laid", [first, second]), ("monument", [first, second]), ("nowhere", []),
        ("zas über", []), ("'; DROP TABLE turns", []), ('"', []), ("  ", [first, second]), ("ti: *", []),
    ]:  # fmt: skip
        assert [one.id for one in kept.list("ann", query)] == found, query


def test_the_first_question_is_the_title_until_a_person_gives_one(kept):
    conversation = kept.create("ann")
    assert kept.info("ann", conversation).title == "New conversation"
    kept.append("ann", conversation, *exchange("What  is\n" + "very " * 40 + "long?"))
    title = kept.info("ann", conversation).title
    assert title.startswith("What is very")
    assert title.endswith("…")
    assert len(title) <= TITLE_CHARACTERS
    kept.rename("ann", conversation, " Mine ")
    kept.truncate("ann", conversation, 0)
    kept.append("ann", conversation, *exchange("Other?"))
    assert kept.info("ann", conversation).title == "Mine"
    with pytest.raises(SettingsError, match="empty"):
        kept.rename("ann", conversation, " \n ")
    assert shortened("x" * 500) == "x" * TITLE_CHARACTERS
    # A first word that fills the line is cut, not left out.
    for length in range(TITLE_CHARACTERS - 2, TITLE_CHARACTERS + 3):
        assert shortened("x" * length + " and more").startswith("x" * (TITLE_CHARACTERS - 2))


def test_truncating_keeps_the_first_turns(kept):
    conversation = held(kept, "A?", "B?", "C?")
    kept.truncate("ann", conversation, 2)
    assert [turn.text for turn in kept.turns("ann", conversation) if turn.role == "user"] == ["A?"]
    kept.truncate("ann", conversation, 99)
    assert len(kept.turns("ann", conversation)) == 2
    kept.truncate("ann", conversation, -1)
    assert kept.turns("ann", conversation) == ()


def test_a_deleted_conversation_leaves_others_and_its_feedback(kept):
    first, second = held(kept, "A?"), held(kept, "B?")
    kept.feedback.add("ann", first, 1, "right")
    kept.delete("ann", first)
    assert [one.id for one in kept.list("ann")] == [second]
    assert len(kept.feedback.all("ann")) == 1


def test_an_answer_is_told_its_place(kept):
    conversation, other = kept.create("ann"), held(kept, "A?", "B?")
    assert kept.append("ann", conversation, *exchange("C?")) == 1
    assert kept.append("ann", conversation, *exchange("D?")) == 3
    assert kept.append("ann", other, *exchange("E?")) == 5
    assert kept.append("ann", other, *exchange("F?"), keep=2) == 3
    assert kept.turns("ann", other)[3].answer.question == "F?"


def test_halves_of_surrogate_pairs_are_replaced_not_refused(kept):
    conversation = held(kept, "broken \ud800?")
    assert kept.turns("ann", conversation)[0].text == "broken ??"
    assert kept.turns("ann", conversation)[1].answer.question == "broken ??"
    assert kept.list("ann", "broken \ud800?")


def bytes_of(path):
    return b"".join(one.read_bytes() for one in path.parent.iterdir())


def test_a_removed_document_is_gone_from_every_byte(kept, path):
    """Its quotes, answers, titles, and what was resolved from them; in turns of all owners, and in feedback."""
    for owner in ("ann", "bob"):
        for turn in range(40):
            conversation = kept.create(owner)
            gone = citation(1, "gone", f"The Zanzibar {turn} secret is XYZZY indeed.", "XYZZY")
            kept.append(owner, conversation, *exchange("What is it?", gone, citation(2, "stays")))
            kept.append(owner, conversation, *exchange("Where is that?", gone))
            kept.append(
                owner, conversation, *exchange("When was it?", citation(1, "stays"), asked="When was XYZZY?")
            )
            kept.feedback.add(owner, conversation, 1, "right")
            kept.feedback.add(owner, conversation, 5, "right")
    assert b"XYZZY" in bytes_of(path)
    assert b"Zanzibar" in bytes_of(path)
    kept.forget_document("gone")
    assert [word for word in (b"XYZZY", b"Zanzibar", b"gone") if word in bytes_of(path)] == []
    first, second, third = (turn for turn in kept.turns("bob", conversation) if turn.role == "assistant")
    assert [one.document_id for one in first.answer.citations] == ["stays"]
    assert first.text == first.answer.text == "the Monument"
    assert first.answer.citations[0].number == 2
    assert second.answer.status == "removed"
    assert second.text == second.answer.reason != ""
    assert third.answer.status == "answered"
    assert third.answer.asked == "When was it?"
    assert {one.answer.asked for one in kept.feedback.all()} == {"What is it?", "When was it?"}
    assert kept.list("ann", "XYZZY") == []
    assert len(kept.list("ann", "monument")) == 40


def test_forgetting_leaves_other_conversations_as_they_are(kept):
    conversation = held(kept, "Where?")
    before = kept.turns("ann", conversation), kept.list("ann")
    kept.forget_document("d")
    kept.forget_document("unknown")
    assert (kept.turns("ann", conversation), kept.list("ann")) == before


def test_what_was_typed_is_no_words_of_a_document(kept):
    conversation = kept.create("ann")
    kept.append("ann", conversation, *exchange("Where is the Monument?", citation(1, "gone")))
    kept.append("ann", conversation, *exchange("When?", citation(1, "d2"), asked="When is the Monument?"))
    kept.forget_document("gone")
    assert kept.turns("ann", conversation)[3].answer.asked == "When is the Monument?"


def test_many_threads_and_a_second_process_write_at_once(kept, path):
    conversation = kept.create("ann")
    script = (
        "import sys; from pathlib import Path; from tests.test_conversations import Conversations, exchange\n"
        "kept = Conversations(Path(sys.argv[1]))\n"
        "for turn in range(20): kept.append('ann', sys.argv[2], *exchange(f'process {turn}?'))"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(path), conversation], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    at_once(
        8,
        lambda: [
            kept.append("ann", conversation, *exchange(threading.current_thread().name)) for _ in range(5)
        ],
    )
    assert other.wait() == 0
    turns = kept.turns("ann", conversation)
    assert len(turns) == 2 * (20 + 40)
    # A question is always followed by its own answer.
    assert all(
        asked.text == given.answer.question for asked, given in zip(turns[::2], turns[1::2], strict=True)
    )


def test_a_newer_format_another_database_and_a_damaged_file_are_refused(path):
    Conversations(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(StoreError, match="newer version.*pip install"):
        Conversations(path)
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    with pytest.raises(StoreError, match="something else"):
        Conversations(path)
    path.unlink()
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Conversations(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file.*VERBATIM_HOME"):
        Conversations(tmp_path / "file" / "conversations.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreError, match=r"folder\.db"):
        Conversations(tmp_path / "folder.db")


def test_the_default_place_is_in_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "here"))
    Conversations().close()
    assert (tmp_path / "here" / "conversations.db").is_file()
