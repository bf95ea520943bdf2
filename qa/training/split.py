"""Which articles of a training set are kept back: confidence is calibrated on what was never trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from qa.evaluation.squad import Example

_KEPT_BACK = 13  # one article in about so many


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Return the examples to train on and those kept back, by whole articles, always the same.

    Where a set names no articles, or but one, paragraphs take their place.
    """
    by_article = len({example.title for example in examples}) > 1
    kept_back = [_drawn(example.title if by_article else example.context) for example in examples]
    return (
        [example for example, back in zip(examples, kept_back, strict=True) if not back],
        [example for example, back in zip(examples, kept_back, strict=True) if back],
    )


def _drawn(name: str) -> bool:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % _KEPT_BACK == 0
