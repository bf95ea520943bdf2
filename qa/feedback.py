"""What people say of answers, and the evaluation set that it makes.

A thumb on an answer, or the right answer marked in a document, is kept with the question; all of it comes out
as SQuAD 2.0 JSON, so that the next version is measured on what people have asked.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import apsw

from index import Document, Passage
from index.errors import SettingsError, UnknownConversation
from qa.database import Database
from qa.records import answer_from_json, answer_to_json, quoted_documents, without_document
from qa.types import Answer

logger = logging.getLogger(__name__)

Verdict = Literal["right", "wrong", "unanswerable"]
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "unanswerable")

# A verdict outlives its conversation, so its turn is no foreign key; numbers of turns are never used twice.
# `quoted`: the documents that the conversation had quoted by then, whose words the question asked may hold.
SCHEMA = """
CREATE TABLE feedback (
    id TEXT PRIMARY KEY,
    turn INTEGER NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    given TEXT NOT NULL,
    verdict TEXT NOT NULL,
    answer TEXT NOT NULL,
    quoted TEXT NOT NULL,
    document_id TEXT,
    start INTEGER,
    end INTEGER,
    text TEXT
);
CREATE INDEX feedback_owner ON feedback (owner);
"""
_COLUMNS = "id, owner, given, verdict, answer, document_id, start, end, text"
_TURN = (
    "SELECT t.number, t.answer FROM turns t JOIN conversations c ON c.id = t.conversation "
    "WHERE c.owner = ? AND c.id = ? ORDER BY t.number LIMIT 1 OFFSET ?"
)


class Texts(Protocol):
    """Where documents are looked up: an index, or several taken together."""

    def document(self, document_id: str, /) -> Document | None:
        """Return a document, or ``None`` where there is no such id."""

    def passages(self, document_id: str, /) -> list[Passage]:
        """Return the passages of a document in order."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A stretch of a document that a person marked: ``text == document.text[start:end]``, in code points."""

    document_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's verdict on one answer.

    ``"right"``: the answer is right; of an abstention, that the documents do not answer. ``"wrong"``: it is
    not, and ``marked`` is the right answer where the person showed it. ``"unanswerable"``: the documents do
    not answer the question. ``given`` is the time in UTC, ISO 8601; ``id`` stays when the verdict changes.
    """

    id: str
    owner: str
    given: str
    verdict: Verdict
    answer: Answer
    marked: Marked | None = None


def mark(index: Texts, document_id: str, start: int, end: int) -> Marked:
    """Return a stretch of a document as the right answer, without white space at its ends.

    Args:
        index: where the document is.
        document_id: which document.
        start: the first code point of the stretch in the document's canonical text.
        end: the code point after its last.

    Raises:
        SettingsError: there is no such document, or no text at this place.
    """
    document = index.document(document_id)
    if document is None:
        raise SettingsError(
            f"{document_id}: no such document. Open the document again and mark the answer there."
        )
    if not 0 <= start < end <= len(document.text):
        raise SettingsError(
            f"{start} to {end}: not a place in this document of {len(document.text)} characters. "
            "Open the document again and mark the answer there."
        )
    text = document.text[start:end]
    start, end = start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
    if start >= end:
        raise SettingsError("Only white space is marked. Mark the words of the answer.")
    return Marked(document_id, start, end, document.text[start:end])


class FeedbackLog:
    """The feedback in one file of conversations: ``Conversations.feedback``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, owner: str, conversation: str, turn: int, verdict: Verdict, marked: Marked | None = None
    ) -> Feedback:
        """Keep a verdict on the answer of a stored turn; a later one on the same turn takes its place.

        Args:
            owner: whose conversation it is.
            conversation: its id.
            turn: the place of the answer's turn among the turns, from 0.
            verdict: see :class:`Feedback`.
            marked: the right answer, from :func:`mark`; only with ``"wrong"``.

        Raises:
            UnknownConversation: the turn is no answer of a conversation of the owner's.
            SettingsError: the verdict is none, or something is marked with another than ``"wrong"``.
            StoreError: the file cannot be written.
        """
        if verdict not in VERDICTS:
            raise SettingsError(f"{verdict!r}: not a verdict. Give one of {', '.join(VERDICTS)}.")
        if marked is not None and verdict != "wrong":
            raise SettingsError(
                f'An answer is marked, yet the verdict is {verdict!r}. Give "wrong", or mark none.'
            )
        with self._database.transaction() as connection:
            row = connection.execute(_TURN, (owner, conversation, max(turn, 0))).fetchone()
            if row is None or row[1] is None or turn < 0:
                raise UnknownConversation(
                    f"Turn {turn} is no answer of conversation {conversation}. Load it again."
                )
            quoted = json.dumps(sorted(_quoted_until(connection, conversation, row[0])))
            place = (
                (None,) * 4 if marked is None else (marked.document_id, marked.start, marked.end, marked.text)
            )
            [stored] = connection.execute(
                "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (turn) DO UPDATE SET "
                "given = excluded.given, verdict = excluded.verdict, answer = excluded.answer, "
                "document_id = excluded.document_id, start = excluded.start, end = excluded.end, "
                f"text = excluded.text RETURNING {_COLUMNS}",
                (secrets.token_hex(8), row[0], owner, now(), verdict, row[1], quoted, *place),
            )
            return _feedback(stored)

    def withdraw(self, owner: str, conversation: str, turn: int) -> None:
        """Take back the verdict on a turn; nothing happens where there is none."""
        with self._database.transaction() as connection:
            row = connection.execute(_TURN, (owner, conversation, max(turn, 0))).fetchone()
            if row is not None:
                connection.execute("DELETE FROM feedback WHERE turn = ? AND owner = ?", (row[0], owner))

    def of(self, owner: str, conversation: str) -> dict[int, Feedback]:
        """Return the verdicts on a conversation's answers: place of the turn, from 0, -> feedback."""
        numbers = self._database.rows(
            "SELECT t.number FROM turns t JOIN conversations c ON c.id = t.conversation "
            "WHERE c.owner = ? AND c.id = ? ORDER BY t.number",
            (owner, conversation),
        )
        place = {row[0]: at for at, row in enumerate(numbers)}
        found = self._database.rows(f"SELECT turn, {_COLUMNS} FROM feedback WHERE owner = ?", (owner,))
        return {place[row[0]]: _feedback(row[1:]) for row in found if row[0] in place}

    def all(self, owner: str | None = None) -> list[Feedback]:
        """Return all feedback, or that of one owner, oldest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM feedback WHERE :owner IS NULL OR owner = :owner ORDER BY rowid",
            {"owner": owner},
        )
        return [_feedback(row) for row in rows]

    def export_squad(self, index: Texts, owner: str | None = None) -> dict[str, Any]:
        """Return all feedback, or one owner's, as a question set in SQuAD 2.0 JSON, read by ``qa eval``.

        A question is the one that was searched for, its context the passages that hold the answer. Where the
        documents do not answer, the context is what came nearest. Left out is what nobody has said the right
        answer to, and what was marked in a document that has gone or changed.
        """
        return _squad(self.all(owner), index)


def forget_document(connection: apsw.Connection, document_id: str) -> None:
    """Remove a document's words from all feedback, within a transaction."""
    rows = connection.execute(
        "SELECT id, answer, quoted FROM feedback f "
        "WHERE EXISTS (SELECT 1 FROM json_each(f.quoted) WHERE value = ?)",
        (document_id,),
    ).fetchall()
    for identifier, written, quoted in rows:
        left = without_document(answer_from_json(str(written)), document_id)
        connection.execute(
            "UPDATE feedback SET answer = ?, quoted = ? WHERE id = ?",
            (
                answer_to_json(replace(left, asked=left.question)),
                json.dumps([one for one in json.loads(str(quoted)) if one != document_id]),
                identifier,
            ),
        )
    connection.execute(
        "UPDATE feedback SET document_id = NULL, start = NULL, end = NULL, text = NULL WHERE document_id = ?",
        (document_id,),
    )


def _quoted_until(connection: apsw.Connection, conversation: str, turn: int) -> set[str]:
    """Return the documents that a conversation has quoted up to a turn."""
    written = connection.execute(
        "SELECT answer FROM turns WHERE conversation = ? AND number <= ? AND answer IS NOT NULL",
        (conversation, turn),
    )
    return set().union(*(quoted_documents(answer_from_json(str(one))) for (one,) in written))


def now() -> str:
    """Return the time in UTC, ISO 8601 to the microsecond, so that it sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _feedback(row: tuple[Any, ...]) -> Feedback:
    identifier, owner, given, verdict, answer, document_id, start, end, text = row
    marked = None if document_id is None else Marked(document_id, start, end, text)
    return Feedback(identifier, owner, given, verdict, answer_from_json(answer), marked)


def _squad(given: list[Feedback], index: Texts) -> dict[str, Any]:
    """Group questions by document and context, in the order in which each was first asked about."""
    articles: dict[str, dict[str, list[dict[str, Any]]]] = {}
    left_out = 0
    for one in given:
        found = _example(one, index)
        if found is None:
            left_out += 1
            continue
        title, context, question = found
        articles.setdefault(title, {}).setdefault(context, []).append(question)
    if left_out:
        logger.info("%d of %d verdicts say no right answer, or their document has gone", left_out, len(given))
    return {
        "version": "v2.0",
        "data": [
            {
                "title": title,
                "paragraphs": [{"context": context, "qas": qas} for context, qas in paragraphs.items()],
            }
            for title, paragraphs in articles.items()
        ],
    }


def _example(one: Feedback, index: Texts) -> tuple[str, str, dict[str, Any]] | None:
    """Return the title, the context and the question with its answers; ``None`` where no answer is known."""
    impossible = one.verdict == "unanswerable" or (one.verdict == "right" and one.answer.text is None)
    if impossible and one.answer.status == "removed":
        return None
    answers: list[dict[str, Any]] = []
    title = context = ""
    for place in _near(one.answer) if impossible else _right(one):
        document = index.document(place.document_id)
        if document is None or document.text[place.start : place.end] != place.text:
            continue
        title = document.title
        start, end = _around(place, index)
        context = document.text[start:end]
        if not impossible:
            answers.append({"text": place.text, "answer_start": place.start - start})
        break
    if not answers and not impossible:
        return None
    question = {"id": one.id, "question": one.answer.asked, "is_impossible": impossible, "answers": answers}
    return title, context, question


def _right(one: Feedback) -> Iterator[Marked]:
    """Yield where the right answer stands: one place is enough."""
    if one.verdict == "wrong":
        if one.marked is not None:
            yield one.marked
    else:
        for citation in one.answer.citations:
            start, end = citation.answer_start, citation.answer_end
            text = citation.quote[start - citation.start : end - citation.start]
            yield Marked(citation.document_id, start, end, text)


def _near(answer: Answer) -> Iterator[Marked]:
    """Yield the quotes that came nearest to an answer."""
    for citation in (*answer.citations, *answer.near_misses):
        yield Marked(citation.document_id, citation.start, citation.end, citation.quote)


def _around(place: Marked, index: Texts) -> tuple[int, int]:
    """Return start and end of the passages that hold a place; of the place itself where none does."""
    touched = [
        passage
        for passage in index.passages(place.document_id)
        if passage.start < place.end and place.start < passage.end
    ]
    # One is enough where it holds all: neighbours overlap.
    whole = [one for one in touched if one.start <= place.start and place.end <= one.end][:1] or touched
    return (
        min([place.start, *(passage.start for passage in whole)]),
        max([place.end, *(passage.end for passage in whole)]),
    )
