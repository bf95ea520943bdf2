"""What programs send and get, typed: the models behind ``/api/openapi.json``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from index.index import MAX_QUESTION_CHARACTERS
from index.types import Document, DocumentInfo
from qa.types import Answer, Candidate, Citation, Status, Trace
from qa.web.uploads import State, Taken, Upload


class Question(BaseModel):
    """A question, and the only documents to use, by id; without them, all."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)]
    documents: list[str] | None = None
    trace: bool = False


class Answered(BaseModel):
    """An answer, or an abstention: then ``status`` and ``reason`` say why.

    ``chosen`` is how many documents were asked where only some were to be, null where all were. Offsets count
    code points of the document's text, half open: ``text[start:end] == quote``.
    """

    question: str
    asked: str
    status: Status
    reason: str
    text: str | None
    confidence: float
    citations: list[Citation]
    candidates: list[Candidate]
    near_misses: list[Citation]
    trace: list[Trace]
    chosen: int | None

    @classmethod
    def of(cls, answer: Answer) -> Answered:
        """Return what a program gets of an answer."""
        return cls(
            question=answer.question,
            asked=answer.asked,
            status=answer.status,
            reason=answer.reason,
            text=answer.text,
            confidence=answer.confidence,
            citations=list(answer.citations),
            candidates=list(answer.candidates),
            near_misses=list(answer.near_misses),
            trace=list(answer.trace),
            chosen=answer.chosen,
        )


class DocumentSummary(BaseModel):
    """What a list shows of a document. ``pages`` is null for formats without pages."""

    id: str
    title: str
    date: str | None
    sources: list[str]
    pages: int | None
    characters: int
    passages: int
    warnings: list[str]

    @classmethod
    def of(cls, info: DocumentInfo, pages: int | None) -> DocumentSummary:
        """Return what a program gets of a document."""
        return cls(
            id=info.id,
            title=info.title,
            date=info.date,
            sources=list(info.sources),
            pages=pages,
            characters=info.characters,
            passages=info.passages,
            warnings=list(info.warnings),
        )


class Stretch(BaseModel):
    """Code points of a document's text, half open."""

    start: int
    end: int


class FullDocument(BaseModel):
    """A document's canonical text, its pages, and what is marked as boilerplate and never quoted."""

    id: str
    title: str
    source: str
    text: str
    pages: list[Stretch]
    marked: list[Stretch]

    @classmethod
    def of(cls, document: Document) -> FullDocument:
        """Return what a program gets of a document's text."""
        return cls(
            id=document.id,
            title=document.title,
            source=document.source,
            text=document.text,
            pages=[Stretch(start=page.start, end=page.end) for page in document.pages],
            marked=[Stretch(start=mark.start, end=mark.end) for mark in document.marked],
        )


class Documents(BaseModel):
    """Some of the documents; ``matching`` is how many match the search, ``total`` how many there are."""

    documents: list[DocumentSummary]
    matching: int
    total: int


class UploadedFile(BaseModel):
    """What became of one file; ``document`` is its id, null where it failed."""

    name: str
    state: State
    passages: int
    message: str
    warnings: list[str]
    document: str | None

    @classmethod
    def of(cls, taken: Taken) -> UploadedFile:
        """Return what a program gets of an uploaded file."""
        return cls(
            name=taken.name,
            state=taken.state,
            passages=taken.passages,
            message=taken.message,
            warnings=list(taken.warnings),
            document=taken.document,
        )


class UploadReport(BaseModel):
    """How far an upload is; ``done`` once its last file is through."""

    id: str
    done: bool
    files: list[UploadedFile]

    @classmethod
    def of(cls, upload: Upload) -> UploadReport:
        """Return how far an upload is."""
        return cls(id=upload.id, done=upload.done, files=[UploadedFile.of(file) for file in upload.files])


class Removed(BaseModel):
    """The id of the document that is gone."""

    removed: str


class Reread(BaseModel):
    """What became of each file of a document that was read again."""

    files: list[RereadFile]


class RereadFile(BaseModel):
    """What became of one file."""

    source: str
    status: str
    message: str


class Problem(BaseModel):
    """Why a request could not be served, and what to do."""

    detail: str
