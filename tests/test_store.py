"""The store: the only truth. Formats, identity, read-only media, several names for one text, one writer."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index import Index
from index.errors import IndexMismatch, IndexTooNew, NotAnIndex, StoreError
from index.store import FILE_NAME, FORMAT, Entry, SourceState, Store, vector_matrix
from index.types import Document, Passage, Range, Section, document_id
from index.vectors import FILE_NAME as VECTORS
from tests.conftest import HashingEncoder, at_once

ROOT = Path(__file__).parent.parent
RECIPE = "r1"


def entry(source, text, *, marked=(), sections=(), warnings=(), passages=None):
    """A document cut at its full stops, with vectors that count letters."""
    made = Document(
        document_id(source),
        source,
        f"Title of {source}",
        text,
        sections,
        (Range(0, len(text)),),
        marked,
        warnings,
    )
    if passages is None:
        found = re.finditer(r"[^.\s][^.]*\.", text)
        passages = [Passage(0, made.id, m.start(), m.end(), m.group(), "head") for m in found]
    vectors = np.array([[p.text.count("a"), p.text.count("e"), 1.0] for p in passages], dtype=np.float32)
    return Entry(made, made, SourceState(len(text), 1, f"hash of {text}"), passages, vectors.reshape(-1, 3))


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "index")
    yield opened
    opened.close()


def put(store, *entries, recipe=RECIPE):
    return store.put(entries, recipe)


def texts(store, words):
    """The passages that hold any of the words."""
    found = {one for token in store.tokens(words) for one in store.postings(token).passages.tolist()}
    return {passage.text for passage in store.passages(found).values()}


# --- what is put in comes out ------------------------------------------------------------------------------------


def test_a_document_comes_back_as_it_was(store):
    text = "Кто led it? 😀 An ape ate. The end came."
    sections = (
        Section(0, 10, "Один", "2020-02-12", Range(0, 3), None),
        Section(10, 39, "Two", None, None, Range(11, 12)),
    )
    given = entry("/tmp/ä.txt", text, marked=(Range(4, 7),), sections=sections, warnings=("odd 'quotes'",))
    assert put(store, given) == {"/tmp/ä.txt": given.document.id}
    assert store.document(given.document.id) == given.document
    assert store.loaded(given.document.id) == given.loaded
    found = store.passages_of(given.document.id)
    assert [(p.start, p.end, p.text, p.heading) for p in found] == [
        (p.start, p.end, p.text, p.heading) for p in given.passages
    ]
    assert store.passages(p.id for p in found) == {p.id: p for p in found}
    assert np.array_equal(vector_matrix(list(store.vectors(p.id for p in found)), 3), given.vectors)
    [info] = store.documents()
    assert (info.id, info.sources, info.title) == (given.document.id, ("/tmp/ä.txt",), "Title of /tmp/ä.txt")
    assert (info.date, info.characters, info.passages) == ("2020-02-12", len(text), 2)
    assert info.warnings == ("odd 'quotes'",)
    state = store.source_state("/tmp/ä.txt")
    assert (state.size, state.modified, state.document_id, state.recipe) == (
        len(text),
        1,
        given.document.id,
        RECIPE,
    )


def test_what_is_not_there_is_none(store):
    assert store.document("no") is None
    assert store.loaded("no") is None
    assert store.source_state("no") is None
    assert store.holder("no", RECIPE) is None
    assert store.get("no") is None
    assert store.passages([1, 2]) == {}
    assert store.passages_of("no") == []
    assert list(store.vectors([1])) == []
    assert store.documents() == store.sources() == store.document_ids() == store.passage_ids() == []
    assert store.remove_sources(["no"]) == store.remove_documents(["no"]) == []


def test_what_is_committed_is_on_the_disk(store):
    assert store._connection().pragma("synchronous") == 2
    assert store._connection().pragma("journal_mode") == "wal"
    assert store._connection().pragma("foreign_keys") == 1


def test_every_change_of_documents_is_a_new_generation(store):
    seen = [store.generation()]
    put(store, entry("a", "An ape ate."))
    seen.append(store.generation())
    put(store, entry("a", "An eel ate."))
    seen.append(store.generation())
    store.remove_sources(["a"])
    seen.append(store.generation())
    assert seen == sorted(set(seen))


def test_words_are_matched_by_stem_and_without_accents(store):
    put(store, entry("a", "The conferences were over. Émile was hungry. Nothing else was said."))
    assert texts(store, "conference") == {"The conferences were over."}
    assert texts(store, "emile") == {"Émile was hungry."}
    assert texts(store, "emile conference") == {"Émile was hungry.", "The conferences were over."}


def test_postings_say_who_holds_a_token_and_how_often(store):
    put(store, entry("a", "Ape one. Ape ape two. Eel three."))
    one, two, three = store.passage_ids()
    [ape] = store.tokens("APES")
    found = store.postings(ape)
    assert (found.passages.tolist(), found.counts.tolist()) == ([one, two], [1, 2])
    assert len(store.postings("zebra").passages) == len(store.postings("zebra").counts) == 0
    assert store.lengths([one, two, three, 12345]).tolist() == [2, 3, 2, 0]
    assert store.totals() == (3, 7)
    put(store, entry("b", f"Long {'word ' * 30_000}."))
    assert store.lengths(store.passage_ids())[-1] == 30_001
    assert store.totals() == (4, 30_008)
    store.remove_sources(["a", "b"])
    assert store.totals() == (0, 0)
    assert len(store.postings(ape).passages) == 0


def test_an_empty_store_has_no_words(store):
    assert (store.totals(), store.tokens("The apes"), store.tokens(" ?! ")) == ((0, 0), ["the", "ap"], [])
    assert len(store.postings("the").passages) == 0


# --- replacing, removing, sharing --------------------------------------------------------------------------------


def test_a_replaced_text_is_gone(store):
    put(store, entry("a", "An ape ate."))
    before = store.passage_ids()
    put(store, entry("a", "An eel swam."))
    assert texts(store, "ape") == set()
    assert texts(store, "eel") == {"An eel swam."}
    assert set(before).isdisjoint(store.passage_ids())
    assert list(store.vectors(before)) == []
    assert len(store.documents()) == 1


def test_one_text_under_two_names_is_one_document(store):
    assert put(store, entry("a", "An ape ate.")) == {"a": document_id("a")}
    assert put(store, entry("b", "An ape ate.", passages=())) == {"b": document_id("a")}
    [info] = store.documents()
    assert (info.sources, info.passages) == (("a", "b"), 1)
    assert store.holder("An ape ate.", RECIPE) == document_id("a")
    assert store.holder("An ape ate.", "another") is None


def test_a_document_stays_while_a_source_is_left_and_its_id_follows(store):
    put(store, entry("c", "An ape ate."))
    put(store, entry("a", "An ape ate.", passages=()), entry("b", "An ape ate.", passages=()))
    # The id stays as long as the source that gave it.
    assert store.remove_sources(["b"]) == ["b"]
    assert store.document_ids() == [document_id("c")]
    assert store.remove_sources(["c"]) == ["c"]
    assert store.document_ids() == [document_id("a")]
    [info] = store.documents()
    assert (info.sources, info.passages) == (("a",), 1)
    assert store.document(document_id("a")).source == "a"
    assert texts(store, "ape") == {"An ape ate."}
    assert store.remove_sources(["a", "a"]) == ["a"]
    assert (store.documents(), texts(store, "ape"), store.passage_ids()) == ([], set(), [])


def test_the_id_of_a_shared_document_is_free_for_the_text_that_replaces_it(store):
    put(store, entry("a", "An ape ate."), entry("b", "An ape ate."))
    put(store, entry("a", "An eel swam."))
    assert {info.id: info.sources for info in store.documents()} == {
        document_id("b"): ("b",),
        document_id("a"): ("a",),
    }
    assert store.document(document_id("a")).text == "An eel swam."
    assert store.document(document_id("b")).text == "An ape ate."


def test_removing_a_document_takes_all_its_sources(store):
    put(store, entry("a", "An ape ate."), entry("b", "An ape ate."), entry("c", "An eel swam."))
    assert store.remove_documents([document_id("a"), "no"]) == [document_id("a")]
    assert store.sources() == ["c"]
    assert texts(store, "ape") == set()
    assert len(list(store.vectors(range(100)))) == 1


def test_another_recipe_processes_again_and_keeps_id_and_sources(store):
    put(store, entry("a", "An ape ate. It ran."), entry("b", "An ape ate. It ran."))
    assert store.stale(RECIPE) == []
    assert store.stale("r2") == [document_id("a")]
    old = store.passage_ids()
    whole = Passage(0, "x", 0, 19, "An ape ate. It ran.", "")
    put(store, entry("a", "An ape ate. It ran.", passages=[whole]), recipe="r2")
    [info] = store.documents()
    assert (info.id, info.sources, info.passages) == (document_id("a"), ("a", "b"), 1)
    assert set(old).isdisjoint(store.passage_ids())
    assert texts(store, "ape") == {"An ape ate. It ran."}


def test_a_failed_batch_leaves_nothing(store):
    put(store, entry("a", "An ape ate."))
    broken = entry("b", "An eel swam.")
    broken = Entry(broken.loaded, broken.document, broken.state, broken.passages, broken.vectors[:0])
    with pytest.raises(ValueError, match="shorter"):
        put(store, entry("c", "A cow ran."), broken)
    assert store.sources() == ["a"]
    assert texts(store, "cow eel") == set()
    put(store, entry("c", "A cow ran."))
    assert store.sources() == ["a", "c"]


# --- what is at the path -----------------------------------------------------------------------------------------


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    Store(tmp_path / "new" / "index").close()
    assert (tmp_path / "new" / "index" / FILE_NAME).is_file()


def test_nothing_is_made_where_that_is_not_wanted(tmp_path):
    with pytest.raises(NotAnIndex, match=r"no index there.*qa index PATH --index"):
        Store(tmp_path / "new", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_an_index(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(NotAnIndex, match=rf"{re.escape(str(path))}: is a file.*--index"):
        Store(path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("size", [20, 100, 5_000])
def test_a_random_file_of_that_name_is_not_an_index(tmp_path, size):
    path = tmp_path / FILE_NAME
    content = bytes(byte * 37 % 251 for byte in range(7, 7 + size))
    path.write_bytes(content)
    with pytest.raises(NotAnIndex, match=rf"{re.escape(str(path))}: damaged, or not a Verbatim index"):
        Store(tmp_path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [0, 1, 9])
def test_a_database_of_something_else_is_not_an_index(tmp_path, version):
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("CREATE TABLE mine (a)")
        other.execute(f"PRAGMA user_version = {version}")
    other.close()
    with pytest.raises(NotAnIndex, match="a database of something else"):
        Store(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("mine",)]
    other.close()


def test_a_folder_of_that_name_is_not_an_index(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(NotAnIndex, match="is a folder"):
        Store(tmp_path)


def test_a_name_that_cannot_be_is_an_error_of_the_store(tmp_path):
    with pytest.raises(StoreError, match=r"cannot be read.*another folder"):
        Store(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("version", "error", "complaint"),
    [
        (FORMAT + 1, IndexTooNew, "pip install --upgrade verbatim-qa"),
        (FORMAT - 1, IndexMismatch, "Delete that folder.*qa index PATH"),
    ],
)
def test_another_format_is_refused_and_untouched(tmp_path, version, error, complaint):
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute(f"PRAGMA user_version = {version}")
    other.close()
    with pytest.raises(error, match=rf"format {version}.*{complaint}"):
        Store(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (version,)
    other.close()


def test_another_encoder_is_refused(store):
    store.bind_encoder("one" * 10)
    store.bind_encoder("one" * 10)
    with pytest.raises(IndexMismatch, match="another encoder"):
        store.bind_encoder("other" * 10)


# --- media that cannot be written --------------------------------------------------------------------------------

UNPRIVILEGED = """
    import os, sys
    from pathlib import Path
    from index import Index
    from index.errors import VerbatimError
    from tests.conftest import HashingEncoder

    HashingEncoder().encode(["what is imported late must be imported before"])
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    for action in sys.argv[2:]:
        try:
            with Index.open(sys.argv[1], encoder=HashingEncoder()) as index:
                if action == "search":
                    print("found", index.search("flour")[0].passage.text, len(index.documents()))
                if action == "add":
                    index.add_texts([("b", "Salt is white.")])
                    print("added")
                if action == "remove":
                    print("removed", index.remove("a"))
        except VerbatimError as error:
            print(type(error).__name__, error)
"""


@pytest.fixture
def public(tmp_path_factory):
    """A folder that every user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="verbatim-test-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


def unprivileged(directory, *actions):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(UNPRIVILEGED), str(directory), *actions],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_read_only_index_is_searched_and_not_changed(public):
    directory = public / "index"
    with Index.open(directory, encoder=HashingEncoder()) as index:
        index.add_texts([("a", "Bread needs flour.")])
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    for path in directory.iterdir():
        path.chmod(0o444)
    directory.chmod(0o555)
    said = unprivileged(directory, "search", "add", "remove", "search")
    assert said[0] == said[3] == "found Bread needs flour. 1"
    for line in said[1:3]:
        assert re.fullmatch(
            rf"IndexReadOnly {re.escape(str(directory))}: cannot be written\. .*--index\.", line
        )
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_a_read_only_index_without_its_vector_file_is_searched(public):

    directory = public / "index"
    with Index.open(directory, encoder=HashingEncoder()) as index:
        index.add_texts([("a", "Bread needs flour.")])
    (directory / VECTORS).write_bytes(b"damaged")
    for path in directory.iterdir():
        path.chmod(0o444)
    directory.chmod(0o555)
    assert unprivileged(directory, "search") == ["found Bread needs flour. 1"]


def test_where_nothing_can_be_made_that_is_said(public):
    public.chmod(0o555)
    [said] = unprivileged(public / "new", "add")
    assert said.startswith(f"IndexReadOnly {public / 'new'}: cannot be written")
    public.chmod(0o755)


def test_a_folder_that_may_not_be_entered_is_said(public):
    (public / "closed" / "index").mkdir(parents=True)
    (public / "closed").chmod(0)
    [said] = unprivileged(public / "closed" / "index", "search")
    assert re.match(rf"StoreError {re.escape(str(public))}/closed/index: cannot be read", said)


def test_an_index_file_that_may_not_be_read_is_said(public):
    Store(public / "index").close()
    (public / "index" / FILE_NAME).chmod(0)
    (public / "index").chmod(0o555)
    [said] = unprivileged(public / "index", "search")
    assert re.match(r"IndexReadOnly .*cannot be read.*permissions", said)


# --- several at once ---------------------------------------------------------------------------------------------


def test_threads_write_one_after_another(store):
    def work(name):
        for number in range(10):
            put(store, entry(f"{name}{number}", f"Ape {name} of {number} ate."))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.sources()) == 40
    assert store.generation() == 40
    assert len(store.postings("ap").passages) == 40


def test_two_stores_over_one_file_see_what_the_other_committed(store):
    other = Store(store.directory)
    put(other, entry("a", "An ape ate."))
    assert texts(store, "ape") == {"An ape ate."}
    assert store.generation() == other.generation() == 1
    other.close()


def test_two_that_make_the_same_index_at_once_both_succeed(tmp_path):
    for number in range(5):
        at_once(6, lambda number=number: Store(tmp_path / f"new{number}").close())


# --- what a document says of itself ------------------------------------------------------------------------------


def test_new_titles_and_dates_are_taken_over_without_new_passages(store):
    sections = (Section(0, 11, "Shown", None, Range(0, 2)),)
    given = entry("a.html", "An ape ate.", sections=sections)
    put(store, given, entry("b.html", "An eel ate."))
    before = store.passages_of(given.document.id)
    dated = replace(given.document, title="New", sections=(replace(sections[0], date="2024-05-06"),))
    store.describe(dated, dated)
    assert store.document(given.document.id) == store.loaded(given.document.id) == dated
    assert next((info.title, info.date) for info in store.documents()) == ("New", "2024-05-06")
    assert store.passages_of(given.document.id) == before

    generation = store.generation()
    store.describe(dated, dated)  # nothing new
    cut = replace(dated, title="Other", sections=(Section(0, 5, "Shown"), Section(5, 11, "Late")))
    store.describe(cut, cut)  # the passages would be others
    strange = replace(dated, title="Other", text="An ape left.")
    store.describe(strange, strange)
    assert store.document(given.document.id) == dated
    assert store.generation() == generation


def test_after_a_renaming_the_new_name_is_the_title(store):
    def named(source):
        made = entry(source, "An ape ate.", sections=(Section(0, 11, Path(source).stem),))
        document = replace(made.document, title=Path(source).stem)
        return replace(made, loaded=document, document=document)

    put(store, named("/tmp/old.txt"))
    put(store, named("/tmp/new.txt"))
    store.remove_sources(["/tmp/old.txt"])
    [info] = store.documents()
    document = store.document(info.id)
    assert (info.id, info.title, document.title) == (document_id("/tmp/new.txt"), "new", "new")
    assert [section.title for section in document.sections] == ["new"]


def test_a_title_that_the_text_shows_stays_after_a_renaming(store):
    sections = (Section(0, 11, "old", None, Range(0, 2)),)
    put(store, entry("/tmp/old.txt", "An ape ate.", sections=sections))
    put(store, entry("/tmp/new.txt", "An ape ate.", sections=sections))
    store.remove_sources(["/tmp/old.txt"])
    [info] = store.documents()
    assert info.title == "Title of /tmp/old.txt"
    assert [section.title for section in store.document(info.id).sections] == ["old"]
