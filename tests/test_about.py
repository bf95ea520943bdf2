"""Questions about the documents themselves, and questions that only sound like them."""

import pytest

from index import Index
from qa.about import about
from qa.wording import UNSURE
from tests.conftest import HashingEncoder

HELD = (
    "The delegation in Vienna\n\n12 February 2020\n\nThe delegation took part in the conference in Vienna. "
    "It spoke about security, and many other delegations listened to what it said there.\n\n"
)
PLAIN = "Bread needs flour, water and salt. The baker says that time matters most of all in this.\n"


@pytest.fixture
def index(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as opened:
        yield opened


def texts(answer):
    return [candidate.text for candidate in answer.candidates]


def sound(answer, index):
    """Check that every candidate is a quote with one citation, numbered from 1; return the answer."""
    citations = [citation for candidate in answer.candidates for citation in candidate.citations]
    assert [citation.number for citation in citations] == list(range(1, len(citations) + 1))
    for candidate in answer.candidates:
        for citation in candidate.citations:
            document = index.document(citation.document_id)
            assert citation.quote == document.text[citation.start : citation.end]
            assert document.text[citation.answer_start : citation.answer_end] == candidate.text
    assert len(texts(answer)) == len(set(texts(answer)))
    assert (answer.status, answer.near_misses) == ("answered", ())
    return answer


@pytest.mark.parametrize(
    "question",
    [
        "What is this about?",
        "what's this about",
        "What are these documents about?",
        "WHAT IS IT ABOUT ?",
        "What is the article about?",
        "Tell me what this is about.",
        "What are the topics of these documents?",
    ],
)
def test_what_the_seeds_are_about(seeds, question):
    answer = sound(about(question, seeds.index, None, 10), seeds.index)
    assert texts(answer)[0] == "Belarus pledges support for efforts to resolve global, regional issues"
    assert (
        "The CSTO delegation takes part in the Joint UN-OSCE Conference on Antiterrorism in Vienna"
        in texts(answer)
    )
    assert any("Independence Day" in text for text in texts(answer))


@pytest.mark.parametrize(
    "question", ["When was this published?", "When were these articles posted?", "How old is this?"]
)
def test_when_the_seeds_were_published(seeds, question):
    answer = sound(about(question, seeds.index, None, 10), seeds.index)
    assert texts(answer) == ["9 Oct 2018", "12.02.2020"]
    assert [candidate.citations[0].date for candidate in answer.candidates] == ["2018-10-09", "2020-02-12"]


@pytest.mark.parametrize(
    ("topic", "date"),
    [
        ("about the conference in Vienna", "12.02.2020"),
        ("about the CSTO delegation in Vienna", "12.02.2020"),
        ("about Belarus and global security", "9 Oct 2018"),
    ],
)
def test_with_a_topic_only_what_is_about_it(seeds, topic, date):
    answer = sound(about(f"When was the news {topic} published?", seeds.index, None, 10), seeds.index)
    assert texts(answer) == [date]


@pytest.mark.parametrize(
    "question",
    [
        "When was the referendum published?",
        "What is it about Vienna that everyone likes?",
        "What is the conference about?",
        "What is this conference about?",
        "When was it held?",
        "When was this holiday made?",
        "What is this?",
        "What was the speech of Kunakbaev about?",
        "Who published this?",
        "When is Independence Day?",
        "How old is the republic?",
        "When was this about to happen?",
        "What is the date of the referendum?",
    ],
)
def test_other_questions_are_no_such_questions(seeds, question):
    assert about(question, seeds.index, None, 10) is None


def test_only_the_chosen_documents_are_told(seeds):
    [first, second] = [info.id for info in seeds.index.documents()]
    for chosen, dates in ((first, ["9 Oct 2018"]), (second, ["12.02.2020"])):
        answer = about("When was this published?", seeds.index, [chosen], 10)
        assert texts(answer) == dates
        answer = about("What is this about?", seeds.index, [chosen], 10)
        assert {c.citations[0].document_id for c in answer.candidates} == {chosen}


def test_without_a_title_the_first_sentence_tells(index):
    index.add_texts([("bread", PLAIN), ("vienna", HELD)])
    answer = sound(about("What is this about?", index, None, 10), index)
    assert texts(answer) == ["Bread needs flour, water and salt.", "The delegation in Vienna"]


def test_where_no_date_is_shown_it_is_no_answer(index):
    index.add_texts([("bread", PLAIN)])
    assert about("When was this published?", index, None, 10) is None


def test_marked_text_is_not_what_it_is_about(seeds):
    answer = about("What is this about?", seeds.index, None, 10)
    assert "Official Website of the Republic of Belarus" not in texts(answer)
    assert not any("jpg" in text for text in texts(answer))


def test_the_same_title_twice_is_one_answer_with_two_citations(index):
    index.add_texts([("one", HELD), ("two", HELD + "And it left again on the next day by train.")])
    answer = sound(about("What is this about?", index, None, 10), index)
    [candidate] = answer.candidates
    assert [citation.source for citation in candidate.citations] == ["one", "two"]
    [candidate] = sound(about("When was this published?", index, None, 10), index).candidates
    assert (candidate.text, len(candidate.citations)) == ("12 February 2020", 2)


def test_many_documents_are_told_in_part(index):
    index.add_texts([(f"text {n}", f"Number {n} tells of thing{n}. It is one of many.") for n in range(30)])
    answer = sound(about("What is this about?", index, None, 10), index)
    assert texts(answer) == [f"Number {n} tells of thing{n}." for n in range(10)]


FERRY = "\n\n".join(
    ["Ferry service opens again", "10 October 2018", PLAIN * 2, "School plan adopted", "11.10.2018", PLAIN]
)


def test_every_document_is_told_before_any_is_told_twice(index):
    index.add_texts([("ferry", FERRY), ("vienna", HELD), ("bread", PLAIN)])
    answer = sound(about("What is this about?", index, None, 10), index)
    assert texts(answer) == [
        "Ferry service opens again",
        "The delegation in Vienna",
        "Bread needs flour, water and salt.",
        "School plan adopted",
    ]
    answer = sound(about("When was this published?", index, None, 10), index)
    assert texts(answer) == ["10 October 2018", "12 February 2020", "11.10.2018"]


@pytest.mark.parametrize("question", ["What is this about?", "When was this published?"])
def test_what_one_of_several_documents_tells_is_not_certain(index, question):
    index.add_texts([("vienna", HELD)])
    assert about(question, index, None, 10).confidence == 1.0
    index.add_texts([("ferry", FERRY)])
    several = about(question, index, None, 10)
    assert all(UNSURE < candidate.confidence < 0.9 for candidate in several.candidates)
    chosen = about(question, index, [index.document_ids()[1]], 10)
    assert chosen.confidence == 1.0


def test_a_date_of_front_matter_is_cited_once(index, tmp_path):
    text = (
        f"---\ntitle: The bridge\ndate: 2023-03-14\n---\n\n# The bridge\n\n{PLAIN}\n## The ferry\n\n{PLAIN}"
    )
    (tmp_path / "bridge.md").write_text(text, "utf-8")
    index.add(tmp_path / "bridge.md")
    [candidate] = sound(about("When was this published?", index, None, 10), index).candidates
    [citation] = candidate.citations
    assert (candidate.text, citation.quote, citation.start) == (
        "2023-03-14",
        "2023-03-14",
        text.index("2023"),
    )
    assert (citation.title, citation.date) == ("The bridge", "2023-03-14")


def test_a_date_of_metadata_is_cited_where_the_text_has_it(index, tmp_path):
    head = '<meta property="article:published_time" content="2023-03-14T08:00:00Z">'
    text = f"<head>{head}</head><h1>The bridge</h1><p>{PLAIN}</p><p>It was opened on 14 March 2023.</p>"
    (tmp_path / "bridge.html").write_text(text, "utf-8")
    index.add(tmp_path / "bridge.html")
    assert texts(sound(about("When was this published?", index, None, 10), index)) == ["14 March 2023"]


def test_without_documents_there_is_nothing_to_tell(index):
    assert about("What is this about?", index, None, 10) is None
