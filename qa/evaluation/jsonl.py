"""Reads question sets of one's own: a line a question, about files or texts of one's own.

``{"question": "Who led it?", "answers": ["Murad Kunakbaev"], "document": "minutes.pdf"}``: ``document`` is
the path of a file, as seen from the folder of the question set, or the text itself. Answers are copied from
it word for word; none at all says that it does not answer the question. ``id`` and ``kind`` are optional.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from index.errors import LoadError, SettingsError
from index.load import SUFFIXES, load
from index.load.decode import canonical
from qa.evaluation.files import field, json_lines
from qa.evaluation.squad import Example, Gold

_FORM = "JSON lines"


def read_jsonl(path: str | Path) -> list[Example]:
    """Read every question of a file, in its order.

    Raises:
        SettingsError: the file, or a document it names, cannot be read or is not what it should be; the
            message names file and line.
    """
    path = Path(path)
    documents: dict[str, tuple[str, Path | None]] = {}
    examples: list[Example] = []
    for where, record in json_lines(path, _FORM):
        number = where.rpartition(" ")[2]
        examples.append(_example(record, where, f"line-{number}", path.parent, documents))
    if not examples:
        raise SettingsError(f"{path} holds no question: write one object a line")
    _refuse_repeated_ids(examples, path)
    return examples


def _example(
    record: object, where: str, name: str, folder: Path, documents: dict[str, tuple[str, Path | None]]
) -> Example:
    question = field(record, "question", str, where, _FORM)
    answers = field(record, "answers", list, where, _FORM)
    # A question that nothing answers need not name a document.
    given = field(record, "document", str, where, _FORM, default=None if answers else "")
    if given not in documents:
        documents[given] = _document(given, folder, where)
    text, path = documents[given]
    if not question.strip():
        raise SettingsError(f'{where}: "question" is empty: ask something')
    return Example(
        id=field(record, "id", str, where, _FORM, default=name),
        question=question,
        context=text,
        title=path.name if path else "",
        answers=tuple(gold for answer in answers for gold in _golds(answer, text, where)),
        impossible=not answers,
        kind=field(record, "kind", str, where, _FORM, default="answerable" if answers else "not_answered"),
        path=path,
    )


def _document(given: str, folder: Path, where: str) -> tuple[str, Path | None]:
    """Return a text, and the file it comes from: one line that ends as the name of a file is one."""
    name = Path(given)
    if "\n" in given or name.suffix.lower() not in SUFFIXES:
        return canonical(given), None
    path = folder / name
    try:
        return load(path).text, path
    except LoadError as error:
        raise SettingsError(f'{where}: "document": {error}') from error


def _golds(answer: object, text: str, where: str) -> Iterator[Gold]:
    """Return every place where a text holds an answer, line breaks and other white space aside."""
    if not isinstance(answer, str) or not answer.strip():
        raise SettingsError(f"{where}: an answer is not a string with words in it: {answer!r}")
    words = r"\s+".join(map(re.escape, answer.split()))
    # Whole words where there are any: "3" is not an answer that stands in "2013".
    found = list(re.finditer(rf"(?<!\w){words}(?!\w)", text)) or list(re.finditer(words, text))
    if not found:
        raise SettingsError(
            f"{where}: the document does not hold {answer!r}: copy it from there word for word"
        )
    for match in found:
        yield Gold(match[0], match.start())


def _refuse_repeated_ids(examples: list[Example], path: Path) -> None:
    seen: set[str] = set()
    for example in examples:
        if example.id in seen:
            raise SettingsError(f"{path} uses the id {example.id!r} for several questions: give each its own")
        seen.add(example.id)
