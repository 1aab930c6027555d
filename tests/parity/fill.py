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


def _fnv1a(name: str) -> int:
    value = _FNV_OFFSET
    for byte in name.encode():
        value = ((value ^ byte) * _FNV_PRIME) & _WORD
    return value


def unit(name: str, count: int) -> np.ndarray:
    """`count` doubles in [-1, 1) from the hash of the name and the index."""
    x = (np.arange(count, dtype=np.uint64) * 0x9E3779B9 + _fnv1a(name)) & _WORD
    x ^= x >> np.uint64(16)
    x = (x * 0x7FEB352D) & _WORD
    x ^= x >> np.uint64(15)
    x = (x * 0x846CA68B) & _WORD
    x ^= x >> np.uint64(16)
    return 2.0 * (x.astype(np.float64) / 2.0**32) - 1.0


def tensor(name: str, shape: Sequence[int], offset: float = 0.0, scale: float = math.sqrt(3.0)) -> torch.Tensor:
    """An input or a noise: mean `offset`, variance scale^2 / 3."""
    values = offset + scale * unit(name, math.prod(shape))
    return torch.from_numpy(values.astype(np.float32)).reshape(tuple(shape))


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
