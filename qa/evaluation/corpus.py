"""Question sets as a corpus: an index over their texts, and which passages hold each answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from index import Index, Passage
from index.errors import SettingsError
from index.ingest import OnProgress
from index.load.files import absolute
from qa.evaluation.sets import QuestionSet
from qa.evaluation.squad import Example


class Corpus:
    """An index over the paragraphs, texts and files of question sets, each of them a document."""

    def __init__(
        self,
        index: Index,
        examples: Sequence[Example],
        on_progress: OnProgress | None = None,
        files: Sequence[Path] = (),
    ) -> None:
        """Take in the texts and files that ``index`` lacks; ``files`` are documents beside the examples'.

        Raises:
            SettingsError: there is no document to search.
        """
        self.index = index
        self.examples = tuple(examples)
        known = dict.fromkeys((one.context, one.path) for one in examples if one.context)
        names = {
            context: str(absolute(path)) if path else f"paragraph-{number}"
            for number, (context, path) in enumerate(known)
        }
        texts = [(names[context], context) for context, path in known if path is None]
        index.add_texts(texts, on_progress=on_progress)
        # Through the loader, so that pages, sections and marked text are what a user has.
        index.add([*(path for _, path in known if path), *files], on_progress=on_progress)
        if index.is_empty:
            raise SettingsError(
                "No document to search: name one with the questions, or a folder of documents with --among"
            )
        ids = {source: info.id for info in index.documents() for source in info.sources}
        self._documents = {context: ids[name] for context, name in names.items() if name in ids}
        self._titles = {
            self._documents[one.context]: one.title for one in examples if one.context in self._documents
        }
        self._names = {ids[name]: Path(name).name for name in map(str, map(absolute, files)) if name in ids}
        self._passages = {
            context: index.passages(document_id) for context, document_id in self._documents.items()
        }

    def document_id(self, example: Example) -> str | None:
        """Return the document that holds the example's paragraph, or ``None``."""
        return self._documents.get(example.context)

    def title(self, document_id: str) -> str:
        """Return what a question set calls a document, or the name of its file."""
        return self._titles.get(document_id) or self._names.get(document_id, "")

    def relevant(self, example: Example) -> set[int]:
        """Return the ids of the passages that hold one of the example's answers whole."""
        return {passage.id for passage in self._passages.get(example.context, ()) if _held(passage, example)}


def _held(passage: Passage, example: Example) -> bool:
    return any(
        passage.start <= gold.start and gold.start + len(gold.text) <= passage.end for gold in example.answers
    )


def open_corpus(
    directory: Path, examples: Sequence[Example], on_progress: OnProgress | None = None
) -> Corpus:
    """Open an index in ``directory`` over the examples' paragraphs."""
    return Corpus(Index.open(directory), examples, on_progress)


class JudgedCorpus:
    """An index over the documents of sets in BEIR's format, and which of them were judged relevant."""

    def __init__(
        self, index: Index, sets: Sequence[QuestionSet], on_progress: OnProgress | None = None
    ) -> None:
        """Take in the documents that ``index`` lacks."""
        self.index = index
        index.add_texts(
            ((f"{one.name}/{name}", text) for one in sets for name, text in one.documents.items()),
            on_progress=on_progress,
        )
        self._ids = {source: info.id for info in index.documents() for source in info.sources}
        self._names = {document_id: source for source, document_id in self._ids.items()}

    def title(self, document_id: str) -> str:
        """Return the set and the name of a document; one of them, where it has several."""
        return self._names.get(document_id, "")

    def judgements(self, of: QuestionSet, question: Example) -> dict[str, int]:
        """Return the grades of documents by id; one that is not in the corpus keeps its name.

        The same text under several names is one document, which has the highest of their grades.
        """
        grades: dict[str, int] = {}
        for name, grade in of.judgements[question.id].items():
            document_id = self._ids.get(f"{of.name}/{name}", f"missing: {name}")
            grades[document_id] = max(grade, grades.get(document_id, grade))
        return grades
