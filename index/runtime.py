"""Runs a Hugging Face checkpoint through OpenVINO, converting it once into a cache.

The cache is keyed by a hash over the checkpoint's files, so that other weights never run under an old
name. Conversion needs torch and happens in a process of its own (:mod:`index.convert`): the process that
answers questions never imports torch. Knows nothing of what a model's outputs mean.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index.digests import file_digests
from index.errors import ModelError
from index.quiet import load_openvino

logger = logging.getLogger(__name__)

Kind = Literal["encoder", "reader"]
Precision = Literal["f32", "bf16"]

# Raise it when what conversion writes changes.
_CACHE_FORMAT = 3
# Padding to multiples of this bounds how many shapes the runtime has to prepare for.
_LENGTH_STEP = 8
# What conversion writes beside a model: see index/convert.py.
_FACTS: dict[Kind, frozenset[str]] = {
    "encoder": frozenset(
        {"dimension", "max_tokens", "special_tokens", "padding", "question_prompt", "passage_prompt"}
    ),
    "reader": frozenset({"max_tokens", "padding"}),
}
_MODEL_FILES = (".json", ".safetensors", ".txt", ".model")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A batch, all of shape ``(texts, longest)``.

    ``mask`` is 1 on tokens, 0 on padding; ``types`` tells which text of a pair a token is of, 0 or 1.
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    types: NDArray[np.int64]


_core_lock = threading.Lock()


class Runtime:
    """A compiled model with its tokenizer. Safe to call from several threads."""

    def __init__(self, kind: Kind, directory: Path, precision: Precision) -> None:
        self.facts: dict[str, Any] = json.loads((directory / "facts.json").read_text("utf-8"))
        if missing := _FACTS[kind] - self.facts.keys():
            raise ValueError(f"facts.json lacks {', '.join(sorted(missing))}")
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        # OpenVINO keeps what it compiles by the model's path: by every link to it that would be once more.
        self._directory = directory.resolve()
        self._precision = precision
        self._compiled = self._compile("LATENCY")
        self._bulk: Any = None
        self._bulk_lock = threading.Lock()
        self._local = threading.local()

    def pad(self, sequences: Sequence[Sequence[int]], types: Sequence[Sequence[int]] = ()) -> Tokens:
        """Return ``sequences`` as one batch, padded at the right; ``types`` are those of pairs."""
        longest = max(len(sequence) for sequence in sequences)
        longest = min(-(-longest // _LENGTH_STEP) * _LENGTH_STEP, max(longest, self.facts["max_tokens"]))
        ids = np.full((len(sequences), longest), self.facts["padding"], dtype=np.int64)
        mask, of_pair = np.zeros_like(ids), np.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1
        for row, sequence in enumerate(types):
            of_pair[row, : len(sequence)] = sequence
        return Tokens(ids, mask, of_pair)

    def run(self, tokens: Tokens, output: int) -> NDArray[np.float32]:
        """Return one of the model's outputs for a batch, counted from 0 in the model's order."""
        if not hasattr(self._local, "request"):
            self._local.request = self._compiled.create_infer_request()
        results = self._local.request.infer(self._inputs(tokens), share_inputs=True)
        # A copy: the request writes its next results into the same memory.
        return np.array(results[self._compiled.outputs[output]])

    def run_many(self, batches: Sequence[Tokens], output: int) -> list[NDArray[np.float32]]:
        """Return one of the model's outputs for each batch, several batches computed at a time."""
        if len(batches) <= 1:
            return [self.run(tokens, output) for tokens in batches]
        results: dict[int, NDArray[np.float32]] = {}

        def keep(request: Any, number: int) -> None:
            results[number] = np.array(request.get_output_tensor(output).data)

        with self._bulk_lock:
            # Compiled when it is first needed: a question never does.
            self._bulk = self._bulk or self._compile("THROUGHPUT")
            queue = load_openvino().AsyncInferQueue(self._bulk)
            queue.set_callback(keep)
            for number, tokens in enumerate(batches):
                queue.start_async(self._inputs(tokens), number)
            queue.wait_all()
        return [results[number] for number in range(len(batches))]

    def _inputs(self, tokens: Tokens) -> list[NDArray[np.int64]]:
        # A model that takes no token types was converted without them.
        return [tokens.ids, tokens.mask, tokens.types][: len(self._compiled.inputs)]

    def _compile(self, hint: Literal["LATENCY", "THROUGHPUT"]) -> Any:
        core = _core()
        # OpenVINO sets the process's locale to C while it reads a model, and then back: two at once leave it
        # at C, and all that is read without naming an encoding is ASCII from then on.
        with _core_lock:
            return core.compile_model(
                str(self._directory / "model.xml"),
                "CPU",
                {
                    "PERFORMANCE_HINT": hint,
                    "INFERENCE_PRECISION_HINT": self._precision,
                    # A folder each: OpenVINO would take what it compiled in one precision for the other.
                    "CACHE_DIR": str(self._directory / f"compiled-{self._precision}"),
                },
            )


def best_precision() -> Precision:
    """Return ``bf16`` where this CPU computes in it natively, else ``f32``."""
    return "bf16" if "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def checkpoint_hash(checkpoint: Path, cache_directory: Path, weights_sha256: str | None = None) -> str:
    """Return a hash over everything in ``checkpoint`` that decides what the model computes.

    Args:
        checkpoint: the folder.
        cache_directory: where the hashes of unchanged files are kept, see :mod:`index.digests`.
        weights_sha256: what the weights have to be, where that is known.

    Raises:
        ModelError: there are no safetensors weights, or they are not the ones expected.
    """
    files = sorted(p for p in checkpoint.rglob("*") if p.is_file() and p.suffix in _MODEL_FILES)
    if not any(path.suffix == ".safetensors" for path in files):
        raise ModelError(
            f"{checkpoint}: no .safetensors weights there. Verbatim loads no pickled weights: "
            "save the model with safe_serialization, or choose another."
        )
    name = hashlib.sha256(str(checkpoint).encode()).hexdigest()[:16]
    digest = hashlib.sha256()
    for path, found in zip(files, file_digests(files, cache_directory / f"digests-{name}.json"), strict=True):
        if weights_sha256 and path.name == "model.safetensors" and found != weights_sha256:
            raise ModelError(
                f"{path}: the weights are damaged or not the published ones (sha256 {found[:12]}..., "
                f"expected {weights_sha256[:12]}...). Reinstall the package that holds them."
            )
        digest.update(f"{path.relative_to(checkpoint).as_posix()} {found}\n".encode())
    return digest.hexdigest()


def load_runtime(
    kind: Kind, checkpoint: Path, key: str, cache_directory: Path, precision: Precision
) -> Runtime:
    """Return the compiled model of ``checkpoint``, converting it first where the cache lacks ``key``.

    Raises:
        ModelError: OpenVINO cannot convert or run the model, or the cache cannot be written.
    """
    directory = cache_directory / f"{kind}-{key[:16]}-{_CACHE_FORMAT}"
    try:
        if (directory / "facts.json").is_file():
            try:
                return Runtime(kind, directory, precision)
            except Exception as error:  # noqa: BLE001 - tokenizers raises nothing more special
                logger.warning("%s: damaged (%s), so made again", directory, error)
                shutil.rmtree(directory)
        _convert(kind, checkpoint, directory)
        return Runtime(kind, directory, precision)
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{checkpoint}: OpenVINO cannot run this model: {error}") from error


def _convert(kind: Kind, checkpoint: Path, directory: Path) -> None:
    """Convert into a temporary folder and rename it, so that a half-written model is never used."""
    logger.warning("Preparing the %s for this machine (once, about 20 seconds): %s", kind, checkpoint.name)
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix="converting-", dir=directory.parent))
    try:
        package_root = str(Path(__file__).resolve().parent.parent)
        paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            # -P: nothing in the current folder may pass for a module.
            [sys.executable, "-P", "-m", "index.convert", kind, str(checkpoint), str(temporary)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            raise ModelError(f"{checkpoint}: cannot be converted for OpenVINO: {last[0]}")
        try:
            temporary.rename(directory)
        except OSError:
            # Another process converted the same model meanwhile; its copy serves as well.
            if not (directory / "facts.json").is_file():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _core() -> Any:
    # Two models may be loaded at once, and a second core would take as long as the first.
    with _core_lock:
        return _one_core()


@cache
def _one_core() -> Any:
    return load_openvino().Core()
