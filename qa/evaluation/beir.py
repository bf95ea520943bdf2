"""Reads a folder in the format of BEIR (Thakur et al. 2021): documents, questions, and judgements.

``corpus.jsonl`` has ``_id``, ``title`` and ``text``, ``queries.jsonl`` ``_id`` and ``text``, ``qrels/*.tsv``
a question's id, a document's and a grade. Any of them may be gzip. It says which documents are relevant to
a question, not what the answer is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from index.errors import SettingsError
from qa.evaluation.files import decoded, field, json_lines, unpacked
from qa.evaluation.squad import Example

_FORM = "BEIR"
# The split that results are published on comes first.
_SPLITS = ("test", "dev", "train")


@dataclass(frozen=True, slots=True)
class Beir:
    """Documents by id, the questions that were judged, and the grades of documents by question.

    A document may be judged and yet be missing from ``documents``: it counts as never found, as in
    ``trec_eval``. ``files`` are the three that were read.
    """

    documents: Mapping[str, str]
    questions: tuple[Example, ...]
    judgements: Mapping[str, Mapping[str, int]]
    files: tuple[Path, Path, Path]


def read_beir(path: str | Path) -> Beir:
    """Read a folder, or the split of it that a path to one of its ``qrels`` files names.

    Raises:
        SettingsError: a file is missing or broken; the message names file and line.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent.parent
    files = _named(folder / "corpus.jsonl"), _named(folder / "queries.jsonl"), _split(path)
    documents = {name: text for name, text in _texts(files[0], with_title=True).items() if text}
    queries = _texts(files[1], with_title=False)
    judgements = _judgements(files[2])
    unknown = [name for name in judgements if name not in queries]
    if unknown:
        raise SettingsError(f"{files[2]} judges the question {unknown[0]!r}, which {files[1]} does not have")
    if not any(name in documents for judged in judgements.values() for name in judged):
        raise SettingsError(f"{files[2]} judges no document that {files[0]} has: are they of one set?")
    questions = tuple(
        Example(name, queries[name], "", "", (), impossible=False, kind="judged") for name in judgements
    )
    return Beir(documents, questions, judgements, files)


def is_beir(path: Path) -> bool:
    """Return whether a path is such a folder, whole or not, or one of its files of judgements."""
    named = ("corpus.jsonl", "corpus.jsonl.gz", "queries.jsonl", "queries.jsonl.gz", "qrels")
    judgements = path.parent.name == "qrels" and path.name.endswith((".tsv", ".tsv.gz"))
    return judgements or any((path / name).exists() for name in named)


def _named(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    for one in (path, packed):
        if one.is_file():
            return one
    raise SettingsError(f"{path} is missing: a BEIR folder has corpus.jsonl, queries.jsonl and qrels/*.tsv")


def _split(path: Path) -> Path:
    if path.is_file():
        return path
    found = {
        one.name.split(".")[0]: one
        for pattern in ("*.tsv.gz", "*.tsv")
        for one in sorted((path / "qrels").glob(pattern))
    }
    names = [name for name in _SPLITS if name in found] or sorted(found)
    if not names:
        raise SettingsError(f"{path / 'qrels'} has no .tsv file: a BEIR folder has its judgements there")
    return found[names[0]]


def _texts(path: Path, *, with_title: bool) -> dict[str, str]:
    texts: dict[str, str] = {}
    for where, record in json_lines(path, _FORM):
        name = field(record, "_id", str, where, _FORM)
        text = field(record, "text", str, where, _FORM).strip()
        title = field(record, "title", str, where, _FORM, default="").strip() if with_title else ""
        if name in texts:
            raise SettingsError(f"{where}: the id {name!r} was used above: give each its own")
        if not with_title and not text:
            raise SettingsError(f"{where}: the question is empty")
        texts[name] = f"{title}\n\n{text}".strip() if title else text
    if not texts:
        raise SettingsError(f"{path} is empty")
    return texts


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    lines = decoded(path, unpacked(path, "a file in BEIR format"), _FORM).splitlines()
    for number, line in enumerate(lines, 1):
        cells = line.rstrip("\r").split("\t")
        if not line.strip() or (number == 1 and cells[-1] == "score"):
            continue
        try:
            question, document, grade = cells
            judgements.setdefault(question, {})[document] = int(grade)
        except ValueError as error:
            raise SettingsError(
                f"{path}: line {number} is not a question's id, a document's and a whole number, "
                "separated by tabs"
            ) from error
    if not judgements:
        raise SettingsError(f"{path} has no judgements")
    return judgements
