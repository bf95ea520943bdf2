"""What several test modules share: a home with the converted encoder and the seeds' index in it, and a tiny
encoder for the tests that need none in particular."""

import contextlib
import functools
import itertools
import re
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from index import load_encoder
from index.types import TokenVectors
from qa import Assistant, Settings


class HashingEncoder:
    """A real, tiny encoder: the sum of fixed random vectors of the words, the same in every process.

    Long words and punctuation take several tokens, as in WordPiece. ``encoded`` counts the passages encoded.
    """

    dimension = 64

    def __init__(self, identity="hashing", max_tokens=254):
        self.identity = identity
        self.max_tokens = max_tokens
        self.encoded = 0

    def encode(self, texts):
        self.encoded += len(texts)
        return self._encode(texts)

    def encode_question(self, question):
        return self._encode([question])[0]

    def encode_tokens(self, texts):
        return [self._tokens(text) for text in texts]

    def count_tokens(self, texts):
        return [len(re.findall(r"\w{1,4}|[^\w\s]", text)) for text in texts]

    def _encode(self, texts):
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row] += word_vector(word, self.dimension)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _tokens(self, text):
        found = list(re.finditer(r"\w+|[^\w\s]", text))
        vectors = [word_vector(token.group().lower(), self.dimension) for token in found]
        starts, ends = (
            np.array([place(token) for token in found], dtype=np.int64)
            for place in (re.Match.start, re.Match.end)
        )
        return TokenVectors(np.array(vectors, dtype=np.float32).reshape(-1, self.dimension), starts, ends)


@functools.cache
def word_vector(word, dimension):
    vector = np.random.default_rng(zlib.crc32(word.encode())).normal(size=dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


@contextlib.contextmanager
def meanwhile(*works):
    """Do each of ``works`` again and again in a thread of its own while the body runs; raise what they raise."""
    done = threading.Event()

    def repeat(work):
        for turn in itertools.count(1):
            work()
            if done.is_set():
                return turn
        return 0

    with ThreadPoolExecutor(len(works)) as pool:
        turns = [pool.submit(repeat, work) for work in works]
        try:
            yield
        finally:
            done.set()
    assert all(turn.result() for turn in turns)


def at_once(number, work):
    """Do ``work`` in so many threads at once; raise what they raise."""
    with ThreadPoolExecutor(number) as pool:
        for turn in [pool.submit(work) for _ in range(number)]:
            turn.result()


@pytest.fixture(scope="session")
def models(pytestconfig):
    """The converted models. Kept between runs (`pytest --cache-clear` drops them): converting takes 20 s."""
    return pytestconfig.cache.mkdir("verbatim-models")


@pytest.fixture(scope="session")
def home(tmp_path_factory, models):
    """A VERBATIM_HOME with the seeds' index and without one of a user's own."""
    home = tmp_path_factory.mktemp("home")
    (home / "cache").symlink_to(models)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERBATIM_HOME", str(home))
        Assistant.open().close()
    return home


@pytest.fixture(scope="session")
def encoder(home):
    """The default encoder, loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERBATIM_HOME", str(home))
        return load_encoder()


@pytest.fixture(scope="session")
def seeds(home, encoder):
    """An assistant over the seeds, with the default settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERBATIM_HOME", str(home))
        opened = Assistant.open(home / "seeds", settings=Settings(), encoder=encoder)
    yield opened
    opened.close()
