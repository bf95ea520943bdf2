"""What the routes share: the library, its uploads, the conversations, who may in. Made once a server."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from fastapi import Request

from qa.conversations import Conversations
from qa.web.access import Access
from qa.web.corpus import Corpus
from qa.web.examples import examples
from qa.web.library import Library
from qa.web.uploads import Uploads


class Service:
    """One server's parts. Close it at the end; the corpus and the conversations stay their maker's."""

    def __init__(self, corpus: Corpus, conversations: Conversations, access: Access) -> None:
        self.access = access
        self.conversations = conversations
        self.library = Library(corpus, conversations.forget_document)
        self.uploads = Uploads(self.library)
        self._examples: tuple[tuple[str, ...], Sequence[str]] | None = None
        self._examples_lock = threading.Lock()

    def close(self) -> None:
        """Stop uploads, and close what was opened."""
        self.uploads.close()
        self.library.close()

    def examples(self) -> Sequence[str]:
        """Return questions to begin with; they are thought of anew where the documents have changed."""
        with self._examples_lock:
            ids = tuple(self.library.index.document_ids())
            if self._examples is None or self._examples[0] != ids:
                self._examples = ids, examples(self.library.assistant)
            return self._examples[1]


def service(request: Request) -> Service:
    """Return what the server of a request works with."""
    found: Service = request.app.state.service
    return found
