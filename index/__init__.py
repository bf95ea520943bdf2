"""Documents in, ranked passages out.

>>> from index import Index
>>> with Index.open("my-index") as index:  # doctest: +SKIP
...     index.add(["papers/", "notes.md"])
...     hits = index.search("Who signed the treaty?", k=10)
"""

from index.encode import load_encoder
from index.index import Index
from index.types import Document, Encoder, Hit, Passage

__all__ = ["Document", "Encoder", "Hit", "Index", "Passage", "load_encoder"]
