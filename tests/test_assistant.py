"""The whole pipeline: real index, real reader, real answers."""

import os
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import Index
from index.errors import NotAnIndex, QuestionError, SettingsError
from qa import Answer, Assistant, Settings
from qa.assistant import has_own_index
from qa.confidence import CALIBRATIONS
from qa.types import REASONS, Reading, Span
from tests.conftest import HashingEncoder
from tests.files import pdf_bytes

ROOT = Path(__file__).parent.parent
SENTENCES = Settings(reader="sentences")
VIENNA = "Who led the CSTO delegation in Vienna?"
TEXTS = {
    "ship": "The ship Aurora left the harbour at night. The captain of the Aurora is John Carter. He had a map.",
    "bread": "Bread needs flour, water and salt. The baker Jean Moreau says that time matters most.",
}


@pytest.fixture
def index(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as opened:
        opened.add_texts(TEXTS.items())
        yield opened


@pytest.fixture
def assistant(index):
    return Assistant(index, Settings(threshold=0.0, reader="sentences"))


@pytest.fixture
def eager(seeds):
    """Over the seeds, answering whatever is asked."""
    return Assistant(seeds.index, Settings(threshold=0.0, candidates=10, passages=20))


def sound(answer, index):
    """Check what holds of any answer; return it."""
    assert isinstance(answer, Answer)
    assert bool(answer.candidates) == (answer.status == "answered")
    assert bool(answer.reason) == (answer.status != "answered")
    assert answer.reason == REASONS[answer.status]
    given = [citation for candidate in answer.candidates for citation in candidate.citations]
    for citations in (given, answer.near_misses):
        numbers = [citation.number for citation in citations]
        assert numbers == sorted(set(numbers))
        assert all(number >= 1 for number in numbers)
    assert [citation.number for citation in given] == list(range(1, len(given) + 1))
    for citation in [*given, *answer.near_misses]:
        document = index.document(citation.document_id)
        assert citation.quote == document.text[citation.start : citation.end] != ""
        assert citation.start <= citation.answer_start < citation.answer_end <= citation.end
        assert citation.source in {source for info in index.documents() for source in info.sources}
    confidences = [candidate.confidence for candidate in answer.candidates]
    assert confidences == sorted(confidences, reverse=True)
    for candidate in answer.candidates:
        assert 0 <= candidate.confidence <= 1
        first = candidate.citations[0]
        assert index.document(first.document_id).text[first.answer_start : first.answer_end] == candidate.text
    words = [" ".join(candidate.text.casefold().split()) for candidate in answer.candidates]
    assert len(words) == len(set(words))
    if answer.candidates:
        assert (answer.text, answer.confidence) == (
            answer.candidates[0].text,
            answer.candidates[0].confidence,
        )
        assert answer.citations == answer.candidates[0].citations
        assert answer.near_misses == ()
    else:
        assert (answer.text, answer.confidence, answer.citations) == (None, 0.0, ())
    return answer


# --- over the seeds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "words", "source"),
    [
        (VIENNA, "Murad Kunakbaev", "004_d820ce9e78da0c40.txt"),
        ("When is Independence Day celebrated?", "July 3", "004_d820ce9e78da0c40.txt"),
        ("What is the code name of the first special operation?", "Mercenary", "004_d820ce9e78da0c40.txt"),
        (
            "What is the topic of the third session?",
            "Protection of critical infrastructure",
            "000_69e41dfd36f388bb.txt",
        ),
    ],
)
def test_a_question_is_answered_and_cited(seeds, question, words, source):
    answer = sound(seeds.answer(question), seeds.index)
    assert answer.status == "answered"
    assert words in answer.text
    assert answer.citations[0].source.endswith(source)
    assert answer.confidence >= seeds.threshold


def test_a_citation_tells_title_and_date(seeds):
    [first, *_] = seeds.answer(VIENNA).citations
    assert (
        first.title
        == "The CSTO delegation takes part in the Joint UN-OSCE Conference on Antiterrorism in Vienna"
    )
    assert first.date == "2020-02-12"
    assert first.page is None


@pytest.mark.parametrize(
    "question",
    ["What is the capital of Australia?", "How do I bake bread?", "Which programming language is fastest?"],
)
def test_off_topic_it_abstains_and_shows_what_is_nearest(seeds, question):
    answer = sound(seeds.answer(question), seeds.index)
    assert answer.status == "off_topic"
    assert 1 <= len(answer.near_misses) <= 3


def test_a_script_that_the_encoder_cannot_read_is_said(seeds):
    answer = sound(seeds.answer("Кто возглавил делегацию в Вене?"), seeds.index)
    assert answer.status == "language"
    assert "multilingual" in answer.reason


@pytest.mark.parametrize("question", ["", " ", "\n\t\u2003"])
def test_an_empty_question_is_refused(seeds, question):
    with pytest.raises(QuestionError, match="empty"):
        seeds.answer(question)


def test_a_question_of_10000_characters_is_refused(seeds):
    with pytest.raises(QuestionError, match=r"10,000 characters: ask in at most 2,000"):
        seeds.answer("why? " * 2_000)
    sound(seeds.answer("why? " * 400), seeds.index)


@pytest.mark.parametrize(
    "question",
    [
        "😀",
        "😀 Who led the delegation? 👍🏽",
        "?",
        "...",
        "What is it?",
        "1944",
        "\u0301",
        'a" OR *',
        "<b>who</b>",
    ],
)
def test_strange_questions_are_answered_or_declined(seeds, question):
    assert sound(seeds.answer(question), seeds.index).status in REASONS


@pytest.mark.parametrize("question", [VIENNA, "What is the capital of Australia?", "Кто?", "😀", "the"])
def test_threshold_0_always_answers(eager, question):
    answer = sound(eager.answer(question), eager.index)
    assert answer.status == "answered"
    assert len(answer.candidates) > 1


def test_threshold_1_always_abstains(seeds):
    answer = sound(Assistant(seeds.index, Settings(threshold=1.0)).answer(VIENNA), seeds.index)
    assert answer.status in {"not_found", "off_topic"}
    assert any("Kunakbaev" in near.quote for near in answer.near_misses)


@pytest.mark.parametrize("question", [VIENNA, "When is Independence Day?", "Who is Stanislav Zas?"])
def test_no_sentence_is_given_twice(eager, question):
    answer = sound(eager.answer(question), eager.index)
    held = [
        (citation.document_id, citation.answer_start, citation.answer_end)
        for candidate in answer.candidates
        for citation in candidate.citations
    ]
    for number, (document, start, end) in enumerate(held):
        for other, first, last in held[number + 1 :]:
            shared = min(end, last) - max(start, first) if document == other else 0
            assert shared <= 0.5 * min(end - start, last - first)


def test_as_many_candidates_as_wanted(seeds):
    for most in (1, 2, 5):
        settings = Settings(threshold=0.0, candidates=most)
        assert len(Assistant(seeds.index, settings).answer(VIENNA).candidates) == most


def test_only_the_chosen_documents_answer(eager):
    [first, second] = [info.id for info in eager.index.documents()]
    for chosen in (first, second):
        answer = sound(eager.answer(VIENNA, documents=[chosen, "unknown"]), eager.index)
        assert {c.document_id for candidate in answer.candidates for c in candidate.citations} == {chosen}
        assert answer.chosen == 1
    assert eager.answer(VIENNA, documents=[first, second]).chosen == 2
    assert eager.answer(VIENNA).chosen is None


@pytest.mark.parametrize("documents", [[], ["unknown"], {"a", "b"}])
def test_none_of_the_chosen_documents_is_there(seeds, documents):
    answer = sound(seeds.answer(VIENNA, documents=documents), seeds.index)
    assert (answer.status, answer.near_misses) == ("filtered", ())


def test_questions_about_the_documents_are_answered(seeds):
    answer = sound(seeds.answer("  What is this about?  "), seeds.index)
    assert (answer.status, answer.confidence, answer.question) == ("answered", 0.8, "What is this about?")
    assert sound(seeds.answer("When was this published?"), seeds.index).text == "9 Oct 2018"


def test_many_questions_in_order(seeds):
    questions = [VIENNA, "What is the capital of Australia?", "What is this about?"]
    assert seeds.answer_many(iter(questions)) == [seeds.answer(question) for question in questions]
    assert seeds.answer_many([]) == []


def test_stages_come_in_order(seeds):
    stages = list(seeds.stages(VIENNA))
    assert stages[:-1] == ["searching", "reading"]
    assert stages[-1] == seeds.answer(VIENNA)
    first, answer = seeds.stages("What is this about?")
    assert (first, answer.status) == ("searching", "answered")
    with pytest.raises(QuestionError):
        next(seeds.stages(""))


def test_threads_share_one_assistant(seeds):
    questions = [VIENNA, "When is Independence Day celebrated?", "What is the capital of Australia?"] * 2
    expected = [seeds.answer(question).text for question in questions]
    found = {}
    threads = [
        threading.Thread(target=lambda n=n, q=q: found.__setitem__(n, seeds.answer(q).text))
        for n, q in enumerate(questions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(questions))] == expected


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(min_size=1, max_size=100).filter(str.strip))
def test_any_question_is_answered_or_declined(seeds, question):
    sound(seeds.answer(question), seeds.index)


# --- over an index of one's own ----------------------------------------------------------------------------------


def test_without_documents_it_says_so(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        for chosen in (None, ["a"]):
            answer = sound(Assistant(index, SENTENCES).answer("Who?", documents=chosen), index)
            assert answer.status == "no_index"
        assert sound(Assistant(index, SENTENCES).answer("What is this about?"), index).status == "no_index"


def test_a_removed_document_answers_no_more(assistant, index):
    question = "Who is the captain of the Aurora?"
    assert "John Carter" in sound(assistant.answer(question), index).text
    index.remove("ship")
    answer = sound(assistant.answer(question), index)
    assert all("Carter" not in c.quote for candidate in answer.candidates for c in candidate.citations)
    index.remove("bread")
    assert assistant.answer(question).status == "no_index"


def test_a_replaced_document_answers_as_it_is_now(assistant, index):
    question = "Who is the captain of the Aurora?"
    index.add_texts([("ship", TEXTS["ship"].replace("John Carter", "Dejah Thoris"))])
    answer = sound(assistant.answer(question), index)
    assert "Dejah Thoris" in answer.text
    assert "John Carter" not in str(answer)


def test_the_same_answer_in_two_documents_is_one_candidate(assistant, index):
    index.add_texts(
        [("copy", "Some more about it. The captain of the Aurora is John Carter. Nothing else is known.")]
    )
    answer = sound(assistant.answer("Who is the captain of the Aurora?"), index)
    supporting = {citation.source for citation in answer.citations}
    assert supporting == {"ship", "copy"}


def test_an_answer_in_a_pdf_has_its_page(assistant, index, tmp_path):
    pages = [["Nothing to see here."], ["The zeppelin is named Hindenburg."], ["The end of it."]]
    (tmp_path / "a.pdf").write_bytes(pdf_bytes(pages))
    index.add(tmp_path / "a.pdf")
    answer = sound(assistant.answer("What is the zeppelin named?"), index)
    assert "Hindenburg" in answer.text
    assert answer.citations[0].page == 2


def test_a_reader_of_ones_own_is_used(index):
    class First:
        """Answers with the first word of each passage."""

        kind = "spans"

        def read(self, question, hits):
            readings = []
            for hit in hits:
                word = hit.passage.text.split()[0]
                start = hit.passage.start
                readings.append(Reading(hit.passage.id, (Span(start, start + len(word), word, 5.0),), 0.0))
            return readings

    answer = sound(Assistant(index, Settings(threshold=0.0), First()).answer("Who?"), index)
    assert {candidate.text for candidate in answer.candidates} == {"The", "Bread"}


# --- readers, thresholds, traces ---------------------------------------------------------------------------------


def test_the_reader_decides_the_calibration_and_with_it_the_threshold(seeds):
    assert (seeds.reader.kind, seeds.calibration) == ("spans", CALIBRATIONS["spans"])
    for chosen, kind in ((Settings(), "spans"), (SENTENCES, "sentences")):
        opened = Assistant(seeds.index, chosen)
        assert opened.reader.kind == kind
        assert opened.threshold == CALIBRATIONS[kind].threshold
        assert Assistant(seeds.index, replace(chosen, strict=True)).threshold == CALIBRATIONS[kind].strict
        assert Assistant(seeds.index, replace(chosen, threshold=0.25)).threshold == 0.25
        assert Assistant(seeds.index, replace(chosen, threshold=0.0)).threshold == 0.0


@pytest.mark.parametrize("reader", [None, "sentences"])
def test_strict_answers_exactly_where_it_is_sure_enough(seeds, reader):
    forced = Assistant(seeds.index, Settings(reader=reader, threshold=0.0))
    strict = Assistant(seeds.index, Settings(reader=reader, strict=True))
    questions = [
        VIENNA,
        "When is Independence Day celebrated?",
        "Who is Stanislav Zas?",
        "What is the capital of Australia?",
        "Where is the Victory Monument?",
        "Why was the conference held?",
        "How do I bake bread?",
    ]
    statuses = set()
    for question in questions:
        confidence = sound(forced.answer(question), forced.index).confidence
        answer = sound(strict.answer(question), strict.index)
        assert (answer.status == "answered") == (confidence >= strict.calibration.strict)
        assert all(candidate.confidence >= strict.calibration.strict for candidate in answer.candidates)
        statuses.add(answer.status)
    assert len(statuses) > 1


@pytest.mark.parametrize("reader", [None, "sentences"])
@pytest.mark.parametrize("question", [VIENNA, "What is the capital of Australia?", "Why?", "Кто?"])
def test_a_trace_holds_each_passage_that_was_read(seeds, reader, question):
    chosen = Settings(reader=reader, passages=5)
    assistant = Assistant(seeds.index, chosen)
    answer = sound(assistant.answer(question, trace=True), seeds.index)
    hits = seeds.index.search(question, 5)
    assert len(answer.trace) == len(hits) == 5
    for one, hit in zip(answer.trace, hits, strict=True):
        text = seeds.index.document(one.document_id).text
        assert one.text == text[one.start : one.end] == hit.passage.text
        assert (one.score, one.dense, one.lexical) == (hit.score, hit.dense, hit.lexical)
        for span in one.spans:
            assert one.start <= span.start < span.end <= one.end
            assert span.text == text[span.start : span.end]
        assert [span.score for span in one.spans] == sorted((s.score for s in one.spans), reverse=True)
    # What was read explains what was answered, and showing it changes nothing.
    given_ = [c for candidate in answer.candidates for c in candidate.citations]
    read = [(one.document_id, span) for one in answer.trace for span in one.spans]
    for citation in given_:
        assert any(
            document == citation.document_id
            and citation.answer_start < span.end
            and span.start < citation.answer_end
            for document, span in read
        )
    plain = assistant.answer(question)
    assert plain.trace == ()
    assert replace(answer, trace=()) == plain


def test_what_needs_no_reading_has_no_trace(seeds, index):
    assert seeds.answer("What is this about?", trace=True).trace == ()
    assert seeds.answer(VIENNA, documents=["unknown"], trace=True).trace == ()


def test_a_trace_holds_the_chosen_documents_alone(seeds):
    [first, _] = [info.id for info in seeds.index.documents()]
    answer = seeds.answer(VIENNA, documents=[first], trace=True)
    assert {one.document_id for one in answer.trace} == {first}


# A model that finds spans, and what its answers are widened to.
LIST = "The flag of the island has these colours:\n\n- deep red\n- white\n- sea green\n\nIt was made in 1950."


class Marking:
    """Answers with given words, those named first with the better scores."""

    kind = "spans"

    def __init__(self, *words):
        self.words = words

    def read(self, question, hits):
        return [Reading(hit.passage.id, tuple(self._spans(hit.passage)), 0.0) for hit in hits]

    def _spans(self, passage):
        for place, words in enumerate(self.words):
            if (at := passage.text.find(words)) >= 0:
                start = passage.start + at
                yield Span(start, start + len(words), words, 9.0 - place)


def test_fragments_that_say_the_same_once_widened_support_one_answer(index):
    sentence = "The ferry did not sail because the river had risen far above the quay."
    index.add_texts(
        [
            ("first", sentence + " Nobody went."),
            ("second", "It was Sunday. " + sentence.replace("river", "River")),
        ]
    )
    assistant = Assistant(
        index, Settings(threshold=0.0), Marking("the river had risen", "River had risen far")
    )
    answer = sound(assistant.answer("Why did the ferry not sail?"), index)
    assert [candidate.text for candidate in answer.candidates] == [sentence]
    assert sorted(citation.source for citation in answer.citations) == ["first", "second"]
    assert [citation.number for citation in answer.citations] == [1, 2]


def test_a_list_is_answered_as_a_whole_where_it_is_asked_for(index):
    index.add_texts([("flag", LIST)])
    assistant = Assistant(index, Settings(threshold=0.0), Marking("white"))
    listed = sound(assistant.answer("What are the colours of the flag?"), index)
    assert listed.text == "- deep red\n- white\n- sea green"
    assert listed.citations[0].quote == listed.text
    one = sound(assistant.answer("What is the second colour of the flag?"), index)
    assert one.text == "white"
    assert "white" in one.citations[0].quote


# --- opening -----------------------------------------------------------------------------------------------------


def test_open_takes_a_folder(index):
    chosen = Settings(threshold=0.0, reader="sentences")
    with Assistant.open(index.directory, settings=chosen, encoder=HashingEncoder()) as opened:
        assert "John Carter" in opened.answer("Who is the captain of the Aurora?").text


def test_open_makes_no_index(tmp_path):
    with pytest.raises(NotAnIndex):
        Assistant.open(tmp_path / "none", settings=SENTENCES, encoder=HashingEncoder())
    assert not (tmp_path / "none").exists()


def test_ones_own_index_comes_before_the_seeds_and_is_not_mixed_with_them(tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path))
    assert not has_own_index()
    with Assistant.open(settings=SENTENCES, encoder=HashingEncoder()) as over_seeds:
        assert len(over_seeds.index.documents()) == 2
        assert over_seeds.index.directory == tmp_path / "seeds"
    with Index.open(encoder=HashingEncoder()) as mine:
        mine.add_texts(TEXTS.items())
    assert has_own_index()
    with Assistant.open(settings=SENTENCES, encoder=HashingEncoder()) as over_mine:
        assert {info.title for info in over_mine.index.documents()} == set(TEXTS)
        over_mine.index.remove(*TEXTS)
    assert not has_own_index()
    with Assistant.open(settings=SENTENCES, encoder=HashingEncoder()) as over_seeds:
        assert len(over_seeds.index.documents()) == 2


def test_the_seeds_are_indexed_once_and_follow_the_recipe(tmp_path, monkeypatch):
    from index import chunk

    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path))
    first, again, later = HashingEncoder(), HashingEncoder(), HashingEncoder()
    Assistant.open(settings=SENTENCES, encoder=first).close()
    Assistant.open(settings=SENTENCES, encoder=again).close()
    assert first.encoded > 0
    assert again.encoded == 0
    monkeypatch.setattr(chunk, "RECIPE", chunk.RECIPE + 1)
    Assistant.open(settings=SENTENCES, encoder=later).close()
    assert later.encoded == first.encoded


def test_the_environment_gives_the_settings(index, monkeypatch):
    monkeypatch.setenv("VERBATIM_CANDIDATES", "2")
    monkeypatch.setenv("VERBATIM_READER", "sentences")
    monkeypatch.setenv("VERBATIM_THRESHOLD", "0")
    with Assistant.open(index.directory, encoder=HashingEncoder()) as opened:
        assert opened.settings == Settings(candidates=2, reader="sentences", threshold=0.0)
    monkeypatch.setenv("VERBATIM_CANDIDATES", "many")
    with pytest.raises(SettingsError, match="VERBATIM_CANDIDATES"):
        Assistant.open(index.directory, encoder=HashingEncoder())


ANSWER = """
    import os, sys
    from pathlib import Path
    import qa
    from index import Index

    print(qa.answer("Who led the CSTO delegation in Vienna?").text)
    with Index.open() as index:
        index.add_texts([("ship", "The captain of the ship Aurora is John Carter.")])
        [info] = index.documents()
    print(qa.answer("Who is the captain of the ship Aurora?").text)
    print(qa.answer("Who is the captain of the ship Aurora?", documents=["none"]).status)
    with Index.open(sys.argv[1]) as index:
        index.add_texts([("ship", "The captain of the ship Aurora is Dejah Thoris.")])
    print(qa.answer("Who is the captain of the ship Aurora?", index=sys.argv[1]).text)
    print(qa.answer("Who is the captain of the ship Aurora?").text)
"""


def test_answer_uses_the_seeds_until_there_is_an_index(tmp_path, models):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").symlink_to(models)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ANSWER), str(tmp_path / "other")],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "VERBATIM_HOME": str(tmp_path / "home"),
            "VERBATIM_THRESHOLD": "0",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert "Murad Kunakbaev" in lines[0]
    assert "John Carter" in lines[1]
    assert lines[2] == "filtered"
    assert "Dejah Thoris" in lines[3]
    assert "John Carter" in lines[4]
