"""A question answering checkpoint to start and end logits: on OpenVINO, or on torch where that cannot.

Knows models and batches; knows nothing of spans, passages or documents.
"""

from __future__ import annotations

import importlib.resources
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index.checkpoints import find_checkpoint
from index.encode import batches_by_length
from index.errors import ModelError
from index.home import cache_directory
from index.runtime import Precision, Runtime, best_precision, checkpoint_hash, load_runtime
from qa.windows import Window

if TYPE_CHECKING:
    from index.convert import SpanLogits

logger = logging.getLogger(__name__)

# Of one window: row 0 for starts, row 1 for ends.
SpanScores = NDArray[np.float32]


class SpanModel(Protocol):
    """Scores every token of a window as the start and as the end of the answer."""

    tokenizer: Tokenizer
    max_tokens: int

    def logits(self, windows: Sequence[Window]) -> list[SpanScores]:
        """Return logits of shape (2, at least the window's tokens) for each window."""


def load_span_model(name: str | Path | None = None) -> SpanModel:
    """Return a model, by default the reader that comes with Verbatim.

    Args:
        name: a folder with a Hugging Face question answering model, or its name on the hub. Weights must
            be safetensors.

    Raises:
        ModelError: the model is not there, is damaged, has no such head, or cannot be run.
    """
    checkpoint = default_reader() if name is None else find_checkpoint(name)
    key = checkpoint_hash(checkpoint, cache_directory())
    try:
        runtime = load_runtime("reader", checkpoint, key, cache_directory(), _precision(checkpoint))
    except ModelError as error:
        logger.warning("%s. Running it on torch instead, which is slower.", error)
        return TorchSpanModel(checkpoint)
    return OpenVinoSpanModel(runtime)


def _precision(checkpoint: Path) -> Precision:
    """Return what to compute in: :func:`best_precision`, but for models that it makes wrong.

    DeBERTa computes the distances of tokens as it computes all else, and from 256 on bf16 has only every
    second number: at 500 tokens its logits correlate with those in f32 by 0.7.
    """
    try:
        config = (checkpoint / "config.json").read_text("utf-8")
    except (OSError, ValueError):
        config = ""  # whoever loads the model says what is wrong
    return "f32" if '"deberta' in config else best_precision()


def default_reader() -> Path:
    """Return the folder of the reader that comes with Verbatim."""
    return Path(str(importlib.resources.files("qa") / "models" / "reader"))


class OpenVinoSpanModel:
    """A model that needs neither torch nor transformers."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.tokenizer = runtime.tokenizer
        self.max_tokens: int = runtime.facts["max_tokens"]

    def logits(self, windows: Sequence[Window]) -> list[SpanScores]:
        """Return logits of shape (2, at least the window's tokens) for each window."""
        found: dict[int, SpanScores] = {}
        for rows in batches_by_length([len(window.ids) for window in windows]):
            batch = self._runtime.pad(
                [windows[row].ids for row in rows], [windows[row].types for row in rows]
            )
            found.update(zip(rows, self._runtime.run(batch, 0), strict=True))
        return [found[row] for row in range(len(windows))]


class TorchSpanModel:
    """The same through transformers, for models that OpenVINO cannot run."""

    def __init__(self, checkpoint: Path) -> None:
        from safetensors import SafetensorError  # noqa: PLC0415 - needed nowhere else

        try:
            from index.convert import load_span_logits, reader_facts, reader_tokenizer  # noqa: PLC0415 - torch

            self._module: SpanLogits = load_span_logits(checkpoint)
            tokenizer = reader_tokenizer(checkpoint)
        except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
            raise ModelError(
                f"{checkpoint}: not a question answering model that can be loaded ({error}). "
                "Name a folder written by save_pretrained()."
            ) from error
        facts = reader_facts(self._module, tokenizer)
        self._padding: int = facts["padding"]
        self.max_tokens: int = facts["max_tokens"]
        self.tokenizer: Tokenizer = tokenizer.backend_tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def logits(self, windows: Sequence[Window]) -> list[SpanScores]:
        """Return logits of shape (2, at least the window's tokens) for each window."""
        from index.convert import span_scores  # noqa: PLC0415 - imports torch

        found: dict[int, SpanScores] = {}
        for rows in batches_by_length([len(window.ids) for window in windows]):
            part = [windows[row] for row in rows]
            scores = span_scores(
                self._module, [one.ids for one in part], [one.types for one in part], self._padding
            )
            found.update(zip(rows, scores, strict=True))
        return [found[row] for row in range(len(windows))]
