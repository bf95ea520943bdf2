"""The query pipeline: search, read, rank, decide, cite. Holds an index, a reader and settings."""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from index.errors import IndexMismatch
from index.home import index_directory, seeds_directory
from index.index import Index, check_question
from index.store import FILE_NAME
from index.types import Document, Encoder, Hit, Range
from qa.about import about
from qa.cite import cite
from qa.confidence import CALIBRATIONS, Ranked, answer_words, decide, rank
from qa.followup import stand_alone
from qa.read import SENTENCES, load_reader
from qa.settings import Settings
from qa.types import Answer, Candidate, Citation, Reader, Reading, Trace, Turn
from qa.widen import widen

logger = logging.getLogger(__name__)

Stage = Literal["searching", "reading"]
_NEAR_MISSES = 3
# Beside this package, in a checkout and in an installation alike.
_SEEDS = Path(__file__).resolve().parent.parent / "seeds"


class Assistant:
    """Answers questions over one index. Safe to use from several threads; close it, or use ``with``."""

    def __init__(self, index: Index, settings: Settings | None = None, reader: Reader | None = None) -> None:
        self.index = index
        self.settings = settings or Settings()
        self.reader = reader or load_reader(self.settings.reader, index.encoder)
        self.calibration = CALIBRATIONS[self.reader.kind]
        self.threshold = self._threshold()

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        *,
        settings: Settings | None = None,
        encoder: Encoder | None = None,
    ) -> Self:
        """Open an index directory; by default the user's own index, else the documents that come along.

        Args:
            index: the index's folder.
            settings: by default those of the environment.
            encoder: one that is loaded already.

        Raises:
            StoreError: there is no index, or it cannot be used.
            ModelError: the encoder or the reader cannot be loaded.
            SettingsError: a variable of the environment has a value that cannot be used.
        """
        settings = settings or Settings.from_env()
        chosen = encoder or settings.encoder
        own = index is not None or has_own_index()
        if own:
            # What is wrong with the index is told before any model is loaded, or prepared.
            Index.open(index, encoder=chosen, create=False, lazy=True).close()
        with ThreadPoolExecutor(1) as pool:
            # While the encoder is loaded, so is the reader, unless it needs the encoder.
            loading = (
                None if settings.reader == SENTENCES else pool.submit(load_reader, settings.reader, None)
            )
            opened = Index.open(index, encoder=chosen, create=False) if own else seeds_index(chosen)
            try:
                return cls(opened, settings, loading.result() if loading else None)
            except BaseException:
                opened.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def _threshold(self) -> float:
        if self.settings.threshold is not None:
            return self.settings.threshold
        return self.calibration.strict if self.settings.strict else self.calibration.threshold

    def answer(
        self, question: str, *, documents: Collection[str] | None = None, trace: bool = False
    ) -> Answer:
        """Answer one question.

        Args:
            question: 1 to 2,000 characters.
            documents: ids of the only documents to use.
            trace: whether the answer shall carry the scores of the passages that were read.

        Raises:
            QuestionError: the question is empty or too long.
        """
        return self.reply(question, (), documents=documents, trace=trace)

    def answer_many(self, questions: Iterable[str]) -> list[Answer]:
        """Answer questions in order."""
        return [self.answer(question) for question in questions]

    def reply(
        self,
        message: str,
        turns: Sequence[Turn],
        *,
        documents: Collection[str] | None = None,
        trace: bool = False,
    ) -> Answer:
        """Answer a message of a conversation, which may leave to the turns before it what it is about.

        Args:
            message: 1 to 2,000 characters.
            turns: the conversation before it, oldest first.
            documents: ids of the only documents to use.
            trace: whether the answer shall carry the scores of the passages that were read.

        Returns:
            The answer to ``answer.asked``: the message with what it referred to put in, or the message itself
            where it stands alone. ``answer.question`` is the message.

        Raises:
            QuestionError: the message is empty or too long.
        """
        *_, result = self.stages(message, turns=turns, documents=documents, trace=trace)
        if not isinstance(result, Answer):
            raise TypeError("the last stage is always an answer")
        return result

    def stages(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        documents: Collection[str] | None = None,
        trace: bool = False,
    ) -> Iterator[Stage | Answer]:
        """Answer one question in stages: yields ``"searching"``, ``"reading"`` and the answer, last.

        A question that needs no reading skips to its answer. As :meth:`answer` and :meth:`reply` otherwise.
        """
        check_question(question)
        question = question.strip()
        asked = stand_alone(question, turns)
        # Ids are listed only where some are to be chosen: of many documents that takes longer than a search.
        chosen = None if documents is None else set(self.index.document_ids()).intersection(documents)
        count = None if chosen is None else len(chosen)
        for stage in self._stages(asked, chosen, trace=trace):
            yield replace(stage, question=question, chosen=count) if isinstance(stage, Answer) else stage

    def _stages(self, question: str, chosen: set[str] | None, *, trace: bool) -> Iterator[Stage | Answer]:
        yield "searching"
        if self.index.is_empty:
            yield Answer(question, question, "no_index")
        elif chosen is not None and not chosen:
            yield Answer(question, question, "filtered")
        elif (direct := about(question, self.index, chosen, self.settings.candidates)) is not None:
            yield direct
        else:
            hits = self.index.search(
                question,
                self.settings.passages,
                documents=chosen,
                dense_weight=self.settings.dense_weight,
            )
            yield "reading"
            readings = self.reader.read(question, hits)
            found = self._decide(question, hits, readings)
            yield replace(found, trace=_trace(hits, readings)) if trace else found

    def _decide(self, question: str, hits: Sequence[Hit], readings: Sequence[Reading]) -> Answer:
        ranked = rank(readings, hits, self.calibration)
        status = decide(ranked, hits, self.threshold)
        if status == "answered":
            best = [one for one in ranked if one.confidence >= self.threshold]
            if candidates := self._candidates(question, best, self.settings.candidates):
                return Answer(question, question, status, candidates)
            status = "not_found"  # what was found has been removed since
        if not _latin(question) and not any(hit.lexical for hit in hits):
            status = "language"
        near = self._candidates(question, ranked, _NEAR_MISSES)
        return Answer(question, question, status, near_misses=tuple(one.citations[0] for one in near))

    def _candidates(self, question: str, ranked: Sequence[Ranked], most: int) -> tuple[Candidate, ...]:
        """Cite the best ``most`` answers that no quote of a better one shows already.

        Fragments that were told apart may say the same once they are widened: then one supports the other.
        """
        given: list[tuple[float, list[Citation]]] = []
        find = cache(self.index.document)
        for one in ranked:
            if len(given) == most:
                break
            known = [citation for _, citations in given for citation in citations]
            if _is_quoted(one, known):
                continue
            is_new = True
            for cited in _cited(question, one, find):
                if any(_same_place(cited, other) for other in known):
                    continue
                same = next((held for _, held in given if _says_the_same(cited, held[0])), None)
                if same is not None:
                    same.append(cited)
                elif is_new:
                    given.append((one.confidence, [cited]))
                    is_new = False
                else:
                    continue
                known.append(cited)
        numbers = itertools.count(1)
        return tuple(
            Candidate(_shown(held[0]), confidence, tuple(replace(it, number=next(numbers)) for it in held))
            for confidence, held in given
        )


def _cited(question: str, one: Ranked, find: Callable[[str], Document | None]) -> Iterator[Citation]:
    """Yield a citation of each span, best first, unnumbered as yet."""
    for span, passage in one.spans:
        document = find(passage.document_id)
        # A document that was removed or replaced since the search is not quoted.
        if document is not None and document.text[passage.start : passage.end] == passage.text:
            yield cite(0, widen(question, span, passage), passage, document)


def _shown(citation: Citation) -> str:
    return citation.quote[citation.answer_start - citation.start : citation.answer_end - citation.start]


def _says_the_same(one: Citation, other: Citation) -> bool:
    return answer_words(_shown(one)) == answer_words(_shown(other))


def _same_place(one: Citation, other: Citation) -> bool:
    """Whether two answers are for the most part the same words of one document."""
    return one.document_id == other.document_id and Range(one.answer_start, one.answer_end).mostly_overlaps(
        Range(other.answer_start, other.answer_end)
    )


def _is_quoted(one: Ranked, citations: Sequence[Citation]) -> bool:
    span, passage = one.spans[0]
    return any(
        citation.document_id == passage.document_id
        and citation.start <= span.start
        and span.end <= citation.end
        for citation in citations
    )


def _trace(hits: Sequence[Hit], readings: Sequence[Reading]) -> tuple[Trace, ...]:
    return tuple(
        Trace(
            hit.passage.document_id,
            hit.passage.start,
            hit.passage.end,
            hit.passage.text,
            hit.score,
            hit.dense,
            hit.lexical,
            reading.null_score,
            reading.spans,
        )
        for hit, reading in zip(hits, readings, strict=True)
    )


def has_own_index() -> bool:
    """Return whether the user has an index of their own with documents in it.

    Raises:
        StoreError: it cannot be used.
    """
    if not (index_directory() / FILE_NAME).is_file():
        return False
    with Index.open(index_directory(), create=False, lazy=True) as index:
        return not index.is_empty


# By folder, and by what tells a database from another that took its place.
_shared: dict[tuple[Path, int, int], Assistant] = {}
_shared_lock = threading.Lock()


def answer(
    question: str, *, index: str | Path | None = None, documents: Collection[str] | None = None
) -> Answer:
    """Answer one question over an index directory; the index stays open for the next question.

    Args:
        question: 1 to 2,000 characters.
        index: the index's folder; by default the user's own, else the documents that come with Verbatim.
        documents: ids of the only documents to use.

    Raises:
        QuestionError: the question is empty or too long.
        StoreError: there is no index, or it cannot be used.
        ModelError: the encoder cannot be loaded.
    """
    own = Path(index).expanduser().resolve() if index else index_directory() if has_own_index() else None
    with _shared_lock:
        assistant = _shared.get(_database(own or seeds_directory()))
        if assistant is None:
            assistant = Assistant.open(own)
            _shared[_database(assistant.index.directory)] = assistant
    return assistant.answer(question, documents=documents)


def _database(directory: Path) -> tuple[Path, int, int]:
    try:
        stat = (directory / FILE_NAME).stat()
    except OSError:
        return directory, 0, 0
    return directory, stat.st_dev, stat.st_ino


def seeds_index(encoder: Encoder | str | None) -> Index:
    """Open the index over the documents that come with Verbatim, building it where there is none to use."""
    try:
        index = Index.open(seeds_directory(), encoder=encoder)
    except IndexMismatch:
        # Made from nothing but the package's own files: cheaper built again than explained.
        shutil.rmtree(seeds_directory())
        index = Index.open(seeds_directory(), encoder=encoder)
    try:
        paths = sorted(_SEEDS.glob("*.txt"))
        stored = {source for info in index.documents() for source in info.sources}
        if not stored:
            logger.warning("Indexing the %d documents that come with Verbatim (once)", len(paths))
        index.add(paths)
        # Where Verbatim was installed before.
        index.remove(*(stored - {str(path) for path in paths}))
    except BaseException:
        index.close()
        raise
    return index


def _latin(question: str) -> bool:
    letters = [character for character in question if character.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    # A year or a code alone is in no script at all, and can be searched for.
    return latin >= len(letters) / 2
