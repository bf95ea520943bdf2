"""How an index behaves as it grows: from a thousand passages to a million.

The passages are synthetic, made of real ones (:mod:`qa.bench.synthetic`). An index grows from one size to the
next in a process of its own; another opens it and searches.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from index.errors import SettingsError
from qa.bench.material import Material
from qa.bench.measure import percentiles
from qa.bench.workers import Worker

SIZES = (1_000, 10_000, 100_000, 1_000_000)
# Encoded to learn from: some minutes at most.
_MOST_REAL_TEXTS = 10_000
_RECALL_QUESTIONS = 200
_BYTES_A_PASSAGE = 6_000
_STEP = 20


def check_sizes(sizes: Sequence[int], folder: Path) -> None:
    """Raise what is wrong with sizes, before anything is done.

    Raises:
        SettingsError: a size cannot be made, or does not fit on the disk.
    """
    for size in sizes:
        if size < _STEP or size % _STEP:
            raise SettingsError(f"size is {size}: it must be a multiple of {_STEP}")
    free = shutil.disk_usage(folder).free
    if sizes and max(sizes) * _BYTES_A_PASSAGE > free:
        raise SettingsError(
            f"{folder}: {max(sizes):,} passages need {max(sizes) * _BYTES_A_PASSAGE / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free. Choose smaller sizes with --size, or another folder with TMPDIR."
        )


def grow(
    material: Material,
    sizes: Sequence[int],
    questions: int,
    folder: Path,
    seed: int,
    tell: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return what was measured at each size, smallest first; times of questions in milliseconds.

    Args:
        material: real texts and questions.
        sizes: numbers of passages, each a multiple of 20.
        questions: how many are timed at each size, after as many others.
        folder: an empty folder to work in.
        seed: of the synthetic passages.
        tell: called with what is being done.
    """
    real, growing = folder / "real", folder / "growing"
    tell("Encoding real texts to learn from")
    with Worker("growth") as worker:
        texts = [list(text) for text in material.texts[:_MOST_REAL_TEXTS]]
        real_passages = worker.ask("start", directory=str(real), texts=texts)
    asked = [material.questions[n % len(material.questions)] for n in range(2 * questions)]
    found = []
    built = 0.0
    for size in sorted(sizes):
        tell(f"Growing to {size:,} passages")
        with Worker("growth") as worker:
            done = worker.ask("grow", directory=str(growing), source=str(real), passages=size, seed=seed)
        built += done["store_seconds"] + done["index_seconds"]
        tell(f"Searching {size:,} passages")
        found.append(
            {"passages": size, "built_seconds": built, **done, **_searched(growing, asked, questions)}
        )
    return [{"real_passages": real_passages, **one} for one in found]


def _searched(directory: Path, asked: Sequence[str], questions: int) -> dict[str, Any]:
    with Worker("growth") as worker:
        opened = worker.ask("open", directory=str(directory))
        # Not the questions that are timed, but words that they share with these.
        worker.ask("search", questions=asked[:questions])
        times = worker.ask("search", questions=asked[questions:])
        memory = worker.ask("memory")
        recall = worker.ask("recall", questions=asked[:_RECALL_QUESTIONS])
    disk = sum(path.stat().st_size for path in directory.iterdir())
    return {
        "open_seconds": opened["seconds"],
        "vectors_megabytes": opened["vectors_megabytes"],
        "megabytes": memory,
        "disk_megabytes": disk / 1e6,
        "recall_at_10": recall,
        "ms": {name: percentiles(values) for name, values in times.items()},
    }
