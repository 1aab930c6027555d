"""Every lie a safetensors header can tell, told where each kind of safetensors file is read."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable

from tests.hostile.bytes_of import Opened, entries, entry, framed, header
from tests.hostile.harness import Arguments, Case, Place

_TWO = bytes(8)
_PLAIN = '"dtype":"F32","shape":[2],"data_offsets":[0,8]'


def _one(name: str = "latents", **changes: object) -> bytes:
    return entries({name: entry(**changes)}, _TWO)  # type: ignore[arg-type]


def _lies() -> list[tuple[str, bytes]]:
    """Label and file. Every one must be refused before anything is allocated for it."""
    return [
        ("no bytes", b""),
        ("7 bytes", bytes(7)),
        ("8 zero bytes", bytes(8)),
        ("header of 1 byte", framed(b"{")),
        ("header of 2^64-1 bytes", framed(b"{}", length=2**64 - 1)),
        ("header of 2^64-8 bytes", framed(b"{}", length=2**64 - 8)),
        ("header of 2^63 bytes", framed(b"{}", length=2**63)),
        ("header of 100,000,001 bytes", framed(b"{}", length=100_000_001)),
        ("header one byte beyond the file", framed(b"{}", length=3)),
        ("header cut off", header('{"latents":{' + _PLAIN)),
        ("random bytes", bytes((i * 167 + 13) % 256 for i in range(4096))),
        ("a ZIP", b"PK\x03\x04" + bytes(200)),
        ("a pickle", b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s." + bytes(40)),
        ("not UTF-8", framed(b'{"lat\xffents":{' + _PLAIN.encode() + b"}}", _TWO)),
        ("byte order mark", framed(b"\xef\xbb\xbf{" + b'"latents":{' + _PLAIN.encode() + b"}}", _TWO)),
        ("UTF-16", framed(('{"latents":{' + _PLAIN + "}}").encode("utf-16-le"), _TWO)),
        ("NUL in the header", header('{"latents":{' + _PLAIN + "}\0}", _TWO)),
        ("space before the brace", header(' {"latents":{' + _PLAIN + "}}", _TWO)),
        ("a list", header('[{"latents":1}]')),
        ("a number", header("12345678")),
        ("words after the brace", header('{"latents":{' + _PLAIN + "}} and more", _TWO)),
        ("trailing comma", header('{"latents":{' + _PLAIN + "},}", _TWO)),
        ("a comment", header('{/* */"latents":{' + _PLAIN + "}}", _TWO)),
        ("bytes after the last tensor", entries({"latents": entry()}, _TWO + b"PK\x05\x06")),
        ("no data", entries({"latents": entry()})),
        ("half the data", entries({"latents": entry()}, bytes(4))),
        ("the same name twice", header('{"latents":{' + _PLAIN + '},"latents":{' + _PLAIN + "}}", _TWO)),
        ("dtype twice", header('{"latents":{"dtype":"F32",' + _PLAIN + "}}", _TWO)),
        ("metadata twice", header('{"__metadata__":{},"__metadata__":{},"latents":{' + _PLAIN + "}}", _TWO)),
        ("metadata is a list", header('{"__metadata__":[],"latents":{' + _PLAIN + "}}", _TWO)),
        ("metadata holds a number", header('{"__metadata__":{"a":1},"latents":{' + _PLAIN + "}}", _TWO)),
        ("overlap", entries({"a": entry(), "latents": entry(offsets=[4, 12])}, bytes(12))),
        ("two tensors at one place", entries({"a": entry(), "latents": entry()}, _TWO)),
        ("hole", entries({"a": entry(), "latents": entry(offsets=[12, 20])}, bytes(20))),
        ("first tensor not at 0", entries({"latents": entry(offsets=[4, 12])}, bytes(12))),
        ("end before begin", _one(offsets=[8, 0])),
        ("offset beyond the file", _one(offsets=[0, 2**40])),
        ("offset 2^53+1", _one(offsets=[0, 2**53 + 1])),
        ("offset 2^64-1", _one(offsets=[0, 2**64 - 1])),
        ("offset 2^64", _one(offsets=[0, 2**64])),
        ("offset -1", _one(offsets=[-1, 8])),
        ("offset 1.5", _one(offsets=[0, 1.5])),
        ("offset a string", _one(offsets=["0", "8"])),
        ("offset 8e0", header('{"latents":{"dtype":"F32","shape":[2],"data_offsets":[0,8e0]}}', _TWO)),
        ("one offset", _one(offsets=[0])),
        ("three offsets", _one(offsets=[0, 8, 8])),
        ("offsets missing", header('{"latents":{"dtype":"F32","shape":[2]}}', _TWO)),
        ("dtype missing", header('{"latents":{"shape":[2],"data_offsets":[0,8]}}', _TWO)),
        ("shape missing", header('{"latents":{"dtype":"F32","data_offsets":[0,8]}}', _TWO)),
        ("unknown field", _one(strides=[1])),
        ("shape 2^32 x 2^32", _one(shape=[2**32, 2**32])),
        ("shape 2^63 x 2", _one(shape=[2**63, 2])),
        ("shape 2^64", _one(shape=[2**64])),
        ("shape with -1", _one(shape=[-2, -1])),
        ("shape with 0.5", _one(shape=[4, 0.5])),
        ("rank 65", _one(shape=[1] * 64 + [2])),
        ("rank 9", _one(shape=[1] * 8 + [2])),
        ("shape larger than its bytes", _one(shape=[3])),
        ("shape smaller than its bytes", _one(shape=[1])),
        ("dtype F8_E8M0", _one(dtype="F8_E8M0", shape=[8])),
        ("dtype F4", _one(dtype="F4", shape=[16])),
        ("dtype C64", _one(dtype="C64", shape=[1])),
        ("dtype of control characters", _one(dtype="\u202eF32\u0007")),
        ("dtype of 10 kB", _one(dtype="F" * 10_000)),
        ("dtype a number", _one(dtype=32)),
        ("tensor is a number", header('{"latents":7}')),
        ("tensor is null", header('{"latents":null}')),
        ("name of 1 MB", _one("n" * 1_000_000)),
        ("name with a lone surrogate", header('{"\\ud800":{' + _PLAIN + "}}", _TWO)),
        ("name with NUL", _one("lat\0ents")),
        ("a million brackets", header("[" * 1_000_000)),
        ("a million objects", header('{"a":' * 1_000_000)),
        ("numbers of a megabyte", header('{"latents":{"dtype":"F32","shape":[' + "9" * 1_000_000 + "]}}", _TWO)),
    ]


def _as_latents(content: bytes) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        file = place.file("lie.safetensors", content)
        return ["decode", file, "--model", str(place.tiny), "-o", str(place.out / "v.mp4")]

    return call


def _as_inputs(content: bytes) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        file = place.file("lie.safetensors", content)
        outputs = str(place.out / "o.safetensors")
        return ["run-stage", "vae-decode", "--model", str(place.tiny), "--inputs", file, "--outputs", outputs]

    return call


def _as_weights(content: bytes) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        folder = place.model("text_encoder", "model.safetensors", content)
        return ["models", "verify", folder]

    return call


def _as_file(content: bytes) -> Callable[[Place], Arguments]:
    return lambda place: ["models", "verify", place.file("lie.safetensors", content)]


def _as_adapter(content: bytes) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        file = place.file("lie.safetensors", content)
        outputs = str(place.out / "o.safetensors")
        return ["run-stage", "mm-tokenize", "--model", str(place.tiny), "--text", "a man img", "--adapter", file,
                "--outputs", outputs]  # fmt: skip

    return call


def _sparse(place: Place) -> Arguments:
    """A header that claims a terabyte which the file really has."""
    file = place.inputs / "lie.safetensors"
    text = json.dumps({"latents": entry(shape=[2**38], offsets=[0, 2**40])}).encode()
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + 2**40)
    return ["decode", str(file), "--model", str(place.tiny), "-o", str(place.out / "v.mp4")]


def _many_tensors(place: Place) -> Arguments:
    file = place.inputs / "lie.safetensors"
    with file.open("wb") as stream:
        stream.write(bytes(8) + b"{")
        for number in range(1_000_001):
            stream.write(b'%s"t%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % (b"," if number else b"", number))
        stream.write(b"}")
        length = stream.tell() - 8
        stream.seek(0)
        stream.write(struct.pack("<Q", length))
    return ["models", "verify", str(file)]


def _weight_cases() -> list[Case]:
    """True headers whose tensors are not what the model needs."""

    def changed(change: Callable[[Opened], bytes]) -> Callable[[Place], Arguments]:
        def call(place: Place) -> Arguments:
            opened = Opened(place.tiny / "vae" / "diffusion_pytorch_model.safetensors")
            folder = place.model("vae", "diffusion_pytorch_model.safetensors", change(opened))
            return ["models", "verify", folder]

        return call

    def renamed(opened: Opened) -> bytes:
        opened.table["decoder.conv_in.conv.BIAS"] = opened.table.pop("decoder.conv_in.conv.bias")
        return opened.bytes()

    def cut(opened: Opened) -> bytes:
        return opened.bytes()[:-1]

    def retyped(opened: Opened) -> bytes:
        info = opened.table["decoder.conv_in.conv.bias"]
        info["dtype"] = "I32"
        return opened.bytes()

    def reshaped(opened: Opened) -> bytes:
        opened.table["decoder.conv_in.conv.bias"]["shape"].append(1)
        return opened.bytes()

    bias = "decoder.conv_in.conv.bias"
    return [
        Case("weights", "renamed", (bias,), changed(renamed)),
        Case("weights", "missing", (bias,), changed(lambda opened: opened.without(bias))),
        Case("weights", "cut by a byte", ("diffusion_pytorch_model.safetensors",), changed(cut)),
        Case("weights", "integers", (bias,), changed(retyped)),
        Case("weights", "a dimension more", (bias,), changed(reshaped)),
        Case("weights", "NaN", (bias,), changed(lambda opened: opened.poison(bias, b"\0\0\xc0\x7f"))),
        Case("weights", "infinity", (bias,), changed(lambda opened: opened.poison(bias, b"\0\0\x80\xff"))),
    ]


def cases() -> list[Case]:
    lie, weights = ("lie.safetensors",), ("model.safetensors",)
    found = [Case("latents", label, lie, _as_latents(content)) for label, content in _lies()]
    found += [Case("inputs", label, lie, _as_inputs(content)) for label, content in _lies()[::3]]
    found += [Case("weights", label, weights, _as_weights(content)) for label, content in _lies()[1::3]]
    found += [Case("adapter", label, lie, _as_adapter(content)) for label, content in _lies()[2::3]]
    found += [Case("file", label, lie, _as_file(content)) for label, content in _lies()[::9]]
    found += [Case("latents", "a terabyte with holes", ("latents", "memory"), _sparse)]
    found += [Case("file", "1,000,001 tensors", lie, _many_tensors)]
    return found + _weight_cases()
