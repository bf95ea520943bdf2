"""Which documents the page answers over, and getting them ready. Speaks to the terminal; knows no web."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from index.errors import LoadError
from index.home import home, index_directory
from index.index import Index
from index.ingest import IngestReport
from index.ingest import Progress as Step
from index.load.files import absolute
from qa.assistant import Assistant
from qa.settings import Settings
from qa.web import strings

_SHOWN_FAILURES = 10
_UPLOADS = "documents"
_console = Console(stderr=True)


Kind = Literal["own", "seeds", "paths", "index"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """An assistant, in words what it answers over, and the folder that keeps files uploaded to it.

    ``kind`` says where the documents are from: the user's ``"own"`` index, the ``"seeds"`` that come with
    Verbatim, exactly these ``"paths"``, or an ``"index"`` named by its folder.
    """

    assistant: Assistant
    name: str
    kind: Kind
    uploads: Path


def open_corpus(paths: Sequence[Path], index: Path | None) -> Corpus:
    """Return what to answer over: the paths, else the index, else the user's own index, else the seeds.

    An index of the user's own that is empty hides the seeds no longer.

    The caller closes its assistant.

    Raises:
        LoadError: none of the paths could be read.
        StoreError: there is no index, or it cannot be used.
        ModelError: the encoder cannot be loaded.
        SettingsError: a variable of the environment has a value that cannot be used.
    """
    if index is not None:
        # It may hold more than the paths: the page must not say less.
        assistant = _over_paths(paths, index) if paths else Assistant.open(index)
        return Corpus(assistant, str(index), "index", absolute(assistant.index.directory / _UPLOADS))
    if paths:
        assistant = _over_paths(paths, None)
        name = ", ".join(map(str, paths))
        return Corpus(assistant, name, "paths", absolute(assistant.index.directory / _UPLOADS))
    with _console.status("Opening the documents"):
        assistant = Assistant.open()
    if assistant.index.directory == index_directory():
        return Corpus(assistant, strings.OWN, "own", own_uploads())
    return Corpus(assistant, strings.SEEDS, "seeds", own_uploads())


def own_uploads() -> Path:
    """Return the folder of the files that were uploaded to the user's own index."""
    return absolute(home() / _UPLOADS)


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
