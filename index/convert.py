"""Converts a checkpoint to OpenVINO: ``python -m index.convert CHECKPOINT TARGET``.

Run by :mod:`index.runtime` in a process of its own, the only place of ``index/`` besides the fallback in
:mod:`index.encode` that imports torch. Writes ``model.xml`` and ``model.bin`` (fp32), ``tokenizer.json``
and ``facts.json`` into TARGET, after checking that the result computes what torch computes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from index.errors import EncoderError
from index.quiet import load_openvino

_WORST_COSINE = 0.9999


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
        EncoderError: the tokenizer has no fast form, or the result differs from torch.
    """
    model = load_sentence_transformer(checkpoint).eval()
    wrapped = _Embedding(model).eval()
    with torch.no_grad():
        converted = _trace(wrapped, _batch(model, rows=2, length=16))
        probe = _batch(model, rows=3, length=41)
        expected = wrapped(**probe)[0].numpy()
    load_openvino().save_model(converted, str(target / "model.xml"), compress_to_fp16=False)
    _check(target, probe, expected)
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
        raise EncoderError("the model's tokenizer has no fast form")
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


def _check(target: Path, probe: dict[str, torch.Tensor], expected: np.ndarray[Any, Any]) -> None:
    compiled = (
        load_openvino()
        .Core()
        .compile_model(str(target / "model.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    )
    found = compiled([probe["input_ids"].numpy(), probe["attention_mask"].numpy()])[0]
    cosine = float((found * expected).sum(axis=1).min())
    if cosine < _WORST_COSINE:
        raise EncoderError(f"the converted model differs from the original (cosine {cosine:.5f})")


def main(arguments: list[str]) -> None:
    """Convert as the command line says."""
    checkpoint, target = arguments
    convert_encoder(Path(checkpoint), Path(target))


if __name__ == "__main__":
    main(sys.argv[1:])
