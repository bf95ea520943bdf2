"""Is the reader as good as its weights in torch fp32, and how much faster? Both measured in one run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from index.types import Hit, Passage
from qa.evaluation.reading import read_gold
from qa.evaluation.squad import Example
from qa.read import SpanReader
from qa.span_models import SpanScores, TorchSpanModel, default_reader, load_span_model
from qa.windows import Window

_PASSAGES = 8
_PASSAGE_TOKENS = 150
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class ReadingReport:
    """Milliseconds for a question over 8 passages of 150 tokens (median), and F1 on gold passages."""

    verbatim: float
    torch: float
    verbatim_f1: float
    torch_f1: float


class _PlainTorch:
    """The same weights as transformers runs them by itself: fp32, its own choice of attention."""

    def __init__(self, checkpoint: Path) -> None:
        import torch  # noqa: PLC0415 - slow, and needed here alone
        from transformers import AutoModelForQuestionAnswering  # noqa: PLC0415 - the same

        known = TorchSpanModel(checkpoint)
        self.tokenizer: Tokenizer = known.tokenizer
        self.max_tokens = known.max_tokens
        self._torch = torch
        self._model = AutoModelForQuestionAnswering.from_pretrained(
            str(checkpoint), local_files_only=True, use_safetensors=True, dtype=torch.float32
        ).eval()

    def logits(self, windows: Sequence[Window]) -> list[SpanScores]:
        """Return logits of all windows, run as one batch."""
        torch = self._torch
        pad = torch.nn.utils.rnn.pad_sequence
        ids = pad([torch.tensor(one.ids) for one in windows], batch_first=True)
        types = pad([torch.tensor(one.types) for one in windows], batch_first=True)
        mask = pad([torch.ones(len(one.ids), dtype=torch.long) for one in windows], batch_first=True)
        with torch.no_grad():
            found = self._model(input_ids=ids, attention_mask=mask, token_type_ids=types)
        scores: list[SpanScores] = list(torch.stack([found.start_logits, found.end_logits], 1).numpy())
        return scores


def evaluate_reading_speed(examples: Sequence[Example], questions: int) -> ReadingReport:
    """Compare the shipped reader with its weights in plain torch; F1 is over the first ``questions``."""
    checkpoint = default_reader()
    readers = SpanReader(load_span_model()), SpanReader(_PlainTorch(checkpoint))
    asked = [example for example in examples if example.answers][:questions]
    hits = _hits(examples, readers[0])
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for example in asked[:20]:
            # In turn, so that a noisy machine slows both.
            for reader, taken in zip(readers, times, strict=True):
                began = time.perf_counter()
                reader.read(example.question, hits)
                taken.append(time.perf_counter() - began)
    scores = [100 * float(np.mean([one.f1() for one in read_gold(reader, asked)])) for reader in readers]
    return ReadingReport(1e3 * float(np.median(times[0])), 1e3 * float(np.median(times[1])), *scores)


def _hits(examples: Sequence[Example], reader: SpanReader) -> list[Hit]:
    """Return passages of 150 tokens cut from the first long enough paragraphs."""
    hits: list[Hit] = []
    for context in dict.fromkeys(example.context for example in examples):
        offsets = reader.tokenizer.encode(context, add_special_tokens=False).offsets
        if len(offsets) >= _PASSAGE_TOKENS and len(hits) < _PASSAGES:
            text = context[: offsets[_PASSAGE_TOKENS - 1][1]]
            hits.append(Hit(Passage(len(hits), "", 0, len(text), text, ""), 1.0, 1.0, 1.0))
    return hits
