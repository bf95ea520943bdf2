"""``python -m qa.evaluation``: measure retrieval, encoding, reading, answers and abstention."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from index.encode import load_encoder
from index.errors import VerbatimError
from qa.assistant import Assistant
from qa.confidence import CALIBRATIONS
from qa.evaluation.abstention import auroc, calibration_error, judge_all, observe
from qa.evaluation.answers import Outcome, answered_shares, outcome, shares
from qa.evaluation.corpus import Corpus, open_corpus
from qa.evaluation.encoding import evaluate_encoding
from qa.evaluation.metrics import bootstrap_interval
from qa.evaluation.plots import plot_abstention
from qa.evaluation.reading import Read, read_gold
from qa.evaluation.reading_speed import evaluate_reading_speed
from qa.evaluation.retrieval import evaluate_retrieval
from qa.evaluation.squad import Example, read_squad
from qa.read import load_reader
from qa.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
console = Console()

Files = Annotated[list[Path], typer.Argument(help="Question sets in SQuAD JSON, plain or gzip.")]
Among = Annotated[
    list[Path] | None, typer.Option(help="Further sets, whose paragraphs are searched but not asked about.")
]
Limit = Annotated[int | None, typer.Option(help="Ask only the first N questions.")]
ReaderName = Annotated[str | None, typer.Option("--reader", help="As for `qa ask`.")]
_CURVE = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


@app.command()
def retrieval(files: Files, limit: Limit = None) -> None:
    """Is the passage that holds the answer among the first k? All paragraphs of FILES are one corpus."""
    examples = [example for path in files for example in read_squad(path)]
    with _corpus(examples) as corpus:
        results = evaluate_retrieval(corpus, list(_asking(examples[:limit])))
        names = list(next(iter(results.values())))
        table = Table("search", *names, title=f"{len(corpus.index):,} passages")
        for kind, values in results.items():
            table.add_row(kind, *(f"{100 * values[name]:.1f}" for name in names))
        console.print(table)


@app.command()
def encoding(files: Files, limit: Limit = 1000) -> None:
    """Compare speed and quality of encoding with plain sentence-transformers in fp32, in one run."""
    examples = [example for path in files for example in read_squad(path)]
    passages = list(dict.fromkeys(example.context for example in examples))[:limit]
    places = {passage: place for place, passage in enumerate(passages)}
    questions = [(e.question, places[e.context]) for e in examples if e.context in places][:limit]
    report = evaluate_encoding(passages, questions)
    table = Table("encoder", "passages/s", *report.verbatim_ranking)
    for name, speed, values in (
        ("Verbatim", report.verbatim, report.verbatim_ranking),
        ("sentence-transformers fp32", report.baseline, report.baseline_ranking),
    ):
        table.add_row(name, f"{speed:.1f}", *(f"{100 * value:.1f}" for value in values.values()))
    console.print(table)
    console.print(
        f"{report.verbatim / report.baseline:.1f} times as fast; lowest cosine {report.worst_cosine:.5f}"
    )


@app.command()
def reading(files: Files, limit: Limit = None, reader: ReaderName = None) -> None:
    """How well are questions answered from their own paragraph? EM and F1, intervals by article."""
    loaded = load_reader(reader, load_encoder())
    table = Table("set", "questions", "EM", "F1", "95 % of F1", "abstaining: EM", "F1", "HasAns F1", "NoAns")
    for path in files:
        read = list(read_gold(loaded, list(_asking(read_squad(path)[:limit]))))
        table.add_row(path.name.removesuffix(".json.gz"), *_reading_row(read))
    console.print(table)


@app.command()
def reading_speed(files: Files, limit: Annotated[int, typer.Option(help="Questions for F1.")] = 1000) -> None:
    """Compare the reader with its own weights in plain torch fp32, in one run."""
    examples = [example for path in files for example in read_squad(path)]
    report = evaluate_reading_speed(examples, limit)
    table = Table("reader", "ms for 8 passages of 150 tokens", "F1 on gold passages")
    table.add_row("Verbatim", f"{report.verbatim:.0f}", f"{report.verbatim_f1:.2f}")
    table.add_row("torch fp32", f"{report.torch:.0f}", f"{report.torch_f1:.2f}")
    console.print(table)
    console.print(f"{report.torch / report.verbatim:.1f} times as fast")


def _reading_row(read: Sequence[Read]) -> list[str]:
    """Answers forced, over answerable questions; then, abstaining where the null score wins, over all."""
    has = [one for one in read if not one.example.impossible]
    no = [one for one in read if one.example.impossible]
    forced = [one.f1() for one in has]
    low, high = bootstrap_interval(forced, [one.example.title or one.example.context for one in has])
    means = [
        np.mean([one.exact_match() for one in has]),
        np.mean(forced),
        np.mean([one.exact_match(lead=0.0) for one in read]),
        np.mean([one.f1(lead=0.0) for one in read]),
        np.mean([one.f1(lead=0.0) for one in has]),
    ]
    cells = [f"{100 * float(mean):.1f}" for mean in means]
    abstained = f"{100 * float(np.mean([one.f1(lead=0.0) for one in no])):.1f}" if no else "-"
    return [str(len(has)), *cells[:2], f"{100 * low:.1f}-{100 * high:.1f}", *cells[2:], abstained]


@app.command()
def answers(
    files: Annotated[list[Path] | None, typer.Argument(help="By default the questions on the seeds.")] = None,
    among: Among = None,
    limit: Limit = None,
    reader: ReaderName = None,
    failures: Annotated[bool, typer.Option(help="List the questions that went wrong.")] = False,
) -> None:
    """How good are answers from a whole corpus, and are the right questions left unanswered?"""
    examples = [example for path in files or [seeds_questions()] for example in read_squad(path)]
    further = [example for path in among or [] for example in read_squad(path)]
    settings = Settings(threshold=0.0, reader=reader)
    with _corpus([*examples, *further]) as corpus, Assistant(corpus.index, settings) as assistant:
        outcomes = [
            outcome(example, assistant.answer(example.question)) for example in _asking(examples[:limit])
        ]
        threshold = assistant.calibration.threshold
        gold = list(read_gold(assistant.reader, [one.example for one in outcomes if one.example.answers]))
    table = Table("answerable questions", "answered", "EM", "F1", "F1 > 0.5", "first quote holds the answer")
    table.add_row(
        "their own paragraph, answers forced",
        "100.0",
        f"{100 * float(np.mean([one.exact_match() for one in gold])):.1f}",
        f"{100 * float(np.mean([one.f1() for one in gold])):.1f}",
        f"{100 * float(np.mean([one.f1() > 0.5 for one in gold])):.1f}",
        "-",
    )
    for name, lowest in (
        ("whole corpus, answers forced", 0.0),
        ("whole corpus, default threshold", threshold),
    ):
        found = shares(outcomes, lowest)
        values = (found.answered, found.exact_match, found.f1, found.mostly_right, found.quoted)
        table.add_row(name, *(f"{100 * value:.1f}" for value in values))
    console.print(table)
    console.print(_curve(outcomes, threshold))
    if failures:
        _list_failures(outcomes)


@app.command()
def abstention(
    files: Files,
    among: Among = None,
    limit: Limit = None,
    reader: ReaderName = None,
    plot: Annotated[Path | None, typer.Option(help="Where to draw risk-coverage and calibration.")] = None,
) -> None:
    """Is the first candidate right? Half of the questions with their article in the index, half without."""
    examples = [example for path in files for example in read_squad(path)]
    further = [example for path in among or [] for example in read_squad(path)]
    asked = [example for example in examples if example.answers][:limit]
    loaded = load_reader(reader, load_encoder())
    calibration = CALIBRATIONS[loaded.kind]
    with _corpus([*examples, *further]) as corpus:
        observations = list(
            track(observe(corpus, loaded, asked), "Asking", 2 * len(asked), console=Console(stderr=True))
        )
        judged = judge_all(corpus, observations, loaded.kind, calibration)
    console.print(f"{len(judged)} questions, half of them without their article")
    console.print(f"AUROC {auroc(judged):.3f}, expected calibration error {calibration_error(judged):.3f}")
    table = Table("threshold", "answered", "right of them", "F1, abstentions counted")
    for name, threshold in (("default", calibration.threshold), ("strict", calibration.strict)):
        given = [one for one in judged if one.confidence >= threshold]
        right = float(np.mean([one.right for one in given])) if given else 0.0
        score = np.mean(
            [
                one.f1 * one.answerable if one.confidence >= threshold else 1.0 - one.answerable
                for one in judged
            ]
        )
        cells = (len(given) / len(judged), right, float(score))
        table.add_row(f"{name} {threshold:.2f}", *(f"{100 * value:.1f}" for value in cells))
    console.print(table)
    if plot:
        plot_abstention(judged, plot)


def seeds_questions() -> Path:
    """Return the question set on the documents that come with Verbatim."""
    return Path(str(resources.files("qa.evaluation") / "data" / "seeds.json"))


def _curve(outcomes: Sequence[Outcome], default: float) -> Table:
    thresholds = sorted({*_CURVE, default})
    shares = {threshold: answered_shares(outcomes, threshold) for threshold in thresholds}
    table = Table("threshold", *shares[default], title="Share answered, %")
    for threshold, share in shares.items():
        name = f"{threshold:g} (default)" if threshold == default else f"{threshold:g}"
        table.add_row(name, *(f"{100 * value:.0f}" for value in share.values()))
    return table


def _list_failures(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        if not one.mostly_right and not one.example.impossible:
            quote = one.answer.citations[0].quote if one.answer.citations else ""
            console.print(one.example.question, style="bold", markup=False)
            console.print(f"  expected: {one.example.answers[0].text}", markup=False)
            console.print(f"  answered: {one.answer.text} ({one.confidence:.2f})", markup=False)
            console.print(f"  quoted:   {quote}", markup=False)


def _asking(examples: Sequence[Example]) -> Iterator[Example]:
    yield from track(examples, "Asking", console=Console(stderr=True), transient=True)


@contextmanager
def _corpus(examples: Sequence[Example]) -> Iterator[Corpus]:
    with tempfile.TemporaryDirectory(prefix="verbatim-evaluation-") as directory:
        console.print("Indexing the paragraphs...", style="dim")
        corpus = open_corpus(Path(directory), examples)
        try:
            yield corpus
        finally:
            corpus.index.close()


def main() -> None:
    """Run the command line; an error is one line."""
    try:
        app()
    except VerbatimError as error:
        Console(stderr=True).print(f"error: {error}", markup=False)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
