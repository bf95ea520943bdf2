"""``python -m qa.bench.worker KIND``: one process that measures Verbatim, or what is commonly used instead.

The other side of :mod:`qa.bench.workers`. What is commonly used: ``SentenceTransformer(...).encode`` and
``faiss.IndexFlatIP`` in fp32, as frameworks for retrieval do inside.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.chunk import encoder_text
from index.encode import default_checkpoint, load_encoder
from index.index import Index
from index.search import content_words, search
from index.store import Store, vector_matrix
from index.types import Vectors
from index.vectors import VectorIndex
from index.words import WordIndex
from qa.assistant import Assistant
from qa.bench.synthetic import synthetic_entries, take
from qa.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_K = 10
_CANDIDATES = 100
_STORED_AT_A_TIME = 1_000
_MEGABYTE = 1e6
# Enough for several batches, so that all is loaded and compiled that the first ones need.
_WARM_UP = ["What is measured is how long texts take, and not how long it takes to begin. " * 8] * 64
# What two ways of adding up the same products may differ by.
_ROUNDING = 1e-5


class Verbatim:
    """Measures Verbatim."""

    def encode(self, texts: list[str]) -> float:
        """Return the seconds that encoding takes; the encoder is loaded before."""
        encoder = load_encoder()
        encoder.encode(_WARM_UP)
        return _seconds(lambda: encoder.encode(texts))

    def ingest(self, folder: str, directory: str) -> dict[str, Any]:
        """Index a folder of files; return seconds, disk, and the texts as encoders get them."""
        with Index.open(directory) as index:
            index.encoder.encode(_WARM_UP)
            seconds = _seconds(lambda: index.add(folder))
            texts = [
                encoder_text(passage)
                for document in index.document_ids()
                for passage in index.passages(document)
            ]
        disk = sum(path.stat().st_size for path in Path(directory).iterdir())
        return {"seconds": seconds, "texts": texts, "megabytes": disk / _MEGABYTE}

    def open(self, directory: str) -> None:
        """Open an index for questions."""
        self._assistant = Assistant.open(directory, settings=Settings())

    def search(self, questions: list[str], users: int) -> dict[str, Any]:
        """Search for each question; return the milliseconds of each, and questions a second."""
        return _timed(lambda question: self._assistant.index.search(question, _K), questions, users)

    def answer(self, questions: list[str], users: int) -> dict[str, Any]:
        """Answer each question; return the milliseconds of each, and questions a second."""
        return _timed(self._assistant.answer, questions, users)

    def memory(self) -> float:
        """Return the resident memory of this process, in MB."""
        return resident_megabytes()


class Baseline:
    """Measures sentence-transformers and a flat FAISS index, both in fp32."""

    def __init__(self) -> None:
        import faiss  # noqa: PLC0415 - only this kind uses it by itself
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - slow

        self._faiss = faiss
        self._model: SentenceTransformer = SentenceTransformer(
            str(default_checkpoint()), device="cpu", local_files_only=True
        )
        self._texts: list[str] = []

    def encode(self, texts: list[str]) -> float:
        """Return the seconds that encoding takes; the model is loaded before."""
        self._vectors(_WARM_UP)
        return _seconds(lambda: self._vectors(texts))

    def ingest(self, texts: list[str], directory: str) -> dict[str, Any]:
        """Encode and index texts that are cut already; return seconds and disk."""
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)

        def run() -> None:
            self._index = self._faiss.IndexFlatIP(self._model.get_embedding_dimension())
            self._index.add(self._vectors(texts))
            self._texts = texts
            self._faiss.write_index(self._index, str(folder / "vectors"))
            (folder / "texts.json").write_text(json.dumps(texts), "utf-8")

        seconds = _seconds(run)
        disk = sum(path.stat().st_size for path in folder.iterdir())
        return {"seconds": seconds, "megabytes": disk / _MEGABYTE}

    def open(self, directory: str) -> None:
        """Open what :meth:`ingest` wrote."""
        self._index = self._faiss.read_index(str(Path(directory) / "vectors"))
        self._texts = json.loads((Path(directory) / "texts.json").read_text("utf-8"))

    def search(self, questions: list[str], users: int) -> dict[str, Any]:
        """Search for each question; return the milliseconds of each, and questions a second."""
        return _timed(self._nearest, questions, users)

    def memory(self) -> float:
        """Return the resident memory of this process, in MB."""
        return resident_megabytes()

    def _nearest(self, question: str) -> list[str]:
        _, rows = self._index.search(self._vectors([question]), _K)
        return [self._texts[row] for row in rows[0] if row != -1]

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return vectors


class Growth:
    """Measures an index as it grows."""

    def start(self, directory: str, texts: list[list[str]]) -> int:
        """Make an index of real texts, names first; return its number of passages."""
        with Index.open(directory) as index:
            index.add_texts((name, text) for name, text in texts)
            return len(index)

    def grow(self, directory: str, source: str, passages: int, seed: int) -> dict[str, Any]:
        """Fill an index up to so many synthetic passages; return what that took.

        Args:
            directory: the index that grows.
            source: the index of the real texts.
            passages: how many, a multiple of 20.
            seed: of the synthetic ones.
        """
        real, growing = Store(Path(source)), Store(Path(directory))
        ids = real.passage_ids()
        texts = [passage.text for passage in real.passages(ids).values()]
        encoder = load_encoder()
        growing.bind_encoder(encoder.identity)
        vectors = vector_matrix(real.vectors(ids), encoder.dimension)
        have = growing.passage_count()
        entries = synthetic_entries(texts, vectors, seed + have, have)
        stored = 0.0
        while (left := passages - growing.passage_count()) > 0:
            batch = take(entries, min(left, _STORED_AT_A_TIME))
            stored += _seconds(partial(growing.put, batch, "bench"))
        indexed = _seconds(lambda: VectorIndex(growing, encoder.dimension))
        growing.close()
        real.close()
        return {"store_seconds": stored, "index_seconds": indexed}

    def open(self, directory: str) -> dict[str, float]:
        """Open an index for searches; return seconds, and the memory that the vectors take."""
        self._encoder = load_encoder()
        self._store = Store(Path(directory), create=False)
        self._encoder.encode_question("Compile what the first question needs.")
        before = resident_megabytes()
        seconds = _seconds(self._open_vectors)
        self._words = WordIndex(self._store)
        return {"seconds": seconds, "vectors_megabytes": resident_megabytes() - before}

    def _open_vectors(self) -> None:
        self._index = VectorIndex(self._store, self._encoder.dimension)

    def search(self, questions: list[str]) -> dict[str, list[float]]:
        """Search for each question; return milliseconds: of the vectors, of the words, and of everything."""
        found: dict[str, list[float]] = {"encoding": [], "vectors": [], "words": [], "all": []}
        for question in questions:
            whole = _seconds(
                partial(search, self._store, self._index, self._words, self._encoder, question, _K)
            )
            found["all"].append(1e3 * whole)
        for question in questions:
            start = time.perf_counter()
            vector = self._encoder.encode_question(question + " ")
            encoded = time.perf_counter()
            near = dict(self._index.search(vector, _CANDIDATES))
            looked = time.perf_counter()
            self._words.search(content_words(question), _CANDIDATES, near)
            times = np.diff([start, encoded, looked, time.perf_counter()]) * 1e3
            for name, value in zip(("encoding", "vectors", "words"), times.tolist(), strict=True):
                found[name].append(value)
        return found

    def recall(self, questions: list[str]) -> float:
        """Return the share of the true ten nearest passages that are among the ten found."""
        vectors = np.array([self._encoder.encode_question(question) for question in questions])
        ids = self._store.passage_ids()
        best = np.full((len(vectors), _K), -2.0)
        for start in range(0, len(ids), 10_000):
            rows = self._store.vectors(ids[start : start + 10_000])
            cosines = vectors @ vector_matrix(rows, self._encoder.dimension).T
            best = -np.sort(-np.hstack([best, cosines]), axis=1)[:, :_K]
        # Of passages that are equally near any will do.
        found = [
            sum(cosine >= tenth - _ROUNDING for _, cosine in self._index.search(vector, _CANDIDATES)[:_K])
            for vector, tenth in zip(vectors, best[:, -1], strict=True)
        ]
        return float(np.mean(found)) / _K

    def memory(self) -> float:
        """Return the resident memory of this process, in MB."""
        return resident_megabytes()


def resident_megabytes() -> float:
    """Return the resident memory of this process, in MB (10^6 bytes); the peak where only that is told."""
    status = Path("/proc/self/statm")
    if status.is_file():
        return int(status.read_text().split()[1]) * resource.getpagesize() / _MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _timed(work: Callable[[str], object], questions: Sequence[str], users: int) -> dict[str, Any]:
    """Ask each question once, so many at once; return the milliseconds of each, and questions a second."""
    start = time.perf_counter()
    with ThreadPoolExecutor(users) as pool:
        seconds = list(pool.map(lambda question: _seconds(lambda: work(question)), questions))
    return {"ms": [1e3 * one for one in seconds], "a_second": len(questions) / (time.perf_counter() - start)}


_KINDS: dict[str, Callable[[], object]] = {"verbatim": Verbatim, "baseline": Baseline, "growth": Growth}


def main() -> None:
    """Answer requests from standard input until it ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    worker = _KINDS[sys.argv[1]]()
    for line in sys.stdin:
        request = json.loads(line)
        result = getattr(worker, request["what"])(**request["values"])
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
