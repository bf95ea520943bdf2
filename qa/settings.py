"""What can be set, with its defaults: from code, or from ``VERBATIM_*`` in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from index.errors import SettingsError
from index.search import DENSE_WEIGHT, check_dense_weight


@dataclass(frozen=True, slots=True)
class Settings:
    """How questions are answered.

    ``encoder`` names a sentence-transformers model or a folder with one (by default all-MiniLM-L6-v2).
    ``passages`` is how many are read for a question. ``candidates`` is how many distinct answers are given
    at most. ``reader`` is ``"sentences"``, a folder with a Hugging Face question answering model, or the
    name of one; by default the reader that comes with Verbatim. ``threshold`` in [0, 1] is the confidence
    below which there is no answer, by default what suits the reader; 0 always answers. ``strict`` raises
    it to where answers are right at least 80 % of the time. ``dense_weight`` in [0, 1] is the share of the
    dense score in the score that passages are ranked by: 0 ranks them by words alone, 1 by vectors alone.

    Raises:
        SettingsError: a value is out of its range.
    """

    encoder: str | None = None
    passages: int = 8
    candidates: int = 3
    reader: str | None = None
    threshold: float | None = None
    strict: bool = False
    dense_weight: float = DENSE_WEIGHT

    def __post_init__(self) -> None:
        for name in ("passages", "candidates"):
            if not 1 <= getattr(self, name) <= 100:
                raise SettingsError(f"{name} is {getattr(self, name)}: it must be from 1 to 100")
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise SettingsError(f"threshold is {self.threshold}: it must be from 0 to 1")
        if self.threshold is not None and self.strict:
            raise SettingsError(f"threshold is {self.threshold} and strict is set: choose one of the two")
        check_dense_weight(self.dense_weight)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return settings with ``VERBATIM_ENCODER``, ``VERBATIM_PASSAGES``, ... in place of defaults.

        Raises:
            SettingsError: a variable's value cannot be used.
        """
        kinds: dict[str, Callable[[str], Any]] = {
            "encoder": str,
            "passages": int,
            "candidates": int,
            "reader": str,
            "threshold": float,
            "strict": _yes_or_no,
            "dense_weight": float,
        }
        settings = cls()
        for name, kind in kinds.items():
            variable = f"VERBATIM_{name.upper()}"
            if environ.get(variable):
                try:
                    settings = replace(settings, **{name: kind(environ[variable])})
                except ValueError as error:
                    kind_name = "yes or no" if name == "strict" else "a number"
                    raise SettingsError(f"{variable}={environ[variable]}: not {kind_name}") from error
                except SettingsError as error:
                    raise SettingsError(f"{variable}: {error}") from error
        return settings


def _yes_or_no(value: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if value.lower() not in known:
        raise ValueError(value)
    return known[value.lower()]
