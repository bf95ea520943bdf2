"""Verbatim beside what is commonly used instead: the same texts, in turns, medians of several rounds.

Knows what is compared; the measuring itself is done in processes of their own (:mod:`qa.bench.workers`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from qa.bench.material import Material
from qa.bench.workers import Worker, WorkerFailed

# Asked before anything is timed.
_WARM_UP = 10
USERS = 8


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: texts compared, questions asked, rounds of which the median counts."""

    texts: int
    questions: int
    rounds: int


def compare(material: Material, size: Size, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return all that is compared, by name; times in seconds or, of questions, in milliseconds.

    Args:
        material: the texts and questions.
        size: how much of it.
        folder: an empty folder to work in.
        tell: called with what is being done.
    """
    material.write(folder / "texts", size.texts)
    asked = [material.questions[n % len(material.questions)] for n in range(size.questions + _WARM_UP)]
    with Worker("verbatim") as verbatim, Worker("baseline") as baseline:
        found = _written(verbatim, baseline, folder, size.rounds, tell)
    tell("Questions")
    found |= _asked(folder, asked, size.rounds)
    tell("Cold start")
    found["cold_start"] = cold_start(folder / "index-0", asked[0], size.rounds)
    return found


def _written(
    verbatim: Worker, baseline: Worker, folder: Path, rounds: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Measure encoding and ingest, one after the other in each round."""
    ingests: list[tuple[float, float]] = []
    encodings: list[tuple[float, float]] = []
    texts: list[str] = []
    for turn in range(rounds):
        tell(f"Ingest and encoding, round {turn + 1} of {rounds}")
        ours = verbatim.ask("ingest", folder=str(folder / "texts"), directory=str(folder / f"index-{turn}"))
        texts = ours["texts"]
        theirs = baseline.ask("ingest", texts=texts, directory=str(folder / "baseline"))
        ingests.append((ours["seconds"], theirs["seconds"]))
        disk = {"verbatim": ours["megabytes"], "baseline": theirs["megabytes"]}
        encodings.append((verbatim.ask("encode", texts=texts), baseline.ask("encode", texts=texts)))
    return {
        "passages": len(texts),
        "encoding": _rates(encodings, len(texts)),
        "ingest": _rates(ingests, len(texts)),
        "disk_megabytes": disk,
    }


def _rates(seconds: Sequence[tuple[float, float]], passages: int) -> dict[str, Any]:
    ours, theirs = (median(column) for column in zip(*seconds, strict=True))
    return {
        "verbatim": passages / ours,
        "baseline": passages / theirs,
        # Of each round, so that what disturbs both counts for neither.
        "ratio": median(b / a for a, b in seconds),
        "rounds": [list(pair) for pair in seconds],
    }


def _asked(folder: Path, questions: Sequence[str], rounds: int) -> dict[str, Any]:
    """Measure questions and, after them, memory: in processes that do nothing else."""
    times: dict[str, list[dict[str, Any]]] = {}
    warm, timed = list(questions[:_WARM_UP]), list(questions[_WARM_UP:])
    with Worker("verbatim") as verbatim, Worker("baseline") as baseline:
        verbatim.ask("open", directory=str(folder / "index-0"))
        baseline.ask("open", directory=str(folder / "baseline"))
        jobs = [
            ("search", "verbatim", verbatim),
            ("search", "baseline", baseline),
            ("answer", "verbatim", verbatim),
        ]
        for what, _, worker in jobs:
            worker.ask(what, questions=warm, users=1)
        for _ in range(rounds):
            for users in (1, USERS):
                for what, whose, worker in jobs:
                    times.setdefault(f"{what}_{users}_{whose}", []).append(
                        worker.ask(what, questions=timed, users=users)
                    )
        memory = {"verbatim": verbatim.ask("memory"), "baseline": baseline.ask("memory")}
    found: dict[str, Any] = {"memory_megabytes": memory, "queries": {}}
    for name, measured in times.items():
        what, at_once, whose = name.split("_")
        found["queries"].setdefault(what, {}).setdefault(at_once, {})[whose] = {
            **percentiles([one for turn in measured for one in turn["ms"]]),
            "a_second": median(turn["a_second"] for turn in measured),
        }
    return found


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 of some values."""
    return {f"p{one}": float(np.percentile(values, one)) for one in (50, 95, 99)}


def cold_start(directory: Path, question: str, rounds: int) -> dict[str, float]:
    """Return the seconds of ``qa ask`` in a fresh process, and of importing sentence-transformers alone."""
    commands = {
        "verbatim": [sys.executable, "-m", "qa", "ask", question, "--index", str(directory)],
        "baseline": [sys.executable, "-c", "import sentence_transformers"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            done = subprocess.run(
                command,
                capture_output=True,
                encoding="utf-8",
                check=False,
                env={**os.environ, "COLUMNS": "100"},
            )
            if done.returncode:
                raise WorkerFailed(f"{' '.join(command[1:4])} failed: {done.stderr.strip()[-300:]}")
            # The first one reads files from the disk that the others have in memory.
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}
