"""Search: both scores on every hit, and no question that breaks it."""

import math
from importlib import resources

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from index import Index
from index.errors import QuestionError, SettingsError
from index.search import STOP_WORDS, content_words
from tests.conftest import HashingEncoder

TEXTS = {
    "bread": "Bread needs flour, water and salt. The baker says that time matters most.",
    "vienna": "Vienna hosted the conference on terrorism. The delegation came from Minsk.",
    "ships": "The ship left the harbour at night. The captain had a map. AND OR NOT NEAR.",
    "numbers": 'In 1944 the city was liberated. The C++ code x_1 = y*2 was "quoted" there.',
}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    with Index.open(tmp_path_factory.mktemp("search") / "index", encoder=HashingEncoder()) as opened:
        opened.add_texts(TEXTS.items())
        yield opened


def ids(index):
    return {info.title: info.id for info in index.documents()}


def sound(hits, k):
    assert len(hits) <= k
    assert len({hit.passage.id for hit in hits}) == len(hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        assert 0 <= hit.score <= 1 + 1e-9
        assert -1 - 1e-5 <= hit.dense <= 1 + 1e-5
        assert hit.lexical >= 0
        assert not math.isnan(hit.score + hit.dense + hit.lexical)
    return hits


def test_every_hit_has_both_scores(index):
    hits = sound(index.search("Which conference did Vienna host?", 10), 10)
    assert len(hits) == len(index) == len(TEXTS)
    assert hits[0].passage.text == TEXTS["vienna"]
    assert hits[0].lexical > 0
    question = index.encoder.encode_question("Which conference did Vienna host?")
    for hit in hits:
        # The cosine is that of the vector, also of those that came by their words only.
        vector = index.encoder.encode([hit.passage.text])[0]
        assert hit.dense == pytest.approx(float(vector @ question), abs=1e-4)
        assert (hit.lexical > 0) == ("conference" in hit.passage.text)


def test_hits_by_words_alone_are_found_and_have_their_cosine(tmp_path):
    question = "who where whom zebra"
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        # Of stop words, so that only their vectors are near, the later ones less so.
        near = (" ".join(["who where whom"] + [f"thing{n}x{m}" for m in range(n // 3)]) for n in range(120))
        index.add_texts((f"near{n}", text) for n, text in enumerate(near))
        index.add_texts([("far", "The " + " ".join(f"other{n}" for n in range(50)) + " zebra.")])
        [passage] = index.passages(index.documents()[-1].id)
        asked = index.encoder.encode_question(question)
        assert passage.id not in dict(index._vectors.search(asked, 100))
        [far] = [hit for hit in sound(index.search(question, 100), 100) if hit.passage == passage]
        assert far.lexical > 0
        assert far.dense == pytest.approx(float(index.encoder.encode([passage.text])[0] @ asked), abs=1e-4)


def test_only_the_chosen_documents_are_searched(index):
    known = ids(index)
    for hits in (
        index.search("the conference in Vienna", 10, documents=[known["bread"], known["ships"]]),
        index.search("the conference in Vienna", 10, documents={known["bread"], known["ships"], "unknown"}),
    ):
        assert {hit.passage.document_id for hit in sound(hits, 10)} == {known["bread"], known["ships"]}
    assert index.search("the conference in Vienna", documents=[]) == []
    assert index.search("the conference in Vienna", documents=["unknown"]) == []


@pytest.mark.parametrize("k", [1, 2, 4, 5, 1_000_000])
def test_as_many_hits_as_asked_for_or_as_there_are(index, k):
    assert len(sound(index.search("the conference in Vienna", k), k)) == min(k, len(TEXTS))


@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_hit_cannot_be_asked_for(index, k):
    with pytest.raises(SettingsError, match=f"k is {k}: it must be at least 1"):
        index.search("conference", k)


@pytest.mark.parametrize(
    ("weight", "order"),
    [(0.0, lambda hit: hit.lexical), (1.0, lambda hit: hit.dense)],
    ids=["words", "vectors"],
)
def test_the_weight_decides_whether_vectors_or_words_rank(index, weight, order):
    question = "Which delegation came from the city of water and salt at night?"
    hits = sound(index.search(question, 10, dense_weight=weight), 10)
    assert [order(hit) for hit in hits] == sorted(map(order, hits), reverse=True)
    # Whatever ranks, both scores are there.
    both = {hit.passage.id: (hit.dense, hit.lexical) for hit in index.search(question, 10)}
    assert {hit.passage.id: (hit.dense, hit.lexical) for hit in hits} == both
    assert [hit.dense for hit in hits] != [hit.lexical for hit in hits]


@pytest.mark.parametrize("weight", [-0.01, 1.01, math.nan, math.inf])
def test_a_weight_out_of_its_range_is_refused(index, weight):
    with pytest.raises(SettingsError, match=f"dense_weight is {weight}: it must be from 0"):
        index.search("conference", dense_weight=weight)


@pytest.mark.parametrize("question", ["", " ", "\n\t", "\u2003"])
def test_an_empty_question_is_refused(index, question):
    with pytest.raises(QuestionError, match="empty"):
        index.search(question)


def test_a_question_that_is_too_long_is_refused(index):
    index.search("why " * 500)
    with pytest.raises(QuestionError, match="2,001"):
        index.search("x" * 2_001)


def test_bytes_that_are_no_characters_are_refused(index):
    with pytest.raises(QuestionError, match="no characters"):
        index.search("What is \udcff?")


def test_an_empty_index_finds_nothing(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        assert index.search("conference") == []
        assert len(index) == 0


def test_stop_words_alone_are_searched_too(index):
    assert content_words("What is it?") == ["what", "is", "it"]
    assert content_words("What is bread?") == ["bread"]
    assert all(word == word.lower() for word in STOP_WORDS)
    assert len(sound(index.search("What is it?", 3), 3)) == 3
    assert any(hit.lexical for hit in index.search("and the that", 4))


@pytest.mark.parametrize(
    "question",
    [
        "AND",
        "NOT",
        "captain AND",
        "OR OR",
        "NEAR(captain map, 2)",
        '"',
        '"captain',
        "captain*",
        "*",
        "^captain",
        "text:captain",
        "-captain",
        "(captain",
        "captain)",
        "{captain}",
        "a:b:c",
        "'; DROP TABLE passages; --",
        "?1",
        "\\",
        "captain\x00map",
        "😀",
        "_",
        "__ ___",
        "́",
        "²",
        "x_1 = y*2",
        "C++",
        "%_%",
    ],
)
def test_operators_of_full_text_search_are_words_like_others(index, question):
    hits = sound(index.search(question, 10), 10)
    assert len(hits) == len(TEXTS)
    if "captain" in question:
        [found] = [hit for hit in hits if "captain" in hit.passage.text]
        assert found.lexical > 0
    assert len(index) == len(TEXTS)


def test_an_operator_is_not_obeyed(index):
    without = {hit.passage.id: hit.lexical for hit in index.search("captain NOT map", 10)}
    [ships] = [hit for hit in index.search("captain", 10) if "captain" in hit.passage.text]
    assert without[ships.passage.id] > 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(max_size=80))
@example('"captain" OR NOT * NEAR(')
@example("\u0345\u1d18\u0660")
def test_no_question_breaks_the_search(index, question):
    if question.strip():
        sound(index.search(question, 3), 3)
    else:
        with pytest.raises(QuestionError):
            index.search(question, 3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(min_size=1, max_size=60).filter(str.strip))
def test_nor_with_the_real_encoder(seeds, question):
    sound(seeds.index.search(question, 3), 3)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who led the CSTO delegation in Vienna?", "Murad Kunakbaev"),
        ("When is Independence Day celebrated?", "annually on July 3"),
        ("What is the topic of the third session?", "Protection of critical infrastructure"),
        ("Who are the organizers of the conference?", "Ministry of Foreign Affairs"),
    ],
)
def test_the_seeds_are_found_with_their_answers_on_top(seeds, question, answer):
    assert any(answer in hit.passage.text for hit in sound(seeds.index.search(question, 3), 3))


def test_seeds_are_text_files():
    names = {path.name for path in resources.files("seeds").iterdir() if path.is_file()}
    assert len([name for name in names if name.endswith(".txt")]) == 2
