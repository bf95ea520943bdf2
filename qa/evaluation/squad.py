"""Reads SQuAD 1.1 and 2.0 JSON, plain or gzip. Knows the format; does not know how answers are scored.

A file is read whole or not at all: an offset that does not cut its answer out, or an id used twice, would
make every figure computed from it quietly wrong, so it is an error that names the file and the place.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from index.errors import SettingsError
from qa.evaluation.files import field, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gold:
    """An answer that a person gave: ``context[start:start + len(text)] == text``."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its paragraph, or its whole document, and what people answered.

    ``answers`` is empty exactly where the question is ``impossible``, or where a set only says which
    documents are relevant (BEIR). ``kind`` is the file's own where it gives one (``answerable``,
    ``not_answered``, ``off_topic``); otherwise it follows from ``impossible``. ``path`` is the file whose
    canonical text ``context`` is, where there is one; ``set`` names the question set, once several are read.
    """

    id: str
    question: str
    context: str
    title: str
    answers: tuple[Gold, ...]
    impossible: bool
    kind: str
    path: Path | None = None
    set: str = ""

    @property
    def group(self) -> str:
        """What stands or falls together: the article or, where it has no title, the text."""
        return self.title or self.context


def read_squad(path: str | Path) -> list[Example]:
    """Read every question of a SQuAD file, in the order of the file.

    Raises:
        SettingsError: the file is missing, is broken, or is not SQuAD JSON; the message says where.
    """
    path = Path(path)
    examples = list(_examples(_parse(path, unpacked(path, "a file in SQuAD format")), f"{path}: root"))
    _refuse_repeated_ids(examples, path)
    return examples


def _parse(path: Path, raw: bytes) -> object:
    try:
        # utf-8-sig: editors on Windows put a mark at the start, which json refuses.
        root: object = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path} is not JSON in UTF-8 ({error}): give a SQuAD file, plain or gzip"
        ) from error
    return root


def _examples(root: object, where: str) -> Iterator[Example]:
    for in_article, article in _members(root, "data", where):
        title = _get(article, "title", str, in_article, default="")
        for in_paragraph, paragraph in _members(article, "paragraphs", in_article):
            context = _get(paragraph, "context", str, in_paragraph)
            for in_question, record in _members(paragraph, "qas", in_paragraph):
                yield _example(record, context, title, in_question)


def _example(record: object, context: str, title: str, where: str) -> Example:
    # SQuAD 1.1 has no is_impossible: every question of it is answered.
    impossible = _get(record, "is_impossible", bool, where, default=False)
    answers = tuple(_gold(answer, context, at) for at, answer in _members(record, "answers", where))
    if impossible and answers:
        raise SettingsError(f'{where} has answers, but "is_impossible" is true: drop one of the two')
    if not impossible and not answers:
        raise SettingsError(f'{where} has no answer: give one, or set "is_impossible" to true')
    return Example(
        id=_get(record, "id", str, where),
        question=_get(record, "question", str, where),
        context=context,
        title=title,
        answers=answers,
        impossible=impossible,
        kind=_get(record, "kind", str, where, default="not_answered" if impossible else "answerable"),
    )


def _gold(answer: object, context: str, where: str) -> Gold:
    text = _get(answer, "text", str, where)
    start = _get(answer, "answer_start", int, where)
    # A negative start would cut from the end of the context.
    if not text or start < 0 or context[start : start + len(text)] != text:
        raise SettingsError(
            f'{where}: the context does not hold {text!r} at {start}: correct "answer_start", in code points'
        )
    return Gold(text, start)


def _members(owner: object, key: str, where: str) -> Iterator[tuple[str, object]]:
    """Return the items of the list ``owner[key]``, each with its place for messages."""
    items: list[object] = _get(owner, key, list, where)
    return ((f"{where}.{key}[{number}]", item) for number, item in enumerate(items))


def _get(owner: object, key: str, kind: type[T], where: str, default: T | None = None) -> T:
    return field(owner, key, kind, where, "SQuAD", default)


def _refuse_repeated_ids(examples: list[Example], path: Path) -> None:
    counts = Counter(example.id for example in examples)
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise SettingsError(f"{path} uses the id {repeated[0]!r} for several questions: give each its own")
