"""One training run: a folder with its checkpoint, its log, and the model at its end.

A run that was cut off goes on from its checkpoint: weights, averaged weights, optimiser, and the place in
the data. The learning rate rises, holds, and falls to zero (warm-up, stable, decay: Hu et al. 2024), so
that a run without decay can be continued by another.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel

from index.errors import SettingsError
from qa.evaluation.squad import Example
from qa.training.batches import Batch, Data, batch_count, batches, epoch_groups
from qa.training.dropout import pool_dropout
from qa.training.model import load_model, load_tokenizer, save_model, score
from qa.training.recipe import Recipe

_LOG_EVERY = 20


@dataclass(slots=True)
class _State:
    model: PreTrainedModel
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0


class Run:
    """Trains a reader in ``directory``, from the checkpoint ``start``."""

    def __init__(self, directory: Path, start: Path, data: Data, recipe: Recipe) -> None:
        self.directory = directory
        self.start = start
        self.recipe = recipe
        self._data = data
        self._tokenizer: Tokenizer = load_tokenizer(start)
        groups = epoch_groups(data, self._rng(0))
        if not groups:
            raise SettingsError("there are no questions to train on: name files of them in the recipe")
        self.steps = math.ceil(recipe.epochs * batch_count(groups))
        directory.mkdir(parents=True, exist_ok=True)

    def train(
        self, dev: Mapping[str, Sequence[Example]], score_every: int = 400, save_every: int = 200
    ) -> Path:
        """Train to the end, or go on where the last call was cut off; return the folder of the model."""
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(self.recipe.seed)
        state = self._open(device)
        if device.type == "cpu":
            pool_dropout(state.model, self.recipe.dropout, torch.Generator().manual_seed(self.recipe.seed))
        torch.nn.Module.to(state.model, device)
        state.model.train()
        began, losses = time.monotonic() - state.seconds, []
        for batch in self._batches(state.step, state.model.config.pad_token_id or 0):
            if state.step >= self.steps:
                break
            losses.append(self._step(state, batch, device))
            state.seconds = time.monotonic() - began
            if state.step % _LOG_EVERY == 0:
                self._log(state, loss=float(np.mean(losses)))
                losses = []
            if state.step % score_every == 0 and state.step < self.steps:
                self._score(state, dev)
            if state.step % save_every == 0:
                self._save(state)
        self._save(state)
        self._score(state, dev)
        self._use_average(state)
        save_model(state.model, self.start, self.directory / "model")
        return self.directory / "model"

    def _rng(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.recipe.seed, epoch])

    def _batches(self, done: int, padding: int) -> Iterator[Batch]:
        for epoch in count():
            rng = self._rng(epoch)
            groups = epoch_groups(self._data, rng)
            for batch in batches(self._tokenizer, groups, rng, padding):
                if done:
                    done -= 1
                else:
                    yield batch

    def _step(self, state: _State, batch: Batch, device: torch.device) -> float:
        rate = self.recipe.rate(state.step, self.steps)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16):
            output = state.model(
                input_ids=batch.ids.to(device),
                attention_mask=batch.mask.to(device),
                token_type_ids=batch.types.to(device),
            )
        loss = _loss(output.start_logits, output.end_logits, batch, device, self.recipe.shared)
        state.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), self.recipe.clip)
        state.optimizer.step()
        state.step += 1
        # The usual warm-up of the average: early weights are not worth remembering.
        keep = min(self.recipe.average, state.step / (state.step + 10))
        weights = dict(state.model.named_parameters())
        torch._foreach_lerp_(
            list(state.average.values()), [weights[name].detach() for name in state.average], 1.0 - keep
        )
        return loss.item()

    def _open(self, device: torch.device) -> _State:
        model = load_model(self.start)
        # transformers wraps this method in a type that cannot be called.
        torch.nn.Module.to(model, device)
        decayed = [value for value in model.parameters() if value.ndim > 1]
        plain = [value for value in model.parameters() if value.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": self.recipe.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=self.recipe.learning_rate,
            fused=True,
        )
        average = {name: value.detach().clone() for name, value in model.named_parameters()}
        state = _State(model, average, optimizer)
        path = self.directory / "checkpoint.pt"
        if path.is_file():
            saved: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
            if saved["run"] != self._identity():
                raise SettingsError(f"{path} is of another recipe or other data: choose another folder")
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            state.average = saved["average"]
            state.step, state.seconds = saved["step"], saved["seconds"]
        return state

    def _identity(self) -> str:
        return json.dumps(
            {
                "recipe": asdict(self.recipe),
                "start": str(self.start),
                "questions": [len(one.examples) for one in self._data.sources],
                "negatives": len(self._data.negatives),
            }
        )

    def _save(self, state: _State) -> None:
        temporary = self.directory / "checkpoint.new"
        torch.save(
            {
                "run": self._identity(),
                "model": state.model.state_dict(),
                "average": state.average,
                "optimizer": state.optimizer.state_dict(),
                "step": state.step,
                "seconds": state.seconds,
            },
            temporary,
        )
        temporary.replace(self.directory / "checkpoint.pt")

    def _use_average(self, state: _State) -> dict[str, Tensor]:
        """Put the averaged weights into the model; return what they took the place of."""
        kept = {name: value.detach().clone() for name, value in state.model.named_parameters()}
        with torch.no_grad():
            for name, value in state.model.named_parameters():
                value.copy_(state.average[name])
        return kept

    def _score(self, state: _State, dev: Mapping[str, Sequence[Example]]) -> None:
        kept = self._use_average(state)
        scores = {}
        for name, examples in dev.items():
            found = score(state.model, self._tokenizer, examples)
            scores[name] = {"em": float(np.mean(found.exact_match)), "f1": float(np.mean(found.f1))}
        with torch.no_grad():
            for name, value in state.model.named_parameters():
                value.copy_(kept[name])
        self._log(state, dev=scores)

    def _log(self, state: _State, **values: Any) -> None:
        rate = self.recipe.rate(state.step, self.steps)
        left = state.seconds / max(state.step, 1) * (self.steps - state.step)
        record = {"step": state.step, "rate": rate, "seconds": round(state.seconds), **values}
        with (self.directory / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        shown = json.dumps(values)
        print(f"step {state.step}/{self.steps}, {left / 60:.0f} min left: {shown}", flush=True)


def _loss(start: Tensor, end: Tensor, batch: Batch, device: torch.device, shared: float) -> Tensor:
    """Return the mean cross-entropy of start and end against the votes.

    Each window by itself, over every token that is there, "no answer here" among them; and, with the weight
    ``shared``, all windows of one question together, over the tokens of their texts (shared normalisation,
    Clark and Gardner 2018), which is what makes their scores comparable.
    """
    padding, outside = batch.mask.to(device) == 0, batch.text.to(device) == 0
    group = batch.group.to(device)
    total = torch.zeros((), device=device)
    for logits, votes in ((start, batch.start), (end, batch.end)):
        scores, target = logits.float(), votes.to(device)
        alone = -(target * scores.masked_fill(padding, -1e4).log_softmax(dim=-1)).sum(dim=-1).mean()
        total = total + (1.0 - shared) * alone
        if shared:
            inside = target.masked_fill(outside, 0.0)
            total = total + shared * _shared_loss(scores.masked_fill(outside, -1e4), inside, group)
    return total / 2


def _shared_loss(scores: Tensor, target: Tensor, group: Tensor) -> Tensor:
    """Return the mean over groups that hold an answer of the cross-entropy over all their tokens."""
    windows = scores.logsumexp(dim=-1)
    same = group[:, None] == group[None, :]
    together = windows[None, :].masked_fill(~same, -1e4).logsumexp(dim=-1)
    losses = -(target * (scores - together[:, None])).sum(dim=-1)
    return losses.sum() / target.sum().clamp(min=1.0)
