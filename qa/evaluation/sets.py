"""One shape for question sets of every format, found out by what they look like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from index.errors import SettingsError
from index.load import find_files
from index.load.files import absolute
from qa.evaluation.beir import is_beir, read_beir
from qa.evaluation.files import unpacked
from qa.evaluation.jsonl import read_jsonl
from qa.evaluation.squad import Example, read_squad

Form = Literal["squad", "jsonl", "beir", "folder"]

FORMATS = "a file in SQuAD JSON or JSON lines (question, answers, document), or a BEIR folder"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions and what is known about them.

    ``sha256`` is that of the file, unpacked where it is gzip; of a BEIR folder, that of the lines that
    ``sha256sum`` prints for its three files by name, and likewise of any other folder. ``documents`` and
    ``judgements`` are those of BEIR: texts by id, and grades of documents by question; other formats bring
    their texts with the questions. ``files`` are those of a folder of documents, which has no questions.
    """

    name: str
    form: Form
    sha256: str
    examples: tuple[Example, ...]
    documents: Mapping[str, str] = field(default_factory=dict)
    judgements: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def read_set(path: str | Path) -> QuestionSet:
    """Read a question set of any format.

    Raises:
        SettingsError: it cannot be read; the message names the file, and the line or place.
    """
    found = _read(Path(path))
    return replace(found, examples=tuple(replace(one, set=found.name) for one in found.examples))


def _read(path: Path) -> QuestionSet:
    if is_beir(path):
        beir = read_beir(path)
        sums = _sums((one.name.removesuffix(".gz"), unpacked(one, FORMATS)) for one in beir.files)
        name = (path if path.is_dir() else path.parent.parent).resolve().name
        split = beir.files[2].name.split(".")[0]
        return QuestionSet(
            f"{name}.{split}",
            "beir",
            sums,
            beir.questions,
            beir.documents,
            beir.judgements,
        )
    if path.is_dir():
        return _folder(path)
    name = path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".jsonl")
    if _is_lines(path):
        return QuestionSet(name, "jsonl", _sha256(path), tuple(read_jsonl(path)))
    return QuestionSet(name, "squad", _sha256(path), tuple(read_squad(path)))


def _folder(path: Path) -> QuestionSet:
    files, _ = find_files([path])
    if not files:
        raise SettingsError(f"{path}: no document there that can be read, and no question set")
    sums = _sums((str(one.relative_to(absolute(path))), one.read_bytes()) for one in files)
    return QuestionSet(path.resolve().name, "folder", sums, (), files=tuple(files))


def _sums(files: Iterable[tuple[str, bytes]]) -> str:
    """Return the SHA-256 of what ``sha256sum`` prints for files, given as names and contents."""
    lines = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def read_sets(paths: Iterable[Path], *, with_answers: bool = True) -> list[QuestionSet]:
    """Read several sets.

    Args:
        paths: files and folders.
        with_answers: whether to refuse sets that only say which documents are relevant.

    Raises:
        SettingsError: one cannot be read, two have the same name, or one has no answers and has to.
    """
    sets = [read_set(path) for path in paths]
    names = [one.name for one in sets]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise SettingsError(f"Two question sets are called {repeated[0]}: give each file a name of its own")
    for one in sets:
        if with_answers and one.form == "beir":
            raise SettingsError(
                f"{one.name} is in BEIR's format, which says what is relevant and not what is answered: "
                "measure retrieval with it"
            )
    if sets and not any(one.examples or one.files for one in sets):
        raise SettingsError(f"{', '.join(names)}: no question there")
    return sets


def sample(examples: Sequence[Example], limit: int | None, seed: int) -> list[Example]:
    """Return at most ``limit`` examples, drawn without replacement, in the order they are in."""
    if limit is None or limit >= len(examples):
        return list(examples)
    if limit < 1:
        raise SettingsError(f"The limit is {limit}: ask at least one question")
    chosen = np.random.default_rng(seed).choice(len(examples), limit, replace=False)
    return [examples[place] for place in sorted(chosen.tolist())]


def _sha256(path: Path) -> str:
    return hashlib.sha256(unpacked(path, FORMATS)).hexdigest()


def _is_lines(path: Path) -> bool:
    """Return whether a file is JSON lines: its first line is an object by itself, and not SQuAD's."""
    first = unpacked(path, FORMATS).lstrip().split(b"\n", 1)[0]
    try:
        value: object = json.loads(first.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return path.name.removesuffix(".gz").endswith(".jsonl")
    return isinstance(value, dict) and "data" not in value and "version" not in value
