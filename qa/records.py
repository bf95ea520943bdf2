"""Answers as stored: to JSON and back, and without the words of a document that was removed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from qa.types import Answer, Candidate, Citation, Span, Trace


def answer_to_json(answer: Answer) -> str:
    """Return an answer as one line of JSON; :func:`answer_from_json` gives back an equal one."""
    return json.dumps(asdict(answer), ensure_ascii=False)


def answer_from_json(written: str) -> Answer:
    """Return the answer that :func:`answer_to_json` wrote."""
    read: dict[str, Any] = json.loads(written)
    return Answer(
        question=read["question"],
        asked=read["asked"],
        status=read["status"],
        candidates=tuple(
            Candidate(one["text"], one["confidence"], _citations(one["citations"]))
            for one in read["candidates"]
        ),
        near_misses=_citations(read["near_misses"]),
        trace=tuple(
            Trace(**{**one, "spans": tuple(Span(**span) for span in one["spans"])}) for one in read["trace"]
        ),
        chosen=read.get("chosen"),
    )


def _citations(read: list[dict[str, Any]]) -> tuple[Citation, ...]:
    return tuple(Citation(**one) for one in read)


def quoted_documents(answer: Answer) -> set[str]:
    """Return the ids of all documents that an answer carries words of."""
    cited = [citation for candidate in answer.candidates for citation in candidate.citations]
    return {one.document_id for one in (*cited, *answer.near_misses)} | {
        one.document_id for one in answer.trace
    }


def without_document(answer: Answer, document_id: str) -> Answer:
    """Return an answer without anything cut from a document.

    What other documents support stays, with the numbers it had. An answer that nothing supports any more gets
    the status ``"removed"``.
    """
    candidates = tuple(
        _candidate(one, kept)
        for one in answer.candidates
        if (kept := tuple(c for c in one.citations if c.document_id != document_id))
    )
    return replace(
        answer,
        status="removed" if answer.candidates and not candidates else answer.status,
        candidates=candidates,
        near_misses=tuple(one for one in answer.near_misses if one.document_id != document_id),
        trace=tuple(one for one in answer.trace if one.document_id != document_id),
    )


def _candidate(candidate: Candidate, kept: tuple[Citation, ...]) -> Candidate:
    if kept == candidate.citations:
        return candidate
    # Documents may word the same answer differently.
    first = kept[0]
    text = first.quote[first.answer_start - first.start : first.answer_end - first.start]
    return Candidate(text, candidate.confidence, kept)
