"""A question with its answer and all that can be done with it, to HTML: pure functions.

Text of documents and people enters it through :mod:`qa.web.prose` alone.
"""

from __future__ import annotations

from index.types import Range
from qa.export import answer_markdown, answer_text
from qa.feedback import Verdict
from qa.types import Answer, Citation, Trace
from qa.web import rendering, strings
from qa.web.prose import attribute, escape, excerpt, prose
from qa.web.rendering import Cited, button, digest, flowing
from qa.wording import chosen_in_words

_TRACED = 160


def turn(answer: Answer, number: int, cited: Cited, verdict: Verdict | None = None) -> str:
    """Return a question and its answer; ``number`` counts the questions of a conversation from 1."""
    return (
        f'<article class="turn" id="t-{number}" data-turn="{number}" '
        f'data-question="{attribute(answer.question)}" data-asked="{attribute(answer.asked)}">'
        f"{_question(answer)}{rendering.answer(answer, number, cited.documents)}"
        f"{_tools(answer, verdict)}{_correction(answer, cited, verdict)}{_why(answer, cited)}</article>"
    )


def _question(answer: Answer) -> str:
    edit = button("edit", strings.EDIT, "quiet", label=strings.EDIT_QUESTION)
    asked = ""
    if answer.asked != answer.question:
        change = button("edit-asked", strings.EDIT, "quiet", label=strings.EDIT_ASKED)
        asked = f'<p class="asked">{strings.ASKED} <q dir="auto">{escape(answer.asked)}</q> {change}</p>'
    if answer.chosen:
        asked += f'<p class="asked">{chosen_in_words(answer.chosen)}</p>'
    return f'<div class="question"><h2 dir="auto">{escape(answer.question)}</h2>{edit}</div>{asked}'


def _tools(answer: Answer, verdict: Verdict | None) -> str:
    copies = button("copy", strings.COPY, "quiet", data={"copy": answer_text(answer)}) + button(
        "copy", strings.COPY_MARKDOWN, "quiet", data={"copy": answer_markdown(answer)}
    )
    if answer.status == "removed":
        thumbs = ""
    else:
        right, wrong = verdict == "right", verdict in ("wrong", "unanswerable")
        thumbs = _thumb("right", strings.RIGHT, pressed=right) + _thumb("wrong", strings.WRONG, pressed=wrong)
    last = button("retry", strings.RETRY, "quiet last-only") + button("undo", strings.UNDO, "quiet last-only")
    return (
        f'<div class="tools" role="group" aria-label="{strings.TOOLS}">{copies}'
        f'<span class="thumbs">{thumbs}</span>{last}</div>'
    )


def _thumb(verdict: Verdict, text: str, *, pressed: bool) -> str:
    return (
        f'<button type="button" class="quiet thumb {verdict}" data-action="verdict" data-verdict="{verdict}" '
        f'aria-pressed="{str(pressed).lower()}">{escape(text)}</button>'
    )


def _correction(answer: Answer, cited: Cited, verdict: Verdict | None) -> str:
    """Return how to say what the right answer is, shown once an answer was called wrong."""
    # The first place of each document, in the order of the answer.
    places: dict[str, int] = {}
    shown: tuple[Citation | Trace, ...] = (*_cited(answer), *answer.trace)
    for one in shown:
        places.setdefault(one.document_id, one.start)
    choices = "".join(
        button(
            "mark",
            strings.MARK_IN.format(document.title),
            "chip",
            data={"document": one, "start": start},
        )
        for one, start in places.items()
        if (document := cited.documents.get(one)) is not None
    )
    none = button("verdict", strings.UNANSWERABLE, "chip", data={"verdict": "unanswerable"})
    hidden = "" if verdict in ("wrong", "unanswerable") else " hidden"
    told = strings.VERDICTS[verdict] if verdict in ("wrong", "unanswerable") else ""
    return (
        f'<div class="correction"{hidden}><p>{strings.CORRECT}</p><div class="chips">{choices}{none}</div>'
        f'<p class="told" role="status">{told}</p></div>'
    )


def _cited(answer: Answer) -> tuple[Citation, ...]:
    return (*(one for candidate in answer.candidates for one in candidate.citations), *answer.near_misses)


def _why(answer: Answer, cited: Cited) -> str:
    """Return the scores of the passages that were read."""
    if answer.status in ("removed", "no_index", "filtered"):
        return ""
    rows = "".join(_traced(number, one, cited) for number, one in enumerate(answer.trace, 1))
    if not rows:
        return f'<details class="why"><summary>{strings.WHY}</summary><p>{strings.WHY_TITLES}</p></details>'
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in strings.WHY_HEADS)
    return (
        f'<details class="why"><summary>{strings.WHY}</summary><p>{strings.WHY_TOLD}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{strings.WHY}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _traced(number: int, trace: Trace, cited: Cited) -> str:
    part = Range(trace.start, trace.end)
    document = cited.documents.get(trace.document_id)
    text = flowing(part, trace.text, document)
    cut = excerpt(text, Range(0, 1), _TRACED)
    end = "&nbsp;…" if cut.end < len(text) else ""
    best = trace.spans[0] if trace.spans else None
    span = f"{best.score:.2f}" if best else "–"
    found = f'<span class="span" dir="auto">{prose(_flat(best.text))}</span>' if best else ""
    view = button(
        "view",
        strings.VIEW,
        "quiet",
        label=strings.VIEW_PASSAGE.format(number),
        data={
            "document": trace.document_id,
            "start": trace.start,
            "end": trace.end,
            "digest": digest(trace.text),
        },
    )
    values = (
        f"{trace.score:.2f}",
        f"{trace.dense:.2f}",
        f"{trace.lexical:.1f}",
        span,
        f"{trace.null_score:.2f}",
    )
    scores = "".join(
        f'<td data-label="{attribute(label)}">{value}</td>'
        for label, value in zip(strings.WHY_HEADS[-len(values) :], values, strict=True)
    )
    return (
        f'<tr><th scope="row">{number}</th><td class="text">'
        f'<span dir="auto">{prose(text[cut.start : cut.end])}{end}</span>{found}{view}</td>{scores}</tr>'
    )


def _flat(text: str) -> str:
    return " ".join(text.split())
