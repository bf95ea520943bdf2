"""Which documents the page answers over, and getting them ready. Speaks to the terminal; knows no web."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from index.errors import LoadError
from index.home import home, index_directory
from index.index import Index
from index.ingest import IngestReport
from index.ingest import Progress as Step
from qa.assistant import Assistant, has_own_index
from qa.settings import Settings
from qa.web import strings

_SHOWN_FAILURES = 10
_console = Console(stderr=True)


def open_corpus(paths: Sequence[Path], index: Path | None) -> tuple[Assistant, str]:
    """Return an assistant over the paths, else the index, else the user's own index, else the seeds.

    Returns:
        The assistant, to be closed by the caller, and in words what it answers over.

    Raises:
        LoadError: none of the paths could be read.
        StoreError: there is no index, or it cannot be used.
        EncoderError: the encoder cannot be loaded.
        SettingsError: a variable of the environment has a value that cannot be used.
    """
    if paths:
        # An index of one's own choice may hold more than these paths: the page must not say less.
        return _over_paths(paths, index), str(index) if index else ", ".join(map(str, paths))
    if index is not None:
        return Assistant.open(index), str(index)
    own = has_own_index()
    with _console.status("Opening the documents"):
        return Assistant.open(), str(index_directory()) if own else strings.SEEDS


def paths_directory(paths: Sequence[Path], encoder: str | None = None) -> Path:
    """Return the folder of the index over exactly these paths, in whatever order, with one encoder."""
    resolved = sorted({str(path.expanduser().resolve()) for path in paths})
    digest = hashlib.sha256("\n".join([encoder or "", *resolved]).encode("utf-8", "surrogateescape"))
    return home() / "chats" / digest.hexdigest()[:16]


def _over_paths(paths: Sequence[Path], directory: Path | None) -> Assistant:
    settings = Settings.from_env()
    index = Index.open(directory or paths_directory(paths, settings.encoder), encoder=settings.encoder)
    try:
        _tell_failures(_add(index, paths))
        if directory is None:
            # The paths are all there is to this index: what is gone from them must not answer.
            index.remove(*(s for info in index.documents() for s in info.sources if not os.path.lexists(s)))
        _check_not_empty(index, paths)
    except BaseException:
        index.close()
        raise
    return Assistant(index, settings)


def _check_not_empty(index: Index, paths: Sequence[Path]) -> None:
    if not index.documents():
        named = ", ".join(map(str, paths))
        raise LoadError(f"{named}: nothing there could be read. Name other files or folders.")


def _add(index: Index, paths: Sequence[Path]) -> IngestReport:
    count = TextColumn("{task.completed:,.0f} of {task.total:,.0f} files")
    columns = (TextColumn("Reading"), BarColumn(), count, TimeElapsedColumn())
    with Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task("", total=0)

        def show(step: Step) -> None:
            progress.update(task, completed=step.files, total=step.total)

        return index.add(paths, sync=True, on_progress=show)


def _tell_failures(report: IngestReport) -> None:
    for file in report.failed[:_SHOWN_FAILURES]:
        _console.print(f"Not read: {file.message}", style="yellow", markup=False, highlight=False)
    more = len(report.failed) - _SHOWN_FAILURES
    if more > 0:
        _console.print(f"Not read: {strings.counted(more, 'more file')}", style="yellow")
