"""Answers of several documents: agreement is counted, disagreement shown, lists are whole. The shipped reader."""

import pytest

from index import Index
from qa import Assistant, Settings

# Generated: the same fact in other words, with values that agree or contradict one another.
BRIDGE = (
    "Harbour news\n\n{date}The new bridge over the Arun is {length} metres long, the town council said. "
    "It was built by a firm from Larnsby and carries two lanes of traffic and a path for cyclists.\n"
)
RECIPE = """# The kitchen at Moss Farm

Bread has been baked here since the farm was founded, and the oven is older than the house.

The ingredients of the loaf are:

- rye flour
- spring water
- sea salt
- a spoon of honey

It is baked for an hour and cools on the window sill.
"""
FERRY = (
    "The ferry to Gull Rock did not sail on Sunday because a storm had broken its rudder. "
    "Passengers were taken to the island by a fishing boat instead."
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory, encoder, home):
    """Over texts of one test's own: ``ask(question, name=text, ...)``."""
    opened = []

    def ask(question, **texts):
        index = Index.open(tmp_path_factory.mktemp("documents"), encoder=encoder)
        opened.append(index)
        index.add_texts((name, text) for name, text in texts.items())
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VERBATIM_HOME", str(home))
            return Assistant(index, Settings(threshold=0.0, candidates=5)).answer(question)

    yield ask
    for index in opened:
        index.close()


def test_the_same_answer_in_several_documents_is_one_candidate_that_cites_them_all(ask):
    texts = {name: BRIDGE.format(date="", length=240) + name for name in ("one", "two", "three")}
    answer = ask("How long is the bridge over the Arun?", **texts)
    assert "240" in answer.text
    assert {citation.source for citation in answer.citations} == {"one", "two", "three"}
    assert [citation.number for citation in answer.citations] == [1, 2, 3]


def test_documents_that_contradict_one_another_stand_side_by_side_with_their_dates(ask):
    answer = ask(
        "How long is the bridge over the Arun?",
        dated=BRIDGE.format(date="12 March 2021\n\n", length=240),
        undated=BRIDGE.format(date="", length=310),
    )
    found = {
        value: candidate.citations[0]
        for candidate in answer.candidates
        for value in ("240", "310")
        if value in candidate.text
    }
    assert found["240"].source == "dated"
    assert found["240"].date == "2021-03-12"
    assert found["310"].source == "undated"
    assert found["310"].date is None


def test_things_listed_together_are_answered_with_the_whole_list(ask):
    answer = ask("What are the ingredients of the loaf?", kitchen=RECIPE)
    for item in ("rye flour", "spring water", "sea salt", "a spoon of honey"):
        assert item in answer.text


def test_why_is_answered_with_more_than_two_words(ask):
    answer = ask("Why did the ferry to Gull Rock not sail?", ferry=FERRY)
    assert "storm" in answer.text
    assert len(answer.text.split()) >= 5


def test_the_two_offices_of_one_man_are_both_given(seeds):
    answer = Assistant(seeds.index, Settings(threshold=0.0, candidates=5), seeds.reader).answer(
        "What office does Stanislav Zas hold?"
    )
    given = " | ".join(candidate.text for candidate in answer.candidates).casefold()
    assert "secretary general" in given or "secretary-general" in given
    assert "security council" in given
