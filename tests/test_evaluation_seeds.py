"""The question set on the documents that come with Verbatim: its offsets, its kinds, its spread."""

import re
from collections import Counter
from pathlib import Path

import pytest

from qa.evaluation.metrics import normalize
from qa.evaluation.squad import read_squad

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "qa" / "evaluation" / "data" / "seeds.json"


@pytest.fixture(scope="module")
def questions():
    return read_squad(SEEDS)


def test_contexts_are_the_seeds(questions):
    contexts = {example.title: example.context for example in questions}
    assert contexts.pop("unanswerable") == ""
    files = {path.name: path.read_bytes().decode("utf-8") for path in (ROOT / "seeds").glob("*.txt")}
    assert contexts == {name: re.sub(r"\r\n?", "\n", text) for name, text in files.items()}


def test_every_offset_cuts_its_answer_out(questions):
    golds = [(example, gold) for example in questions for gold in example.answers]
    assert len(golds) > 100
    for example, gold in golds:
        assert example.context[gold.start : gold.start + len(gold.text)] == gold.text
        assert gold.text == gold.text.strip()
        assert normalize(gold.text)


def test_no_answer_is_given_twice(questions):
    for example in questions:
        assert len(set(example.answers)) == len(example.answers), example.id


def test_kinds_and_counts(questions):
    kinds = Counter(example.kind for example in questions)
    assert set(kinds) == {"answerable", "off_topic", "not_answered"}
    assert kinds["answerable"] >= 40
    assert kinds["off_topic"] >= 10
    assert kinds["not_answered"] >= 10
    for example in questions:
        assert example.impossible == (example.kind != "answerable") == (example.title == "unanswerable")


def test_both_documents_are_asked_about_throughout(questions):
    for title in {example.title for example in questions} - {"unanswerable"}:
        asked = [example for example in questions if example.title == title]
        starts = [gold.start for example in asked for gold in example.answers]
        assert len(asked) >= 20
        for quarter in range(4):
            low, high = (len(asked[0].context) * end // 4 for end in (quarter, quarter + 1))
            assert any(low <= start < high for start in starts), (title, quarter)


def test_ids_and_questions_are_unique(questions):
    assert len({example.id for example in questions}) == len(questions)
    assert len({example.question.casefold() for example in questions}) == len(questions)
