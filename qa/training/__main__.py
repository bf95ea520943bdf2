"""``python -m qa.training``: train a reader on question sets in SQuAD JSON."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from index.encode import default_checkpoint, load_encoder
from index.errors import VerbatimError
from qa.evaluation.abstention import auroc, calibration_error, observe
from qa.evaluation.corpus import open_corpus
from qa.evaluation.squad import Example, read_squad
from qa.read import load_reader
from qa.training.batches import Data, Source
from qa.training.calibrate import fit as fit_calibration
from qa.training.model import mean_model
from qa.training.negatives import mine as mine_negatives
from qa.training.negatives import read_negatives, write_negatives
from qa.training.plots import plot_runs
from qa.training.recipe import Recipe, read_recipe
from qa.training.run import Run
from qa.training.split import split

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A TOML file, as in qa/training/recipes.")],
    directory: Annotated[Path, typer.Argument(help="Holds checkpoint, log and model; made if missing.")],
    data: Annotated[Path, typer.Option(help="The folder of the recipe's question sets.")],
    start: Annotated[Path | None, typer.Option(help="Checkpoint to begin with; MiniLM-L6 if none.")] = None,
    negatives: Annotated[Path | None, typer.Option(help="Passages without answers, from `mine`.")] = None,
    dev: Annotated[list[Path] | None, typer.Option(help="Question sets to score, never trained on.")] = None,
) -> None:
    """Train, or go on where the same command was cut off."""
    chosen = read_recipe(recipe)
    run = Run(directory, start or default_checkpoint(), _data(chosen, data, negatives), chosen)
    run.train({path.name: _spread(read_squad(path)) for path in dev or []})


@app.command()
def mean(
    target: Annotated[Path, typer.Argument(help="The folder to write.")],
    models: Annotated[list[Path], typer.Argument(help="Folders of models, each trained from another.")],
) -> None:
    """Average the weights of models."""
    mean_model(models, target)


@app.command()
def mine(
    target: Annotated[Path, typer.Argument(help="JSON lines: a question's id, texts without its answer.")],
    files: Annotated[list[Path], typer.Argument(help="Question sets, at least two.")],
) -> None:
    """Search each file's questions among its own paragraphs, and keep what looks right and is not."""
    sets = [split(read_squad(path))[0] for path in files]
    for examples, others in zip(sets, sets[1:] + sets[:1], strict=True):
        strangers = list(dict.fromkeys(example.context for example in others))
        with tempfile.TemporaryDirectory(prefix="verbatim-training-") as directory:
            corpus = open_corpus(Path(directory), examples)
            mined = mine_negatives(corpus, examples, strangers)
            write_negatives(target, track(mined, "Searching", len(examples), console=Console(stderr=True)))
            corpus.index.close()


@app.command()
def fit(
    files: Annotated[list[Path], typer.Argument(help="Question sets: those kept back from training.")],
    reader: Annotated[str | None, typer.Option(help="As for `qa ask`.")] = None,
) -> None:
    """Fit the order of spans, the confidence and its thresholds; each file's paragraphs are one corpus."""
    loaded = load_reader(reader, load_encoder())
    with ExitStack() as stack:
        corpora = []
        for path in files:
            examples = read_squad(path)
            asked = [example for example in split(examples)[1] if example.answers]
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="verbatim-training-"))
            corpus = open_corpus(Path(directory), examples)
            stack.callback(corpus.index.close)
            observed = observe(corpus, loaded, asked)
            shown = track(observed, path.name, 2 * len(asked), console=Console(stderr=True))
            corpora.append((corpus, list(shown)))
        found, judged = fit_calibration(corpora, loaded.kind)
    console = Console()
    console.print(found)
    console.print(
        f"{len(judged)} observations: AUROC {auroc(judged):.3f}, "
        f"calibration error {calibration_error(judged):.3f}"
    )


@app.command()
def plot(
    target: Annotated[Path, typer.Argument(help="The picture to write, .png or .svg.")],
    directories: Annotated[list[Path], typer.Argument(help="Folders of runs, one after another.")],
) -> None:
    """Draw the loss and the dev scores of runs."""
    plot_runs(directories, target)


def _data(recipe: Recipe, folder: Path, negatives: Path | None) -> Data:
    sources = []
    for name, per_epoch in recipe.sources.items():
        examples, _ = split(read_squad(folder / name))
        sources.append(Source(examples, per_epoch or len(examples)))
    found = read_negatives(negatives) if negatives else {}
    return Data(sources, found, recipe.null_share, recipe.cropped, recipe.beside, recipe.swapped)


def _spread(examples: list[Example], limit: int = 250) -> list[Example]:
    """Keep about ``limit`` answerable questions from all over: enough to watch, quick to score."""
    answerable = [example for example in examples if example.answers]
    return answerable[:: max(1, len(answerable) // limit)]


def main() -> None:
    """Run the command line; an error is one line."""
    try:
        app()
    except VerbatimError as error:
        Console(stderr=True).print(f"error: {error}", markup=False)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
