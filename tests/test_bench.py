"""The benchmark: what it makes up behaves like what is real, its figures come from runs, its goals from figures."""

import json
import os
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
from typer.testing import CliRunner

from index import Index
from index.errors import SettingsError
from index.search import content_words
from index.store import Store
from qa.bench.__main__ import app
from qa.bench.goals import Goal, goals
from qa.bench.growth import check_sizes
from qa.bench.material import load_material
from qa.bench.measure import percentiles
from qa.bench.report import plot
from qa.bench.synthetic import SPREAD, synthetic_entries, synthetic_texts, synthetic_vectors, take
from qa.bench.workers import Worker, WorkerFailed
from qa.cli import app as cli
from tests.conftest import HashingEncoder

TEXTS = ["The ship left at night. The captain had a map. Rain fell.", "Bread needs flour. The baker waits."]


def real_vectors(count=500, dimension=64):
    vectors = np.random.default_rng(3).normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# --- synthetic passages ------------------------------------------------------------------------------------------


def test_synthetic_vectors_are_unit_vectors_around_real_ones():
    real = real_vectors()
    [block] = islice(synthetic_vectors(real, seed=1), 1)
    assert block.dtype == np.float32
    assert np.linalg.norm(block, axis=1) == pytest.approx(np.ones(len(block)), abs=1e-5)
    nearest = (block @ real.T).max(axis=1)
    # Of unrelated directions the moved one keeps 1 / sqrt(1 + SPREAD²).
    assert np.median(nearest) == pytest.approx(1 / np.sqrt(1 + SPREAD**2), abs=0.03)
    [again], [other] = (islice(synthetic_vectors(real, seed), 1) for seed in (1, 2))
    assert np.array_equal(again, block)
    assert not np.array_equal(other, block)


def test_words_are_as_frequent_as_in_the_real_texts():
    made = " ".join(islice(synthetic_texts(TEXTS, seed=1), 2_000)).lower()
    real = " ".join(TEXTS).lower()
    for word in set(content_words(real)):
        share, true = made.count(word) / len(made), real.count(word) / len(real)
        assert share == pytest.approx(true, rel=0.1)


def test_synthetic_documents_can_be_stored_and_found(tmp_path):
    real = real_vectors(50)
    entries = take(synthetic_entries(TEXTS, real, seed=1, first=7), 40)
    assert [entry.document.source for entry in entries] == ["synthetic-7", "synthetic-8"]
    for entry in entries:
        assert len(entry.passages) == len(entry.vectors) == 20
        for passage in entry.passages:
            assert entry.document.text[passage.start : passage.end] == passage.text
    store = Store(tmp_path)
    store.put(entries, "bench")
    assert store.passage_count() == 40
    store.close()
    with Index.open(tmp_path, encoder=HashingEncoder()) as index:
        assert len(index.search("Who had a map?", 5)) == 5


# --- goals -------------------------------------------------------------------------------------------------------


def test_goals_are_met_at_their_bounds_and_open_where_nothing_was_measured():
    assert [Goal("x", 5.0, value).met for value in (4.9, 5.0, 5.1, None)] == [True, True, False, None]
    assert [Goal("x", 5.0, value, rising=True).met for value in (4.9, 5.0, None)] == [False, True, None]


def result():
    """What a run returns, with figures that nobody measured."""
    query = {"p50": 10.0, "p95": 20.0, "p99": 30.0, "a_second": 50.0}
    both = {"verbatim": 2.0, "baseline": 8.0}
    by_users = {users: {"verbatim": query, "baseline": query} for users in ("1", "8")}
    return {
        "compared": {
            "passages": 5,
            "encoding": {**both, "ratio": 6.0},
            "ingest": {**both, "ratio": 4.0},
            "cold_start": both,
            "memory_megabytes": both,
            "disk_megabytes": both,
            "queries": {"search": by_users, "answer": {"1": {"verbatim": query}, "8": {"verbatim": query}}},
        },
        "growth": [
            {
                "passages": size,
                "recall_at_10": recall,
                "megabytes": 1.0,
                "vectors_megabytes": 1.0,
                "ms": dict.fromkeys(("vectors", "words", "all"), query),
            }
            for size, recall in ((10_000, 1.0), (1_000_000, 0.98))
        ],
    }


def test_goals_take_their_figures_from_the_run():
    made = result()
    found = {goal.name: goal for goal in goals(made["compared"], made["growth"])}
    assert found["encoding, times the baseline"].met
    assert not found["ingest, times the baseline"].met
    assert found["a full answer, p50"].value == 10.0
    assert (found["search in 10,000 passages, p50"].value, found["search in 10,000 passages, p50"].met) == (
        10.0,
        False,
    )
    assert found["vectors of 1,000,000 passages, p50"].met
    assert found["recall@10 against exact search, lowest of all sizes"].value == 0.98
    assert all(goal.met is None for goal in goals(made["compared"], []) if "passages" in goal.name)


@pytest.mark.parametrize("name", ["plot.png", "plot.svg"])
def test_a_plot_is_drawn(tmp_path, name):
    plot(result(), tmp_path / name)
    assert (tmp_path / name).stat().st_size > 5_000
    plot(result() | {"growth": []}, tmp_path / name)


def test_percentiles():
    assert percentiles(list(range(101))) == {"p50": 50, "p95": 95, "p99": 99}


# --- what is asked for -------------------------------------------------------------------------------------------


def test_texts_are_those_of_the_sets_and_their_order_that_of_the_seed(tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_text(
        "".join(
            json.dumps({"question": f"Question {n}?", "answers": ["map"], "document": f"Text {n} has a map."})
            + "\n"
            for n in range(20)
        )
    )
    first, again, other = (load_material([path], seed) for seed in (0, 0, 1))
    assert first == again != other
    assert {text for _, text in first.texts} == {f"Text {n} has a map." for n in range(20)}
    assert len({name for name, _ in first.texts}) == len(first.questions) == 20
    first.write(tmp_path / "files", 3)
    assert len(list((tmp_path / "files").iterdir())) == 3
    assert load_material([], 0).questions


@pytest.mark.parametrize("size", [-20, 0, 10, 1_001])
def test_sizes_that_cannot_be_made_are_refused(tmp_path, size):
    with pytest.raises(SettingsError, match=f"size is {size}"):
        check_sizes([1_000, size], tmp_path)


def test_what_does_not_fit_on_the_disk_is_refused(tmp_path):
    check_sizes([], tmp_path)
    with pytest.raises(SettingsError, match="GB are free"):
        check_sizes([10**12], tmp_path)


def test_wrong_files_are_named_before_anything_is_measured(tmp_path):
    for arguments, said in (
        (["--json", str(tmp_path / "missing" / "x.json")], "not a file that can be written"),
        (["--plot", str(tmp_path)], "not a file that can be written"),
        (["--data", str(tmp_path / "missing.json")], "missing.json"),
        (["--size", "7"], "size is 7"),
    ):
        with pytest.raises(SettingsError, match=said):
            CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_command_has_help():
    for command, arguments in ((app, ["--help"]), (cli, ["--help"])):
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0
    assert "bench" in done.stdout


# --- runs --------------------------------------------------------------------------------------------------------


def test_a_worker_that_fails_says_why(home, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    with pytest.raises(WorkerFailed, match=r"measuring open \(growth\) failed: .*no index there"):  # noqa: SIM117
        with Worker("growth") as worker:
            worker.ask("open", directory=str(home / "missing"))


@pytest.mark.timeout(900)
def test_a_quick_run_measures_everything(home, tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "qa",
            "bench",
            "--quick",
            "--json",
            str(tmp_path / "b.json"),
            "--plot",
            str(tmp_path / "b.svg"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "VERBATIM_HOME": str(home), "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stderr
    assert "Goals" in done.stdout
    assert (tmp_path / "b.svg").read_text("utf-8").startswith("<?xml")
    made = json.loads((tmp_path / "b.json").read_text("utf-8"))
    compared = made["compared"]
    assert compared["encoding"]["verbatim"] > compared["encoding"]["baseline"] > 0
    assert compared["cold_start"]["verbatim"] < compared["cold_start"]["baseline"]
    for by_users in compared["queries"].values():
        assert all(
            0 < one["p50"] <= one["p95"] <= one["p99"]
            for whose in by_users.values()
            for one in whose.values()
        )
    assert set(compared["queries"]["search"]) == {"1", "8"}
    assert [one["passages"] for one in made["growth"]] == [1_000, 2_000]
    assert all(one["recall_at_10"] == 1.0 for one in made["growth"])  # exact at these sizes
    assert made["growth"][0]["disk_megabytes"] < made["growth"][1]["disk_megabytes"]
    assert {"seed", "versions", "cores", "texts"} <= made["facts"].keys()
    assert len(made["goals"]) == 10
