"""Spelling: a word that no passage holds finds its nearest neighbours among those that passages hold."""

import apsw
import pytest

from index.spelling import Spelling
from index.store import FILE_NAME, Store
from index.words import WordIndex
from tests.conftest import at_once
from tests.test_store import entry, put

TEXT = "The delegation met in Vienna. Émilie counted 1234567 votes. A referendum was held. The cat sat. A form came."


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "index")
    put(opened, entry("a", TEXT), entry("b", "A delegation left. Forms were sent."))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("delegaton", ["delegation"]),
        ("DELEGATOIN", ["delegation"]),
        ("deleagtoin", ["delegation"]),  # two slips in a long word
        ("viena", ["vienna"]),
        ("viema", []),  # two in a short one
        ("emilia", ["emilie"]),  # accents are no slips
        ("refrendum", ["referendum"]),
        ("fprm", ["form"]),
        ("forns", ["forms"]),
        ("cet", []),  # too short
        ("1234568", []),
        ("v0tes", []),
        ("zebra", []),
    ],
)
def test_the_nearest_words_are_found(store, word, found):
    assert Spelling(store).near(word) == found


def test_of_equally_near_words_the_commonest_come_first_and_three_at_most(store):
    put(store, entry("c", "Rome. Rote. Rope. Rope. Rode. Rose. Rose. Rose."))
    put(store, entry("d", "Rope."), entry("e", "Rose at last."), entry("f", "Rose once more."))
    assert Spelling(store).near("roze")[0] == "rose"
    assert len(Spelling(store).near("roze")) == 3


def test_it_follows_the_store(store):
    spelling = Spelling(store)
    assert spelling.near("zebrra") == []
    put(store, entry("z", "A zebra came."))
    assert spelling.near("zebrra") == ["zebra"]
    store.remove_sources(["z"])
    assert spelling.near("zebrra") == []


def test_threads_share_it(store):
    spelling = Spelling(store)
    at_once(8, lambda: [spelling.near("delegaton") for _ in range(50)])


def test_a_misspelt_word_counts_less_than_a_known_one(store):
    words = WordIndex(store)
    typed = words.search(["referendum"], 10)
    meant = words.search(["refrendum"], 10)
    assert typed.keys() == meant.keys()
    for passage, score in meant.items():
        assert 0 < score < typed[passage]


def test_a_known_word_is_never_altered(store):
    put(store, entry("c", "A relegation followed. Vienne lies in France."))
    words = WordIndex(store)
    [passage] = words.search(["vienne"], 10)
    assert "Vienne" in store.passages([passage])[passage].text
    # Its stem is known: "votes" and "voted" are one word to the full text.
    assert words.search(["voted"], 10) == words.search(["votes"], 10)


def test_an_index_of_format_1_learns_its_words_when_opened(store):
    directory = store.directory
    store.close()
    connection = apsw.Connection(str(directory / FILE_NAME))
    connection.execute(
        "DROP TRIGGER passages_deleted_spellings; DROP TABLE spellings; PRAGMA user_version = 1"
    )
    connection.close()
    again = Store(directory)
    assert Spelling(again).near("delegaton") == ["delegation"]
    again.remove_sources(["a", "b"])
    assert again.spellings(10) == []
    again.close()
