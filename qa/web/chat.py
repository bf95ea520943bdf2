"""What the chat does: a question to an answer in stages, and all that is done with stored conversations.

Every route knows the browser by its cookie; a conversation of another browser is one that is not there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from index.errors import VerbatimError
from index.index import MAX_QUESTION_CHARACTERS
from qa.export import conversation_json, conversation_markdown, conversation_text
from qa.feedback import Verdict, mark
from qa.records import quoted_documents
from qa.types import Answer, Turn
from qa.web import rendering, strings
from qa.web import turns as html
from qa.web.library import is_original
from qa.web.rendering import Cited
from qa.web.service import Service, service

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/chat", include_in_schema=False)
# More than anyone asks, and what SQLite can count.
_MOST_TURNS = 1_000_000
_STAGES = {"searching": strings.SEARCHING, "reading": strings.READING}


def known_owner(request: Request) -> str:
    """Return who the browser is, which every page it loads tells it."""
    owner = service(request).access.owner(request)
    if owner is None:
        raise HTTPException(403, strings.NO_CONVERSATION)
    return owner


Owner = Annotated[str, Depends(known_owner)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


# Limited, so that pydantic refuses what is no text too: half of a surrogate pair.
_Id = Annotated[str, Field(max_length=100)]


class Message(_Body):
    """A question of a conversation, a new one where there is no id.

    ``keep`` is how many earlier questions stay, all by default; those beyond go once there is an answer.
    ``alone`` takes the question as it is, whatever came before.
    """

    question: Annotated[str, Field(max_length=MAX_QUESTION_CHARACTERS)]
    conversation: _Id | None = None
    documents: list[_Id] | None = None
    keep: Annotated[int, Field(ge=0, le=_MOST_TURNS)] | None = None
    alone: bool = False


class Keep(_Body):
    """How many questions stay."""

    keep: Annotated[int, Field(ge=0, le=_MOST_TURNS)]


class Title(_Body):
    """A new title."""

    title: Annotated[str, Field(max_length=500)]


class Opinion(_Body):
    """What a person says of an answer; ``document``, ``start`` and ``end`` are the right one, marked."""

    turn: Annotated[int, Field(ge=1, le=_MOST_TURNS)]
    verdict: Verdict | None
    document: _Id | None = None
    start: int = 0
    end: int = 0


@router.post("/ask")
async def ask(message: Message, request: Request, owner: Owner) -> StreamingResponse:
    """Answer in stages: one JSON object a line, the last one the outcome."""
    if message.conversation is not None:
        # Unknown ones are told before the stream begins.
        await run_in_threadpool(service(request).conversations.info, owner, message.conversation)
    lines = _stages(service(request), message, owner)
    return StreamingResponse(lines, media_type="application/x-ndjson")


async def _stages(served: Service, message: Message, owner: str) -> AsyncIterator[str]:
    try:
        earlier = await run_in_threadpool(_kept, served, message, owner)
        steps = served.library.assistant.stages(
            message.question,
            turns=() if message.alone else earlier,
            documents=message.documents or None,
            trace=True,
        )
        # Between steps the browser may have gone: then this stops, and nothing is stored.
        while isinstance(step := await run_in_threadpool(next, steps), str):
            yield _line(stage=_STAGES[step])
        yield await run_in_threadpool(_stored, served, message, owner, step)
    except VerbatimError as error:
        yield _line(error=rendering.failure(str(error)))
    except Exception:
        logger.exception("a question could not be answered")
        yield _line(error=rendering.failure(strings.BROKEN))


def _line(**values: object) -> str:
    return json.dumps(values, ensure_ascii=True) + "\n"


def _kept(served: Service, message: Message, owner: str) -> tuple[Turn, ...]:
    if message.conversation is None:
        return ()
    turns = served.conversations.turns(owner, message.conversation)
    return turns if message.keep is None else turns[: 2 * message.keep]


def _stored(served: Service, message: Message, owner: str, answer: Answer) -> str:
    """Keep question and answer, and return the line that shows them."""
    conversations = served.conversations
    conversation = message.conversation or conversations.create(owner)
    kept = None if message.keep is None else 2 * message.keep
    question = Turn("user", answer.question)
    place = conversations.append(owner, conversation, question, Turn.of(answer), keep=kept)
    number = place // 2 + 1
    # A document that was removed meanwhile is not quoted by what is stored after it, or shown.
    gone = [one for one in quoted_documents(answer) if served.library.document(one) is None]
    for one in gone:
        conversations.forget_document(one)
    if gone:
        answer = conversations.turns(owner, conversation)[place].answer or answer
    cited = citations(served, [answer])
    return _line(
        conversation=conversation,
        title=conversations.info(owner, conversation).title,
        turn=number,
        html=html.turn(answer, number, cited),
        sources=rendering.sources(answer, number, cited),
    )


def citations(served: Service, answers: Iterable[Answer]) -> Cited:
    """Return what is known of the documents that answers cite."""
    library = served.library
    ids = set().union(*(quoted_documents(answer) for answer in answers))
    documents = {one: document for one in ids if (document := library.document(one)) is not None}
    passages = {one: library.passages(one) for one in documents}
    return Cited(documents, passages, lambda source: is_original(Path(source)))


def shown(served: Service, owner: str, conversation: str) -> Iterator[tuple[str, str]]:
    """Yield question and answer as HTML, and their sources, for each of a stored conversation."""
    turns = served.conversations.turns(owner, conversation)
    given = served.conversations.feedback.of(owner, conversation)
    answers = [(place, turn.answer) for place, turn in enumerate(turns) if turn.answer is not None]
    cited = citations(served, [answer for _, answer in answers])
    for number, (place, answer) in enumerate(answers, 1):
        verdict = given[place].verdict if place in given else None
        yield html.turn(answer, number, cited, verdict), rendering.sources(answer, number, cited)


@router.post("/{conversation}/keep", status_code=204)
def keep(conversation: str, what: Keep, request: Request, owner: Owner) -> None:
    """Undo all questions after the first few."""
    service(request).conversations.truncate(owner, conversation, 2 * what.keep)


@router.post("/{conversation}/title")
def rename(conversation: str, what: Title, request: Request, owner: Owner) -> JSONResponse:
    """Give a conversation another title; return it as it is kept."""
    conversations = service(request).conversations
    conversations.rename(owner, conversation, what.title)
    return JSONResponse({"title": conversations.info(owner, conversation).title})


@router.delete("/{conversation}", status_code=204)
def delete(conversation: str, request: Request, owner: Owner) -> None:
    """Delete a conversation."""
    service(request).conversations.delete(owner, conversation)


@router.get("/{conversation}/export")
def export(
    conversation: str, request: Request, owner: Owner, kind: Literal["markdown", "text", "json"] = "markdown"
) -> PlainTextResponse:
    """Return a conversation to be saved, its citations with it."""
    conversations = service(request).conversations
    title, turns = conversations.info(owner, conversation).title, conversations.turns(owner, conversation)
    if kind == "json":
        return _saved(conversation_json(title, turns), "application/json", "conversation.json")
    if kind == "text":
        return _saved(conversation_text(title, turns), "text/plain", "conversation.txt")
    return _saved(conversation_markdown(title, turns), "text/markdown", "conversation.md")


@router.get("/feedback.json")
def feedback(request: Request, owner: Owner) -> Response:
    """Return what this browser said of answers as a question set in SQuAD 2.0 JSON."""
    served = service(request)
    squad = served.conversations.feedback.export_squad(served.library, owner)
    return _saved(json.dumps(squad, ensure_ascii=False, indent=1), "application/json", "feedback.json")


def _saved(text: str, kind: str, name: str) -> PlainTextResponse:
    # Exports may hold half of a surrogate pair that someone typed.
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text.encode("utf-8", "replace"), media_type=kind, headers=headers)


@router.post("/{conversation}/opinion")
def opinion(conversation: str, what: Opinion, request: Request, owner: Owner) -> JSONResponse:
    """Keep what a person says of an answer, or take it back; return what the page says to that."""
    served = service(request)
    place = 2 * what.turn - 1
    if what.verdict is None:
        served.conversations.feedback.withdraw(owner, conversation, place)
        return JSONResponse({"told": strings.NO_FEEDBACK, "verdict": None})
    marked = mark(served.library, what.document, what.start, what.end) if what.document else None
    served.conversations.feedback.add(owner, conversation, place, what.verdict, marked)
    if what.document and served.library.document(what.document) is None:
        # It was removed meanwhile: nothing that is stored after that holds its words.
        served.conversations.forget_document(what.document)
    told = strings.VERDICTS[what.verdict] if marked is None else strings.MARKED.format(marked.text)
    return JSONResponse({"told": told, "verdict": what.verdict})
