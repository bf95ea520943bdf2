"""The invariants of docs/ARCHITECTURE.md, on actual answers: over the seeds and over generated documents."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import Index
from index.sentences import sentences
from index.types import Range
from index.vectors import FILE_NAME
from qa import Assistant, Settings
from qa.cite import MAX_QUOTE_CHARACTERS, MAX_QUOTE_SENTENCES
from qa.confidence import answer_words
from qa.types import REASONS
from tests.conftest import HashingEncoder

QUESTIONS = (
    "Who led the CSTO delegation in Vienna?",
    "When is Independence Day?",
    "What will the conference feature?",
    "Who took part in the celebrations?",
    "Why is security important for Belarus?",
    "How many sessions are there?",
    "What is this about?",
    "When was this published?",
    "What is the capital of Australia?",
    "Кто такой Кунакбаев?",
)
EAGER = Settings(threshold=0.0, passages=20, candidates=20)

words = st.sampled_from(
    [
        "the",
        "delegation",
        "was",
        "led",
        "by",
        "Murad",
        "Kunakbaev",
        "in",
        "Vienna",
        "on",
        "11.02.2020",
        "He",
        "said",
        "“yes”",
        "U.S.",
        "Dr.",
        "Иванов",
        "😀",
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "conference",
        "Minsk",
        "July",
        "3",
        "Home",
        "|",
        "News",
        "Contact",
        "picture.jpg",
        "©",
        "2020",
        "1.",
        "-",
        "*",
        "#",
        "http://example.org/a",
        "x_1",
        "it",
        "they",
    ]
)
sentence = st.lists(words, min_size=1, max_size=40).map(" ".join)
line = st.tuples(
    sentence, st.sampled_from([".", "!", "?", "", ":", "…"]), st.sampled_from([" ", "\n", "\n\n", "  "])
).map("".join)
text = st.lists(line, min_size=1, max_size=30).map("".join).filter(str.strip)
texts = st.lists(text, min_size=1, max_size=4)
question = st.one_of(sentence, st.sampled_from(QUESTIONS), st.text(min_size=1, max_size=50)).filter(str.strip)

generated = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def cited(answer):
    return [citation for candidate in answer.candidates for citation in candidate.citations] + list(
        answer.near_misses
    )


def sentences_of(citation, document, index):
    """How many sentences a quote has, as they are cut in its passage: wrapped lines look otherwise alone."""
    counts = [
        sum(
            sentence.start < citation.end and citation.start < sentence.end
            for sentence in sentences(document.text, passage.start, passage.end)
        )
        for passage in index.passages(document.id)
        if passage.start <= citation.start and citation.end <= passage.end
    ]
    return min(counts, default=len(sentences(citation.quote)))


def check_quotes(answer, index):
    """Invariant 1: quotes are cut from the text, hold the answer, are short and free of marked text."""
    for citation in cited(answer):
        document = index.document(citation.document_id)
        assert document.text[citation.start : citation.end] == citation.quote
        assert citation.start <= citation.answer_start < citation.answer_end <= citation.end
        count = sentences_of(citation, document, index)
        assert count <= MAX_QUOTE_SENTENCES
        assert len(citation.quote) <= MAX_QUOTE_CHARACTERS or count == 1
        here = Range(citation.start, citation.end)
        assert not any(here.overlaps(mark) for mark in document.marked)
        section = document.section_at(citation.answer_start)
        if section:
            assert section.start <= citation.start
            assert citation.end <= section.end
            assert citation.date == section.date
        assert citation.source == document.source
    for candidate in answer.candidates:
        for citation in candidate.citations:
            shown = index.document(citation.document_id).text[citation.answer_start : citation.answer_end]
            assert answer_words(shown) == answer_words(candidate.text)


def check_once(answer):
    """Invariant 2: no answer is given twice, whatever passages it was found through."""
    given = [" ".join(candidate.text.casefold().split()) for candidate in answer.candidates]
    assert len(given) == len(set(given))
    places = [
        (c.document_id, c.answer_start, c.answer_end)
        for candidate in answer.candidates
        for c in candidate.citations
    ]
    for (document, start, end), (other, first, last) in itertools.combinations(places, 2):
        if document == other:
            assert min(end, last) - max(start, first) <= 0.5 * min(end - start, last - first)


def check_covered(index):
    """Invariant 2: passages cover all that is not marked, and nothing that is."""
    for info in index.documents():
        document = index.document(info.id)
        held = bytearray(len(document.text))
        for passage in index.passages(info.id):
            assert passage.text == document.text[passage.start : passage.end]
            held[passage.start : passage.end] = b"\1" * len(passage.text)
        for mark in document.marked:
            assert not any(held[mark.start : mark.end])
            held[mark.start : mark.end] = b"\1" * (mark.end - mark.start)
        assert all(done or character.isspace() for done, character in zip(held, document.text, strict=True))


def check_abstention(answer, index):
    """Invariant 3: an abstention is a value with a reason, and with what comes nearest where something does."""
    assert answer.status in REASONS
    if answer.status == "answered":
        assert answer.candidates
    else:
        assert not answer.candidates
        assert answer.reason
        # Passages of nothing but signs have nothing that could be an answer.
        read = [one.text for info in index.documents() for one in index.passages(info.id)]
        if answer.status in {"no_index", "filtered"}:
            assert not answer.near_misses
        elif all(any(map(str.isalnum, text)) for text in read):
            assert answer.near_misses


def check(answer, index):
    check_quotes(answer, index)
    check_once(answer)
    check_abstention(answer, index)
    return answer


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def opened(directory):
    return Index.open(directory, encoder=HashingEncoder())


# --- the seeds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_answers_over_the_seeds(seeds, question, threshold):
    how = Settings(threshold=threshold, candidates=20)
    check(Assistant(seeds.index, how).answer(question), seeds.index)


@pytest.mark.parametrize("chosen", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_answers_over_some_of_the_seeds(folder, seeds, threshold, chosen):
    with opened(folder) as index:
        index.add_texts(
            (d.source, d.text) for d in map(seeds.index.document, (i.id for i in seeds.index.documents()))
        )
        ids = [index.documents()[place].id for place in chosen]
        assistant = Assistant(index, Settings(threshold=threshold, passages=20, candidates=20))
        for asked in QUESTIONS:
            answer = check(assistant.answer(asked, documents=ids), index)
            assert {citation.document_id for citation in cited(answer)} <= set(ids)


def test_passages_of_the_seeds(seeds):
    check_covered(seeds.index)


@pytest.mark.parametrize("removed", [0, 1])
def test_a_seed_that_is_removed_or_replaced_is_gone(folder, seeds, removed):
    originals = [seeds.index.document(info.id) for info in seeds.index.documents()]
    with opened(folder) as index:
        index.add_texts((document.source, document.text) for document in originals)
        assistant = Assistant(index, EAGER)
        gone = originals[removed]
        assert any(c.document_id == gone.id for q in QUESTIONS[:6] for c in cited(assistant.answer(q)))
        index.remove(gone.id)
        for asked in QUESTIONS:
            assert all(c.document_id != gone.id for c in cited(check(assistant.answer(asked), index)))
        index.add_texts([(gone.source, "A text that is new.")])
        for asked in QUESTIONS:
            for citation in cited(check(assistant.answer(asked), index)):
                assert citation.document_id != gone.id or citation.quote in "A text that is new."


def test_the_store_alone_is_enough_for_the_seeds(folder, seeds):
    with opened(folder) as index:
        index.add_texts(
            (d.source, d.text) for d in map(seeds.index.document, (i.id for i in seeds.index.documents()))
        )
        before = [Assistant(index, EAGER).answer(asked) for asked in QUESTIONS]
    (folder / FILE_NAME).unlink()
    with opened(folder) as index:
        assert [Assistant(index, EAGER).answer(asked) for asked in QUESTIONS] == before


# --- generated documents -----------------------------------------------------------------------------------------


@generated
@given(
    given_texts=texts,
    asked=st.lists(question, min_size=1, max_size=3),
    threshold=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_answers_over_any_documents(given_texts, asked, threshold):
    with tempfile.TemporaryDirectory() as folder, opened(folder) as index:
        index.add_texts((f"text {number}", one) for number, one in enumerate(given_texts))
        check_covered(index)
        assistant = Assistant(index, Settings(threshold=threshold, passages=20, candidates=20))
        for one in asked:
            answer = check(assistant.answer(one), index)
            # Passages of nothing but signs have nothing that could be an answer.
            says_something = any(any(map(str.isalnum, text)) for text in given_texts)
            assert threshold > 0 or answer.status == "answered" or not says_something


@generated
@given(given_texts=texts, others=texts, asked=question, choice=st.randoms(use_true_random=False))
def test_what_is_removed_or_replaced_is_gone(given_texts, others, asked, choice):
    with tempfile.TemporaryDirectory() as folder, opened(folder) as index:
        index.add_texts((f"text {number}", one) for number, one in enumerate(given_texts))
        assistant = Assistant(index, EAGER)
        current = {f"text {number}": one for number, one in enumerate(given_texts)}
        for number, other in enumerate(others):
            name = f"text {choice.randrange(len(given_texts) + 1)}"
            if number % 2:
                index.remove(name)
                current.pop(name, None)
            else:
                index.add_texts([(name, other)])
                current[name] = other
            for citation in cited(check(assistant.answer(asked), index)) if current else ():
                assert citation.quote in current[citation.source]
            assert {source for info in index.documents() for source in info.sources} == set(current)
            assert {index.document(info.id).text for info in index.documents()} == set(current.values())
        check_covered(index)
        if not current:
            assert assistant.answer(asked).status == "no_index"


@generated
@given(given_texts=texts, asked=question)
def test_the_store_alone_is_enough(given_texts, asked):
    with tempfile.TemporaryDirectory() as folder:
        with opened(folder) as index:
            index.add_texts((f"text {number}", one) for number, one in enumerate(given_texts))
            before = index.search(asked, 5)
        (Path(folder) / FILE_NAME).unlink()
        with opened(folder) as index:
            after = index.search(asked, 5)
    assert [hit.passage for hit in after] == [hit.passage for hit in before]
    for one, other in zip(before, after, strict=True):
        assert (one.score, one.dense, one.lexical) == pytest.approx(
            (other.score, other.dense, other.lexical), abs=1e-5
        )


@generated
@given(given_texts=texts, names=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_one_text_is_stored_once_under_all_its_names(given_texts, names):
    with tempfile.TemporaryDirectory() as folder, opened(folder) as index:
        current = {}
        for step, name in enumerate(names):
            one = given_texts[step % len(given_texts)]
            index.add_texts([(f"name {name}", one)])
            current[f"name {name}"] = one
        infos = index.documents()
        assert len(infos) == len(set(current.values()))
        assert {source: index.document(info.id).text for info in infos for source in info.sources} == current
        check_covered(index)
