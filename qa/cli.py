"""The command ``qa``: arguments in, text or JSON out, an exit code. Every step itself lies elsewhere.

Standard output carries what was asked for, standard error everything else: errors, notes, progress.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from index.errors import NotAnIndex, VerbatimError
from index.home import index_directory
from index.index import Index, check_question
from index.ingest import FileReport, IngestInterrupted, IngestReport
from index.load import find_files
from index.store import FILE_NAME
from qa.assistant import Assistant, has_own_index
from qa.conversations import Conversations, conversations_path
from qa.settings import Settings
from qa.terminal import (
    IngestBar,
    console,
    safe,
    show_answer,
    show_documents,
    show_report,
    show_trace,
    summary,
)
from qa.types import Answer, Turn

INTERRUPTED = 130

_EXIT_CODES = """\b
Exit codes:
  0    done; also where a question has no answer in the documents
  1    an error: a file that cannot be read (the others are done nevertheless),
       a name that is not in the index, an index that cannot be used
  2    wrong usage
  130  interrupted with Ctrl-C

Without --index, the index at $VERBATIM_HOME/index is used."""
_ASK_EPILOG = """\b
--json prints one object:
  question, asked  as given, and as searched for
  status           "answered", or why not: "no_index", "off_topic",
                   "not_found", "filtered", "language"
  reason           the same as a sentence; empty where answered
  text, confidence, citations   of the first candidate; null, 0.0, []
  candidates       best first: text, confidence (0 to 1), citations
  near_misses      the nearest passages where nothing was answered: citations
  chosen           how many documents --document chose; null for all
  trace            with --trace, the passages that were read: document_id,
                   start, end, text, score, dense, lexical, null_score, spans
A citation: number, document_id, title, date (ISO, or null), source, page (or
null), start, end, quote, answer_start, answer_end. Offsets count code points of
the document's text: text[start:end] == quote."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

IndexOption = Annotated[
    Path | None, typer.Option("--index", metavar="DIR", help="The index's folder, instead of your own.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    _prepare_streams()
    _prepare_logging()
    try:
        app(arguments, prog_name="qa")
    except (VerbatimError, OSError) as error:
        _error(str(error))
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"qa {metadata.version('verbatim-qa')}")
        except metadata.PackageNotFoundError:
            print("qa (not installed: run from its source)")
        raise typer.Exit


@app.callback(invoke_without_command=True, epilog=_EXIT_CODES)
def _qa(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Ask a folder of documents a question; get the answer word for word, cited, offline."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command("index")
def index_paths(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders.")],
    index: IndexOption = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Also drop documents below these paths whose files are gone.")
    ] = False,
) -> None:
    """Take in files and folders. Unchanged files cost nothing, changed ones are replaced."""
    report = _nothing_there(paths, index) or _ingest(paths, index, sync=sync)
    out = console()
    show_report(report, out)
    out.print(summary(report), soft_wrap=True)
    _tell_failed(report)
    if report.failed:
        raise typer.Exit(1)
    if all(file.status == "skipped" for file in report.files):
        _error("no file there can be read. Name files or folders with documents in them.")
        raise typer.Exit(1)


def _nothing_there(paths: Sequence[Path], index: Path | None) -> IngestReport | None:
    """Return a report where there is nothing to read, and no index yet: an empty one would hide the seeds."""
    if ((index or index_directory()).expanduser() / FILE_NAME).is_file():
        return None
    files, others = find_files(path.expanduser() for path in paths)
    if files:
        return None
    reports = [
        FileReport(one.path, "failed" if one.failed else "skipped", message=one.reason) for one in others
    ]
    return IngestReport(tuple(reports), encoded=0, seconds=0.0)


def _ingest(paths: Sequence[Path], index: Path | None, *, sync: bool) -> IngestReport:
    with Index.open(index, encoder=Settings.from_env().encoder) as opened, _forgetting(opened):
        bar = IngestBar()
        try:
            with bar:
                return opened.add(paths, sync=sync, on_progress=bar)
        except IngestInterrupted as interrupted:
            report = interrupted.report
            show_report(report, console())
            _tell_failed(report)
            kept = sum(report.count(status) for status in ("added", "replaced", "unchanged", "duplicate"))
            of = f" of {bar.total:,}" if bar.total else ""
            _note(f"Interrupted: {kept:,}{of} files are stored; run the same command again to go on")
            raise typer.Exit(INTERRUPTED) from interrupted


def _tell_failed(report: IngestReport) -> None:
    for file in report.failed:
        _error(file.message)


@app.command(epilog=_ASK_EPILOG)
def ask(
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help='The question; "-" reads it from standard input.')
    ],
    as_json: JsonOption = False,
    top: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="N", help="How many different answers at most.")
    ] = None,
    document: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Use this document only (see: qa documents); can be repeated."),
    ] = None,
    index: IndexOption = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="F", help="Least confidence of an answer; 0 always answers."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Answer only where answers are right at least 80 % of the time.")
    ] = False,
    reader: Annotated[
        str | None,
        typer.Option(metavar="NAME", help='"sentences", or a question answering model\'s folder or name.'),
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show the scores of the passages that were read.")
    ] = False,
) -> None:
    """Answer a question with quotes from the documents, or say that they do not answer it."""
    question = _readable(sys.stdin.read() if question == "-" else question)
    check_question(question)
    settings = Settings.from_env()
    if threshold is not None or strict:
        # What is said here takes the place of either in the environment.
        settings = replace(settings, threshold=threshold, strict=strict)
    settings = replace(
        settings,
        candidates=settings.candidates if top is None else top,
        reader=settings.reader if reader is None else reader,
    )
    with _open_assistant(index, settings) as assistant:
        _check_known(document or [], assistant.index.document_ids())
        answer = assistant.answer(question, documents=document or None, trace=trace)
    if as_json:
        _print_json(answer_as_json(answer))
    else:
        show_answer(answer, console())
        show_trace(answer, console())


def answer_as_json(answer: Answer) -> dict[str, Any]:
    """Return an answer, with what can be read off it, as JSON has it."""
    return {
        **asdict(answer),
        "text": answer.text,
        "confidence": answer.confidence,
        "citations": [asdict(citation) for citation in answer.citations],
        "reason": answer.reason,
    }


@app.command()
def chat(index: IndexOption = None) -> None:
    """Ask one question after another; a question may leave to those before it what it is about.

    An empty line, "exit" or Ctrl-D leaves; Ctrl-C drops a question.
    """
    with contextlib.suppress(ImportError):
        import_module("readline")  # makes input() editable, where the system has it
    out = console()
    turns: list[Turn] = []
    with _open_assistant(index, Settings.from_env()) as assistant:
        while (question := _typed()) is not None:
            try:
                answer = assistant.reply(_readable(question), turns)
                if answer.asked != answer.question:
                    _note(f"Asked as: {safe(answer.asked)}")
                show_answer(answer, out)
                turns += (Turn("user", answer.question), Turn.of(answer))
            except VerbatimError as error:
                _error(str(error))
            except KeyboardInterrupt:
                _note("\nCancelled.")


def _typed() -> str | None:
    """Return the next question, or ``None`` to leave."""
    while True:
        print()
        try:
            line = input("> ").strip()
        except EOFError:
            print()
            return None
        except KeyboardInterrupt:
            _note('\nAn empty line, "exit" or Ctrl-D leaves.')
            continue
        return None if line.lower() in ("", "exit", "quit") else line


@app.command()
def documents(as_json: JsonOption = False, index: IndexOption = None) -> None:
    """List the documents: id, title, date, size, where they come from, warnings."""
    with _open_existing(index) as opened:
        infos = opened.documents()
    if as_json:
        _print_json([asdict(info) for info in infos])
    else:
        show_documents(infos, console())


@app.command()
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Ids of documents, or paths.")],
    index: IndexOption = None,
) -> None:
    """Remove documents by id, or single files by path. The files themselves stay."""
    with _open_existing(index) as opened, _forgetting(opened):
        removed = opened.remove(*names)
    for name in removed:
        print(f"Removed: {safe(name)}", flush=True)
    _check_known(names, removed)


@contextlib.contextmanager
def _forgetting(index: Index) -> Iterator[None]:
    """Remove the words of documents that go meanwhile from the stored conversations."""
    before = set(index.document_ids())
    try:
        yield
    finally:
        if (gone := before.difference(index.document_ids())) and conversations_path().is_file():
            conversations = Conversations()
            for document in gone:
                conversations.forget_document(document)
            conversations.close()


def _check_known(names: Sequence[str], known: Sequence[str]) -> None:
    """End with an error where names are not among those of the index."""
    missing = [name for name in names if name not in known]
    for name in missing:
        _error(f"{name}: not in the index. See: qa documents")
    if missing:
        raise typer.Exit(1)


@app.command()
def serve(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files and folders to answer over, instead of an index."),
    ] = None,
    index: IndexOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 7860,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password first, unless VERBATIM_PASSWORD names one.")
    ] = False,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let everyone in who can reach the address.")
    ] = False,
) -> None:
    """Open the chat for the browser, until Ctrl-C. Beyond this machine it needs a password."""
    import_module("qa.web").serve(paths or [], index, host, port, password=password, auth=not no_auth)


@app.command(
    "eval",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def evaluate(context: typer.Context) -> None:
    """Measure on question sets, and compare results: `qa eval --help` lists how."""
    import_module("qa.evaluation.__main__").main(context.args, "qa eval")


@app.command(
    "bench",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def benchmark(context: typer.Context) -> None:
    """Measure speed, memory and growth beside sentence-transformers and FAISS: `qa bench --help`."""
    import_module("qa.bench.__main__").main(context.args, "qa bench")


def _open_assistant(index: Path | None, settings: Settings) -> Assistant:
    if index is None and not has_own_index():
        _note(
            "You have no documents indexed: answering from the documents that come with Verbatim. "
            "Index your own with: qa index PATH"
        )
    return Assistant.open(index, settings=settings)


def _open_existing(index: Path | None) -> Index:
    if index is None and not (index_directory() / FILE_NAME).is_file():
        raise NotAnIndex(f"{index_directory()}: you have no index yet. Make one with: qa index PATH")
    return Index.open(index, encoder=Settings.from_env().encoder, create=False, lazy=True)


def _readable(question: str) -> str:
    """Return a question that is valid Unicode, whatever bytes it was given as."""
    return question.encode("utf-8", "replace").decode("utf-8")


def _print_json(value: Any) -> None:
    # Escaped to ASCII: no control sequence gets through, and every encoding can print it.
    print(json.dumps(value, indent=2), flush=True)


def _note(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _error(message: str) -> None:
    _note(f"error: {safe(message)}")


def _prepare_streams() -> None:
    """Let no character of a document or a question end the command, whatever the terminal's encoding."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


class _Plain(logging.Handler):
    """Prints the bare message on whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        _note(safe(record.getMessage()))


def _prepare_logging() -> None:
    for name in ("index", "qa"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, _Plain) for handler in logger.handlers):
            logger.addHandler(_Plain(logging.WARNING))
