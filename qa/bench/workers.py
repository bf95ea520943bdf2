"""Processes that measure: each fresh, so that what one has imported or kept in memory is no other's.

A request is one line of JSON, and so is its answer: a measuring process does nothing while another works.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any, Literal, Self

from index.errors import VerbatimError

Kind = Literal["verbatim", "baseline", "growth"]


class WorkerFailed(VerbatimError):
    """A measuring process ended with an error."""


class Worker:
    """A process of :mod:`qa.bench.worker`; use it in ``with``."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qa.bench.worker", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(self, what: str, **values: Any) -> Any:
        """Have one method of the worker run, and return what it returns.

        Raises:
            WorkerFailed: it raised an error, or the process ended.
        """
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        if pipe_in is None or pipe_out is None:
            raise TypeError("a worker is always started with pipes")
        try:
            pipe_in.write(json.dumps({"what": what, "values": values}) + "\n")
            pipe_in.flush()
            line = pipe_out.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerFailed(f"measuring {what} ({self._kind}) failed: {self._last_error()}")
        return json.loads(line)

    def _last_error(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with code {self._process.returncode}"
