"""Hard negatives: passages that Verbatim's own search takes for an answer, and that hold none.

A passage counts as a negative if it holds none of the question's answers in any spelling of case; it may
come from the very paragraph that does. Some may answer in other words: as noise goes, that is little.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import normalize
from qa.evaluation.squad import Example

_SEARCHED = 12
_KEPT = 5
# Beside the hard ones, a passage of another question set: questions off topic are asked as well.
_STRANGERS = 1


def mine(
    corpus: Corpus, examples: Sequence[Example], strangers: Sequence[str], seed: int = 0
) -> Iterator[tuple[str, list[str]]]:
    """Yield each answerable question's id with up to 6 texts that do not answer it.

    Args:
        corpus: the index over the paragraphs of ``examples``.
        examples: what to ask.
        strangers: texts about other things.
        seed: of the choice among ``strangers``.
    """
    rng = np.random.default_rng(seed)
    for example in examples:
        if not example.answers:
            continue
        answers = [normalize(gold.text) for gold in example.answers]
        texts = [hit.passage.text for hit in corpus.index.search(example.question, _SEARCHED)]
        hard = [text for text in texts if not _holds(text, answers)][:_KEPT]
        drawn = [strangers[place] for place in rng.integers(len(strangers), size=_STRANGERS)]
        yield example.id, [*hard, *(text for text in drawn if not _holds(text, answers))]


def _holds(text: str, answers: Sequence[str]) -> bool:
    words = f" {normalize(text)} "
    return any(f" {answer} " in words for answer in answers)


def write_negatives(path: Path, mined: Iterable[tuple[str, list[str]]]) -> None:
    """Write one JSON object a line: ``{"id": ..., "texts": [...]}``."""
    with path.open("a", encoding="utf-8") as file:
        for name, texts in mined:
            file.write(json.dumps({"id": name, "texts": texts}, ensure_ascii=False) + "\n")


def read_negatives(path: Path) -> Mapping[str, Sequence[str]]:
    """Read what :func:`write_negatives` wrote."""
    with path.open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return {record["id"]: record["texts"] for record in records}
