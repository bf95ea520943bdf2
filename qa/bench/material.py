"""What is measured with: texts in files, and questions about them. Knows question sets; measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from index.errors import SettingsError
from qa.evaluation.sets import read_set

_SEEDS_QUESTIONS = "qa.evaluation", "data/seeds.json"


@dataclass(frozen=True, slots=True)
class Material:
    """Texts by file name, in a random order, and questions about some of them."""

    name: str
    texts: tuple[tuple[str, str], ...]
    questions: tuple[str, ...]

    def write(self, folder: Path, limit: int) -> None:
        """Write the first ``limit`` texts into a folder, a file each."""
        folder.mkdir(parents=True)
        for name, text in self.texts[:limit]:
            (folder / name).write_text(text, "utf-8")


def load_material(paths: Sequence[Path], seed: int) -> Material:
    """Return the texts and questions of question sets, by default those of the documents that come along.

    Raises:
        SettingsError: a set cannot be read, or holds no texts.
    """
    package, data = _SEEDS_QUESTIONS
    sets = [read_set(path) for path in paths or [Path(str(resources.files(package) / data))]]
    examples = [example for one in sets for example in one.examples]
    given = list(dict.fromkeys(example.context for example in examples if example.context.strip()))
    given += [text for one in sets for text in one.documents.values()]
    if not given:
        raise SettingsError(
            f"{', '.join(map(str, paths))}: no texts in there. Give question sets with texts."
        )
    random = np.random.default_rng(seed)
    texts = [(f"text-{place}.txt", given[place]) for place in random.permutation(len(given)).tolist()]
    asked = list(dict.fromkeys(example.question for example in examples))
    questions = [asked[place] for place in random.permutation(len(asked)).tolist()]
    return Material(", ".join(one.name for one in sets), tuple(texts), tuple(questions))
