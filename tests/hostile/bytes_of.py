"""Writes the files that the cases start from: safetensors with any header, and the models made of them."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "U8": 1, "I8": 1, "BOOL": 1}
_FORMATS = {"F64": "d", "I64": "q", "F32": "f", "I32": "i", "F16": "e", "I16": "h", "U8": "B", "I8": "b", "BOOL": "B"}


def framed(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file of this header, which may claim another length than it has."""
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def header(text: str, data: bytes = b"") -> bytes:
    return framed(text.encode(), data)


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def entries(tensors: Mapping[str, Any], data: bytes = b"") -> bytes:
    return header(json.dumps(tensors, ensure_ascii=False), data)


@dataclass(frozen=True)
class Tensor:
    """A tensor of one repeated value; `at` sets single elements apart."""

    shape: Sequence[int]
    dtype: str = "F32"
    value: float = 0.25
    at: Mapping[int, float] = field(default_factory=dict)

    def bytes(self) -> bytes:
        count = math.prod(self.shape)
        if self.dtype == "BF16":
            return struct.pack("<f", self.value)[2:] * count
        whole = self.dtype[0] in "IUB"
        values = [int(self.value) if whole else self.value] * count
        for index, value in self.at.items():
            values[index] = int(value) if whole else value
        return struct.pack(f"<{count}{_FORMATS[self.dtype]}", *values)


def integers(shape: Sequence[int], value: int = 0, at: Mapping[int, float] | None = None) -> Tensor:
    return Tensor(shape, "I64", value, at or {})


def safetensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """A well-formed file."""
    table: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    data = b""
    for name, tensor in tensors.items():
        piece = tensor.bytes()
        table[name] = entry(tensor.dtype, list(tensor.shape), [len(data), len(data) + len(piece)])
        data += piece
    return header(json.dumps(table), data)


class Opened:
    """A safetensors file taken apart, to be put together again with one lie."""

    def __init__(self, file: Path) -> None:
        content = file.read_bytes()
        (length,) = struct.unpack_from("<Q", content)
        self.table: dict[str, Any] = json.loads(content[8 : 8 + length])
        self.data = bytearray(content[8 + length :])

    @property
    def names(self) -> list[str]:
        return sorted(name for name in self.table if name != "__metadata__")

    def bytes(self) -> bytes:
        """The same order of tensors; offsets as they stand in the table."""
        return header(json.dumps(self.table), bytes(self.data))

    def without(self, name: str) -> bytes:
        """All but one tensor, packed again."""
        return self._packed({key: self._piece(key) for key in self.names if key != name})

    def with_tensor(self, name: str, tensor: Tensor) -> bytes:
        pieces = {key: self._piece(key) for key in self.names}
        pieces[name] = (tensor.dtype, list(tensor.shape), tensor.bytes())
        return self._packed(pieces)

    def poison(self, name: str, bits: bytes) -> bytes:
        """Overwrites the first element of a tensor."""
        begin = self.table[name]["data_offsets"][0]
        self.data[begin : begin + len(bits)] = bits
        return self.bytes()

    def _piece(self, name: str) -> tuple[str, list[int], bytes]:
        info = self.table[name]
        begin, end = info["data_offsets"]
        return info["dtype"], info["shape"], bytes(self.data[begin:end])

    def _packed(self, pieces: Mapping[str, tuple[str, list[int], bytes]]) -> bytes:
        table: dict[str, Any] = {key: value for key, value in self.table.items() if key == "__metadata__"}
        data = b""
        for name, (dtype, shape, piece) in pieces.items():
            table[name] = entry(dtype, shape, [len(data), len(data) + len(piece)])
            data += piece
        return header(json.dumps(table), data)
