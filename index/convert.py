"""Converts a checkpoint to OpenVINO: ``python -m index.convert KIND CHECKPOINT TARGET``.

Run by :mod:`index.runtime` in a process of its own, the only place of ``index/`` besides the fallback in
:mod:`index.encode` that imports torch. Writes ``model.xml`` and ``model.bin`` (fp32), ``tokenizer.json``
and ``facts.json`` into TARGET, after checking that the result computes what torch computes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, PreTrainedModel

from index.errors import ModelError
from index.quiet import load_openvino

_WORST_COSINE = 0.9999
_WORST_LOGIT = 0.01
# Beyond this, attention over a window costs more than reading several windows.
_MOST_TOKENS = 512


class _Embedding(torch.nn.Module):
    """All modules of a SentenceTransformer: ids and mask to text vectors and token vectors, unit length."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model
        self.needs_types = "token_type_ids" in model.preprocess(["a"])

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        if self.needs_types:
            features["token_type_ids"] = torch.zeros_like(input_ids)
        output = self.model(features)
        unit = torch.nn.functional.normalize
        return unit(output["sentence_embedding"], dim=-1), unit(output["token_embeddings"], dim=-1)


def convert_encoder(checkpoint: Path, target: Path) -> None:
    """Write the OpenVINO form of a sentence-transformers checkpoint into ``target``.

    Raises:
        ModelError: the tokenizer has no fast form, or the result differs from torch.
    """
    model = load_sentence_transformer(checkpoint).eval()
    wrapped = _Embedding(model).eval()
    with torch.no_grad():
        converted = _trace(wrapped, _batch(model, rows=2, length=16))
        probe = _batch(model, rows=3, length=41)
        expected = wrapped(**probe)[0].numpy()
    load_openvino().save_model(converted, str(target / "model.xml"), compress_to_fp16=False)
    cosine = float((_run(target, probe) * expected).sum(axis=1).min())
    if cosine < _WORST_COSINE:
        raise ModelError(f"the converted model differs from the original (cosine {cosine:.5f})")
    facts = encoder_facts(model)
    model.tokenizer.backend_tokenizer.save(str(target / "tokenizer.json"))
    (target / "facts.json").write_text(json.dumps(facts, indent=1), "utf-8")


def _trace(module: torch.nn.Module, example: dict[str, torch.Tensor]) -> Any:
    # What openvino.convert_model does inside, without what it does around: checks, and a usage report.
    frontend = load_openvino("openvino.frontend").FrontEndManager().load_by_framework("pytorch")
    decoders = load_openvino("openvino.frontend.pytorch.ts_decoder")
    # Held in a variable: the frontend does not keep it alive.
    decoder = decoders.TorchScriptPythonDecoder(module, example_input=example)
    return frontend.convert(frontend.load(decoder))


def load_sentence_transformer(checkpoint: Path) -> SentenceTransformer:
    """Load a checkpoint from disk: no network, no pickled weights, no code that came with it."""
    return SentenceTransformer(
        str(checkpoint),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"attn_implementation": "eager", "use_safetensors": True},
    )


def encoder_facts(model: SentenceTransformer) -> dict[str, Any]:
    """Return what encoding needs to know besides weights and tokenizer."""
    tokenizer = model.tokenizer
    if not tokenizer.is_fast:
        raise ModelError("the model's tokenizer has no fast form")
    return {
        "dimension": model.get_embedding_dimension(),
        "max_tokens": model.max_seq_length,
        "special_tokens": tokenizer.num_special_tokens_to_add(),
        "padding": tokenizer.pad_token_id or 0,
        "question_prompt": model.prompts.get("query", ""),
        "passage_prompt": model.prompts.get("document", ""),
    }


def _batch(model: SentenceTransformer, rows: int, length: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, min(1000, model.tokenizer.vocab_size), (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[-1, length // 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask}


def _run(target: Path, batch: dict[str, torch.Tensor]) -> np.ndarray[Any, Any]:
    compiled = (
        load_openvino()
        .Core()
        .compile_model(str(target / "model.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    )
    result: np.ndarray[Any, Any] = compiled([value.numpy() for value in batch.values()])[0]
    return result


class SpanLogits(torch.nn.Module):
    """An extractive question answering model: a batch to start and end logits, shape (rows, 2, tokens)."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.needs_types = getattr(model.config, "type_vocab_size", 0) > 1

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the logits; ``token_type_ids`` are given exactly where the model takes them."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        output = self.model(**inputs)
        return torch.stack([output.start_logits, output.end_logits], dim=1)


def convert_reader(checkpoint: Path, target: Path) -> None:
    """Write the OpenVINO form of a Hugging Face question answering checkpoint into ``target``.

    Raises:
        ModelError: the tokenizer has no fast form, or the result differs from torch.
    """
    module = load_span_logits(checkpoint)
    tokenizer = reader_tokenizer(checkpoint)
    with torch.no_grad():
        converted = _trace(module, _pairs(module, rows=2, length=16))
        probe = _pairs(module, rows=3, length=41)
        expected = module(**probe).numpy()
    load_openvino().save_model(converted, str(target / "model.xml"), compress_to_fp16=False)
    # Logits on padding mean nothing, and need not agree.
    real = probe["attention_mask"].numpy()[:, None, :] == 1
    difference = float(np.abs((_run(target, probe) - expected) * real).max())
    if not difference < _WORST_LOGIT:
        raise ModelError(f"the converted model differs from the original (by {difference:.4f})")
    tokenizer.backend_tokenizer.save(str(target / "tokenizer.json"))
    (target / "facts.json").write_text(json.dumps(reader_facts(module, tokenizer), indent=1), "utf-8")


def load_span_logits(checkpoint: Path) -> SpanLogits:
    """Load a checkpoint from disk: no network, no pickled weights, no code that came with it.

    Raises:
        ModelError: the checkpoint has no question answering head.
    """
    model, report = AutoModelForQuestionAnswering.from_pretrained(
        str(checkpoint),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        attn_implementation="eager",
        output_loading_info=True,
    )
    if missing := report["missing_keys"]:
        raise ModelError(
            f"{checkpoint}: not a question answering model: its weights lack {', '.join(sorted(missing))}"
        )
    return SpanLogits(model.float().eval()).eval()


def reader_tokenizer(checkpoint: Path) -> Any:
    """Load a checkpoint's tokenizer.

    Raises:
        ModelError: it has no fast form, the one that tells where its tokens stand.
    """
    tokenizer = AutoTokenizer.from_pretrained(str(checkpoint), local_files_only=True, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise ModelError("the model's tokenizer has no fast form")
    return tokenizer


def span_scores(
    module: SpanLogits, ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]], padding: int
) -> np.ndarray[Any, Any]:
    """Return the logits of a batch of pairs, shape (rows, 2, longest), float32."""
    batch = {
        "input_ids": _padded(ids, padding),
        "attention_mask": _padded([[1] * len(row) for row in ids], 0),
    }
    if module.needs_types:
        batch["token_type_ids"] = _padded(types, 0)
    with torch.no_grad():
        result: np.ndarray[Any, Any] = module(**batch).float().numpy()
    return result


def _padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    tensors = [torch.tensor(row, dtype=torch.long) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)


def reader_facts(module: SpanLogits, tokenizer: Any) -> dict[str, Any]:
    """Return what reading needs to know besides weights and tokenizer."""
    config = module.model.config
    positions = getattr(config, "max_position_embeddings", _MOST_TOKENS)
    # RoBERTa and its kin count positions from behind the padding's.
    offset = config.pad_token_id + 1 if "roberta" in config.model_type else 0
    return {
        "max_tokens": min(positions - offset, tokenizer.model_max_length, _MOST_TOKENS),
        "padding": tokenizer.pad_token_id or 0,
    }


def _pairs(module: SpanLogits, rows: int, length: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, min(1000, module.model.config.vocab_size), (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[-1, length // 2 :] = 0
    batch = {"input_ids": ids, "attention_mask": mask}
    if module.needs_types:
        batch["token_type_ids"] = torch.zeros_like(ids)
        batch["token_type_ids"][:, length // 4 :] = 1
    return batch


def main(arguments: list[str]) -> None:
    """Convert as the command line says."""
    kind, checkpoint, target = arguments
    {"encoder": convert_encoder, "reader": convert_reader}[kind](Path(checkpoint), Path(target))


if __name__ == "__main__":
    main(sys.argv[1:])
