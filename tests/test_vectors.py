"""The FAISS file is derived: whatever becomes of it, searches are right again."""

import dataclasses
import shutil

import numpy as np
import pytest

from index.store import Store
from index.vectors import FILE_NAME, VectorIndex
from tests.conftest import meanwhile
from tests.test_store import document_id, entry, put

TEXTS = {"a": "aaa. ae. e.", "b": "aae. aee.", "c": "eee."}


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "index")
    put(opened, *(entry(name, text) for name, text in TEXTS.items()))
    yield opened
    opened.close()


def nearest(vectors, store, k=10, within=None):
    """The texts of the nearest passages; passages whose vectors point to the same side are alike."""
    found = vectors.search(np.array([1, 0, 0], dtype=np.float32), k, within)
    assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)
    passages = store.passages(passage for passage, _ in found)
    return [passages[passage].text for passage, _ in found]


def check(vectors, store):
    """Check a search against a product with all vectors of the store."""
    ids = store.passage_ids()
    question = np.array([0.6, 0.8, 0], dtype=np.float32)
    expected = {key: float(np.frombuffer(raw, "<f4") @ question) for key, raw in store.vectors(ids)}
    found = dict(vectors.search(question, 1_000))
    assert found.keys() == expected.keys()
    assert all(abs(found[key] - expected[key]) < 1e-5 for key in found)
    assert vectors.cosines(question, [*ids, 12345]) == pytest.approx(expected, abs=1e-5)
    assert len(vectors) == len(ids)


def test_search_is_exact(store):
    vectors = VectorIndex(store, 3)
    check(vectors, store)
    assert nearest(vectors, store, 2) == ["aaa.", "aae."]
    assert nearest(vectors, store, 10, within=[]) == []
    some = [passage.id for passage in store.passages_of(document_id("b"))]
    assert nearest(vectors, store, 10, within=some) == ["aae.", "aee."]


def test_an_empty_store_finds_nothing(tmp_path):
    store = Store(tmp_path)
    vectors = VectorIndex(store, 3)
    assert (
        len(vectors),
        vectors.search(np.ones(3, dtype=np.float32), 5),
        vectors.cosines(np.ones(3), [1]),
    ) == (0, [], {})
    vectors.save()
    assert len(VectorIndex(store, 3)) == 0
    store.close()


def test_sync_takes_over_what_changed(store):
    vectors = VectorIndex(store, 3)
    put(store, entry("d", "aaaa. aaaae."))
    store.remove_sources(["a"])
    put(store, entry("c", "ea."))
    assert len(vectors) == 6
    vectors.sync()
    check(vectors, store)
    assert nearest(vectors, store, 1) == ["aaaa."]


def test_the_file_is_used_and_whole(store):
    VectorIndex(store, 3).save()
    path = store.directory / FILE_NAME
    before = path.stat().st_mtime_ns
    check(VectorIndex(store, 3), store)
    assert path.stat().st_mtime_ns == before
    assert not list(store.directory.glob("*.tmp")) + list(store.directory.glob("*.damaged"))


def test_a_deleted_file_is_not_missed(store):
    VectorIndex(store, 3).save()
    (store.directory / FILE_NAME).unlink()
    check(VectorIndex(store, 3), store)


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_damaged_file_is_set_aside(store, content, caplog):
    VectorIndex(store, 3).save()
    path = store.directory / FILE_NAME
    whole = path.read_bytes()
    flipped = whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :]
    path.write_bytes(flipped if content is None else content)
    vectors = VectorIndex(store, 3)
    check(vectors, store)
    assert "does not match its checksum" in caplog.text
    assert path.with_suffix(".damaged").exists()
    vectors.save()
    caplog.clear()
    check(VectorIndex(store, 3), store)
    assert caplog.text == ""


def test_a_file_of_an_older_generation_is_not_believed(store, tmp_path):
    VectorIndex(store, 3).save()
    old = tmp_path / "old"
    shutil.copy(store.directory / FILE_NAME, old)
    store.remove_sources(["a"])
    put(store, entry("d", "aaaa."))
    VectorIndex(store, 3).save()
    shutil.copy(old, store.directory / FILE_NAME)
    vectors = VectorIndex(store, 3)
    check(vectors, store)
    assert "aaa." not in nearest(vectors, store)


def test_a_file_of_another_store_is_not_believed(store, tmp_path):
    # The database was moved away and made anew; its passages have the same numbers as those before.
    with_others = Store(tmp_path / "other")
    put(with_others, entry("x", "eee. eea. e."), entry("y", "ae. ee."), entry("z", "aa."))
    assert with_others.passage_ids() == store.passage_ids()
    VectorIndex(with_others, 3).save()
    shutil.copy(tmp_path / "other" / FILE_NAME, store.directory / FILE_NAME)
    check(VectorIndex(store, 3), store)
    with_others.close()


def test_a_file_written_before_a_crash_is_brought_up_to_date(store):
    VectorIndex(store, 3).save()
    # Committed, but the process ended before it saved the vectors.
    put(store, entry("d", "aaaa."))
    store.remove_sources(["b"])
    check(VectorIndex(store, 3), store)


def test_a_file_that_cannot_be_written_loses_nothing(store, caplog):
    (store.directory / FILE_NAME).mkdir()
    vectors = VectorIndex(store, 3)
    vectors.save()
    assert "cannot be written" in caplog.text
    check(vectors, store)
    check(VectorIndex(store, 3), store)
    assert not list(store.directory.glob("*.tmp"))


def test_threads_search_while_one_adds_and_saves(store):
    vectors = VectorIndex(store, 3)
    stays, question = store.passage_ids()[0], np.array([1, 0, 0], dtype=np.float32)

    def look():
        vectors.sync()
        assert stays in dict(vectors.search(question, 30))

    with meanwhile(look, look, look):
        for number in range(20):
            put(store, entry(f"new{number % 3}", f"a{'e' * number}."))
            vectors.sync()
            vectors.save()
    check(vectors, store)
    check(VectorIndex(store, 3), store)


# --- many passages -----------------------------------------------------------------------------------------------


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A store of more passages than are kept flat, here 300."""
    monkeypatch.setattr("index.nearest.FLAT_VECTORS", 200)
    opened = Store(tmp_path / "large")
    put(opened, *(one_passage(number) for number in range(300)))
    yield opened
    opened.close()


def one_passage(number):
    """A document of one passage, whose vector no other has."""
    made = entry(f"many{number}", f"Passage {number}.")
    vector = np.random.default_rng(number).normal(size=(1, 3))
    return dataclasses.replace(made, vectors=(vector / np.linalg.norm(vector)).astype(np.float32))


def test_beyond_some_size_vectors_are_kept_in_lists(large):
    vectors = VectorIndex(large, 3)
    assert not vectors._nearest.exact
    check(vectors, large)
    check(VectorIndex(large, 3), large)
    question = np.array([0.6, 0.8, 0], dtype=np.float32)
    # Cosines are those of the stored vectors, not of the quantised ones.
    for passage, cosine in vectors.search(question, 10):
        assert cosine == pytest.approx(vectors.cosines(question, [passage])[passage], abs=1e-6)
    some = [passage.id for n in (3, 50, 299) for passage in large.passages_of(document_id(f"many{n}"))]
    assert sorted(passage for passage, _ in vectors.search(question, 10, some)) == some


def test_lists_follow_what_is_added_and_removed(large):
    vectors = VectorIndex(large, 3)
    large.remove_sources([f"many{number}" for number in range(0, 300, 7)])
    put(large, *(one_passage(number) for number in range(300, 340)))
    vectors.sync()
    check(vectors, large)
    vectors.save()
    check(VectorIndex(large, 3), large)


def test_an_index_that_grew_is_trained_again_and_one_that_shrank_is_exact_again(large):
    vectors = VectorIndex(large, 3)
    few = vectors._nearest._index.nlist
    put(large, *(one_passage(number) for number in range(300, 900)))
    vectors.sync()
    assert vectors._nearest._index.nlist == few  # a search does not wait for that
    vectors.save()
    assert vectors._nearest._index.nlist > few
    check(vectors, large)
    large.remove_sources([f"many{number}" for number in range(850)])
    vectors.save()
    assert vectors._nearest.exact
    check(vectors, large)
    check(VectorIndex(large, 3), large)


def test_searches_go_on_while_an_index_is_built_anew(large):
    vectors = VectorIndex(large, 3)
    stays, question = large.passage_ids()[0], np.array([1, 0, 0], dtype=np.float32)

    def look():
        vectors.sync()
        assert stays in dict(vectors.search(question, 2_000))

    with meanwhile(look, look):
        for start in (300, 500, 700):
            put(large, *(one_passage(number) for number in range(start, start + 200)))
            vectors.save()
    check(vectors, large)


# --- what is written ---------------------------------------------------------------------------------------------


def test_a_small_change_does_not_rewrite_the_file_of_many(tmp_path):
    store = Store(tmp_path / "index")
    put(store, *(one_passage(number) for number in range(100)))
    vectors = VectorIndex(store, 3)
    path = store.directory / FILE_NAME
    before = path.read_bytes()
    put(store, *(one_passage(number) for number in range(100, 105)))
    vectors.save()
    assert path.read_bytes() == before
    check(vectors, store)
    check(VectorIndex(store, 3), store)  # what is not in the file comes from the store
    assert path.read_bytes() == before
    put(store, *(one_passage(number) for number in range(105, 115)))
    vectors.save()
    assert len(path.read_bytes()) > len(before)
    check(VectorIndex(store, 3), store)
    store.close()


def test_what_nobody_wrote_is_written_at_the_next_opening(store):
    VectorIndex(store, 3)
    before = (store.directory / FILE_NAME).stat().st_size
    put(store, *(one_passage(number) for number in range(20)))
    check(VectorIndex(store, 3), store)
    assert (store.directory / FILE_NAME).stat().st_size > before
