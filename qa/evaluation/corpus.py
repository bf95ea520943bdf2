"""Question sets as a corpus: an index over their paragraphs, and which passages hold each answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from index import Index
from index.ingest import OnProgress
from qa.evaluation.squad import Example


class Corpus:
    """An index over the paragraphs of question sets, each paragraph a document."""

    def __init__(
        self, index: Index, examples: Sequence[Example], on_progress: OnProgress | None = None
    ) -> None:
        """Take in the paragraphs that ``index`` lacks."""
        self.index = index
        self.examples = tuple(examples)
        contexts = dict.fromkeys(example.context for example in examples if example.context)
        names = {context: f"paragraph-{number}" for number, context in enumerate(contexts)}
        index.add_texts(((name, context) for context, name in names.items()), on_progress=on_progress)
        ids = {source: info.id for info in index.documents() for source in info.sources}
        self._documents = {context: ids[name] for context, name in names.items() if name in ids}
        self._passages = {
            context: index.passages(document_id) for context, document_id in self._documents.items()
        }

    def document_id(self, example: Example) -> str | None:
        """Return the document that holds the example's paragraph, or ``None``."""
        return self._documents.get(example.context)

    def relevant(self, example: Example) -> set[int]:
        """Return the ids of the passages that hold one of the example's answers whole."""
        return {
            passage.id
            for passage in self._passages.get(example.context, ())
            for gold in example.answers
            if passage.start <= gold.start and gold.start + len(gold.text) <= passage.end
        }


def open_corpus(
    directory: Path, examples: Sequence[Example], on_progress: OnProgress | None = None
) -> Corpus:
    """Open an index in ``directory`` over the examples' paragraphs."""
    return Corpus(Index.open(directory), examples, on_progress)
