"""``qa eval``, or ``python -m qa.evaluation``: measure search, reading and answers; compare results."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from index import Index
from index.encode import load_encoder
from index.errors import SettingsError, VerbatimError
from index.search import DENSE_WEIGHT
from index.types import Encoder
from qa.assistant import Assistant
from qa.confidence import CALIBRATIONS, Calibration
from qa.evaluation.abstention import abstention_rows, observe
from qa.evaluation.answers import Outcome, answers_rows, outcome
from qa.evaluation.compare import compare as compare_results
from qa.evaluation.conversations import (
    WAYS,
    Part,
    add_texts,
    conversation_rows,
    evaluate,
    read_conversations,
)
from qa.evaluation.corpus import Corpus, JudgedCorpus
from qa.evaluation.encoding import evaluate_encoding
from qa.evaluation.facts import describe_models, describe_sets, versions
from qa.evaluation.plots import plot_abstention, require_matplotlib
from qa.evaluation.reading import read_gold, reading_rows
from qa.evaluation.reading_speed import evaluate_reading_speed
from qa.evaluation.report import require_jinja, write_report
from qa.evaluation.results import Result, read_json, write_json, write_text
from qa.evaluation.retrieval import judged_queries, queries, retrieval_rows, search_all
from qa.evaluation.sets import QuestionSet, read_sets, sample
from qa.evaluation.squad import Example
from qa.evaluation.tables import show_comparison, show_failures, show_result
from qa.read import load_reader
from qa.settings import Settings
from qa.terminal import IngestBar, console, safe

T = TypeVar("T")

REGRESSED = 3

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Measure retrieval, reading, answers and abstention on question sets; compare results.",
    epilog="""\b
Question sets: SQuAD 1.1 or 2.0 JSON; JSON lines with question, answers and
document (a file beside it, or the text); for retrieval also BEIR folders.
Any of them may be gzip. Exit codes: 0 done, 1 an error, 2 wrong usage,
3 a regression (compare --fail-on-regression).""",
)

Files = Annotated[list[Path], typer.Argument(metavar="FILES...", help="Question sets.")]
Among = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="PATH", help="Further sets, or folders of documents, that are searched but not asked about."
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Ask only so many questions, drawn by --seed.")]
Seed = Annotated[int, typer.Option(min=0, help="For --limit and for the intervals.")]
ReaderName = Annotated[str | None, typer.Option("--reader", help="As for `qa ask`.")]
DenseWeight = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the vectors in search: 0 words alone, 1 vectors alone.")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write figures, what they depend on, and rows.")
]
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a report to look at.")]
Failures = Annotated[bool, typer.Option("--failures", help="List the questions that went wrong.")]


@app.command()
def retrieval(
    files: Files,
    among: Among = None,
    limit: Limit = None,
    seed: Seed = 0,
    dense_weight: DenseWeight = DENSE_WEIGHT,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """How early do relevant passages come? The texts of all FILES are one corpus."""
    _check_targets(json_file, html_file)
    sets, further = read_sets(files, with_answers=False), read_sets(among or [], with_answers=False)
    if len({one.form == "beir" for one in [*sets, *further]}) > 1:
        raise SettingsError("BEIR folders judge documents, other sets passages: measure them one at a time")
    asked = sample([one for part in sets for one in part.examples if not one.impossible], limit, seed)
    with _opened() as index:
        if sets[0].form == "beir":
            with _progress() as bar:
                judged = JudgedCorpus(index, [*sets, *further], bar)
            found, title = judged_queries(judged, sets, asked), judged.title
        else:
            corpus = _corpus(index, [*sets, *further])
            found, title = queries(corpus, asked), corpus.title
        searched = list(_shown(search_all(index, found, dense_weight), len(found)))
        rows = retrieval_rows(index, searched, title)
        facts = _facts(sets, further, seed, limit, index) | {
            "settings": {"dense_weight": dense_weight},
            "models": describe_models(index.encoder, reads=False),
        }
    _deliver(Result.of("retrieval", facts, rows, seed), json_file, html_file)


@app.command()
def conversations(
    part: Annotated[
        Part, typer.Option(help="Those only measured, or those in sight while the rules were made.")
    ] = "held-out",
    seed: Annotated[int, typer.Option(min=0, help="For the intervals.")] = 0,
    reader: ReaderName = None,
    failures: Failures = False,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Are follow-ups answered: as typed, resolved by rules, rewritten by hand? Over our own conversations."""
    _check_targets(json_file, html_file)
    given = read_conversations()
    held = [one for one in given.conversations if one.part == part]
    with _opened() as index:
        add_texts(index, given)
        assistant = Assistant(index, Settings(threshold=0.0, reader=reader))
        found = {way: evaluate(assistant, held, way) for way in _shown(WAYS, len(WAYS))}
        asked = sum(len(one.exchanges) for one in held)
        facts = _facts([], [], seed, None, index) | {
            "sets": [{"name": part, "format": "conversations", "sha256": given.sha256, "questions": asked}],
            "settings": {"reader": reader or "default"},
            "models": describe_models(index.encoder, reader),
        }
    result = Result.of("conversations", facts, list(conversation_rows(found)), seed)
    _deliver(result, json_file, html_file, failures=failures)


@app.command()
def encoding(files: Files, limit: Limit = 1000) -> None:
    """Compare speed and quality of encoding with plain sentence-transformers in fp32, in one run."""
    examples = [example for one in read_sets(files) for example in one.examples]
    passages = list(dict.fromkeys(example.context for example in examples if example.context))[:limit]
    places = {passage: place for place, passage in enumerate(passages)}
    questions = [(e.question, places[e.context]) for e in examples if e.context in places][:limit]
    report = evaluate_encoding(passages, questions)
    table = Table("encoder", "passages/s", *report.verbatim_ranking)
    for name, speed, values in (
        ("Verbatim", report.verbatim, report.verbatim_ranking),
        ("sentence-transformers fp32", report.baseline, report.baseline_ranking),
    ):
        table.add_row(name, f"{speed:.1f}", *(f"{100 * value:.1f}" for value in values.values()))
    out = console()
    out.print(table)
    out.print(
        f"{report.verbatim / report.baseline:.1f} times as fast; lowest cosine {report.worst_cosine:.5f}"
    )


@app.command()
def reading(
    files: Files,
    limit: Annotated[int | None, typer.Option(min=1, help="Of each set, ask only so many questions.")] = None,
    seed: Seed = 0,
    reader: ReaderName = None,
    failures: Failures = False,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """How well are questions answered from their own text? EM and F1, a row a set."""
    _check_targets(json_file, html_file)
    sets = read_sets(files)
    asked = [example for one in sets for example in sample(one.examples, limit, seed) if example.context]
    encoder = load_encoder()
    read = list(_shown(read_gold(load_reader(reader, encoder), asked), len(asked)))
    facts = _facts(sets, [], seed, limit, None) | {
        "settings": {"reader": reader or "default"},
        "models": describe_models(encoder, reader),
    }
    result = Result.of("reading", facts, list(reading_rows(read)), seed)
    _deliver(result, json_file, html_file, failures=failures)


@app.command()
def reading_speed(files: Files, limit: Annotated[int, typer.Option(help="Questions for F1.")] = 1000) -> None:
    """Compare the reader with its own weights in plain torch fp32, in one run."""
    examples = [example for one in read_sets(files) for example in one.examples]
    report = evaluate_reading_speed(examples, limit)
    table = Table("reader", "ms for 8 passages of 150 tokens", "F1 on gold passages")
    table.add_row("Verbatim", f"{report.verbatim:.0f}", f"{report.verbatim_f1:.2f}")
    table.add_row("torch fp32", f"{report.torch:.0f}", f"{report.torch_f1:.2f}")
    out = console()
    out.print(table)
    out.print(f"{report.torch / report.verbatim:.1f} times as fast")


@app.command()
def answers(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES...]", help="Question sets; by default the one on the seeds."),
    ] = None,
    among: Among = None,
    limit: Limit = None,
    seed: Seed = 0,
    reader: ReaderName = None,
    dense_weight: DenseWeight = DENSE_WEIGHT,
    failures: Failures = False,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """How good are answers from a whole corpus, and are the right questions left unanswered?"""
    _check_targets(json_file, html_file)
    sets, further = read_sets(files or [seeds_questions()]), read_sets(among or [])
    asked = sample([example for one in sets for example in one.examples], limit, seed)
    settings = Settings(threshold=0.0, reader=reader, dense_weight=dense_weight)
    with _opened() as index:
        corpus = _corpus(index, [*sets, *further])
        assistant = Assistant(index, settings)
        outcomes = list(_shown(_outcomes(assistant, corpus, asked), len(asked)))
        answerable = [example for example in asked if example.answers]
        read = list(_shown(read_gold(assistant.reader, answerable), len(answerable), "Reading"))
        calibration = assistant.calibration
        rows = list(answers_rows(outcomes, read, calibration.threshold, corpus.title))
        facts = _facts(sets, further, seed, limit, index) | {
            "settings": {
                "reader": reader or "default",
                "passages": settings.passages,
                "dense_weight": dense_weight,
            },
            "thresholds": _thresholds(calibration),
            "models": describe_models(index.encoder, reader),
        }
    _deliver(Result.of("answers", facts, rows, seed), json_file, html_file, failures=failures)


@app.command()
def abstention(
    files: Files,
    among: Among = None,
    limit: Limit = None,
    seed: Seed = 0,
    reader: ReaderName = None,
    plot: Annotated[Path | None, typer.Option(help="Where to draw risk-coverage and calibration.")] = None,
    failures: Failures = False,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Is the first candidate right? Each question with its article in the index, and without."""
    _check_targets(json_file, html_file)
    sets, further = read_sets(files), read_sets(among or [])
    asked = sample([example for one in sets for example in one.examples], limit, seed)
    encoder = load_encoder()
    loaded = load_reader(reader, encoder)
    calibration = CALIBRATIONS[loaded.kind]
    with _opened(encoder) as index:
        corpus = _corpus(index, [*sets, *further])
        total = len(asked) + sum(bool(example.answers) for example in asked)
        observed = _shown(observe(corpus, loaded, asked), total)
        rows = list(abstention_rows(corpus, observed, loaded.kind, calibration))
        facts = _facts(sets, further, seed, limit, index) | {
            "settings": {"reader": reader or "default", "passages": Settings().passages},
            "thresholds": _thresholds(calibration),
            "models": describe_models(encoder, reader),
        }
    result = Result.of("abstention", facts, rows, seed)
    _deliver(result, json_file, html_file, failures=failures)
    if plot:
        plot_abstention(result.rows, plot)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="What --json wrote, before.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="And after.")],
    seed: Seed = 0,
    flips: Annotated[int, typer.Option(min=0, help="Show so many of the questions that flipped.")] = 10,
    json_file: JsonFile = None,
    fail: Annotated[
        bool, typer.Option("--fail-on-regression", help=f"Exit with {REGRESSED} where a figure is worse.")
    ] = False,
) -> None:
    """What differs between two results on the same questions, and could it be chance?"""
    _check_targets(json_file, None)
    found = compare_results(read_json(first), read_json(second), seed)
    show_comparison(found, console(), flips)
    if json_file:
        write_text(json_file, json.dumps(found.as_json(), indent=1, ensure_ascii=False) + "\n")
    if fail and found.worse:
        raise typer.Exit(REGRESSED)


def seeds_questions() -> Path:
    """Return the question set on the documents that come with Verbatim."""
    return Path(str(resources.files("qa.evaluation") / "data" / "seeds.json"))


def _outcomes(assistant: Assistant, corpus: Corpus, asked: Iterable[Example]) -> Iterator[Outcome]:
    for example in asked:
        began = time.perf_counter()
        answer = assistant.answer(example.question)
        seconds = time.perf_counter() - began
        yield outcome(example, answer, assistant.reader.kind, corpus.document_id(example), seconds)


def _thresholds(calibration: Calibration) -> dict[str, float]:
    return {"default": calibration.threshold, "strict": calibration.strict}


def _facts(
    sets: Sequence[QuestionSet],
    among: Sequence[QuestionSet],
    seed: int,
    limit: int | None,
    index: Index | None,
) -> dict[str, Any]:
    corpus = {"documents": len(index.document_ids()), "passages": len(index)} if index else None
    return {
        "sets": describe_sets(sets),
        "among": describe_sets(among),
        "seed": seed,
        "limit": limit,
        "corpus": corpus,
        "versions": versions(),
    }


def _deliver(
    result: Result, json_file: Path | None, html_file: Path | None, *, failures: bool = False
) -> None:
    out = console()
    if corpus := result.facts["corpus"]:
        out.print(f"{corpus['documents']:,} documents, {corpus['passages']:,} passages")
    show_result(result, out)
    if failures:
        show_failures(result.rows, out)
    if json_file:
        write_json(result, json_file)
    if html_file:
        write_report(result, html_file)


def _check_targets(json_file: Path | None, html_file: Path | None) -> None:
    """Refuse what could not be written at the end, before hours are spent."""
    for path in filter(None, (json_file, html_file)):
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise SettingsError(f"{path} cannot be written: name a file in a folder that exists")
    if html_file:
        require_matplotlib()
        require_jinja()


@contextmanager
def _opened(encoder: Encoder | None = None) -> Iterator[Index]:
    """Open an index in a folder of its own, which goes again."""
    with (
        tempfile.TemporaryDirectory(prefix="verbatim-evaluation-") as directory,
        Index.open(directory, encoder=encoder) as index,
    ):
        yield index


@contextmanager
def _progress() -> Iterator[IngestBar]:
    bar = IngestBar()
    with bar:
        yield bar


def _corpus(index: Index, sets: Sequence[QuestionSet]) -> Corpus:
    with _progress() as bar:
        examples = [example for one in sets for example in one.examples]
        return Corpus(index, examples, bar, [file for one in sets for file in one.files])


def _shown(items: Iterable[T], total: int, name: str = "Asking") -> Iterator[T]:
    err = Console(stderr=True)
    yield from track(items, name, total, console=err, transient=True, disable=not err.is_terminal)


def main(arguments: Sequence[str] | None = None, name: str = "python -m qa.evaluation") -> None:
    """Run the command line; an error is one line."""
    try:
        app(arguments, prog_name=name)
    except (VerbatimError, OSError) as error:
        console(stderr=True).print(f"error: {safe(str(error))}", soft_wrap=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
