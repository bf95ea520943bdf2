"""Models by folder or by name: what is on the disk is found, without the network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.checkpoints import find_checkpoint
from index.errors import ModelError

ROOT = Path(__file__).parent.parent
FIND = """
import sys
from index.checkpoints import find_checkpoint
from index.errors import ModelError

for name, owner in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        print(find_checkpoint(name, owner))
    except ModelError as error:
        print(error)
"""


@pytest.fixture
def hub(tmp_path):
    """A cache of the Hugging Face hub that holds one model, as `hf download` leaves it."""
    model = tmp_path / "hub" / "models--someone--reader"
    snapshot = model / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0" * 40)
    return snapshot


def find(home, *names):
    done = subprocess.run(
        [sys.executable, "-c", FIND, *(word for pair in names for word in pair)],
        env={**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)},
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_folder_is_found_however_it_is_named(tmp_path, monkeypatch):
    (tmp_path / "models" / "mine").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    wanted = tmp_path / "models" / "mine"
    for name in (
        "models/mine",
        "./models/mine",
        "~/models/mine",
        wanted,
        str(wanted),
        "models/../models/mine",
    ):
        assert find_checkpoint(name) == wanted.resolve()


@pytest.mark.parametrize("name", ["/no/such", "./none", "../none/at/all", "a/b/c", Path("none"), "~/none"])
def test_a_folder_that_is_not_there_is_never_looked_for_on_the_hub(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ModelError, match="there is no such folder"):
        find_checkpoint(name)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"model\.safetensors: there is no such folder"):
        find_checkpoint(tmp_path / "model.safetensors")


def test_a_name_is_found_in_the_hubs_cache(hub, tmp_path):
    assert (
        find(tmp_path, ("someone/reader", ""), ("reader", "someone"), ("someone/reader", "other"))
        == [str(hub)] * 3
    )


def test_a_name_that_is_nowhere_is_named(hub, tmp_path):
    names = [("someone/other", ""), ("reader", ""), ("reader", "other"), ("what a name?", "")]
    for (name, _), line in zip(names, find(tmp_path, *names), strict=True):
        assert line.startswith(f"{name}: neither a folder nor a model that can be had")
        assert line.endswith("Save the model to a folder and name that.")
