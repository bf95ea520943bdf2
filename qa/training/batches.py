"""The order of training: which questions an epoch holds, and in which batches they come.

All of it follows from the seed and the number of the epoch, so that a run that was cut off goes on with
the very batch that it would have seen next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from qa.evaluation.squad import Example
from qa.training.features import Feature, Item, crop, feature, whole
from qa.training.swaps import swap

T = TypeVar("T")

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
    """Tensors of shape (windows, longest); ``start`` and ``end`` are shares of votes, float32.

    ``text`` is 1 for tokens that an answer may begin or end with. ``group``, of shape (windows,), numbers
    the questions of the batch from 0: windows with the same number are read for the same question.
    """

    ids: Tensor
    types: Tensor
    mask: Tensor
    text: Tensor
    start: Tensor
    end: Tensor
    group: Tensor


@dataclass(frozen=True, slots=True)
class Data:
    """All that a run draws from; ``negatives`` are, by a question's id, texts that hold no answer to it.

    ``null_share`` is how many of them are added to an epoch by themselves, as a share of its questions;
    ``beside`` is how many stand beside each question's own paragraph, where it has any. ``swapped`` is how
    many questions without an answer are made of those with one (`swaps.py`), as a share of them all.
    ``cropped`` is the share of questions that are read in a passage instead of in their whole paragraph.
    """

    sources: Sequence[Source]
    negatives: Mapping[str, Sequence[str]]
    null_share: float
    cropped: float
    beside: int = 0
    swapped: float = 0.0


Group = tuple[Item, ...]


def epoch_groups(data: Data, rng: np.random.Generator) -> list[Group]:
    """Return what one epoch trains on, in random order: for each question one text or several."""
    drawn = [
        source.examples[place]
        for source in data.sources
        for place in rng.permutation(len(source.examples))[: source.per_epoch]
    ]
    groups = [(_own(example, data, rng), *_beside(example, data, rng)) for example in drawn]
    hard = [example for example in drawn if data.negatives.get(example.id)]
    for place in rng.permutation(len(hard))[: round(data.null_share * len(drawn))]:
        texts = data.negatives[hard[place].id]
        groups.append((Item(hard[place].question, texts[int(rng.integers(len(texts)))], ()),))
    groups.extend((item,) for item in _swapped(data, drawn, rng))
    return [groups[place] for place in rng.permutation(len(groups))]


def _swapped(data: Data, drawn: Sequence[Example], rng: np.random.Generator) -> Iterator[Item]:
    wanted = round(data.swapped * len(drawn))
    for place in rng.permutation(len(drawn)) if wanted else ():
        elsewhere = drawn[int(rng.integers(len(drawn)))].context
        if wanted and drawn[place].answers and (item := swap(drawn[place], elsewhere, rng)):
            wanted -= 1
            yield item


def _own(example: Example, data: Data, rng: np.random.Generator) -> Item:
    cropped = bool(example.answers) and rng.random() < data.cropped
    return crop(example, int(rng.integers(*_CROP_CHARACTERS)), rng) if cropped else whole(example)


def _beside(example: Example, data: Data, rng: np.random.Generator) -> list[Item]:
    texts = data.negatives.get(example.id, ()) if data.beside and example.answers else ()
    drawn = rng.permutation(len(texts))[: data.beside] if texts else ()
    return [Item(example.question, texts[place], ()) for place in drawn]


def batches(
    tokenizer: Tokenizer, groups: Sequence[Group], rng: np.random.Generator, padding: int
) -> Iterator[Batch]:
    """Yield batches of about ``BATCH`` windows; texts that fit no window are left out.

    The texts of one question are never parted.
    """
    for pool in _parts(groups, BATCH * _POOL):
        made = [[feature(tokenizer, item, rng) for item in group] for group in pool]
        features = [[one for one in group if one] for group in made]
        features.sort(key=lambda group: max((len(one.window.ids) for one in group), default=0))
        parts = list(_parts([group for group in features if group], BATCH))
        for place in rng.permutation(len(parts)):
            yield collate(parts[place], padding)


def _parts(groups: Sequence[Sequence[T]], size: int) -> Iterator[list[Sequence[T]]]:
    """Yield ``groups`` in runs that hold ``size`` members, or as few more as the last group needs."""
    part: list[Sequence[T]] = []
    held = 0
    for group in groups:
        part.append(group)
        held += len(group)
        if held >= size:
            yield part
            part, held = [], 0
    if part:
        yield part


def batch_count(groups: Sequence[Group]) -> int:
    """Return about how many batches :func:`batches` makes of ``groups``."""
    return -(-sum(map(len, groups)) // BATCH)


def collate(groups: Sequence[Sequence[Feature]], padding: int) -> Batch:
    """Return the windows of ``groups`` as one batch, padded at the right."""
    features = [one for group in groups for one in group]
    numbers = [number for number, group in enumerate(groups) for _ in group]
    shape = len(features), max(len(one.window.ids) for one in features)
    ids = torch.full(shape, padding, dtype=torch.long)
    types, mask, text = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    start, end = torch.zeros(shape), torch.zeros(shape)
    for row, one in enumerate(features):
        length = len(one.window.ids)
        ids[row, :length] = torch.tensor(one.window.ids)
        types[row, :length] = torch.tensor(one.window.types)
        mask[row, :length] = 1
        text[row, :length] = torch.from_numpy(one.window.starts >= 0)
        for place, share in one.start:
            start[row, place] = share
        for place, share in one.end:
            end[row, place] = share
    return Batch(ids, types, mask, text, start, end, torch.tensor(numbers))
