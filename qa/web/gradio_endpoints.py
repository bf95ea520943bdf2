"""The same answers as named Gradio endpoints, for ``gradio_client`` and for apps built with Gradio.

Mounted beside the page; stands on its own as a plain page of three fields.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from index.errors import VerbatimError
from qa.web import strings
from qa.web.schemas import Answered, Documents, DocumentSummary
from qa.web.service import Service


def build(served: Service) -> gr.Blocks:
    """Return endpoints ``/ask`` (question, documents) and ``/documents`` (query), each giving JSON."""

    def ask(question: str, documents: list[str] | None = None) -> dict[str, Any]:
        try:
            answer = served.library.assistant.answer(question, documents=documents or None)
        except VerbatimError as error:
            raise gr.Error(str(error)) from error
        return Answered.of(answer).model_dump(mode="json")

    def documents(query: str = "") -> dict[str, Any]:
        library = served.library
        found = library.listing(query, limit=1000)
        rows = [DocumentSummary.of(info, library.pages(info)) for info in found.infos]
        return Documents(documents=rows, matching=found.matching, total=found.of).model_dump(mode="json")

    blocks: gr.Blocks = gr.Blocks(title=strings.TITLE, analytics_enabled=False)
    with blocks:
        question = gr.Textbox(label=strings.QUESTION)
        chosen = gr.JSON(value=None, label=strings.ONLY, visible=False)
        answer = gr.JSON(label=strings.TITLE)
        question.submit(ask, [question, chosen], answer, api_name="ask", api_visibility="public")
        query = gr.Textbox(label=strings.SEARCH_DOCUMENTS)
        found = gr.JSON(label=strings.DOCUMENTS)
        query.submit(documents, query, found, api_name="documents", api_visibility="public")
    return blocks
