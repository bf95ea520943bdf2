"""Every sentence of the page, in one place."""

from __future__ import annotations

from qa.feedback import Verdict
from qa.types import Status

TITLE = "Verbatim"
LANGUAGE = "en"
SEEDS = "the documents that come with Verbatim"
OWN = "your documents"

# The frame
ASK = "Ask"
DOCUMENTS = "Documents"
SKIP = "Skip to the question box"
OVER = "Answering over"
LOG_OUT = "Log out"
CLOSE = "Close"
CANCEL = "Cancel"

# Asking
QUESTION = "Your question"
PLACEHOLDER = "Ask a question"
INVITATION = "Ask these documents a question."
PROMISE = "Answers are quoted word for word, with their sources. Where there is none, you are told so."
EMPTY = "There are no documents here."
EMPTY_ADVICE = "Add some under Documents: PDF, Word, HTML, Markdown or plain text."
EMPTY_OR_SEEDS = "Until you add some of your own, you can go on with the documents that come with Verbatim."
TO_SEEDS = "Use Verbatim's documents"
BUSY_ADDING = "Documents are being added just now. Try again when they are through."
NOT_EMPTY = "There are documents here: remove them first."
ADD_DOCUMENTS = "Add documents"
EXAMPLES = "Questions to begin with"
SEND = "Ask"
STOP = "Stop"
STOPPED = "Stopped."
SEARCHING = "Searching…"
READING = "Reading…"
ONLY = "Asking only:"
ASK_ALL = "Ask all documents"
EDITING = "Editing an earlier question: what came after it will be replaced."
KEYS = "Enter asks, Shift + Enter begins a new line."

# A turn
EDIT = "Edit"
EDIT_QUESTION = "Edit this question"
EDIT_ASKED = "Edit the question that was asked"
ASKED = "Asked as:"
TOOLS = "About this answer"
COPY = "Copy"
COPY_MARKDOWN = "Copy as Markdown"
COPIED = "Copied, with its citations."
RIGHT = "Right"
WRONG = "Wrong"
RETRY = "Ask again"
UNDO = "Undo"
CORRECT = "What is the right answer? Mark its words in a document, or say that there is none."
MARK_IN = "Mark it in “{}”"
UNANSWERABLE = "These documents do not answer it"
VERDICTS: dict[Verdict, str] = {
    "right": "Noted: right.",
    "wrong": "Noted: wrong.",
    "unanswerable": "Noted: not answered in these documents.",
}
MARKED = "Noted as the right answer: “{}”"
NO_FEEDBACK = "The opinion was taken back."

UNCLEAR = "No clear answer. The nearest passages:"
SEVERAL = "Answers from different documents:"
ALSO = "Also in the documents"
SOURCE = "Source {}"
SOURCES = "Sources"
NEAREST = "Nearest passages"
SOURCES_EMPTY = "The passages an answer is quoted from appear here, with the quote highlighted."
SOURCES_NONE = "No passage comes near."
PAGE = "page {}"
PAGE_SHORT = "p. {}"
VIEW = "View in document"
VIEW_LABEL = "View source {number} in its document: {title}"
VIEW_PASSAGE = "View passage {} in its document"
DOWNLOAD = "Original"
GONE = "This document is not here any more."

WHY = "Why this answer"
WHY_TOLD = (
    "The passages that were read, as search ranked them. Meaning is the likeness of question and passage "
    "(cosine), words is BM25, and rank combines both. Reader is the score of the best span found there, none "
    "the score of there being no answer: the larger of the two wins."
)
WHY_TITLES = "This was answered from titles and dates; no passage had to be read."
WHY_HEADS = ("", "Passage and best span", "Rank", "Meaning", "Words", "Reader", "None")

ADVICE: dict[Status, str] = {
    "answered": "",
    "no_index": EMPTY_ADVICE,
    "off_topic": "Ask about something these documents treat, or add documents that do.",
    "not_found": "Try the words the documents use, or ask for one thing at a time. "
    "The nearest passages are listed under Sources.",
    "filtered": "",
    "language": "",
    "removed": "Ask again to search the documents that are here now.",
}

# Conversations
CONVERSATIONS = "Conversations"
NEW = "New conversation"
SEARCH_CONVERSATIONS = "Search conversations"
NO_CONVERSATIONS = "What you ask is kept here, for this browser alone."
NO_CONVERSATIONS_FOUND = "Nothing found."
CONVERSATION_MENU = "This conversation"
RENAME = "Rename"
RENAME_LABEL = "Title of the conversation"
CLEAR = "Clear"
DELETE = "Delete"
SAVE = "Save"
EXPORT_MARKDOWN = "Export as Markdown"
EXPORT_TEXT = "Export as plain text"
EXPORT_JSON = "Export as JSON"
EXPORT_FEEDBACK = "Export feedback (SQuAD)"
NO_CONVERSATION = "This conversation is not here: it was deleted, or belongs to another browser."

# Documents
DOCUMENTS_OVER_SEEDS = (
    "These documents come with Verbatim, to try it. What you add starts a collection of your own, which "
    "takes their place."
)
DOCUMENTS_OVER_PATHS = (
    "The page was opened over these files. A document removed here comes back when it is started again, "
    "as long as its file is there."
)
ADD = "Choose files"
DROP = "or drop files and folders here: PDF, Word, HTML, Markdown, plain text; up to {} MB each"
SEARCH_DOCUMENTS = "Search documents"
NO_DOCUMENTS_FOUND = "No document has these words in its title or file name."
DOCUMENTS_HEADS = ("Ask only", "Title", "Date", "Pages", "Passages", "")
CHOOSE = "Ask only “{}”"
VIEW_DOCUMENT = "View “{}”"
READ_AGAIN = "Read again"
READ_AGAIN_LABEL = "Read “{}” again from its file"
REMOVE = "Remove"
REMOVE_LABEL = "Remove “{}”"
DOWNLOAD_LABEL = "Download the original of “{}”"
REMOVE_SURE = "Remove this document? It no longer answers, and its quotes go from stored conversations."
UP_TO_DATE = "Up to date: the file has not changed."
READ = "Read again."
MORE_DOCUMENTS = "Show more documents"
ASK_CHOSEN = "Ask the chosen documents"
UPLOADS = "Uploads"

# The document view
EARLIER = "Show what comes before"
LATER = "Show what comes after"
PAGE_MARK = "Page {}"
PAGE_OF = "page {} of {}"
GREYED = "Grey text is menus and the like: never quoted."
CHANGED = "This document has changed since it was quoted: the quote is not where it stood."
FIND = "Find"
FIND_WORDS = "Find in this document"
FIND_NOTHING = "These words do not stand in this document."
MARK_HINT = "Select the words of the right answer, or find them, then press the button."
MARK = "This is the right answer"
MARK_NOTHING = "Select some words of the document first."

# Files that are sent
NAMELESS = "a file"
OTHER_KIND = "{}: cannot be read. Send one of {}."
FILE_TOO_LARGE = "{}: {:,.0f} MB is too large: split it into files of at most {:,.0f} MB"
UNWRITABLE = "{}: cannot be written ({}). Free some space, or get permission."

# Getting in
LOG_IN = "Log in"
PASSWORD = "Password"  # noqa: S105 - a label
PASSWORD_WRONG = "That is not the password."  # noqa: S105 - a message
PASSWORD_NEEDED = "This server needs a password: log in, or send it as Authorization: Bearer PASSWORD."  # noqa: S105 - a message
WAIT = "Too many attempts. Try again in {seconds} seconds."

# What goes wrong
BROKEN = "Something went wrong here. The server's log says what; try again."
UNKNOWN_HOST_LOCAL = (
    "Refused: “{}” is not a name of this machine. Open http://127.0.0.1 with the server's port."
)
UNKNOWN_HOST = (
    "Refused: “{}” may be a stranger's name for this server, which has no password. Open it by its address, "
    "or start it with --password."
)
OTHER_SITE = "Refused: this request was sent by a page of another site."
TOO_LARGE = "Too large: at most {} MB can be sent at once."
NOT_HERE = "There is nothing at this address."
NO_DOCUMENT = "No such document: it was removed, or never was here."
NO_ORIGINAL = "There is no file to download: this document was given as a text, or its file is gone."
STOPPING = "The server is being stopped. Send the file again."
NO_UPLOAD = "No such upload."
UNREACHABLE = "The server cannot be reached. Is it still running?"
ARRIVING = (
    '<!doctype html><meta http-equiv="refresh" content="0"><title>Verbatim</title>'
    '<p><a href="">Open Verbatim</a>'
)

ARRIVING_AGAIN = ARRIVING.replace('content="0"', 'content="0;url=?again"').replace('href=""', 'href="?again"')

# What the page's scripts say
SCRIPT = {
    "searching": SEARCHING,
    "stopped": STOPPED,
    "copied": COPIED,
    "unreachable": UNREACHABLE,
    "removeSure": REMOVE_SURE,
    "deleteSure": "Delete this conversation? It cannot be brought back.",
    "clearSure": "Remove all questions and answers of this conversation?",
    "markNothing": MARK_NOTHING,
    "selected": "The right answer: “{}”",
    "upToDate": UP_TO_DATE,
    "read": READ,
    "without": "Leave out {}",
    "tooLarge": "Too large: at most {} MB a file.",
    "unreadable": "Cannot be read from here: choose it with the button.",
    "noFiles": "“{}” holds no files that can be read.",
    "leftOut": "Left out of “{}”: {} of other kinds",
    "files": ["{} file", "{} files"],
    "title": "{} · " + TITLE,
    "states": {
        "sending": "Sending…",
        "waiting": "Waiting…",
        "reading": "Reading… {}",
        "added": "Added: {}",
        "replaced": "Replaced the earlier one: {}",
        "unchanged": "Here already, unchanged",
        "duplicate": "Here already under another name",
        "skipped": "Left out",
        "removed": "Removed",
        "failed": "Not added",
    },
    "passages": ["{} passage", "{} passages"],
}

EXAMPLE_ABOUT = "What is this about?"
EXAMPLE_PUBLISHED = "When was this published?"
EXAMPLE_SAID = "What did {} say?"
EXAMPLE_TOPIC = "What is said about {}?"


def counted(number: int, thing: str) -> str:
    """Return ``number`` with its noun, in the plural where there is not exactly one."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
