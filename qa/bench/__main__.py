"""``qa bench`` and ``python -m qa.bench``: how fast, how small, how far it scales."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from index.encode import load_encoder
from index.errors import VerbatimError
from index.runtime import best_precision
from qa.bench.goals import goals
from qa.bench.growth import SIZES, check_sizes, grow
from qa.bench.material import Material, load_material
from qa.bench.measure import Size, compare
from qa.bench.report import check_writable, plot, show, write_json
from qa.evaluation.facts import versions
from qa.span_models import load_span_model

_FULL = Size(texts=600, questions=100, rounds=3)
_QUICK = Size(texts=20, questions=10, rounds=1)
_QUICK_SIZES = (1_000, 2_000)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def bench(
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Question sets, repeated for several; by default that of the seeds."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small run of about a minute, to see that it works.")
    ] = False,
    size: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N", help="Sizes of the growing index, repeated; 0 for none. By default to a million."
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures.")
    ] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw them: .png or .svg.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the order of texts and of synthetic passages.")] = 0,
) -> None:
    """Compare with sentence-transformers and a flat FAISS index in fp32, and measure growth, in one run.

    Nothing else should be running on the machine; ratios of one run can be compared, seconds of two cannot.
    """
    how_much = _QUICK if quick else _FULL
    sizes = [one for one in (size or (_QUICK_SIZES if quick else SIZES)) if one]
    for path in filter(None, (json_file, plot_file)):
        check_writable(path)
    result = _measure(load_material(data or [], seed), how_much, sizes, seed)
    judged = goals(result["compared"], result["growth"])
    show(result, judged, Console())
    if json_file:
        write_json(result, judged, json_file)
    if plot_file:
        plot(result, plot_file)


def _measure(material: Material, how_much: Size, sizes: Sequence[int], seed: int) -> dict[str, Any]:
    """Return all figures, telling on standard error what is measured."""
    notes = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="verbatim-bench-") as name:
        folder = Path(name)
        check_sizes(sizes, folder)
        _prepare_models()
        (folder / "growth").mkdir()

        def tell(what: str) -> None:
            notes.print(f"{what} ...", style="dim", markup=False)

        compared = compare(material, how_much, folder, tell)
        grown = grow(material, sizes, how_much.questions, folder / "growth", seed, tell) if sizes else []
    return {
        "facts": _facts(material.name, how_much, sizes, seed),
        "compared": compared,
        "growth": grown,
    }


def _prepare_models() -> None:
    """Have the models converted, once for all, so that no measurement contains it."""
    load_encoder()
    load_span_model()


def _facts(texts: str, size: Size, sizes: Sequence[int], seed: int) -> dict[str, Any]:
    return {
        "texts": texts,
        "compared_texts": size.texts,
        "questions": size.questions,
        "rounds": size.rounds,
        "sizes": list(sizes),
        "seed": seed,
        "precision": best_precision(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": dict(versions()),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def main(arguments: Sequence[str] | None = None, name: str = "python -m qa.bench") -> None:
    """Run the command line; an error is one line."""
    try:
        app(arguments, prog_name=name)
    except VerbatimError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
