"""Spelling: a word that no passage holds finds its nearest neighbours among those that passages hold."""

import time

import pytest

from index.spelling import Spelling
from index.store import Store
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


def test_it_follows_the_store(store, monkeypatch):
    monkeypatch.setattr("index.spelling._KEPT", 0)
    spelling = Spelling(store)
    assert spelling.near("zebrra") == []
    put(store, entry("z", "A zebra came."))
    assert spelling.near("zebrra") == ["zebra"]
    store.remove_sources(["z"])
    assert spelling.near("zebrra") == []


def test_a_store_that_changes_all_the_time_is_not_listed_all_the_time(store, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    listed = Store.spellings

    def slow(self, most):
        now[0] += 1.5
        return listed(self, most)

    monkeypatch.setattr(Store, "spellings", slow)
    spelling = Spelling(store)
    for number in range(100):
        put(store, entry("z", f"A zebra came, {number}."))
        spelling.near("zebrra")
        now[0] += 0.3
    assert now[0] < 100 * 0.3 + 4 * 1.5
    assert spelling.near("zebrra") == ["zebra"]


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
