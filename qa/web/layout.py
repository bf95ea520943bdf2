"""The page: what stands where, and which event calls what. Knows gradio; knows nothing of HTML inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from index.index import MAX_QUESTION_CHARACTERS
from qa.web import handlers, rendering, strings
from qa.web.corpus import Corpus
from qa.web.handlers import Conversation

Updates = tuple[Any, ...]


def build(corpus: Corpus, examples: Sequence[str]) -> gr.Blocks:
    """Return the page over one corpus, with examples of questions to begin with."""
    index = corpus.assistant.index
    documents = len(index.documents())
    page = gr.Blocks(title=strings.TITLE, analytics_enabled=False, fill_width=True)
    with page:
        conversation = gr.State(Conversation())
        with gr.Row(elem_id="top"):
            _html(rendering.header(corpus.name, documents, len(index)), "header")
            new = gr.Button(strings.NEW, elem_id="new", size="sm", scale=0)
        with gr.Row(elem_id="page"):
            with gr.Column(elem_id="talk", scale=3, min_width=320):
                chat = _chat(rendering.welcome(documents, corpus.adding))
                buttons = _examples(examples)
                box = _box()
            with gr.Column(elem_id="side", scale=2, min_width=320):
                panel = _html(rendering.panel(()), "panel")
        shown: list[Any] = [chat, panel, conversation, box]
        asking = _wire_questions(corpus, box, buttons, conversation, shown)
        new.click(
            _restart,
            None,
            shown,
            api_visibility="private",
            show_progress="hidden",
            queue=False,
            cancels=asking,
        )
    return page


def _html(value: str, name: str) -> gr.Markdown:
    """Return a place for HTML of ours. Not ``gr.HTML``: that evaluates templates, and does not sanitise."""
    return gr.Markdown(value, elem_id=name, sanitize_html=True, latex_delimiters=[])


def _chat(welcome: str) -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="chat",
        show_label=False,
        container=False,
        height="100%",
        sanitize_html=True,
        allow_tags=False,
        render_markdown=False,
        latex_delimiters=[],
        buttons=[],
        # The page scrolls to the question instead, so that an answer is read from its beginning.
        autoscroll=False,
        feedback_options=None,
        group_consecutive_messages=False,
        placeholder=welcome,
    )


def _examples(questions: Sequence[str]) -> list[gr.Button]:
    with gr.Row(elem_id="examples", visible=bool(questions)):
        return [gr.Button(question, size="sm", scale=0, elem_classes="example") for question in questions]


def _box() -> gr.Textbox:
    return gr.Textbox(
        elem_id="question",
        label=strings.PLACEHOLDER,
        show_label=False,
        container=False,
        placeholder=strings.PLACEHOLDER,
        submit_btn=strings.SEND,
        max_lines=6,
        max_length=MAX_QUESTION_CHARACTERS,
        autofocus=True,
    )


def _wire_questions(
    corpus: Corpus,
    box: gr.Textbox,
    buttons: Sequence[gr.Button],
    conversation: gr.State,
    shown: list[Any],
) -> list[dict[str, Any]]:
    def ask(question: str, so_far: Conversation) -> Iterator[Updates]:
        now = so_far
        # The box is emptied once: what is typed while an answer is on its way stays.
        typed: Any = ""
        for now in handlers.ask(corpus, question, so_far) if question.strip() else ():
            yield list(now.messages), rendering.panel(now.sources), gr.skip(), typed
            typed = gr.skip()
        # Kept only now, so that a failure on the way leaves no half answer behind.
        yield gr.skip(), gr.skip(), now, gr.skip()

    triggers: list[tuple[Callable[..., Any], gr.Textbox | gr.Button]] = [(box.submit, box)]
    triggers += [(button.click, button) for button in buttons]
    return [
        # One at a time: two questions of one person would overwrite each other's conversation.
        trigger(
            ask,
            [asked, conversation],
            shown,
            api_visibility="private",
            show_progress="hidden",
            concurrency_id="ask",
            concurrency_limit=1,
        )
        for trigger, asked in triggers
    ]


def _restart() -> Updates:
    return [], rendering.panel(()), Conversation(), ""
