"""The order of training: which questions an epoch holds, and in which batches they come.

All of it follows from the seed and the number of the epoch, so that a run that was cut off goes on with
the very batch that it would have seen next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from qa.evaluation.squad import Example
from qa.training.features import Feature, Item, crop, feature, whole

BATCH = 32
# Batches drawn together and sorted by length: little padding, and still in random order.
_POOL = 40
# Of passages of 128 tokens, give or take.
_CROP_CHARACTERS = (300, 700)


@dataclass(frozen=True, slots=True)
class Source:
    """Questions of one file, ``per_epoch`` of which are drawn for each epoch."""

    examples: Sequence[Example]
    per_epoch: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of shape (examples, longest); ``start`` and ``end`` are shares of votes, float32."""

    ids: Tensor
    types: Tensor
    mask: Tensor
    start: Tensor
    end: Tensor


@dataclass(frozen=True, slots=True)
class Data:
    """All that a run draws from; ``negatives`` are, by a question's id, texts that hold no answer to it.

    ``null_share`` is how many of them are added to an epoch, as a share of its questions; ``cropped`` is
    the share of questions that are read in a passage instead of in their whole paragraph.
    """

    sources: Sequence[Source]
    negatives: Mapping[str, Sequence[str]]
    null_share: float
    cropped: float


def epoch_items(data: Data, rng: np.random.Generator) -> list[Item]:
    """Return what one epoch trains on, in random order."""
    drawn = [
        source.examples[place]
        for source in data.sources
        for place in rng.permutation(len(source.examples))[: source.per_epoch]
    ]
    items = []
    for example in drawn:
        cropped = bool(example.answers) and rng.random() < data.cropped
        items.append(crop(example, int(rng.integers(*_CROP_CHARACTERS)), rng) if cropped else whole(example))
    hard = [example for example in drawn if data.negatives.get(example.id)]
    for place in rng.permutation(len(hard))[: round(data.null_share * len(drawn))]:
        texts = data.negatives[hard[place].id]
        items.append(Item(hard[place].question, texts[int(rng.integers(len(texts)))], ()))
    return [items[place] for place in rng.permutation(len(items))]


def batches(
    tokenizer: Tokenizer, items: Sequence[Item], rng: np.random.Generator, padding: int
) -> Iterator[Batch]:
    """Yield batches of ``items``; those that fit no window are left out."""
    size = BATCH * _POOL
    for first in range(0, len(items), size):
        pool = (feature(tokenizer, item, rng) for item in items[first : first + size])
        features = sorted((one for one in pool if one), key=lambda one: len(one.window.ids))
        groups = [features[place : place + BATCH] for place in range(0, len(features), BATCH)]
        for place in rng.permutation(len(groups)):
            yield collate(groups[place], padding)


def batch_count(items: Sequence[Item]) -> int:
    """Return about how many batches :func:`batches` makes of ``items``."""
    return -(-len(items) // BATCH)


def collate(features: Sequence[Feature], padding: int) -> Batch:
    """Return ``features`` as one batch, padded at the right."""
    shape = len(features), max(len(one.window.ids) for one in features)
    ids = torch.full(shape, padding, dtype=torch.long)
    types, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    start, end = torch.zeros(shape), torch.zeros(shape)
    for row, one in enumerate(features):
        length = len(one.window.ids)
        ids[row, :length] = torch.tensor(one.window.ids)
        types[row, :length] = torch.tensor(one.window.types)
        mask[row, :length] = 1
        for place, share in one.start:
            start[row, place] = share
        for place, share in one.end:
            end[row, place] = share
    return Batch(ids, types, mask, start, end)
