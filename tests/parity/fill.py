"""Weights and inputs made from their names alone: the same numbers on every machine and with every torch version."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

_FNV_OFFSET = 2166136261
_FNV_PRIME = 16777619
_WORD = 0xFFFFFFFF
_PIECE = 1 << 20


def _fnv1a(name: str) -> int:
    value = _FNV_OFFSET
    for byte in name.encode():
        value = ((value ^ byte) * _FNV_PRIME) & _WORD
    return value


def unit(name: str, count: int, start: int = 0) -> np.ndarray:
    """`count` doubles in [-1, 1) from the hash of the name and the index, which begins at `start`."""
    # Products wrap around at 32 bits by themselves, which is what the rule asks for.
    x = np.arange(start, start + count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(_fnv1a(name))
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return 2.0 * (x.astype(np.float64) / 2.0**32) - 1.0


def tensor(name: str, shape: Sequence[int], offset: float = 0.0, scale: float = math.sqrt(3.0)) -> torch.Tensor:
    """An input or a noise: mean `offset`, variance scale^2 / 3."""
    values = np.empty(math.prod(shape), dtype=np.float32)
    for start in range(0, len(values), _PIECE):  # Layers of true size would need gigabytes at once.
        piece = values[start : start + _PIECE]
        piece[:] = offset + scale * unit(name, len(piece), start)
    return torch.from_numpy(values).reshape(tuple(shape))


def parameter(name: str, shape: Sequence[int]) -> torch.Tensor:
    """A weight of unit gain, a norm near 1, a bias near 0, or a position table, by rank and name."""
    if name.endswith("pos_embedding"):
        return tensor(name, shape, scale=0.5)
    if len(shape) >= 2:
        fan_in = math.prod(shape) // shape[0]
        return tensor(name, shape, scale=math.sqrt(3.0 / fan_in))
    return tensor(name, shape, offset=1.0 if name.endswith(".weight") else 0.0, scale=0.1)


def fill_module(module: nn.Module) -> None:
    """Overwrites every persistent floating tensor of the module; one with two names counts by the first."""
    filled = set()
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point() and value.data_ptr() not in filled:
                value.copy_(parameter(name, value.shape))
                filled.add(value.data_ptr())
