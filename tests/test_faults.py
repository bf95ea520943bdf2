"""What is stored stays: killed processes, Ctrl-C, a full disk, a damaged database."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import apsw
import pytest

from index import Index
from index.errors import NotAnIndex, StoreError
from index.store import FILE_NAME
from qa import Assistant, Settings
from tests.conftest import HashingEncoder
from tests.test_ingest import whole

ROOT = Path(__file__).parent.parent
FILES = 300

# Prints how many passages are encoded; the parent kills it after some of these lines.
INGEST = """
    import sys
    from index import Index
    from tests.conftest import HashingEncoder

    with Index.open(sys.argv[1], encoder=HashingEncoder()) as index:
        print("open", flush=True)
        index.add(sys.argv[2], on_progress=lambda progress: print(progress.passages, flush=True))
    print("done", flush=True)
"""
# Indexes under a limit on the size of any file, as a full disk would set it; searches on.
FULL = """
    import resource, signal, sys
    from index import Index
    from index.errors import StoreError
    from tests.conftest import HashingEncoder

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Index.open(sys.argv[1], encoder=HashingEncoder()) as index:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
        try:
            index.add(sys.argv[2])
            print("added")
        except StoreError as error:
            print(type(error).__name__, error)
        print(len(index.documents()), *(hit.passage.text for hit in index.search("thing0", 1_000) if hit.lexical > 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(index.add(sys.argv[2]).count("failed"), len(index.documents()))
"""


def told(number):
    """A text of some passages."""
    stops = " ".join(
        f"Stop {stop} of voyage {number} was long and stormy, as the log tells." for stop in range(20)
    )
    return f"The captain of ship {number} is thing{number}. {stops}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("many")
    for number in range(FILES):
        (made / f"{number:03}.txt").write_text(told(number), "utf-8")
    return made


def start(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(directory, folder):
    """Check that an index holds whole documents only and that going on completes it; return what it held."""
    with Index.open(directory, encoder=HashingEncoder()) as index:
        for info in index.documents():
            assert index.document(info.id).text == Path(info.sources[0]).read_text("utf-8")
        stored = len(whole(index, every=100).documents())
        report = index.add(folder)
        assert (report.count("unchanged"), report.count("added")) == (stored, FILES - stored)
    with Index.open(directory, encoder=HashingEncoder()) as index:
        assert len(index.documents()) == FILES
        [hit] = [hit for hit in index.search("thing299", 1_000) if hit.lexical > 0]
        assert "thing299." in hit.passage.text
    with contextlib.closing(apsw.Connection(str(directory / FILE_NAME))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        [counts] = connection.execute(
            "SELECT (SELECT count(*) FROM passages), (SELECT count(*) FROM vectors), (SELECT count(*) FROM words)"
        )
        assert len(set(counts)) == 1
    return stored


@pytest.mark.parametrize("lines", [0, 1, 110, 200, 300])
def test_killed_at_any_moment_it_holds_whole_documents_and_goes_on(tmp_path, folder, lines):
    directory = tmp_path / "index"
    with start(INGEST, directory, folder) as running:
        assert running.stdout.readline() == "open\n"
        for _ in range(lines):
            assert running.stdout.readline().strip().isdigit()
        time.sleep(random.Random(lines).random() * 0.02)
        running.kill()
        running.communicate()
    assert running.returncode == -signal.SIGKILL
    stored = check(directory, folder)
    assert (stored > 0) == (lines >= 110)
    assert stored < FILES or lines == 300


def test_killed_while_it_replaces_it_holds_old_or_new(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number}.txt").write_text(f"Old {number}. " + told(number), "utf-8")
    directory = tmp_path / "index"
    with Index.open(directory, encoder=HashingEncoder()) as index:
        index.add(folder)
    for number in range(150):
        (folder / f"{number}.txt").write_text(f"New {number}. " + told(number), "utf-8")
    with start(INGEST, directory, folder) as running:
        for _ in range(100):
            running.stdout.readline()
        running.kill()
        running.communicate()
    with Index.open(directory, encoder=HashingEncoder()) as index:
        opening = [index.document(info.id).text[:3] for info in whole(index, every=50).documents()]
        assert len(opening) == 150
        assert {"Old", "New"} == set(opening)
        index.add(folder)
        assert {index.document(info.id).text[:3] for info in whole(index, every=50).documents()} == {"New"}
        assert not [hit for hit in index.search("Old", 500) if hit.lexical > 0]


def test_ctrl_c_ends_it_cleanly(tmp_path, folder):
    directory = tmp_path / "index"
    with start(INGEST, directory, folder) as running:
        for _ in range(200):
            running.stdout.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "done" not in out
    assert "IngestInterrupted" in err
    assert 0 < check(directory, folder) < FILES


@pytest.mark.parametrize("limit", [300_000, 900_000])
def test_on_a_full_disk_nothing_is_lost(tmp_path, folder, limit):
    directory = tmp_path / "index"
    with Index.open(directory, encoder=HashingEncoder()) as index:
        index.add(folder / "000.txt")
    with start(FULL, directory, folder, limit) as running:
        out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    failed, meanwhile, after = out.splitlines()
    assert failed.startswith(f"StoreError {directory}: cannot be written (")
    assert "Free some space" in failed
    documents, text = meanwhile.split(" ", 1)
    assert 1 <= int(documents) < FILES
    assert "thing0." in text
    assert after == f"0 {FILES}"
    assert check(directory, folder) == FILES


def test_where_only_the_vectors_do_not_fit_nothing_fails(tmp_path, folder):
    # A folder in the way of the file stands for a disk that is full by then.
    directory = tmp_path / "index"
    with Index.open(directory, encoder=HashingEncoder()) as index:
        index.add(folder)
        (directory / "vectors.faiss").unlink()
        (directory / "vectors.faiss").mkdir()
        index.add_texts([("one more", "The zeppelin is thing9999.")])
        assert index.search("zeppelin", 1)[0].lexical > 0
    with Index.open(directory, encoder=HashingEncoder()) as index:
        assert index.search("zeppelin", 1)[0].lexical > 0
        index.remove("one more")
        whole(index, every=100)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.95])
def test_a_damaged_database_is_told_or_read(tmp_path, folder, place):
    directory = tmp_path / "index"
    with Index.open(directory, encoder=HashingEncoder()) as index:
        index.add([folder / f"{number:03}.txt" for number in range(40)])
    path = directory / FILE_NAME
    with path.open("r+b") as file:
        file.seek(int(place * path.stat().st_size))
        file.write(b"\xa5" * 9_000)
    with (
        contextlib.suppress(NotAnIndex, StoreError),
        Index.open(directory, encoder=HashingEncoder()) as index,
    ):
        for info in index.documents():
            index.passages(info.id)
        index.search("thing7 captain", 10)


def test_a_document_removed_while_it_is_read_is_not_quoted(tmp_path):
    class Removing:
        """Reads as ever, after another process has removed or replaced what was found."""

        kind = "spans"

        def __init__(self, reader, change):
            self.reader = reader
            self.change = change

        def read(self, question, hits):
            readings = self.reader.read(question, hits)
            self.change()
            return readings

    text = "The zeppelin flew over the harbour at night."
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        plain = Assistant(index, Settings(threshold=0.0))
        for change in (
            lambda: index.remove("a"),
            lambda: index.add_texts([("a", "Bread needs flour and salt.")]),
        ):
            index.add_texts([("a", text), ("b", "Salt is white.")])
            assert plain.answer("Where did the zeppelin fly?").citations[0].quote == text
            assistant = Assistant(index, Settings(threshold=0.0), Removing(plain.reader, change))
            answer = assistant.answer("Where did the zeppelin fly?")
            quotes = [c.quote for candidate in answer.candidates for c in candidate.citations]
            assert text not in quotes
            assert answer.text != text
            assert bool(answer.candidates) == (answer.status == "answered")
        index.remove("b")
        index.add_texts([("a", text)])
        answer = Assistant(
            index, Settings(threshold=0.0), Removing(plain.reader, lambda: index.remove("a"))
        ).answer("zeppelin")
        assert (answer.candidates, answer.near_misses) == ((), ())
        assert answer.status != "answered"
