"""Answers, lists of documents and reports of an ingest, for a terminal or a pipe. Knows no commands.

Text of documents and file names is data. It reaches the terminal through :func:`safe` alone, which leaves
no character in it that a terminal obeys, and as :class:`rich.text.Text`, in which rich reads no markup.
Where the output is not a terminal, no line is broken, and the answer within a quote stands between ``**``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, get_args

from rich import box
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from index.ingest import FileReport, IngestReport, Progress, Status
from index.types import DocumentInfo
from qa.types import Answer, Candidate, Citation
from qa.wording import FAINT, UNSURE, confidence_in_words, written_date

# Controls (C0, DEL, C1), marks that reorder text or end lines, and halves of surrogate pairs.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]", re.ASCII
)
_WIDEST = 100
_INDENT = " " * 4
# Of more files than this, only those that need attention are listed.
_LISTED_FILES = 50


def safe(text: str) -> str:
    r"""Return text with every character that a terminal might obey written as its escape: ``\x1b``."""
    return _UNSAFE.sub(lambda match: ascii(match[0])[1:-1], text)


def prose(text: str) -> str:
    """Return running text on one line: the line breaks of the document become spaces."""
    return safe(re.sub(r"\s+", " ", text))


def console(*, stderr: bool = False) -> Console:
    """Return a console that takes text as it is, on standard output or standard error."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def show_answer(answer: Answer, out: Console) -> None:
    """Print an answer with its sources, or why there is none and what comes nearest."""
    for line in _answer(answer, out):
        out.print(line, soft_wrap=True)


def _answer(answer: Answer, out: Console) -> Iterator[Text]:
    if not answer.candidates:
        yield Text(answer.reason)
        if answer.near_misses:
            yield Text("\nNearest passages:")
        for number, citation in enumerate(answer.near_misses, 1):
            yield from _citation(f"[{number}]", citation, out, style="")
    clear = answer.confidence >= UNSURE
    if answer.candidates and not clear:
        yield Text("No clear answer. The nearest passages:")
    further = [one for one in answer.candidates[1:] if one.confidence >= FAINT]
    for position, candidate in enumerate([*answer.candidates[:1], *further]):
        if position == 1 and clear:
            yield Text("\nFurther candidates:")
        yield from _candidate(candidate, out, style="bold green" if clear else "bold")


def _candidate(candidate: Candidate, out: Console, style: str) -> Iterator[Text]:
    first, *others = candidate.citations
    yield from _citation(f"[{first.number}]", first, out, style)
    for other in others:
        yield Text(f"{_INDENT}also [{other.number}] {_facts(other)}")
        yield Text(f"{_INDENT}{safe(other.source)}", style="dim")
    yield Text(f"{_INDENT}{confidence_in_words(candidate.confidence)}", style="bold")


def show_trace(answer: Answer, out: Console) -> None:
    """Print the scores of each passage that was read, as search ranked them; nothing without a trace."""
    for number, passage in enumerate(answer.trace, 1):
        scores = f"score {passage.score:.3f}, cosine {passage.dense:.3f}, BM25 {passage.lexical:.2f}"
        where = f"{passage.document_id} {passage.start}-{passage.end}"
        null = f"no answer {passage.null_score:.2f}"
        out.print(f"\nPassage {number}: {scores}, {null} ({where})", soft_wrap=True)
        out.print(Text(_INDENT + prose(passage.text), style="dim"), soft_wrap=True)
        for span in passage.spans:
            out.print(f"{_INDENT}{span.score:6.2f}  {prose(span.text)}", soft_wrap=True)


def _citation(label: str, citation: Citation, out: Console, style: str) -> Iterator[Text]:
    yield from _wrapped(_quote(citation, out, style), label.ljust(len(_INDENT)), out)
    yield Text(_INDENT + _facts(citation))
    yield Text(_INDENT + safe(citation.source), style="dim")


def _quote(citation: Citation, out: Console, style: str) -> Text:
    start, end = citation.answer_start - citation.start, citation.answer_end - citation.start
    before, answer, after = (
        prose(part) for part in (citation.quote[:start], citation.quote[start:end], citation.quote[end:])
    )
    if style and not out.is_terminal and (before + after).strip():
        answer = f"**{answer}**"
    return Text.assemble("“", before, (answer, style), after, "”")


def _facts(citation: Citation) -> str:
    facts = [prose(citation.title), written_date(citation.date)]
    if citation.page is not None:
        facts.append(f"page {citation.page}")
    return " · ".join(facts)


def _wrapped(text: Text, label: str, out: Console) -> Iterator[Text]:
    """Yield text as lines behind a label; the lines of a pipe may be of any length."""
    width = min(out.width, _WIDEST) - len(label)
    lines = text.wrap(out, max(width, 1)) if out.is_terminal else [text]
    for position, line in enumerate(lines):
        yield Text.assemble(label if position == 0 else " " * len(label), line)


def show_documents(documents: Sequence[DocumentInfo], out: Console) -> None:
    """Print what is known of each document, its id first."""
    for info in documents:
        facts = [
            written_date(info.date),
            _counted(info.characters, "character"),
            _counted(info.passages, "passage"),
        ]
        out.print(Text.assemble((info.id, "bold"), f"  {prose(info.title)}"), soft_wrap=True)
        out.print(Text(_INDENT + " · ".join(facts)), soft_wrap=True)
        for source in info.sources:
            out.print(Text(_INDENT + safe(source), style="dim"), soft_wrap=True)
        for warning in info.warnings:
            out.print(Text(f"{_INDENT}warning: {safe(warning)}"), soft_wrap=True)
    passages = sum(info.passages for info in documents)
    out.print(Text(f"{_counted(len(documents), 'document')}, {_counted(passages, 'passage')}"))


class IngestBar:
    """A progress bar on standard error while files are read; nothing where that is no terminal."""

    def __init__(self) -> None:
        err = console(stderr=True)
        columns = (TextColumn("Reading"), BarColumn(20), TextColumn("{task.fields[rates]}"))
        self._bar = Bar(*columns, console=err, transient=True, disable=not err.is_terminal)
        self._task = self._bar.add_task("", total=None, rates="")
        self.total = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, step: Progress) -> None:
        """Show how far it is."""
        self.total = step.total
        seconds = max(step.seconds, 0.001)
        rates = (
            f"{step.files:,}/{step.total:,} files {step.files / seconds:,.1f}/s, "
            f"{step.passages:,} passages {step.passages / seconds:,.0f}/s"
        )
        self._bar.update(self._task, completed=step.files, total=step.total, rates=rates)


def show_report(report: IngestReport, out: Console) -> None:
    """Print what became of each file that is not simply unchanged; of many, only what needs attention."""
    files = sorted(report.files, key=lambda file: file.source)
    changed = [file for file in files if file.status not in ("unchanged", "skipped")]
    if len(changed) > _LISTED_FILES:
        changed = [file for file in changed if file.message or file.warnings]
    if changed:
        out.print(_table(changed))
    for file in files:
        # What failed is told on standard error, and of what was removed the table says all.
        said = [*file.warnings, *([file.message] if file.status not in ("failed", "removed") else [])]
        for message in filter(None, said):
            out.print(Text(f"{_short(file.source)}: {_said(file.status, message)}"), soft_wrap=True)


def _table(files: Sequence[FileReport]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("File", overflow="fold", ratio=1)
    table.add_column("Status")
    for name in ("Characters", "Passages", "Marked"):
        table.add_column(name, justify="right", no_wrap=True)
    for file in files:
        numbers = (file.characters, file.passages, file.marked) if file.characters else ()
        cells = [_short(file.source), file.status, *(f"{number:,}" for number in numbers)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _said(status: Status, message: str) -> str:
    return safe(f"{status}: {message}" if status == "skipped" else message)


def _short(source: str) -> str:
    """Return a path as seen from here, where it lies below."""
    path, here = Path(source), Path.cwd()
    return safe(str(path.relative_to(here)) if path.is_relative_to(here) else source)


def summary(report: IngestReport) -> str:
    """Return in one line what an ingest did."""
    counts = [(report.count(status), status) for status in get_args(Status)]
    said = [(number, status) for number, status in counts if number]
    if report.encoded:
        listed = ", ".join(f"{number:,} {status}" for number, status in said)
        return f"{listed}; {_counted(report.encoded, 'passage')} encoded in {report.seconds:.1f} s"
    if not said:
        return "Nothing to encode: no files there"
    (number, status), *others = said
    listed = ", ".join([f"{_counted(number, 'file')} {status}", *(f"{n:,} {s}" for n, s in others)])
    return f"Nothing to encode: {listed}"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
