"""What programs use: ``/api``. Typed and documented in ``/api/openapi.json``; the page uses it as well."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, UploadFile
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from qa.web import strings
from qa.web.schemas import (
    Answered,
    Documents,
    DocumentSummary,
    FullDocument,
    Problem,
    Question,
    Removed,
    Reread,
    RereadFile,
    UploadReport,
)
from qa.web.service import service

_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}
router = APIRouter(prefix="/api")


@router.post("/ask", tags=["questions"], summary="Answer a question")
def ask(question: Question, request: Request) -> Answered:
    """Answer with quotes, cited - or say why there is none: that is an answer too, with a ``status``."""
    answer = service(request).library.assistant.answer(
        question.question, documents=question.documents, trace=question.trace
    )
    return Answered.of(answer)


@router.get("/documents", tags=["documents"], summary="List documents")
def documents(
    request: Request,
    query: str = "",
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Documents:
    """Return the documents whose title or file name holds all words of ``query``, the newest first."""
    library = service(request).library
    found = library.listing(query, offset, limit)
    return Documents(
        documents=[DocumentSummary.of(info, library.pages(info)) for info in found.infos],
        matching=found.matching,
        total=found.of,
    )


@router.post("/documents", tags=["documents"], summary="Add documents")
async def upload(files: list[UploadFile], request: Request, wait: bool = True) -> UploadReport:
    """Take in files, and return what became of each; one that cannot be read stops no other.

    With ``wait=false`` return at once; ``/api/uploads/{id}`` then tells how far it is. A file with the
    name of an earlier one replaces it.
    """
    given = [(file.filename or "", file.file) for file in files]
    sent = await run_in_threadpool(service(request).uploads.submit, given)
    if wait:
        await asyncio.wrap_future(sent.finished)
    return UploadReport.of(sent)


@router.get("/uploads/{upload}", tags=["documents"], summary="How far an upload is", responses=_MISSING)
def uploaded(upload: str, request: Request) -> UploadReport:
    """Return what became of each file so far."""
    found = service(request).uploads.get(upload)
    if found is None:
        raise HTTPException(404, strings.NO_UPLOAD)
    return UploadReport.of(found)


@router.get("/documents/{document}", tags=["documents"], summary="A document's text", responses=_MISSING)
def text(document: str, request: Request) -> FullDocument:
    """Return the canonical text, into which all offsets count."""
    found = service(request).library.document(document)
    if found is None:
        raise HTTPException(404, strings.NO_DOCUMENT)
    return FullDocument.of(found)


@router.get(
    "/documents/{document}/file",
    tags=["documents"],
    summary="A document's original file",
    response_class=FileResponse,
    responses=_MISSING,
)
def original(document: str, request: Request) -> FileResponse:
    """Return the file as it was given, to be saved: no browser shows it from here."""
    path = service(request).library.original(document)
    if path is None:
        raise HTTPException(404, strings.NO_ORIGINAL)
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


@router.post(
    "/documents/{document}/read",
    tags=["documents"],
    summary="Read a document again",
    responses=_MISSING,
)
def read_again(document: str, request: Request) -> Reread:
    """Read the files of a document again, where they have changed since."""
    report = service(request).library.read_again(document)
    if report is None:
        raise HTTPException(404, strings.NO_DOCUMENT)
    files = [RereadFile(source=one.source, status=one.status, message=one.message) for one in report.files]
    return Reread(files=files)


@router.delete("/documents/{document}", tags=["documents"], summary="Remove a document", responses=_MISSING)
def remove(document: str, request: Request) -> Removed:
    """Remove a document from answers at once, and its quotes from stored conversations.

    A file that was uploaded is deleted; one that was read from elsewhere stays where it is.
    """
    if not service(request).library.remove(document):
        raise HTTPException(404, strings.NO_DOCUMENT)
    return Removed(removed=document)
