"""The README's examples run as they are written."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands():
    return [line for block in blocks("sh") for line in block.splitlines() if line.startswith("qa ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with the seeds in it, as in a checkout."""
    path = tmp_path_factory.mktemp("readme")
    (path / "seeds").symlink_to(ROOT / "seeds")
    return path


@pytest.fixture
def run(folder, home, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))

    def start(*command):
        return subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return start


def test_python_examples_run(run):
    examples = blocks("python")
    assert len(examples) >= 2
    done = run("-c", "\n".join(examples))
    assert done.returncode == 0, done.stderr
    assert "Murad Kunakbaev" in done.stdout
    assert "oxidised first" in done.stdout


def test_command_examples_run(run):
    lines = [line for line in commands() if not line.startswith("qa serve")]
    assert len(lines) >= 4
    for line in lines:
        done = run("-m", "qa", *shlex.split(line)[1:])
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        if "lay flowers" in line:
            assert "Victory Monument" in done.stdout
        if "World Cup" in line:
            assert "Not in these documents" in done.stdout


def test_files_named_in_the_readme_exist():
    for name in re.findall(r"\]\(((?!https?:)[^)#]+)\)", README):
        assert (ROOT / name).is_file(), name


def test_make_targets_named_in_the_readme_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for block in blocks("sh") for name in re.findall(r"^make ([a-z]+)", block, re.MULTILINE)}
    assert named
    assert named <= targets


def test_tree_in_the_readme_names_files_that_exist():
    tree = README.split("## How it is built")[1].split("```")[1]
    names = re.findall(r"\b([a-z_]+\.py)\b", tree)
    assert names
    existing = {path.name for folder in ("index", "qa", "tests") for path in (ROOT / folder).rglob("*.py")}
    assert set(names) - {"app.py"} <= existing
