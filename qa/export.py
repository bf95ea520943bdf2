"""Answers and conversations to take along, with their citations: Markdown, plain text, JSON.

Words of documents and people are data here too: in Markdown they are escaped, so that they read as they stand
and nothing in them becomes a link, an image or HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict

from qa.types import Answer, Candidate, Citation, Turn
from qa.wording import FAINT, chosen_in_words, confidence_in_words, written_date

_Escape = Callable[[str], str]
# What means something to Markdown within a line, and at the start of one.
_INLINE = re.compile(r"([\\`*_\[\]<>&|~#!$])")
_OPENING = re.compile(r"^(\s*)([-+=:]|\d+(?=[.)]))", re.MULTILINE)


def answer_markdown(answer: Answer) -> str:
    """Return an answer as Markdown: each candidate in bold in its quote, numbered sources beneath."""
    if not answer.candidates:
        return "\n\n".join([_escape(answer.reason), *_nearest(answer, _escape)])
    blocks = [_quoted(candidate) for candidate in _shown(answer)]
    return "\n\n".join([*blocks, _sources(answer, _escape)])


def answer_text(answer: Answer) -> str:
    """Return an answer as plain text: each candidate and its quote, numbered sources beneath."""
    if not answer.candidates:
        return "\n\n".join([answer.reason, *_nearest(answer, str)])
    blocks = [
        f"{candidate.text}{_numbers(candidate)}\n({confidence_in_words(candidate.confidence)})"
        for candidate in _shown(answer)
    ]
    return "\n\n".join([*blocks, _sources(answer, str)])


def conversation_markdown(title: str, turns: Sequence[Turn]) -> str:
    """Return a conversation as Markdown: questions as headings, answers with their sources."""
    blocks = [f"# {_escape(_line(title))}"]
    for turn in turns:
        if turn.answer is None:
            blocks.append(f"## {_escape(_line(turn.text))}" if turn.role == "user" else _escape(turn.text))
        else:
            blocks += [*_asked(turn.answer, _escape), answer_markdown(turn.answer)]
    return "\n\n".join(blocks) + "\n"


def conversation_text(title: str, turns: Sequence[Turn]) -> str:
    """Return a conversation as plain text."""
    line = _line(title)
    blocks = [f"{line}\n{'=' * len(line)}"]
    for turn in turns:
        if turn.answer is None:
            blocks.append(f"> {_line(turn.text)}" if turn.role == "user" else turn.text)
        else:
            blocks += [*_asked(turn.answer, str), answer_text(turn.answer)]
    return "\n\n".join(blocks) + "\n"


def conversation_json(title: str, turns: Sequence[Turn]) -> str:
    """Return a conversation as JSON: ``{"title", "turns": [{"role", "text", "answer"}]}``.

    An answer has the fields of :class:`qa.types.Answer`, offsets included; of a person's turn it is null.
    """
    written = {"title": title, "turns": [asdict(turn) for turn in turns]}
    return json.dumps(written, ensure_ascii=False, indent=2) + "\n"


def _shown(answer: Answer) -> list[Candidate]:
    first, *others = answer.candidates
    return [first, *(one for one in others if one.confidence >= FAINT)]


def _quoted(candidate: Candidate) -> str:
    """Return the first quote as a block with the answer in bold, and how likely it is."""
    citation = candidate.citations[0]
    start, end = citation.answer_start - citation.start, citation.answer_end - citation.start
    before, answered, after = (
        _escape(part) for part in (citation.quote[:start], citation.quote[start:end], citation.quote[end:])
    )
    bold = f"{before}{_bold(answered)}{after}{_numbers(candidate, escaped=True)}"
    block = "\n".join(f"> {line}".rstrip() for line in bold.split("\n"))
    return f"{block}\n\n{confidence_in_words(candidate.confidence)}"


def _bold(escaped: str) -> str:
    # Emphasis ends at a paragraph's end; white space at its border would undo it.
    return re.sub(r"(?:(?!\n\s*\n).)*\S", _starred, escaped, flags=re.DOTALL)


def _starred(match: re.Match[str]) -> str:
    text = match.group()
    bare = text.lstrip()
    return f"{text[: len(text) - len(bare)]}**{bare}**"


def _numbers(candidate: Candidate, *, escaped: bool = False) -> str:
    opening, closing = (r"\[", r"\]") if escaped else ("[", "]")
    return "".join(f" {opening}{citation.number}{closing}" for citation in candidate.citations)


def _sources(answer: Answer, escape: _Escape) -> str:
    cited = [citation for candidate in _shown(answer) for citation in candidate.citations]
    return "Sources:\n\n" + "\n".join(_source(citation, escape) for citation in cited)


def _source(citation: Citation, escape: _Escape) -> str:
    place = [_line(citation.title), written_date(citation.date)]
    if citation.page is not None:
        place.append(f"page {citation.page}")
    place += [_line(citation.source), f"characters {citation.start} to {citation.end}"]
    return f"{citation.number}. {escape('“' + _line(citation.quote) + '”')} — {escape(', '.join(place))}"


def _nearest(answer: Answer, escape: _Escape) -> list[str]:
    if not answer.near_misses:
        return []
    return ["Nearest passages:\n\n" + "\n".join(_source(one, escape) for one in answer.near_misses)]


def _asked(answer: Answer, escape: _Escape) -> list[str]:
    asked = [] if answer.asked == answer.question else [f"Asked as: {escape(_line(answer.asked))}"]
    return [*asked, *([chosen_in_words(answer.chosen)] if answer.chosen else [])]


def _line(text: str) -> str:
    return " ".join(text.split())


def _escape(text: str) -> str:
    return _OPENING.sub(r"\1\\\2", _INLINE.sub(r"\\\1", text))
