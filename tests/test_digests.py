"""Digests of files are remembered until a file changes, and never longer."""

import hashlib
import os
import time

import pytest

from index.digests import file_digests

OLD = 1_600_000_000


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A file that was written long ago; a file's own entry cannot be dated back, so the clock goes ahead."""
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    os.utime(path, (OLD, OLD))
    ahead = time.time_ns() + 3_600_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: ahead)
    return path


@pytest.fixture
def reads(monkeypatch):
    """Counts how many files are read."""
    counted = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *given: counted.append(1) or digest(*given))
    return counted


def sha256(contents):
    return hashlib.sha256(contents).hexdigest()


def test_an_unchanged_file_is_read_once(tmp_path, weights, reads):
    kept = tmp_path / "cache" / "digests.json"
    for _ in range(3):
        assert file_digests([weights], kept) == [sha256(b"weights")]
    assert len(reads) == 1
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_file_changed_to_the_same_size_and_time_is_read_again(tmp_path, weights):
    kept = tmp_path / "digests.json"
    file_digests([weights], kept)
    time.sleep(0.02)  # a tick of the file system's clock
    weights.write_bytes(b"swapped")
    os.utime(weights, (OLD, OLD))
    assert file_digests([weights], kept) == [sha256(b"swapped")]


def test_a_file_replaced_by_another_is_read_again(tmp_path, weights):
    kept = tmp_path / "digests.json"
    file_digests([weights], kept)
    (tmp_path / "other").write_bytes(b"another")
    os.utime(tmp_path / "other", (OLD, OLD))
    (tmp_path / "other").replace(weights)
    assert file_digests([weights], kept) == [sha256(b"another")]


def test_a_file_just_written_is_not_remembered(tmp_path, reads):
    path = tmp_path / "new"
    path.write_bytes(b"new")
    for _ in range(2):
        assert file_digests([path], tmp_path / "digests.json") == [sha256(b"new")]
    assert len(reads) == 2


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"\xff", b'{"WEIGHTS": 3}', b'{"WEIGHTS": []}'])
def test_a_damaged_memory_costs_time_alone(tmp_path, weights, damaged):
    kept = tmp_path / "digests.json"
    kept.write_bytes(damaged.replace(b"WEIGHTS", str(weights).encode()))
    assert file_digests([weights], kept) == [sha256(b"weights")]


def test_where_nothing_can_be_written_files_are_read_each_time(tmp_path, weights, reads):
    (tmp_path / "a file").write_text("")
    for _ in range(2):
        assert file_digests([weights], tmp_path / "a file" / "digests.json") == [sha256(b"weights")]
    assert len(reads) == 2


def test_a_full_disk_is_not_made_fuller(tmp_path, weights):
    kept = tmp_path / "cache" / "digests.json"
    kept.mkdir(parents=True)  # a folder cannot be replaced by a file: writing fails at the last step
    assert file_digests([weights], kept) == [sha256(b"weights")]
    assert list(kept.parent.iterdir()) == [kept]


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_digests([tmp_path / "gone"], tmp_path / "digests.json")
