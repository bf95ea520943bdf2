"""What decides a training run, read from a TOML file (`qa/training/recipes/`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from index.errors import SettingsError

_IN_WORDS = {
    dict: "a table of files, each with a whole number from 0 on",
    float: "a number from 0 on",
    int: "a whole number from 0 on",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides a run besides its data.

    ``sources`` maps a file of questions to how many of them are drawn for each epoch, 0 for all.
    ``warmup`` and ``decay`` are shares of all steps at the beginning and the end. ``average`` is the decay
    of the exponential average of weights, which is what is scored and saved. ``null_share`` is how many
    passages without an answer are added, as a share of an epoch's questions; ``beside`` is how many are
    read beside a question's own paragraph. ``shared`` is the weight, in [0, 1], of the loss over all
    passages of a question together. ``swapped`` is how many questions without an answer are made of those
    with one, as a share of an epoch's questions. ``cropped`` is the share of questions that are read in a
    passage instead of in their whole paragraph.
    """

    sources: dict[str, int] = field(default_factory=dict)
    epochs: float = 3.0
    learning_rate: float = 2e-4
    warmup: float = 0.06
    decay: float = 0.3
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    average: float = 0.998
    null_share: float = 0.0
    beside: int = 0
    shared: float = 0.0
    swapped: float = 0.0
    cropped: float = 0.35
    seed: int = 0

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of ``step``, counted from 0."""
        rising = (step + 1) / max(1.0, self.warmup * steps)
        falling = (steps - step) / max(1.0, self.decay * steps) if self.decay else 1.0
        return self.learning_rate * min(1.0, rising, falling)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; what it leaves out has its default.

    Raises:
        SettingsError: the file cannot be read, or holds what is no part of a recipe, or of another kind.
    """
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: not a recipe in TOML ({error})") from error
    known = [one.name for one in fields(Recipe)]
    if unknown := values.keys() - known:
        raise SettingsError(
            f"{path}: no such thing as {', '.join(sorted(unknown))}; there is {', '.join(known)}"
        )
    plain = Recipe()
    for name, value in values.items():
        wanted = _IN_WORDS[type(getattr(plain, name))]
        if not _fits(value, getattr(plain, name)):
            raise SettingsError(f"{path}: {name} is {value!r}, and has to be {wanted}")
    return Recipe(**values)


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, dict):
        return isinstance(value, dict) and all(_fits(number, 0) for number in value.values())
    kinds = (int, float) if isinstance(default, float) else (int,)
    return isinstance(value, kinds) and not isinstance(value, bool) and value >= 0
