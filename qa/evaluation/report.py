"""A result as one HTML page that needs nothing else: no script, no request, light and dark.

Text of documents and question sets is data: it reaches the page through Jinja's escaping alone. The page
forbids itself everything but its own styles and pictures, should that ever fail.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib import import_module, resources
from pathlib import Path

from index.errors import SettingsError
from qa.evaluation.glossary import meanings
from qa.evaluation.plots import plots
from qa.evaluation.results import LOWER_IS_BETTER, Metric, Result, write_text
from qa.evaluation.rows import Excerpt, Row

_FAILURES = 40
# Of a passage or a quote, shown in a report; the whole is in the JSON.
_LONGEST = 900


def require_jinja() -> None:
    """Raise what there is to say where a report cannot be written.

    Raises:
        SettingsError: Jinja is missing.
    """
    try:
        import_module("jinja2")
    except ImportError as error:
        raise SettingsError('Reports need Jinja: pip install "verbatim-qa[eval]"') from error


def write_report(result: Result, path: Path) -> None:
    """Write a report.

    Raises:
        SettingsError: the file cannot be written, or Jinja or matplotlib is missing.
    """
    write_text(path, render(result))


def render(result: Result) -> str:
    """Return a report as HTML."""
    require_jinja()
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - needed here alone

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "pieces": _pieces}
    source = (resources.files("qa.evaluation") / "report.html").read_text("utf-8")
    wrong = worst(result.rows)
    return environment.from_string(source).render(
        result=result,
        parts=_parts(result.metrics),
        lower=LOWER_IS_BETTER,
        meanings=meanings(metric.name for metric in result.metrics),
        plots={name: [_data(svg) for svg in pair] for name, pair in plots(result).items()},
        failures=wrong[:_FAILURES],
        wrong=len(wrong),
        groups=len({row.group for row in result.rows}),
        facts=_listed(result),
    )


def worst(rows: Sequence[Row]) -> list[Row]:
    """Return the questions that went wrong, the most confident mistakes first."""
    return sorted((row for row in rows if not row.right), key=_badness, reverse=True)


def _badness(row: Row) -> tuple[float, float]:
    # Without a confidence, what was missed farthest is worst: found late, or with little in common.
    rank = row.ranks.get("fused", 0)
    missed = 1e9 if rank is None else float(rank)
    overlap = max((scores.get("F1", 0.0) for scores in row.scores.values()), default=0.0)
    return row.confidence or 0.0, missed - overlap


def _parts(metrics: Sequence[Metric]) -> dict[str, list[Metric]]:
    parts: dict[str, list[Metric]] = {}
    for metric in metrics:
        parts.setdefault(metric.part, []).append(metric)
    return parts


def _listed(result: Result) -> dict[str, str]:
    """Return what a result depends on, a line a fact."""
    facts = result.facts
    listed = {f"{one['name']} ({one['format']})": f"sha256 {one['sha256']}" for one in facts["sets"]}
    listed |= {f"among: {one['name']}": f"sha256 {one['sha256']}" for one in facts["among"]}
    for name in ("settings", "thresholds", "models", "versions"):
        listed |= {f"{name}: {key}": _value(value) for key, value in facts.get(name, {}).items()}
    return listed | {"seed": str(facts["seed"]), "limit": str(facts["limit"] or "none")}


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return str(value)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _pieces(excerpt: Excerpt) -> tuple[str, str, str]:
    """Return what stands before, in and after the highlighted stretch, shortened where it is long."""
    before, after = excerpt.text[: excerpt.start], excerpt.text[excerpt.end :]
    spare = max(200, (_LONGEST - (excerpt.end - excerpt.start)) // 2)
    return (
        before if len(before) <= spare else f"…{before[-spare:]}",
        excerpt.text[excerpt.start : excerpt.end],
        after if len(after) <= spare else f"{after[:spare]}…",
    )


def _data(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
