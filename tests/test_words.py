"""Words: the scores are those of SQLite's own BM25, whatever is kept in memory."""

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.store import FILE_NAME, Store
from index.words import WordIndex
from tests.conftest import meanwhile
from tests.test_store import entry, put

WORDS = ["ape", "apes", "eel", "cow", "émile", "the", "ran", "42"]
sentence = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "index")
    yield opened
    opened.close()


def by_sqlite(store, words):
    """What FTS5 makes of it, in a connection of its own."""
    connection = apsw.Connection(str(store.directory / FILE_NAME))
    query = " OR ".join(f'"{word}"' for word in words)
    rows = connection.execute(
        "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?", (query,)
    ).fetchall()
    connection.close()
    return dict(rows)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(sentence, min_size=1, max_size=20),
    asked=st.lists(
        st.sampled_from([*WORDS, "zebra"]), min_size=1, max_size=4, unique_by=lambda w: w.rstrip("s")
    ),
    removed=st.booleans(),
)
def test_scores_are_those_of_sqlite(tmp_path_factory, texts, asked, removed):
    store = Store(tmp_path_factory.mktemp("words"))
    put(store, *(entry(f"t{number}", f"{text}.") for number, text in enumerate(texts)))
    if removed:
        store.remove_sources(["t0", "t3"])
    assert WordIndex(store).search(asked, 1_000) == pytest.approx(by_sqlite(store, asked), abs=1e-9)
    store.close()


def test_it_limits_adds_and_restricts(store):
    put(store, entry("a", "Ape one. Ape ape two. Ape ape ape three. Eel four. Ox. Ox. Ox."))
    words = WordIndex(store)
    one, two, three, four, *_ = store.passage_ids()
    full = words.search(["ape"], 10)
    assert set(full) == {one, two, three}
    assert full[three] > full[two] > full[one] > 0
    assert words.search(["apes"], 1) == {three: full[three]}
    assert words.search(["ape"], 1, also=[one, four]) == {three: full[three], one: full[one]}
    assert words.search(["ape"], 10, within=[one, four]) == {one: full[one]}
    assert words.search(["ape"], 1, within=[one, two, four]) == {two: full[two]}
    assert words.search(["ape"], 1, also=[three], within=[one, two]) == {two: full[two]}
    assert words.search(["ape"], 10, within=[]) == words.search([], 10) == words.search(["zebra"], 10) == {}
    assert words.search(["ape", "ape"], 10) == full


def test_of_equal_passages_the_first_are_given(store):
    put(store, *(entry(f"t{number}", f"Ape {number}.") for number in range(30)))
    put(store, *(entry(f"e{number}", f"Eel {number}.") for number in range(40)))
    assert list(WordIndex(store).search(["ape"], 4)) == store.passage_ids()[:4]


def test_the_best_of_more_than_are_looked_up_are_found(store):
    # The best are the shortest of those that hold the word once.
    put(store, entry("long", " ".join(f"Ape {'x ' * (number % 7 + 3)}." for number in range(3_000))))
    put(
        store,
        entry("short", "Ape ape."),
        entry("others", " ".join(f"Ox {number}." for number in range(4_000))),
    )
    best = max(by_sqlite(store, ["ape"]).items(), key=lambda found: found[1])
    [found] = WordIndex(store).search(["ape"], 1).items()
    assert found == pytest.approx(best)


def test_what_changes_in_the_store_is_seen(store):
    put(store, entry("a", "An ape ate. It ran."), entry("b", "An eel swam. Ox. Ox."))
    words = WordIndex(store)
    before = words.search(["ape"], 10)
    other = Store(store.directory)
    put(other, entry("c", "Another ape."))
    other.remove_sources(["a"])
    other.close()
    [found] = words.search(["ape"], 10)
    assert found not in before
    assert store.passages([found])[found].text == "Another ape."


def test_no_more_is_kept_than_has_room(store, monkeypatch):
    monkeypatch.setattr("index.words._MOST_KEPT", 5)
    monkeypatch.setattr("index.words._KEPT_A_PASSAGE", 0)
    put(store, entry("a", "Ape one. Ape two. Ape three. Eel ape. Eel two. Ox."))
    words = WordIndex(store)
    assert [len(words.search([word], 10)) for word in ("ape", "eel", "ape", "ox", "two")] == [4, 2, 4, 1, 2]
    assert sum(len(one.passages) for one in words._kept.values()) <= 5


def test_threads_search_while_one_writes(store):
    put(store, entry("a", "The ape stays. Ox. Ox. Ox. Ox. Ox. Ox. Ox. Ox."))
    words = WordIndex(store)
    [stays] = words.search(["stays"], 1)

    def look():
        assert stays in words.search(["ape", "stays"], 50)

    with meanwhile(look, look, look):
        for number in range(20):
            put(store, entry(f"new{number % 3}", f"Ape of {'e' * number}."))
    assert words.search(["ape"], 50) == pytest.approx(by_sqlite(store, ["ape"]))
