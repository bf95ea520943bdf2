"""Questions to begin with, made from whatever is indexed, and kept only where they get an answer.

Knows that names are written with capitals; knows no language and no particular corpus otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from index.types import Document
from qa.assistant import Assistant
from qa.web import strings

MOST = 4
# A look at the first few documents is enough, and costs the same for a large index.
_DOCUMENTS = 12
_TRIES = 12
_LONGEST_TITLE = 48
_NAME = r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){1,2}"
_SAYS = r"(?:said|says|noted|told|added|explained|stressed|argued|wrote)"
_SPEAKER = re.compile(rf"(?<![.!?] )\b({_NAME}) {_SAYS}\b")
_NAMED = re.compile(rf"(?<=[a-z,] )({_NAME})\b")


def examples(assistant: Assistant) -> list[str]:
    """Return at most four questions that these documents answer, the most general first."""
    infos = assistant.index.documents()[:_DOCUMENTS]
    documents = [found for info in infos if (found := assistant.index.document(info.id)) is not None]
    if not documents:
        return []
    general = [strings.EXAMPLE_ABOUT]
    if 2 * sum(info.date is not None for info in infos) > len(infos):
        general.append(strings.EXAMPLE_PUBLISHED)
    tried = list(dict.fromkeys(chain(general, suggestions(documents))))[:_TRIES]
    answered = (question for question in tried if assistant.answer(question).candidates)
    return [question for question, _ in zip(answered, range(MOST), strict=False)]


def suggestions(documents: Sequence[Document]) -> Iterator[str]:
    """Yield questions about who speaks, short titles and names, in turn, the most frequent first."""
    kinds = (
        [strings.EXAMPLE_SAID.format(name) for name in _frequent(_SPEAKER, documents)],
        [strings.EXAMPLE_TOPIC.format(f"“{title}”") for title in _short_titles(documents)],
        [strings.EXAMPLE_TOPIC.format(name) for name in _frequent(_NAMED, documents)],
    )
    for position in range(max(map(len, kinds))):
        yield from (kind[position] for kind in kinds if position < len(kind))


def _short_titles(documents: Sequence[Document]) -> list[str]:
    titles = (section.title for document in documents for section in document.sections if section.title_at)
    return [title for title in titles if " " in title and len(title) <= _LONGEST_TITLE]


def _frequent(pattern: re.Pattern[str], documents: Sequence[Document]) -> list[str]:
    counts = Counter(match for document in documents for match in pattern.findall(_unmarked(document)))
    return [name for name, _ in counts.most_common(_TRIES)]


def _unmarked(document: Document) -> str:
    """Return the text without menus and footers, whose capitals would drown the names."""
    ends = [0, *(mark.end for mark in document.marked)]
    starts = [*(mark.start for mark in document.marked), len(document.text)]
    return "\n".join(document.text[end:start] for end, start in zip(ends, starts, strict=True))
