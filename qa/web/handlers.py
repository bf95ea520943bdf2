"""What the page does: a question to updates of chat and sources, in stages. Holds no state of anyone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index.errors import VerbatimError
from qa.types import Answer
from qa.web import rendering, strings
from qa.web.corpus import Corpus

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


def ask(corpus: Corpus, question: str, conversation: Conversation) -> Iterator[Conversation]:
    """Yield the conversation as the answer to a question comes about; the last one is the outcome."""
    asked = conversation.with_message("user", rendering.question(question.strip()))
    try:
        for stage in corpus.assistant.stages(question):
            if isinstance(stage, Answer):
                yield _answered(corpus, asked, stage)
            else:
                yield asked.with_message("assistant", rendering.stage(_STAGES[stage]))
    except VerbatimError as error:
        yield asked.with_message("assistant", rendering.failure(str(error)))


def _answered(corpus: Corpus, asked: Conversation, answer: Answer) -> Conversation:
    turn = len(asked.sources) + 1
    index = corpus.assistant.index
    cited = [citation for candidate in rendering.shown(answer) for citation in candidate.citations]
    ids = {citation.document_id for citation in (*cited, *answer.near_misses)}
    documents = {one: document for one in ids if (document := index.document(one)) is not None}
    passages = {one: index.passages(one) for one in documents}
    return asked.with_message(
        "assistant", rendering.answer(answer, turn, documents, corpus.adding)
    ).with_sources(rendering.sources(answer, turn, documents, passages))
