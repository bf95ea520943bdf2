"""What is to be reached, and whether it was. Knows figures by name; measures nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure with its bound: at least that where ``rising``, else at most. ``None`` was not measured."""

    name: str
    bound: float
    value: float | None
    unit: str = ""
    rising: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it is reached; ``None`` where it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.rising else self.value <= self.bound


def goals(compared: Mapping[str, Any], growth: Sequence[Mapping[str, Any]]) -> list[Goal]:
    """Return all goals with what was measured."""
    return [*_compared(compared), *_grown({one["passages"]: one for one in growth})]


def _compared(found: Mapping[str, Any]) -> Iterator[Goal]:
    yield Goal("encoding, times the baseline", 5.0, found["encoding"]["ratio"], rising=True)
    yield Goal("ingest, times the baseline", 5.0, found["ingest"]["ratio"], rising=True)
    yield Goal("a full answer, p50", 120.0, found["queries"]["answer"]["1"]["verbatim"]["p50"], "ms")
    yield Goal("cold qa ask", 1.5, found["cold_start"]["verbatim"], "s")
    yield Goal("resident memory while serving", 500.0, found["memory_megabytes"]["verbatim"], "MB")


def _grown(by_size: Mapping[int, Mapping[str, Any]]) -> Iterator[Goal]:
    yield Goal("search in 10,000 passages, p50", 5.0, _of(by_size, 10_000, "ms", "all", "p50"), "ms")
    million = 1_000_000
    yield Goal(
        "vectors of 1,000,000 passages, p50", 10.0, _of(by_size, million, "ms", "vectors", "p50"), "ms"
    )
    yield Goal(
        "vectors of 1,000,000 passages, memory", 600.0, _of(by_size, million, "vectors_megabytes"), "MB"
    )
    yield Goal("search in 1,000,000 passages, p50", 60.0, _of(by_size, million, "ms", "all", "p50"), "ms")
    lowest = min((one["recall_at_10"] for one in by_size.values()), default=None)
    yield Goal("recall@10 against exact search, lowest of all sizes", 0.99, lowest, rising=True)


def _of(by_size: Mapping[int, Any], size: int, *names: str) -> float | None:
    found = by_size.get(size)
    for name in names:
        found = None if found is None else found[name]
    return None if found is None else float(found)
