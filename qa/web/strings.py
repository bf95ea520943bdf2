"""Every sentence of the page, in one place."""

from __future__ import annotations

from qa.types import Status

TITLE = "Verbatim"
SEEDS = "the documents that come with Verbatim"
PLACEHOLDER = "Ask a question"
INVITATION = "Ask these documents a question."
PROMISE = "Answers are quoted word for word, with their sources. Where there is none, you are told so."
EMPTY = "There are no documents here yet."
SEND = "Ask"
NEW = "New conversation"

SEARCHING = "Searching…"
READING = "Reading…"

UNCLEAR = "No clear answer. The nearest passages:"
SEVERAL = "Answers from different documents:"
ALSO = "Also in the documents"
SOURCES = "Sources"
NEAREST = "Nearest passages"
SOURCES_EMPTY = "The passages an answer is quoted from appear here, with the quote highlighted."
SOURCES_NONE = "No passage comes near."
PAGE = "page {}"
PAGE_SHORT = "p. {}"

# How to add documents depends on which ones the page was opened over.
ADD = "Add documents with: qa index PATH"
ADD_TO_INDEX = "Add documents with: qa index PATH --index {}"
ADD_TO_SEEDS = "Add documents of your own with: qa index PATH. Then start this page again."
ADD_TO_FOLDER = "To ask more documents, put them into {}, then start this page again."
ADD_TO_FILES = "To ask more documents, start this page again with their paths as well."

# Each is given how to add documents.
ADVICE: dict[Status, str] = {
    "answered": "",
    "no_index": "{}",
    "off_topic": "Ask about something these documents treat. {}",
    "not_found": "Try the words the documents use, or ask for one thing at a time. "
    "The nearest passages are listed under Sources.",
    "filtered": "",
    "language": "",
}


EXAMPLE_ABOUT = "What is this about?"
EXAMPLE_PUBLISHED = "When was this published?"
EXAMPLE_SAID = "What did {} say?"
EXAMPLE_TOPIC = "What is said about {}?"


def counted(number: int, thing: str) -> str:
    """Return ``number`` with its noun, in the plural where there is not exactly one."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
