"""Feedback: verdicts, marked answers, and the question set they make."""

import json

import pytest

from index import Index
from index.errors import SettingsError, UnknownConversation
from qa.conversations import Conversations
from qa.evaluation.squad import read_squad
from qa.feedback import mark
from qa.types import Answer, Candidate, Turn
from tests.conftest import HashingEncoder
from tests.test_conversations import citation

TEXT = (
    "Tea is grown in Assam. 😀 Black tea is oxidised.\n\n"
    + "Nothing else is said here. " * 40
    + "\n\nGreen tea is steamed."
)


@pytest.fixture
def index(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as opened:
        opened.add_texts([("tea.txt", TEXT), ("salt.txt", "Salt comes from the sea. It is white.")])
        yield opened


@pytest.fixture
def kept(tmp_path):
    opened = Conversations(tmp_path / "conversations.db")
    yield opened
    opened.close()


def document(index, source):
    return index.document(next(info.id for info in index.documents() if source in info.sources))


def cite(document, answer):
    at = document.text.index(answer)
    end = document.text.index(".", at) + 1
    start = max(document.text.rfind(". ", 0, at) + 2, 0) if ". " in document.text[:at] else 0
    quote = document.text[start:end]
    made = citation(1, document.id, quote, answer)
    shift = start - made.start
    return type(made)(
        1,
        document.id,
        "T",
        None,
        "s",
        None,
        start,
        end,
        quote,
        made.answer_start + shift,
        made.answer_end + shift,
    )


def ask(kept, answer, conversation=None, owner="ann"):
    conversation = conversation or kept.create(owner)
    kept.append(owner, conversation, Turn("user", answer.question), Turn.of(answer))
    return conversation


def answered(index, source, text, question="What is it?", asked=None):
    cited = cite(document(index, source), text)
    return Answer(question, asked or question, "answered", (Candidate(text, 0.8, (cited,)),))


def read(tmp_path, squad):
    path = tmp_path / "feedback.json"
    path.write_text(json.dumps(squad), "utf-8")
    return {example.question: example for example in read_squad(path)}


def test_a_verdict_is_kept_changed_and_withdrawn(kept, index):
    conversation = ask(kept, answered(index, "tea.txt", "Assam"))
    first = kept.feedback.add("ann", conversation, 1, "right")
    again = kept.feedback.add("ann", conversation, 1, "wrong")
    assert first.id == again.id
    assert kept.feedback.of("ann", conversation) == {1: again}
    assert kept.feedback.all() == kept.feedback.all("ann") == [again]
    assert kept.feedback.all("bob") == []
    kept.feedback.withdraw("bob", conversation, 1)
    assert kept.feedback.all() == [again]
    kept.feedback.withdraw("ann", conversation, 1)
    kept.feedback.withdraw("ann", conversation, 1)
    assert kept.feedback.all() == []


def test_a_verdict_needs_an_answer_and_is_one_of_three(kept, index):
    conversation = ask(kept, answered(index, "tea.txt", "Assam"))
    for turn in (-1, 0, 2):
        with pytest.raises(UnknownConversation, match=f"Turn {turn}"):
            kept.feedback.add("ann", conversation, turn, "right")
    with pytest.raises(SettingsError, match="right, wrong, unanswerable"):
        kept.feedback.add("ann", conversation, 1, "good")
    marked = mark(index, document(index, "tea.txt").id, 0, 3)
    with pytest.raises(SettingsError, match="marked"):
        kept.feedback.add("ann", conversation, 1, "right", marked)


def test_a_marking_is_checked_against_the_text(index):
    tea = document(index, "tea.txt")
    at = tea.text.index("Black")
    marked = mark(index, tea.id, at - 1, at + 6)
    assert (marked.start, marked.end, marked.text) == (at, at + 5, "Black")
    for start, end in [(-1, 4), (4, 4), (5, 4), (0, len(tea.text) + 1)]:
        with pytest.raises(SettingsError, match="not a place"):
            mark(index, tea.id, start, end)
    with pytest.raises(SettingsError, match="white space"):
        mark(index, tea.id, 3, 4)
    with pytest.raises(SettingsError, match="no such document"):
        mark(index, "nothing", 0, 1)


def test_a_retried_turn_loses_its_verdict_but_the_evaluation_keeps_it(kept, index):
    conversation = ask(kept, answered(index, "tea.txt", "Assam"))
    kept.feedback.add("ann", conversation, 1, "wrong")
    kept.truncate("ann", conversation, 0)
    ask(kept, answered(index, "tea.txt", "oxidised"), conversation)
    assert kept.feedback.of("ann", conversation) == {}
    assert len(kept.feedback.all()) == 1
    kept.delete("ann", conversation)
    assert len(kept.feedback.all()) == 1


def test_the_export_is_read_as_a_question_set(kept, index, tmp_path):
    tea, salt = document(index, "tea.txt"), document(index, "salt.txt")
    conversation = ask(kept, answered(index, "tea.txt", "Assam", "And there?", asked="Where is tea grown?"))
    ask(kept, answered(index, "tea.txt", "Assam", "What is steamed?"), conversation)
    ask(
        kept,
        Answer("Who sells it?", "Who sells it?", "not_found", near_misses=(cite(salt, "the sea"),)),
        conversation,
    )
    ask(kept, answered(index, "salt.txt", "white", "Who is it?"), conversation)
    ask(kept, answered(index, "salt.txt", "white", "Left out?"), conversation)
    at = tea.text.index("Green tea")
    right = kept.feedback.add("ann", conversation, 1, "right")
    kept.feedback.add("ann", conversation, 3, "wrong", mark(index, tea.id, at, at + len("Green tea")))
    kept.feedback.add("ann", conversation, 5, "right")
    kept.feedback.add("ann", conversation, 7, "unanswerable")
    kept.feedback.add("ann", conversation, 9, "wrong")
    squad = kept.feedback.export_squad(index)
    assert squad["version"] == "v2.0"
    assert squad == kept.feedback.export_squad(index)
    found = read(tmp_path, squad)
    assert found.keys() == {"Where is tea grown?", "What is steamed?", "Who sells it?", "Who is it?"}
    assert [gold.text for gold in found["Where is tea grown?"].answers] == ["Assam"]
    assert found["Where is tea grown?"].id == right.id
    assert [gold.text for gold in found["What is steamed?"].answers] == ["Green tea"]
    assert found["Who sells it?"].impossible
    assert "Salt comes" in found["Who sells it?"].context
    assert found["Who is it?"].impossible
    # Contexts are passages: cut from the document, and not all of it.
    assert all(one.context in tea.text + salt.text for one in found.values())
    assert len(found["What is steamed?"].context) < len(tea.text)


def test_what_has_gone_or_changed_is_left_out(kept, index, tmp_path):
    tea, salt = document(index, "tea.txt"), document(index, "salt.txt")
    conversation = ask(kept, answered(index, "tea.txt", "Assam", "Where?"))
    ask(kept, answered(index, "salt.txt", "white", "Which colour?"), conversation)
    ask(kept, answered(index, "salt.txt", "white", "From where?"), conversation)
    at = salt.text.index("the sea")
    kept.feedback.add("ann", conversation, 1, "right")
    kept.feedback.add("ann", conversation, 3, "right")
    kept.feedback.add("ann", conversation, 5, "wrong", mark(index, salt.id, at, at + 7))
    index.add_texts([("tea.txt", "Now this file is about coffee alone.")])
    assert read(tmp_path, kept.feedback.export_squad(index)).keys() == {"Which colour?", "From where?"}
    index.remove("salt.txt")
    kept.forget_document(salt.id)
    kept.forget_document(tea.id)
    assert read(tmp_path, kept.feedback.export_squad(index)) == {}
    assert all(one.marked is None and one.answer.status == "removed" for one in kept.feedback.all())
