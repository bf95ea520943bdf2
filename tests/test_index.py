"""What callers hold: opening, removing, and several that search while one adds."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import index as package
from index import Document, Hit, Index, Passage
from index.errors import IndexMismatch, NotAnIndex, VerbatimError
from index.types import document_id
from index.vectors import FILE_NAME
from tests.conftest import HashingEncoder, at_once, meanwhile

ROOT = Path(__file__).parent.parent
TEXTS = [
    ("bread", "Bread needs flour, water and salt."),
    ("vienna", "Vienna hosted the conference on terrorism."),
    ("ship", "The ship left the harbour at night."),
]


@pytest.fixture
def index(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as opened:
        opened.add_texts(TEXTS)
        yield opened


def best(index, question):
    hits = [hit for hit in index.search(question, 10) if hit.lexical > 0]
    return hits[0].passage.text if hits else None


def test_the_package_names_its_public_face():
    assert package.__all__ == ["Document", "Encoder", "Hit", "Index", "Passage", "load_encoder"]
    assert all(hasattr(package, name) for name in package.__all__)


def test_documents_passages_and_hits(index):
    infos = index.documents()
    assert [info.title for info in infos] == ["bread", "vienna", "ship"]
    document = index.document(infos[0].id)
    assert isinstance(document, Document)
    assert (document.id, document.source, document.text) == (document_id("bread"), *TEXTS[0])
    [passage] = index.passages(document.id)
    assert isinstance(passage, Passage)
    [hit] = index.search("flour", 1)
    assert isinstance(hit, Hit)
    assert hit.passage == passage
    assert len(index) == 3
    assert index.document("unknown") is None
    assert index.passages("unknown") == []


def test_it_opens_again_as_it_was(index):
    with Index.open(index.directory, encoder=HashingEncoder(), create=False) as again:
        assert again.documents() == index.documents()
        assert again.search("flour", 3) == index.search("flour", 3)


def test_the_default_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    with Index.open(encoder=HashingEncoder()) as index:
        assert index.directory == tmp_path / "home" / "index"
    monkeypatch.setenv("HOME", str(tmp_path))
    with Index.open("~/mine", encoder=HashingEncoder()) as index:
        assert index.directory == tmp_path / "mine"


def test_where_no_index_is_none_is_made(tmp_path):
    with pytest.raises(NotAnIndex, match="qa index PATH"):
        Index.open(tmp_path / "none", encoder=HashingEncoder(), create=False)
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotAnIndex, match="is a file"):
        Index.open(tmp_path / "file", encoder=HashingEncoder())


def test_opened_lazily_it_lists_and_removes_without_an_encoder(index, tmp_path):
    missing = str(tmp_path / "missing")
    with Index.open(index.directory, encoder=missing, lazy=True) as lazy:
        assert lazy.documents() == index.documents()
        assert [passage.text for passage in lazy.passages(document_id("ship"))] == [TEXTS[2][1]]
        assert lazy.remove("bread", "vienna") == ["bread", "vienna"]
        assert len(lazy) == 1
        with pytest.raises(VerbatimError, match="missing"):
            lazy.search("flour", 1)
        with pytest.raises(VerbatimError, match="missing"):
            lazy.add_texts(TEXTS)
        assert lazy.remove("ship") == ["ship"]
        assert len(lazy) == 0
    assert best(index, "flour") is best(index, "harbour") is None


def test_opened_lazily_it_searches_and_refuses_another_encoder(index):
    with Index.open(index.directory, encoder=HashingEncoder(), lazy=True) as lazy:
        assert lazy.search("flour", 3) == index.search("flour", 3)
    with Index.open(index.directory, encoder=HashingEncoder("other"), lazy=True) as lazy:
        assert len(lazy.documents()) == 3
        with pytest.raises(IndexMismatch):
            lazy.search("flour", 3)
        with pytest.raises(IndexMismatch):
            lazy.add_texts(TEXTS)


def test_a_failed_opening_leaves_the_index_usable(index):
    for _ in range(3):
        with pytest.raises(IndexMismatch):
            Index.open(index.directory, encoder=HashingEncoder("other"))
    assert best(index, "flour") == TEXTS[0][1]


# --- removing ----------------------------------------------------------------------------------------------------


def test_removed_by_id_or_name_it_is_gone_at_once(index):
    assert index.remove(document_id("bread"), "unknown", "ship") == [document_id("bread"), "ship"]
    assert [info.title for info in index.documents()] == ["vienna"]
    assert best(index, "flour") is best(index, "harbour") is None
    assert len(index) == 1
    assert all(hit.passage.document_id == document_id("vienna") for hit in index.search("flour harbour", 10))
    assert index.remove("ship") == []


def test_removed_by_path_however_it_is_written(index, tmp_path, monkeypatch):
    folder = tmp_path / "docs"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    ways = [
        (folder, folder / "a.txt"),
        (folder, "docs/a.txt"),
        (folder, "./docs/../docs/a.txt"),
        (folder, "~/docs/a.txt"),
        (tmp_path / "link", "link/a.txt"),
        (tmp_path / "link", tmp_path / "link" / "a.txt"),
    ]
    for root, name in ways:
        (folder / "a.txt").write_text("A zeppelin flew over it.", "utf-8")
        index.add(root)
        assert best(index, "zeppelin")
        # The file may be gone already.
        (folder / "a.txt").unlink()
        assert index.remove(name) == [str(name)]
        assert best(index, "zeppelin") is None
    assert len(index.documents()) == 3


@pytest.mark.parametrize("name", ["", "a\0b", "bad\udcff", "~no-such-user/x", "x" * 5_000, "..", "'; --"])
def test_removing_what_cannot_be_is_nothing(index, name):
    assert index.remove(name) == []
    assert len(index.documents()) == 3


def test_a_text_may_have_any_name(index):
    names = ["~draft", "a/b.txt", " spaced ", "x" * 3_000, "ä😀", "..", "-"]
    index.add_texts([(name, f"Text {number} of many.") for number, name in enumerate(names)])
    assert index.remove(*names) == names
    assert len(index.documents()) == 3


# --- the vector file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["deleted", "damaged", "older"])
def test_whatever_becomes_of_the_vector_file_searches_are_right(index, damage):
    path = index.directory / FILE_NAME
    older = path.read_bytes()
    index.remove("ship")
    index.add_texts([("zeppelin", "A zeppelin flew over it.")])
    expected = [index.search(question, 10) for question in ("zeppelin flew", "ship harbour", "flour")]
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(older if damage == "older" else b"no vectors")
    with Index.open(index.directory, encoder=HashingEncoder()) as again:
        assert [
            again.search(question, 10) for question in ("zeppelin flew", "ship harbour", "flour")
        ] == expected
        assert len(again) == 3


# --- several at once ---------------------------------------------------------------------------------------------

# Searches until stdin closes; every hit must be of a text that was stored whole.
SEARCHER = """
    import sys, threading
    from index import Index
    from tests.conftest import HashingEncoder

    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    most = searches = 0
    with Index.open(sys.argv[1], encoder=HashingEncoder(), create=False) as index:
        print("ready", flush=True)
        while not stop.is_set():
            hits = index.search("Text that tells of thing5", 20)
            searches += 1
            known = {info.id for info in index.documents()}
            for hit in hits:
                assert hit.passage.text.startswith("Text "), hit
                assert hit.passage.text.endswith("of many."), hit
            most = max(most, len(known))
        final = {hit.passage.text for hit in index.search("thing599", 3) if hit.lexical > 0}
        print(searches, most, len(index.documents()), len(index), *final)
"""


def test_processes_and_threads_search_while_one_adds(tmp_path):
    directory = tmp_path / "index"
    with Index.open(directory, encoder=HashingEncoder()) as index:
        index.add_texts([("first", "Text first of many.")])
        searchers = [
            subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(SEARCHER), str(directory)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        assert [searcher.stdout.readline() for searcher in searchers] == ["ready\n", "ready\n"]

        def look():
            for hit in index.search("Text that tells of thing5", 20):
                assert hit.passage.text.endswith("of many.")

        with meanwhile(look, look):
            for start in range(0, 600, 60):
                index.add_texts(
                    (f"text {n}", f"Text {n} tells of thing{n}, one of many.")
                    for n in range(start, start + 60)
                )
                index.remove(f"text {start}")
        said = [searcher.communicate(timeout=60) for searcher in searchers]
        for out, err in said:
            assert err == ""
            searches, most, documents, passages = map(int, out.split()[:4])
            assert searches > 1
            assert most <= 601
            assert (documents, passages) == (591, 591)
            assert "Text 599 tells of thing599, one of many." in out
        assert len(index) == 591


def test_what_one_process_removes_another_no_longer_finds(index):
    with Index.open(index.directory, encoder=HashingEncoder()) as other:
        assert best(other, "flour") == TEXTS[0][1]
        index.remove("bread")
        assert best(other, "flour") is None
        index.add_texts([("bread", "A zeppelin full of flour.")])
        assert best(other, "flour") == "A zeppelin full of flour."
        assert len(other) == 3


def test_two_that_add_the_same_at_once_store_it_once(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.txt").write_text(f"Text {number} tells of thing{number}, one of many.", "utf-8")

    def add():
        with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
            index.add(folder)

    at_once(3, add)
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        assert len(index.documents()) == len(index) == 300
        assert all(info.passages == 1 for info in index.documents())
        assert re.search("thing299,", best(index, "thing299"))
