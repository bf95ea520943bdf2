"""Taking documents in: nothing twice, nothing half, nothing lost."""

import os
import shutil
import threading

import pytest

from index import Index, chunk, ingest
from index.errors import StoreError
from index.ingest import IngestInterrupted
from index.store import Store
from tests.conftest import HashingEncoder

BREAD = "Bread needs flour, water and salt. The baker says that time matters most."
VIENNA = "Vienna hosted the conference on terrorism. The delegation came from Minsk."
SHIP = "The ship left the harbour at night. The captain had a map of the islands."


@pytest.fixture
def hashing():
    return HashingEncoder()


@pytest.fixture
def index(tmp_path, hashing):
    with Index.open(tmp_path / "index", encoder=hashing) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "docs"
    (made / "sub").mkdir(parents=True)
    (made / "bread.txt").write_text(BREAD, "utf-8")
    (made / "vienna.md").write_text(VIENNA, "utf-8")
    (made / "sub" / "ship.txt").write_text(SHIP, "utf-8")
    return made


def statuses(report):
    return {file.source.rpartition("/")[2]: file.status for file in report.files}


def texts(index):
    return {index.document(info.id).text for info in index.documents()}


def found(index, question):
    return {hit.passage.text for hit in index.search(question, 20) if hit.lexical > 0}


def whole(index, every=1):
    """Check that each document has the passages that its text has; search for every so manieth of them."""
    total = 0
    for info in index.documents():
        made = index.document(info.id)
        passages = index.passages(info.id)
        expected = chunk.chunk(made, index.encoder.count_tokens, index.encoder.max_tokens)
        assert [(p.start, p.end, p.text, p.heading) for p in passages] == [
            (p.start, p.end, p.text, p.heading) for p in expected
        ]
        assert info.passages == len(passages) > 0
        for passage in (p for p in passages if p.id % every == 0):
            hits = index.search(passage.text[:2_000], 3, documents=[info.id])
            assert passage.text in {hit.passage.text for hit in hits if hit.lexical > 0 and hit.dense > 0.5}
        total += len(passages)
    assert len(index) == total
    return index


def test_files_and_folders_are_taken_in(index, folder, hashing):
    report = index.add([folder / "bread.txt", str(folder / "sub")])
    assert statuses(report) == {"bread.txt": "added", "ship.txt": "added"}
    assert report.encoded == hashing.encoded == 2
    assert [(file.characters, file.passages) for file in report.files] == [(len(BREAD), 1), (len(SHIP), 1)]
    assert [info.sources for info in index.documents()] == [
        (str(folder / "bread.txt"),),
        (str(folder / "sub" / "ship.txt"),),
    ]
    assert found(index, "captain") == {SHIP}
    whole(index)


def test_an_unchanged_file_costs_nothing(index, folder, hashing):
    index.add(folder)
    before, generation = hashing.encoded, index._store.generation()
    report = index.add(folder)
    assert set(statuses(report).values()) == {"unchanged"}
    assert (report.encoded, hashing.encoded) == (0, before)
    assert index._store.generation() == generation
    # A new time alone, and other line ends alone, change nothing either.
    os.utime(folder / "bread.txt", (1, 1))
    (folder / "sub" / "ship.txt").write_bytes(SHIP.replace(". ", ".\r\n").encode())
    index.add(folder / "sub" / "ship.txt")
    before = hashing.encoded
    (folder / "sub" / "ship.txt").write_bytes(SHIP.replace(". ", ".\n").encode())
    assert set(statuses(index.add(folder)).values()) == {"unchanged"}
    assert set(statuses(index.add(folder)).values()) == {"unchanged"}
    assert hashing.encoded == before


def test_a_changed_file_is_replaced_and_its_old_text_gone(index, folder):
    index.add(folder)
    [old] = [info.id for info in index.documents() if "ship" in info.sources[0]]
    (folder / "sub" / "ship.txt").write_text("The zeppelin flew over the harbour.", "utf-8")
    report = index.add(folder)
    assert statuses(report) == {"bread.txt": "unchanged", "vienna.md": "unchanged", "ship.txt": "replaced"}
    assert found(index, "captain islands ship") == set()
    assert all("captain" not in hit.passage.text for hit in index.search("The captain had a map", 20))
    assert found(index, "zeppelin") == {"The zeppelin flew over the harbour."}
    assert index.document(old).text == "The zeppelin flew over the harbour."
    whole(index)


def test_the_title_of_a_page_that_is_gone_does_not_stay_with_its_copy(index, folder, hashing):
    for name in ("first", "second"):
        (folder / f"{name}.html").write_text(f"<title>The {name}</title><p>{SHIP.lower()}</p>", "utf-8")
    index.add([folder])
    index.remove(str(folder / "first.html"))
    index.add([folder / "second.html"])
    assert "The second" in {info.title for info in index.documents()}
    assert "The first" not in {info.title for info in index.documents()}


def test_a_new_title_alone_is_taken_over_and_nothing_encoded(index, folder, hashing):
    page = folder / "page.html"
    page.write_text(f"<title>Before</title><p>{SHIP.lower()}</p>", "utf-8")
    index.add(folder)
    encoded = hashing.encoded
    page.write_text(f"<title>Afterwards</title><p>{SHIP.lower()}</p>", "utf-8")
    assert statuses(index.add(folder))["page.html"] == "unchanged"
    assert {info.title for info in index.documents()} >= {"Afterwards"}
    assert "Before" not in {info.title for info in index.documents()}
    assert hashing.encoded == encoded


@pytest.mark.parametrize("at_once", [True, False])
def test_a_text_under_two_names_is_stored_once(index, folder, hashing, at_once):
    if not at_once:
        index.add(folder)
    shutil.copy(folder / "bread.txt", folder / "zcopy.txt")
    report = index.add(folder)
    assert statuses(report)["zcopy.txt"] == "duplicate"
    assert hashing.encoded == 3
    [info] = [info for info in index.documents() if len(info.sources) == 2]
    assert info.sources == (str(folder / "bread.txt"), str(folder / "zcopy.txt"))
    [message] = [file.message for file in report.files if file.status == "duplicate"]
    assert info.id in message
    assert len([hit for hit in index.search("flour", 20) if hit.passage.text == BREAD]) == 1
    # Either may go; the other keeps the text.
    assert index.remove(folder / "bread.txt") == [str(folder / "bread.txt")]
    [info] = [info for info in index.documents() if info.sources == (str(folder / "zcopy.txt"),)]
    assert index.document(info.id).source == str(folder / "zcopy.txt")
    assert found(index, "flour") == {BREAD}
    assert index.remove(folder / "zcopy.txt")
    assert found(index, "flour") == set()


def test_texts_that_change_places_are_both_kept(index, folder):
    index.add(folder)
    (folder / "bread.txt").write_text(SHIP, "utf-8")
    (folder / "sub" / "ship.txt").write_text(BREAD, "utf-8")
    index.add(folder)
    assert texts(index) == {BREAD, SHIP, VIENNA}
    sources = {index.document(info.id).text: info.sources for info in index.documents()}
    assert sources[SHIP] == (str(folder / "bread.txt"),)
    assert sources[BREAD] == (str(folder / "sub" / "ship.txt"),)
    whole(index)


def test_a_text_that_moves_while_its_old_file_changes_is_kept(index, folder):
    index.add(folder)
    (folder / "bread.txt").write_text("The zeppelin flew over the harbour.", "utf-8")
    (folder / "znew.txt").write_text(BREAD, "utf-8")
    assert statuses(index.add(folder))["znew.txt"] == "added"
    assert texts(index) == {BREAD, SHIP, VIENNA, "The zeppelin flew over the harbour."}
    whole(index)


def test_a_renamed_file_keeps_its_text(index, folder, hashing):
    index.add(folder)
    (folder / "bread.txt").rename(folder / "zz.txt")
    report = index.add(folder, sync=True)
    assert statuses(report) == {
        "vienna.md": "unchanged",
        "ship.txt": "unchanged",
        "zz.txt": "duplicate",
        "bread.txt": "removed",
    }
    assert hashing.encoded == 3
    [info] = [info for info in index.documents() if info.sources == (str(folder / "zz.txt"),)]
    assert index.document(info.id).text == BREAD
    whole(index)


# --- dropping what is gone ---------------------------------------------------------------------------------------


def test_without_sync_what_is_gone_stays(index, folder):
    index.add(folder)
    (folder / "bread.txt").unlink()
    index.add(folder)
    assert texts(index) == {BREAD, SHIP, VIENNA}


def test_sync_drops_what_is_gone_from_below_the_given_paths_only(index, folder):
    index.add(folder)
    index.add_texts([("a text", "This text has no file at all.")])
    (folder / "bread.txt").unlink()
    (folder / "sub" / "ship.txt").unlink()
    report = index.add(folder / "sub", sync=True)
    assert statuses(report) == {"ship.txt": "removed"}
    assert found(index, "captain") == set()
    assert texts(index) == {BREAD, VIENNA, "This text has no file at all."}
    assert statuses(index.add(folder, sync=True)) == {"vienna.md": "unchanged", "bread.txt": "removed"}
    assert texts(index) == {VIENNA, "This text has no file at all."}


def test_sync_drops_nothing_where_the_root_itself_is_missing(index, folder):
    index.add(folder)
    folder.rename(folder.with_name("unplugged"))
    report = index.add(folder, sync=True)
    assert [(file.status, "does not exist" in file.message) for file in report.files] == [("failed", True)]
    assert texts(index) == {BREAD, SHIP, VIENNA}
    # Nor what is below another missing root, beside one that is there.
    folder.with_name("unplugged").rename(folder)
    (folder / "bread.txt").unlink()
    shutil.rmtree(folder / "sub")
    index.add([folder / "sub", folder / "vienna.md"], sync=True)
    assert texts(index) == {BREAD, SHIP, VIENNA}


def test_sync_keeps_files_that_are_there_and_cannot_be_read(index, folder):
    index.add(folder)
    (folder / "bread.txt").write_text("", "utf-8")
    report = index.add(folder, sync=True)
    assert statuses(report)["bread.txt"] == "failed"
    assert texts(index) == {BREAD, SHIP, VIENNA}


def test_sync_sees_through_links(index, folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    index.add(tmp_path / "link")
    assert all("/link/" in info.sources[0] for info in index.documents())
    (folder / "bread.txt").unlink()
    assert statuses(index.add(tmp_path / "link", sync=True))["bread.txt"] == "removed"
    assert texts(index) == {SHIP, VIENNA}


# --- texts in memory ---------------------------------------------------------------------------------------------


def test_texts_are_taken_in_replaced_and_left(index, hashing):
    report = index.add_texts([("one", BREAD), ("two", SHIP)])
    assert statuses(report) == {"one": "added", "two": "added"}
    report = index.add_texts(iter([("one", BREAD), ("two", VIENNA), ("three", BREAD)]))
    assert statuses(report) == {"one": "unchanged", "two": "replaced", "three": "duplicate"}
    assert hashing.encoded == 3
    assert texts(index) == {BREAD, VIENNA}
    assert [info.title for info in index.documents()] == ["one", "two"]
    whole(index)


def test_one_bad_text_does_not_stop_the_others(index):
    report = index.add_texts([("empty", " \n"), ("bad\udcff", SHIP), ("one", BREAD)])
    assert [file.status for file in report.files] == ["failed", "failed", "added"]
    assert all(file.message for file in report.failed)
    assert report.count("failed") == len(report.failed) == 2
    assert texts(index) == {BREAD}


def test_the_same_name_twice_in_one_go_ends_with_the_last(index):
    index.add_texts([("one", BREAD), ("one", SHIP)])
    assert texts(index) == {SHIP}
    whole(index)


def test_a_name_given_twice_ends_with_the_last_also_where_that_is_stored(index):
    index.add_texts([("one", SHIP)])
    index.add_texts([("one", BREAD), ("one", SHIP)])
    assert texts(index) == {SHIP}
    whole(index)


def many(number):
    """So many texts of one passage each."""
    return [(f"text {n}", f"Text number {n} tells of thing{n}.") for n in range(number)]


# --- reading while the encoder works -----------------------------------------------------------------------------


def test_texts_are_read_while_the_encoder_works(tmp_path):
    read_on = threading.Event()

    class Waiting(HashingEncoder):
        def encode(self, texts):
            assert read_on.wait(60)
            return super().encode(texts)

    def given():
        for number, text in enumerate(many(2 * ingest._BATCH_PASSAGES)):
            if number > ingest._BATCH_PASSAGES + 10:
                read_on.set()
            yield text

    with Index.open(tmp_path / "index", encoder=Waiting()) as index:
        assert index.add_texts(given()).encoded == 2 * ingest._BATCH_PASSAGES
        assert [info.title for info in index.documents()] == [
            name for name, _ in many(2 * ingest._BATCH_PASSAGES)
        ]


def test_only_two_batches_wait_however_many_texts_come(index):
    waiting = []

    def given():
        for number, text in enumerate(many(10 * ingest._BATCH_PASSAGES)):
            waiting.append(number - len(index))
            yield text

    index.add_texts(given())
    assert 0 < max(waiting) <= 2 * ingest._BATCH_PASSAGES
    assert len(index) == 10 * ingest._BATCH_PASSAGES


def test_copies_wait_no_longer_than_others(index):
    waiting = []
    texts = many(3 * ingest._BATCH_PASSAGES)
    index.add_texts(texts)

    def copies():
        for number, (name, text) in enumerate(texts):
            stored = sum(len(info.sources) for info in index.documents()) - len(texts)
            waiting.append(number - stored)
            yield f"copy of {name}", text

    index.add_texts(copies())
    assert 0 < max(waiting) <= 2 * ingest._BATCH_PASSAGES


def test_what_is_encoded_is_stored_before_the_next_batch_is_full(tmp_path):
    stored = threading.Event()

    def given(index):
        for number, text in enumerate(many(ingest._BATCH_PASSAGES + 10)):
            # The encoder is given a moment; no more texts are needed for anything to be stored.
            if number > ingest._BATCH_PASSAGES and not stored.wait(0.5) and len(index):
                stored.set()
            yield text

    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        index.add_texts(given(index))
    assert stored.is_set()


def test_a_copy_of_what_is_being_encoded_is_stored_once(index, hashing):
    given = many(ingest._BATCH_PASSAGES + 20)
    report = index.add_texts([*given, ("copy of the first", given[0][1]), ("copy of the last", given[-1][1])])
    assert [file.status for file in report.files[-2:]] == ["duplicate", "duplicate"]
    assert hashing.encoded == report.encoded == len(given)
    assert len(whole(index, every=100).documents()) == len(given)


def test_a_copy_whose_original_is_removed_while_it_waits_is_kept(index):
    index.add_texts([("original", BREAD)])

    def given():
        yield "copy", BREAD
        index.remove("original")
        yield "other", SHIP

    report = index.add_texts(given())
    assert {file.source: file.status for file in report.files} == {"copy": "added", "other": "added"}
    assert report.encoded == 2
    assert texts(index) == {BREAD, SHIP}
    whole(index)


# --- what goes wrong ---------------------------------------------------------------------------------------------


def test_one_bad_file_does_not_stop_the_others(index, folder):
    (folder / "a.pdf").write_bytes(b"not a pdf")
    (folder / "b.txt").write_bytes(b"")
    (folder / "c.bin").write_bytes(b"\0\1")
    report = index.add([folder, folder / "missing.txt"])
    assert statuses(report) == {
        "a.pdf": "failed",
        "b.txt": "failed",
        "c.bin": "skipped",
        "missing.txt": "failed",
        "bread.txt": "added",
        "vienna.md": "added",
        "ship.txt": "added",
    }
    for file in report.failed:
        assert file.source.rpartition("/")[2] in file.message
    whole(index)


def test_ctrl_c_keeps_what_is_stored(tmp_path):
    class Interrupted(HashingEncoder):
        def encode(self, texts):
            if self.encoded >= 2 * ingest._BATCH_PASSAGES:
                raise KeyboardInterrupt
            return super().encode(texts)

    given = [(f"text {n}", f"Text number {n} tells of thing{n}.") for n in range(700)]
    with Index.open(tmp_path / "index", encoder=Interrupted()) as index:
        with pytest.raises(IngestInterrupted) as interrupted:
            index.add_texts(given)
        stored = [file.source for file in interrupted.value.report.files]
        assert stored == [name for name, _ in given[: 2 * ingest._BATCH_PASSAGES]]
        assert [info.title for info in index.documents()] == stored
        # And they are found at once.
        assert found(index, "thing7") == {given[7][1]}
        assert found(index, "thing690") == set()
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        report = index.add_texts(given)
        assert (report.count("unchanged"), report.count("added")) == (512, 188)
        assert found(index, "thing690") == {given[690][1]}
        assert len(index) == 700


def test_an_encoder_that_fails_loses_no_stored_batch(tmp_path):
    class Failing(HashingEncoder):
        def encode(self, texts):
            if self.encoded >= ingest._BATCH_PASSAGES:
                raise MemoryError
            return super().encode(texts)

    given = [(f"text {n}", f"Text number {n} tells of thing{n}.") for n in range(600)]
    with Index.open(tmp_path / "index", encoder=Failing()) as index:
        with pytest.raises(MemoryError):
            index.add_texts(given)
        assert len(index.documents()) == ingest._BATCH_PASSAGES
        assert found(index, "thing7") == {given[7][1]}


def test_a_document_of_many_batches_is_stored_whole(index):
    text = "\n\n".join(f"Paragraph {n} tells of thing{n} " + "and more " * 60 + "." for n in range(600))
    index.add_texts([("long", text)])
    [info] = index.documents()
    assert info.passages > 2 * ingest._BATCH_PASSAGES
    assert len(index) == info.passages
    [last] = [hit for hit in index.search("thing599", 1_000) if hit.lexical > 0]
    assert last.passage.text.startswith("Paragraph 599 tells")


# --- progress ----------------------------------------------------------------------------------------------------


def test_progress_rises_to_the_end_and_names_sources(index, folder):
    told = []
    report = index.add(folder, on_progress=told.append)
    assert [one.files for one in told] == sorted(one.files for one in told)
    assert [one.passages for one in told] == sorted(one.passages for one in told)
    assert [one.seconds for one in told] == sorted(one.seconds for one in told)
    assert {one.total for one in told} == {3}
    assert (told[-1].files, told[-1].passages) == (3, report.encoded)
    assert {one.source for one in told} == {file.source for file in report.files}


def test_progress_counts_files_that_are_read_and_no_others(index, folder):
    (folder / "picture.bin").write_bytes(b"\0")
    told = []
    index.add([folder, folder / "missing.txt"], on_progress=told.append)
    assert [one.files for one in told if not one.passages] == [1, 2, 3]
    assert {one.total for one in told} == {3}


def test_progress_of_texts_that_come_one_by_one_knows_those_that_came(index):
    told = []
    index.add_texts(iter(many(5)[:2] + [("empty", "")]), on_progress=told.append)
    assert all(one.files <= one.total <= 3 for one in told)
    assert (told[-1].files, told[-1].total) == (3, 3)


# --- recipes -----------------------------------------------------------------------------------------------------


def test_another_recipe_processes_files_again(index, folder, hashing, monkeypatch):
    index.add(folder)
    ids = {info.id for info in index.documents()}
    monkeypatch.setattr(chunk, "RECIPE", chunk.RECIPE + 1)
    report = index.add(folder)
    assert set(statuses(report).values()) == {"replaced"}
    assert hashing.encoded == 6
    assert {info.id for info in index.documents()} == ids
    assert set(statuses(index.add(folder)).values()) == {"unchanged"}
    whole(index)


def test_rebuild_needs_no_files(index, folder, hashing, monkeypatch):
    index.add(folder)
    index.add_texts(
        [("a text", "This text has no file at all."), ("its copy", "This text has no file at all.")]
    )
    assert index.rebuild().files == ()
    shutil.rmtree(folder)
    monkeypatch.setattr(chunk, "RECIPE", chunk.RECIPE + 1)
    monkeypatch.setattr(chunk, "PASSAGE_TOKENS", 12)
    before = {info.id: (info.sources, info.title) for info in index.documents()}
    report = index.rebuild()
    assert report.count("replaced") == len(report.files) == 4
    assert {info.id: (info.sources, info.title) for info in index.documents()} == before
    assert found(index, "captain") == {"The captain had a map of the islands."}
    whole(index)
    assert index.rebuild().files == ()


def test_the_recipe_names_all_that_decides(monkeypatch):
    seen = {ingest.recipe()}
    for module in (ingest.load, ingest.clean, ingest.chunking):
        monkeypatch.setattr(module, "RECIPE", module.RECIPE + 1)
        seen.add(ingest.recipe())
    assert len(seen) == 4


def test_a_store_that_cannot_be_written_ends_it(index, folder):
    index._store._read_only = True
    with pytest.raises(StoreError, match="cannot be written"):
        index.add(folder)


def test_an_interrupt_right_after_a_transaction_reports_what_it_stored(tmp_path, monkeypatch):
    put = Store.put

    def interrupted(store, entries, recipe):
        put(store, entries, recipe)
        raise KeyboardInterrupt

    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        monkeypatch.setattr(Store, "put", interrupted)
        with pytest.raises(IngestInterrupted) as stopped:
            index.add_texts([("a", "One two three."), ("b", "Four five six.")])
        report = stopped.value.report
        assert [(one.source, one.status) for one in report.files] == [("a", "added"), ("b", "added")]
        assert len(index.documents()) == 2
