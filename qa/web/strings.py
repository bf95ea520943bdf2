"""Every sentence of the page, in one place."""

from __future__ import annotations

from qa.types import Status

TITLE = "Verbatim"
SEEDS = "the documents that come with Verbatim"
PLACEHOLDER = "Ask a question"
INVITATION = "Ask these documents a question."
PROMISE = "Answers are quoted word for word, with their sources. Where there is none, you are told so."
EMPTY = "There are no documents here yet. Add some with: qa index PATH"
SEND = "Ask"
NEW = "New conversation"

SEARCHING = "Searching…"
READING = "Reading…"

ALSO = "Also in the documents"
SOURCES = "Sources"
NEAREST = "Nearest passages"
SOURCES_EMPTY = "The passages an answer is quoted from appear here, with the quote highlighted."
SOURCES_NONE = "No passage comes near."
PAGE = "page {}"

ADVICE: dict[Status, str] = {
    "answered": "",
    "no_index": "Then open this page again.",
    "off_topic": "Ask about something the documents treat, or add documents that do: qa index PATH",
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
