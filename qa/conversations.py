"""Conversations that last, each its owner's own: one SQLite file, ``$VERBATIM_HOME/conversations.db``.

Documents are shared by all who use one server, conversations are not: whoever asks for a conversation of
another owner is told the same as for one that never was. Feedback on answers lies in the same file.
"""

from __future__ import annotations

import json
import re
import secrets
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw

from index.errors import SettingsError, UnknownConversation
from index.home import home
from qa import feedback
from qa.database import Database, Schema
from qa.feedback import FeedbackLog, now
from qa.records import answer_from_json, answer_to_json, without_document
from qa.types import Turn

FORMAT = 1
FILE_NAME = "conversations.db"
TITLE_CHARACTERS = 80
_UNTITLED = "New conversation"
# AUTOINCREMENT: the number of a turn that was cut off is never given to another, which feedback relies on.
_SCHEMA = Schema(
    f"""
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE INDEX conversations_owner ON conversations (owner, updated);
CREATE TABLE turns (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    answer TEXT
);
CREATE INDEX turns_conversation ON turns (conversation);
{feedback.SCHEMA}""",
    version=FORMAT,
    # "VBTC"
    application_id=0x56425443,
)
_INFO = (
    "SELECT id, title, created, updated, (SELECT count(*) FROM turns t WHERE t.conversation = c.id) "
    "FROM conversations c WHERE owner = :owner"
)
# Whether some word is nowhere in what a person reads: the title, the turns, the quotes beneath answers.
_LACKS = """
EXISTS (
    SELECT 1 FROM json_each(:words) w WHERE instr(casefold(c.title), w.value) = 0 AND NOT EXISTS (
        SELECT 1 FROM turns t WHERE t.conversation = c.id AND (
            instr(casefold(t.text), w.value) OR EXISTS (
                SELECT 1 FROM json_each(t.answer, '$.candidates') a, json_each(a.value, '$.citations') q
                WHERE instr(casefold(q.value ->> '$.quote'), w.value)
            )
        )
    )
)
"""


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """What a list of conversations shows of one. Times are UTC, ISO 8601; ``turns`` counts both roles'."""

    id: str
    title: str
    created: str
    updated: str
    turns: int


def conversations_path() -> Path:
    """Return where conversations are kept by default."""
    return home() / FILE_NAME


class Conversations:
    """The stored conversations of all owners. Safe to use from several threads and processes.

    An owner is any string that is not empty; who may speak for it is the caller's to check. ``feedback`` is
    what they said of the answers.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the file at ``path``, by default :func:`conversations_path`; it is made where it is missing.

        Raises:
            StoreError: it cannot be opened or made, is damaged, or a newer version wrote it.
        """
        self._database = Database(path or conversations_path(), _SCHEMA)
        self.feedback = FeedbackLog(self._database)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # Reading

    def list(self, owner: str, query: str = "") -> list[ConversationInfo]:
        """Return an owner's conversations, the one changed last first.

        Args:
            owner: whose conversations.
            query: words that title, questions, answers or quotes hold, each somewhere in the conversation, in
                any case; all conversations where it is empty.
        """
        rows = self._database.rows(
            f"{_INFO} AND NOT {_LACKS} ORDER BY updated DESC, rowid DESC",
            {"owner": owner, "words": _sought(query)},
        )
        return [ConversationInfo(*row) for row in rows]

    def info(self, owner: str, conversation: str) -> ConversationInfo:
        """Return what a list shows of one conversation.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        rows = self._database.rows(f"{_INFO} AND id = :id", {"owner": owner, "id": conversation})
        if not rows:
            raise _unknown(conversation)
        return ConversationInfo(*rows[0])

    def turns(self, owner: str, conversation: str) -> tuple[Turn, ...]:
        """Return the turns of a conversation in order; answers are equal to those that were appended.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        rows = self._database.rows(
            "SELECT t.role, t.text, t.answer FROM conversations c LEFT JOIN turns t ON t.conversation = c.id "
            "WHERE c.owner = ? AND c.id = ? ORDER BY t.number",
            (owner, conversation),
        )
        if not rows:
            raise _unknown(conversation)
        return tuple(
            Turn(role, text, None if written is None else answer_from_json(written))
            for role, text, written in rows
            if role is not None
        )

    # Writing

    def create(self, owner: str) -> str:
        """Start a conversation without turns; return its id.

        Raises:
            StoreError: the file cannot be written.
        """
        if not owner:
            raise SettingsError("A conversation needs an owner: give any string that names one.")
        conversation, moment = secrets.token_hex(8), now()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
                (conversation, owner, _UNTITLED, moment, moment),
            )
        return conversation

    def append(
        self, owner: str, conversation: str, question: Turn, answer: Turn, *, keep: int | None = None
    ) -> int:
        """Add a question and its answer as one; the first question gives the conversation its title.

        Args:
            owner: whose conversation it is.
            conversation: its id.
            question: what a person asked.
            answer: what was answered.
            keep: how many turns stay before them, by default all; those beyond go with the same stroke, so
                that nothing is lost where the answer cannot be stored.

        Returns:
            The place of the answer among the turns, from 0.

        Raises:
            UnknownConversation: the owner has no such conversation.
            StoreError: the file cannot be written.
        """
        with self._database.transaction() as connection:
            _check(connection, owner, conversation)
            if keep is not None:
                _cut(connection, conversation, keep)
            [(before,)] = connection.execute(
                "SELECT count(*) FROM turns WHERE conversation = ?", (conversation,)
            )
            for turn in (question, answer):
                connection.execute(
                    "INSERT INTO turns (conversation, role, text, answer) VALUES (?, ?, ?, ?)",
                    (
                        conversation,
                        turn.role,
                        _storable(turn.text),
                        None if turn.answer is None else _storable(answer_to_json(turn.answer)),
                    ),
                )
            if not before:
                # A title that a person gave stays.
                connection.execute(
                    "UPDATE conversations SET title = ? WHERE id = ? AND title = ?",
                    (shortened(_storable(question.text)), conversation, _UNTITLED),
                )
            _touch(connection, conversation)
        if keep is not None:
            self._database.empty_log()
        return int(before) + 1

    def truncate(self, owner: str, conversation: str, turns: int) -> None:
        """Keep the first ``turns`` turns only: to undo, to retry, to edit a question.

        Raises:
            UnknownConversation: the owner has no such conversation.
            StoreError: the file cannot be written.
        """
        with self._database.transaction() as connection:
            _check(connection, owner, conversation)
            _cut(connection, conversation, turns)
            _touch(connection, conversation)
        self._database.empty_log()

    def rename(self, owner: str, conversation: str, title: str) -> None:
        """Give a conversation another title, shortened where it is long.

        Raises:
            UnknownConversation: the owner has no such conversation.
            SettingsError: the title is empty.
            StoreError: the file cannot be written.
        """
        short = shortened(_storable(title))
        if not short:
            raise SettingsError("A title cannot be empty: give at least one character.")
        with self._database.transaction() as connection:
            _check(connection, owner, conversation)
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (short, conversation))

    def delete(self, owner: str, conversation: str) -> None:
        """Delete a conversation; feedback on its answers stays.

        Raises:
            UnknownConversation: the owner has no such conversation.
            StoreError: the file cannot be written.
        """
        with self._database.transaction() as connection:
            _check(connection, owner, conversation)
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation,))
        self._database.empty_log()

    def forget_document(self, document_id: str) -> None:
        """Remove the words of a document from all conversations and all feedback, of every owner.

        An answer that only this document supported gets the status ``"removed"``. What was asked may hold
        words of the document too, put there to resolve a follow-up; in a conversation that quoted it, such a
        question goes back to what was typed. Nothing of it is left in the file.

        Raises:
            StoreError: the file cannot be written.
        """
        with self._database.transaction() as connection:
            quoting = connection.execute(
                "SELECT DISTINCT conversation FROM turns WHERE instr(answer, ?)", (document_id,)
            ).fetchall()
            for (conversation,) in quoting:
                _forget(connection, str(conversation), document_id)
            feedback.forget_document(connection, document_id)
        self._database.empty_log()


def _forget(connection: apsw.Connection, conversation: str, document_id: str) -> None:
    """Remove a document's words from one conversation."""
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT number, text, answer FROM turns WHERE conversation = ? ORDER BY number", (conversation,)
    ).fetchall()
    typed = {word for _, text, written in rows if written is None for word in _words(text)}
    for number, _, written in rows:
        if written is not None:
            answer = answer_from_json(written)
            left = without_document(answer, document_id)
            if not typed.issuperset(_words(left.asked)):
                left = replace(left, asked=left.question)
            if left != answer:
                turn = Turn.of(left)
                connection.execute(
                    "UPDATE turns SET text = ?, answer = ? WHERE number = ?",
                    (turn.text, answer_to_json(left), number),
                )


def _cut(connection: apsw.Connection, conversation: str, turns: int) -> None:
    connection.execute(
        "DELETE FROM turns WHERE number IN "
        "(SELECT number FROM turns WHERE conversation = ? ORDER BY number LIMIT -1 OFFSET ?)",
        (conversation, max(turns, 0)),
    )


def _check(connection: apsw.Connection, owner: str, conversation: str) -> None:
    found = connection.execute(
        "SELECT 1 FROM conversations WHERE owner = ? AND id = ?", (owner, conversation)
    ).fetchone()
    if not found:
        raise _unknown(conversation)


def _unknown(conversation: str) -> UnknownConversation:
    return UnknownConversation(
        f"{conversation}: no such conversation. Choose one of the list, or start another."
    )


def _touch(connection: apsw.Connection, conversation: str) -> None:
    connection.execute("UPDATE conversations SET updated = ? WHERE id = ?", (now(), conversation))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _sought(query: str) -> str:
    return json.dumps([word.casefold() for word in _storable(query).split()])


def _storable(text: str) -> str:
    """Replace what UTF-8 cannot hold: halves of surrogate pairs, which JSON lets through."""
    return text.encode("utf-8", "replace").decode("utf-8")


def shortened(text: str) -> str:
    """Return a text as a title: on one line, at most 80 characters, cut between words."""
    line = " ".join(text.split())
    if " " not in line[:TITLE_CHARACTERS]:
        return line[:TITLE_CHARACTERS]
    return textwrap.shorten(line, TITLE_CHARACTERS, placeholder="…")
