"""``python -m qa.evaluation``: measure retrieval, encoding and answers on question sets."""

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

from index.errors import VerbatimError
from qa.assistant import Assistant
from qa.evaluation.answers import Outcome, answered_shares, hit_rate, outcome
from qa.evaluation.corpus import Corpus, open_corpus
from qa.evaluation.encoding import evaluate_encoding
from qa.evaluation.fit import Observation, observe
from qa.evaluation.fit import fit as fit_confidence
from qa.evaluation.retrieval import evaluate_retrieval
from qa.evaluation.squad import Example, read_squad
from qa.settings import DEFAULT_THRESHOLD, Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
console = Console()

Files = Annotated[list[Path], typer.Argument(help="Question sets in SQuAD JSON, plain or gzip.")]
Limit = Annotated[int | None, typer.Option(help="Ask only the first N questions.")]
_CURVE = (0.02, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


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
def answers(
    files: Annotated[list[Path] | None, typer.Argument(help="By default the questions on the seeds.")] = None,
    limit: Limit = None,
    failures: Annotated[bool, typer.Option(help="List the questions that went wrong.")] = False,
) -> None:
    """Does the first quote hold the answer? Are the right questions left unanswered?"""
    examples = [example for path in files or [seeds_questions()] for example in read_squad(path)]
    with _corpus(examples) as corpus, Assistant(corpus.index, Settings(threshold=0.0)) as assistant:
        outcomes = [
            outcome(example, assistant.answer(example.question)) for example in _asking(examples[:limit])
        ]
    console.print(f"First quote holds the answer, answers forced: {100 * hit_rate(outcomes):.1f} %")
    console.print(_curve(outcomes))
    if failures:
        _list_failures(outcomes)


@app.command()
def fit(
    files: Files,
    limit: Annotated[int, typer.Option(help="Questions from each file.")] = 150,
    seed: Annotated[int, typer.Option(help="Of the choice of questions.")] = 0,
) -> None:
    """Fit the confidence on FILES, at least two: each one's questions are off topic for the next."""
    sets = [read_squad(path) for path in files]
    observations: list[Observation] = []
    for examples, others in zip(sets, sets[1:] + sets[:1], strict=True):
        with _corpus(examples) as corpus:
            asked, strangers = (_sample(choice, limit, seed) for choice in (examples, others))
            total = 2 * len(asked) + len(strangers)
            observed = observe(corpus, asked, strangers)
            observations += track(observed, "Asking", total, console=Console(stderr=True), transient=True)
    found = fit_confidence(observations)
    names = ("intercept", "score", "cosine", "margin")
    console.print(", ".join(f"{n}={c:.2f}" for n, c in zip(names, found.coefficients, strict=True)))
    console.print(f"AUROC {found.auroc:.3f} over {len(observations)} observations")
    shares = ", ".join(f"{share:.0%} of {kind}" for kind, share in found.answered.items())
    console.print(f"threshold {found.threshold:.2f} answers {shares}")


def _sample(examples: Sequence[Example], limit: int, seed: int) -> list[Example]:
    answerable = [example for example in examples if example.answers]
    chosen = np.random.default_rng(seed).permutation(len(answerable))[:limit]
    return [answerable[place] for place in chosen]


def seeds_questions() -> Path:
    """Return the question set on the documents that come with Verbatim."""
    return Path(str(resources.files("qa.evaluation") / "data" / "seeds.json"))


def _curve(outcomes: Sequence[Outcome]) -> Table:
    thresholds = sorted({*_CURVE, DEFAULT_THRESHOLD})
    shares = {threshold: answered_shares(outcomes, threshold) for threshold in thresholds}
    kinds = list(shares[DEFAULT_THRESHOLD])
    table = Table("threshold", *kinds, title="Share answered, %")
    for threshold, share in shares.items():
        default = " (default)" if threshold == DEFAULT_THRESHOLD else ""
        table.add_row(f"{threshold:g}{default}", *(f"{100 * share[kind]:.0f}" for kind in kinds))
    return table


def _list_failures(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        if not one.hit and not one.example.impossible:
            quote = one.answer.citations[0].quote if one.answer.citations else "(no answer)"
            console.print(one.example.question, style="bold", markup=False)
            console.print(f"  expected: {one.example.answers[0].text}", markup=False)
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
