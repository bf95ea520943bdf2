"""What a run depends on, as far as figures can change with it: sets, settings, versions, models."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from index.checkpoints import find_checkpoint
from index.home import cache_directory
from index.runtime import best_precision, checkpoint_hash
from index.types import Encoder
from qa.evaluation.sets import QuestionSet
from qa.read import SENTENCES
from qa.span_models import default_reader

_PACKAGES = (
    "verbatim-qa",
    "apsw",
    "faiss-cpu",
    "ir-measures",
    "numpy",
    "openvino",
    "scipy",
    "sentence-transformers",
    "sentencex",
    "tokenizers",
    "torch",
)


def describe_sets(sets: Sequence[QuestionSet]) -> list[dict[str, Any]]:
    """Return name, format, hash and number of questions of each set."""
    return [
        {"name": one.name, "format": one.form, "sha256": one.sha256, "questions": len(one.examples)}
        for one in sets
    ]


def describe_reader(name: str | None) -> dict[str, str]:
    """Return the reader's name and, of a model, the hash that its conversion is kept under."""
    if name == SENTENCES:
        return {"name": SENTENCES}
    checkpoint = default_reader() if name is None else find_checkpoint(name)
    key = checkpoint_hash(checkpoint, cache_directory())
    return {"name": Path(name).name if name else "default", "hash": key}


def describe_models(encoder: Encoder, reader: str | None = None, *, reads: bool = True) -> dict[str, Any]:
    """Return what identifies the encoder and, where it ``reads``, the reader."""
    found: dict[str, Any] = {"encoder": {"identity": encoder.identity}, "precision": best_precision()}
    return found | ({"reader": describe_reader(reader)} if reads else {})


def versions() -> Mapping[str, str]:
    """Return the versions of Python, the machine's kind, and the packages that figures depend on."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
