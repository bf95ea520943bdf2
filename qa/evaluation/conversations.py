"""Follow-up questions: how many are answered rightly, as typed and once they stand alone?

Each conversation is held with the assistant: what it answered so far, right or wrong, is what the next
question refers to. Four ways to ask are compared: ``typed``; ``joined``, the question before put in front;
``resolved`` by :mod:`qa.followup`; and ``by hand``, which is what perfect resolution would give.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from rich.console import Console
from rich.progress import track
from rich.table import Table

import seeds
from index import Index
from index.errors import SettingsError
from qa.assistant import Assistant
from qa.evaluation.metrics import bootstrap_interval, f1
from qa.followup import stand_alone
from qa.settings import Settings
from qa.types import Answer, Turn

DATA = Path(__file__).parent / "data" / "conversations.json"
Way = Literal["typed", "joined", "resolved", "by hand"]
WAYS: tuple[Way, ...] = get_args(Way)
PARTS = ("development", "held-out")
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
    """Conversations, and the texts they are about beside the seeds: name -> text."""

    texts: dict[str, str]
    conversations: tuple[Conversation, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one question.

    ``f1`` in [0, 1] is the answer's; ``quoted``: the first quote, of the right document, holds an answer.
    """

    conversation: Conversation
    exchange: Exchange
    answer: Answer
    f1: float
    quoted: bool

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
        read: dict[str, Any] = json.loads(path.read_text("utf-8"))
        texts = {one["name"]: one["text"] for one in read["documents"]}
        found = tuple(_conversation(one, texts, path) for one in read["conversations"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path}: not a set of conversations ({error!r}). Compare it with {DATA.name}."
        ) from error
    return ConversationSet(texts, found)


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


def open_index(directory: Path, conversations: ConversationSet) -> Index:
    """Return an index in ``directory`` over the texts of the conversations and the seeds."""
    index = Index.open(directory)
    index.add_texts(conversations.texts.items())
    index.add(sorted(_seed("").glob("*.txt")))
    return index


def evaluate(assistant: Assistant, conversations: Sequence[Conversation], way: Way) -> list[Reply]:
    """Hold conversations with an assistant; return a reply a question, in order.

    Args:
        assistant: over the index of :func:`open_index`; with a threshold of 0 it always answers.
        conversations: those to hold.
        way: how a question is asked.
    """
    return [reply for one in conversations for reply in _hold(assistant, one, way)]


def _hold(assistant: Assistant, conversation: Conversation, way: Way) -> Iterator[Reply]:
    turns: tuple[Turn, ...] = ()
    for exchange in conversation.exchanges:
        found = assistant.answer(_asked(exchange, turns, way))
        answer = replace(found, question=exchange.question)
        quoted = any(
            citation.source.endswith(exchange.document)
            and any(gold in citation.quote for gold in exchange.answers)
            for citation in answer.citations[:1]
        )
        yield Reply(conversation, exchange, answer, f1(answer.text or "", exchange.answers), quoted)
        turns = (*turns, Turn("user", exchange.question), Turn.of(answer))


def _asked(exchange: Exchange, turns: Sequence[Turn], way: Way) -> str:
    if way == "resolved":
        return stand_alone(exchange.question, turns)
    if way == "by hand":
        return exchange.rewritten or exchange.question
    if way == "joined" and turns:
        return f"{turns[-2].text} {exchange.question}"
    return exchange.question


def figures(replies: Sequence[Reply]) -> dict[str, float]:
    """Return what shares, in [0, 1], are answered rightly, and altered.

    Of follow-ups, and as ``alone_...`` of later questions that stand alone; ``low`` and ``high`` bound the
    follow-ups' share of right answers (95 %, conversations resampled). ``f1`` is the follow-ups' mean.
    """
    follow = [one for one in replies if one.follows]
    later = [one for one in replies if not one.follows and one.exchange != one.conversation.exchanges[0]]
    low, high = bootstrap_interval([one.right for one in follow], [one.conversation.id for one in follow])
    return {
        "right": _share([one.right for one in follow]),
        "low": low,
        "high": high,
        "f1": sum(one.f1 for one in follow) / max(len(follow), 1),
        "altered": _share([one.altered for one in follow]),
        "alone_right": _share([one.right for one in later]),
        "alone_altered": _share([one.altered for one in later]),
    }


def _share(values: Sequence[bool]) -> float:
    return sum(values) / max(len(values), 1)


def measure(part: str | None, *, show: bool, console: Console) -> None:
    """Print the figures of each way to ask; with ``show``, each follow-up too.

    Args:
        part: one of :data:`PARTS`, or ``None`` for all.
        show: whether to print what was asked, and answered.
        console: where to.
    """
    given = read_conversations()
    with tempfile.TemporaryDirectory(prefix="verbatim-evaluation-") as folder:
        index = open_index(Path(folder), given)
        with Assistant(index, replace(Settings.from_env(), threshold=0.0, strict=False)) as assistant:
            for name in PARTS if part is None else (part,):
                held = [one for one in given.conversations if one.part == name]
                ways = track(WAYS, name, console=Console(stderr=True), transient=True)
                found = {way: evaluate(assistant, held, way) for way in ways}
                console.print(_table(name, found))
                if show:
                    _show(found["resolved"], found["by hand"], console)


def _table(part: str, found: dict[Way, list[Reply]]) -> Table:
    follow = sum(one.follows for one in found["typed"])
    held = len({one.conversation.id for one in found["typed"]})
    table = Table(title=f"{part}: {follow} follow-ups in {held} conversations")
    names = ("asked", "right %", "95 %", "F1", "altered %", "alone: right %", "alone: altered %")
    for name in names:
        table.add_column(name, justify="left" if name == "asked" else "right")
    for way, replies in found.items():
        got = {name: 100 * value for name, value in figures(replies).items()}
        interval = f"{got['low']:.0f} to {got['high']:.0f}"
        cells = (f"{got[name]:.1f}" for name in ("f1", "altered", "alone_right", "alone_altered"))
        table.add_row(way, f"{got['right']:.1f}", interval, *cells)
    return table


def _show(resolved: Sequence[Reply], by_hand: Sequence[Reply], console: Console) -> None:
    for ours, best in zip(resolved, by_hand, strict=True):
        if ours.follows or ours.altered:
            marks = f"{'+' if ours.right else '-'}{'+' if best.right else '-'}"
            console.print(
                f"{ours.conversation.id} {marks} {ours.exchange.question}\n    asked: {ours.answer.asked}\n"
                f"    hand:  {ours.exchange.rewritten}\n    answer: {ours.answer.text!r}, "
                f"right: {ours.exchange.answers[0]!r}",
                markup=False,
                highlight=False,
            )
