"""The model that is trained: loading, saving, and what it answers to a question set."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering, PreTrainedModel

from index.errors import SettingsError
from qa.evaluation.metrics import exact_match, f1
from qa.evaluation.squad import Example
from qa.training.features import MAX_TOKENS, STRIDE
from qa.windows import Window, decode, windows

_TOKENIZER_FILES = ("tokenizer_config.json", "special_tokens_map.json")
_SCORING_BATCH = 32


@dataclass(frozen=True, slots=True)
class Score:
    """Exact match and F1 in [0, 1], a value a question, by the official rules, answers forced."""

    exact_match: tuple[float, ...]
    f1: tuple[float, ...]


def load_model(checkpoint: Path) -> PreTrainedModel:
    """Load weights for training; a head that the checkpoint lacks begins at random."""
    # Eager attention: in bf16 on a CPU its backward pass is 1.6 times as fast as the fused one.
    model: PreTrainedModel = AutoModelForQuestionAnswering.from_pretrained(
        str(checkpoint), local_files_only=True, use_safetensors=True, attn_implementation="eager"
    )
    torch.nn.Module.to(model, dtype=torch.float32)
    return model


def load_tokenizer(checkpoint: Path) -> Tokenizer:
    """Load a checkpoint's tokenizer, without its padding and truncation."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def save_model(model: PreTrainedModel, tokenizer_from: Path, target: Path) -> None:
    """Write a Hugging Face checkpoint in half precision, which ``model`` is left in.

    Its tokenizer neither pads nor cuts, unlike the encoder's, which it is taken from: texts come in windows.
    """
    target.mkdir(parents=True, exist_ok=True)
    torch.nn.Module.to(model, dtype=torch.float16)
    model.save_pretrained(str(target))
    for name in _TOKENIZER_FILES:
        if (tokenizer_from / name).is_file():
            shutil.copyfile(tokenizer_from / name, target / name)
    load_tokenizer(tokenizer_from).save(str(target / "tokenizer.json"))


def mean_model(checkpoints: Sequence[Path], target: Path) -> None:
    """Write the mean of the weights of models that were trained one from another (Wortsman et al. 2022).

    Raises:
        SettingsError: they are not of one architecture.
    """
    models = [load_model(checkpoint) for checkpoint in checkpoints]
    weights = [dict(model.named_parameters()) for model in models]
    for checkpoint, held in zip(checkpoints, weights, strict=True):
        if _shapes(held) != _shapes(weights[0]):
            raise SettingsError(f"{checkpoint}: of another architecture than {checkpoints[0]}")
    with torch.no_grad():
        for name, value in weights[0].items():
            value.copy_(torch.stack([held[name] for held in weights]).mean(dim=0))
    save_model(models[0], checkpoints[0], target)


def _shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in weights.items()}


@torch.no_grad()
def score(model: PreTrainedModel, tokenizer: Tokenizer, examples: Sequence[Example]) -> Score:
    """Answer every answerable question from its own paragraph, and compare with what people answered."""
    asked = [example for example in examples if example.answers]
    pieces = [
        (row, window)
        for row, example in enumerate(asked)
        for window in windows(tokenizer, example.question, example.context, MAX_TOKENS, STRIDE)
    ]
    pieces.sort(key=lambda piece: len(piece[1].ids))
    best: dict[int, tuple[float, str]] = {}
    was_training = model.training
    model.train(mode=False)
    for first in range(0, len(pieces), _SCORING_BATCH):
        part = pieces[first : first + _SCORING_BATCH]
        starts, ends = logits(model, [window for _, window in part])
        for (row, window), start, end in zip(part, starts, ends, strict=True):
            for span in decode(window, start.numpy(), end.numpy(), 1):
                if row not in best or span.score > best[row][0]:
                    best[row] = span.score, asked[row].context[span.start : span.end]
    model.train(was_training)
    answers = [best[row][1] if row in best else "" for row in range(len(asked))]
    golds = [[gold.text for gold in example.answers] for example in asked]
    return Score(
        tuple(exact_match(a, g) for a, g in zip(answers, golds, strict=True)),
        tuple(f1(a, g) for a, g in zip(answers, golds, strict=True)),
    )


def logits(model: PreTrainedModel, batch: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return start and end logits of ``batch``, both of shape (windows, longest), float32 on the CPU."""
    longest = max(len(window.ids) for window in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, window in enumerate(batch):
        ids[row, : len(window.ids)] = torch.tensor(window.ids)
        types[row, : len(window.ids)] = torch.tensor(window.types)
        mask[row, : len(window.ids)] = 1
    device = model.device
    with torch.autocast(device.type, torch.bfloat16):
        output = model(
            input_ids=ids.to(device), attention_mask=mask.to(device), token_type_ids=types.to(device)
        )
    return output.start_logits.float().cpu(), output.end_logits.float().cpu()
