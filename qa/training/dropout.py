"""Dropout whose random numbers are drawn once.

On a CPU torch draws dropout masks on one core, which took 44 % of a training step (docs/experiments.md).
Here a mask is a stretch of a long pool of drawn values, at an offset drawn anew each time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_POOL = 1 << 24  # more than twice the largest activation: 32 x 512 x 384


class PooledDropout(nn.Module):
    """Zeroes a share ``p`` in [0, 1) of its input while training, and scales up the rest."""

    def __init__(self, pool: Tensor) -> None:
        super().__init__()
        self._pool = pool

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``inputs``, of any shape with fewer values than the pool, masked."""
        if not self.training:
            return inputs
        offset = int(torch.randint(0, self._pool.numel() - inputs.numel(), ()))
        return inputs * self._pool[offset : offset + inputs.numel()].view_as(inputs)


def pool_dropout(model: nn.Module, p: float, generator: torch.Generator) -> None:
    """Replace every dropout of hidden states in ``model`` by one shared pool; drop attention's own."""
    kept = torch.rand(_POOL, generator=generator) >= p
    pool = (kept / (1.0 - p)).to(torch.bfloat16)
    for name, module in list(model.named_modules()):
        for child_name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout):
                in_attention = name.endswith(".self")
                setattr(module, child_name, nn.Dropout(0.0) if in_attention else PooledDropout(pool))
