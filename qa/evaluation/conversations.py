"""Follow-up questions: how many are answered rightly, as typed and once they stand alone?

Each conversation is held with the assistant: what it answered so far, right or wrong, is what the next
question refers to. Four ways to ask are compared: ``typed``; ``joined``, the question before put in front;
``resolved`` by :mod:`qa.followup`; and ``by hand``, which is what perfect resolution would give.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import seeds
from index import Index
from index.errors import SettingsError
from qa.assistant import Assistant
from qa.evaluation.metrics import f1
from qa.evaluation.rows import Excerpt, Row, quoted
from qa.followup import stand_alone
from qa.types import Answer, Turn

DATA = Path(__file__).parent / "data" / "conversations.json"
Way = Literal["typed", "joined", "resolved", "by hand"]
WAYS: tuple[Way, ...] = get_args(Way)
Part = Literal["development", "held-out"]
PARTS: tuple[Part, ...] = get_args(Part)
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question in a conversation, and what answers it.

    ``rewritten`` is the question as a person would ask it alone, ``None`` where it stands alone. ``answers``
    are texts of ``document``, which is the name of a source.
    """

    question: str
    rewritten: str | None
    document: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Questions in order; ``part`` says whether rules were made in sight of it."""

    id: str
    part: str
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class ConversationSet:
    """Conversations, and the texts they are about beside the seeds: name -> text.

    ``sha256`` is that of the file.
    """

    texts: dict[str, str]
    conversations: tuple[Conversation, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one question.

    ``f1`` in [0, 1] is the answer's; ``quoted``: the first quote, of the right document, holds an answer.
    ``seconds`` is what it took.
    """

    conversation: Conversation
    exchange: Exchange
    answer: Answer
    f1: float
    quoted: bool
    seconds: float

    @property
    def right(self) -> bool:
        """Whether F1 is over 0.5 and the first quote holds an answer."""
        return self.f1 > _MOSTLY and self.quoted

    @property
    def follows(self) -> bool:
        """Whether the question needs the turns before it."""
        return self.exchange.rewritten is not None

    @property
    def altered(self) -> bool:
        """Whether something other was asked than was typed."""
        return self.answer.asked != self.exchange.question


def read_conversations(path: Path = DATA) -> ConversationSet:
    """Read a set of conversations.

    Raises:
        SettingsError: the file cannot be read, or an answer is not where it says.
    """
    try:
        contents = path.read_bytes()
        read: dict[str, Any] = json.loads(contents)
        texts = {one["name"]: one["text"] for one in read["documents"]}
        found = tuple(_conversation(one, texts, path) for one in read["conversations"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path}: not a set of conversations ({error!r}). Compare it with {DATA.name}."
        ) from error
    return ConversationSet(texts, found, hashlib.sha256(contents).hexdigest())


def _conversation(read: dict[str, Any], texts: dict[str, str], path: Path) -> Conversation:
    exchanges = []
    for turn in read["turns"]:
        text = texts.get(turn["document"])
        if text is None:
            text = _seed(turn["document"]).read_text("utf-8")
        for answer in turn["answers"]:
            if text[answer["start"] : answer["start"] + len(answer["text"])] != answer["text"]:
                raise SettingsError(
                    f"{path}: {read['id']}, {turn['question']!r}: {turn['document']} does not hold "
                    f'{answer["text"]!r} at {answer["start"]}. Correct "start", in code points.'
                )
        answers = tuple(answer["text"] for answer in turn["answers"])
        exchanges.append(Exchange(turn["question"], turn["rewritten"], turn["document"], answers))
    return Conversation(read["id"], read["part"], tuple(exchanges))


def _seed(name: str) -> Path:
    return Path(str(seeds.__file__)).parent / name


def add_texts(index: Index, conversations: ConversationSet) -> None:
    """Add to an index what the conversations are about: their texts, and the seeds."""
    index.add_texts(conversations.texts.items())
    index.add(sorted(_seed("").glob("*.txt")))


def evaluate(assistant: Assistant, conversations: Sequence[Conversation], way: Way) -> list[Reply]:
    """Hold conversations with an assistant; return a reply a question, in order.

    Args:
        assistant: over an index with what :func:`add_texts` adds; with a threshold of 0 it always answers.
        conversations: those to hold.
        way: how a question is asked.
    """
    return [reply for one in conversations for reply in _hold(assistant, one, way)]


def _hold(assistant: Assistant, conversation: Conversation, way: Way) -> Iterator[Reply]:
    turns: tuple[Turn, ...] = ()
    for exchange in conversation.exchanges:
        began = time.perf_counter()
        found = assistant.answer(_asked(exchange, turns, way))
        seconds = time.perf_counter() - began
        answer = replace(found, question=exchange.question)
        holds = any(
            citation.source.endswith(exchange.document)
            and any(gold in citation.quote for gold in exchange.answers)
            for citation in answer.citations[:1]
        )
        score = f1(answer.text or "", exchange.answers)
        yield Reply(conversation, exchange, answer, score, holds, seconds)
        turns = (*turns, Turn("user", exchange.question), Turn.of(answer))


def _asked(exchange: Exchange, turns: Sequence[Turn], way: Way) -> str:
    if way == "resolved":
        return stand_alone(exchange.question, turns)
    if way == "by hand":
        return exchange.rewritten or exchange.question
    if way == "joined" and turns:
        return f"{turns[-2].text} {exchange.question}"
    return exchange.question


def conversation_rows(found: Mapping[Way, Sequence[Reply]]) -> Iterator[Row]:
    """Return a row a question, with the scores of each way to ask it; the row's answer is the resolved one's.

    Scores of follow-ups: ``right and quoted``, ``F1``, and ``altered``, whether something other was asked
    than was typed. With "alone" in front they are of later questions that stand alone, which none should
    alter.
    """
    ways = tuple(found)
    for replies in zip(*found.values(), strict=True):
        held = dict(zip(ways, replies, strict=True))
        resolved = held["resolved"]
        kind = _kind(resolved)
        citation = next(iter(resolved.answer.citations), None)
        asked = f" (asked: {resolved.answer.asked})" if resolved.altered else ""
        yield Row(
            set=resolved.conversation.part,
            id=f"{resolved.conversation.id}, {resolved.exchange.question}",
            group=resolved.conversation.id,
            kind=kind,
            question=resolved.exchange.question + asked,
            gold=resolved.exchange.answers,
            expected=Excerpt(resolved.exchange.answers[0], 0, len(resolved.exchange.answers[0])),
            expected_in=resolved.exchange.document,
            answer=resolved.answer.text,
            quote=quoted(citation),
            quoted_from=citation.title if citation else "",
            confidence=resolved.answer.confidence,
            right=resolved.right,
            scores={way: _scores(reply, kind) for way, reply in held.items()},
            seconds=resolved.seconds,
        )


def _kind(reply: Reply) -> str:
    if reply.follows:
        return "follow-up"
    return "opening" if reply.exchange == reply.conversation.exchanges[0] else "alone"


def _scores(reply: Reply, kind: str) -> dict[str, float]:
    if kind == "opening":
        return {}
    scores = {"right and quoted": float(reply.right), "F1": reply.f1, "altered": float(reply.altered)}
    return scores if kind == "follow-up" else {f"alone: {name}": value for name, value in scores.items()}
