"""What the page does: a question to updates of chat and sources, in stages. Holds no state of anyone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index.errors import VerbatimError
from qa.assistant import Assistant
from qa.types import Answer
from qa.web import rendering, strings

_STAGES = {"searching": strings.SEARCHING, "reading": strings.READING}

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said so far: messages as HTML, and one group of sources an answer. A new one each turn."""

    messages: tuple[Message, ...] = ()
    sources: tuple[str, ...] = ()

    def with_message(self, role: str, content: str) -> Conversation:
        """Return the conversation with one more message."""
        return Conversation((*self.messages, {"role": role, "content": content}), self.sources)

    def with_sources(self, group: str) -> Conversation:
        """Return the conversation with the sources of one more answer."""
        return Conversation(self.messages, (*self.sources, group))


def ask(assistant: Assistant, question: str, conversation: Conversation) -> Iterator[Conversation]:
    """Yield the conversation as the answer to a question comes about; the last one is the outcome."""
    asked = conversation.with_message("user", rendering.question(question.strip()))
    try:
        for stage in assistant.stages(question):
            if isinstance(stage, Answer):
                yield _answered(assistant, asked, stage)
            else:
                yield asked.with_message("assistant", rendering.stage(_STAGES[stage]))
    except VerbatimError as error:
        yield asked.with_message("assistant", rendering.failure(str(error)))


def _answered(assistant: Assistant, asked: Conversation, answer: Answer) -> Conversation:
    turn = len(asked.sources) + 1
    cited = [citation for candidate in answer.candidates for citation in candidate.citations]
    documents = {citation.document_id for citation in (*cited, *answer.near_misses)}
    passages = {document: assistant.index.passages(document) for document in documents}
    return asked.with_message("assistant", rendering.answer(answer, turn)).with_sources(
        rendering.sources(answer, turn, passages)
    )
