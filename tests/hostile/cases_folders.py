"""Checkpoint folders: shard indexes, configurations, schedules, vocabularies, and tensors that do not fit them."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.hostile.bytes_of import Tensor, safetensors
from tests.hostile.harness import Arguments, Case, Place

Call = Callable[[Place], Arguments]
_STEM = "diffusion_pytorch_model.safetensors"
_INDEX = _STEM + ".index.json"


def _verify(part: str, name: str, content: bytes | None) -> Call:
    return lambda place: ["models", "verify", place.model(part, name, content)]


def _stage(part: str, name: str, content: bytes, stage: Sequence[str]) -> Call:
    def call(place: Place) -> Arguments:
        return ["run-stage", *stage, "--model", place.model(part, name, content),
                "--outputs", str(place.out / "o.safetensors")]  # fmt: skip

    return call


# ---- shard indexes


def _index(weight_map: Any, size: Any = 8) -> bytes:
    return json.dumps({"metadata": {"total_size": size}, "weight_map": weight_map}).encode()


_INDEXES: Sequence[tuple[str, bytes, Sequence[str]]] = (
    ("no bytes", b"", (_INDEX,)),
    ("not JSON", b"{'a': 1}", (_INDEX,)),
    ("a list", b"[]", (_INDEX,)),
    ("no weight_map", b"{}", (_INDEX,)),
    ("empty weight_map", _index({}), (_INDEX,)),
    ("weight_map a list", _index([]), (_INDEX,)),
    ("a shard is a number", _index({"a": 1}), (_INDEX,)),
    ("a shard is empty", _index({"a": ""}), (_INDEX,)),
    ("shard missing", _index({"a": "gone-1.safetensors", "b": "gone-2.safetensors"}), ("gone-1",)),
    ("absolute path", _index({"a": "/etc/passwd"}), (_INDEX,)),
    ("parent folder", _index({"a": "../vae/" + _STEM}), (_INDEX,)),
    ("parent folder further in", _index({"a": "x/../../vae/" + _STEM}), (_INDEX,)),
    ("backslashes", _index({"a": "..\\vae\\x.safetensors"}), (_INDEX, "x.safetensors")),
    ("two dots", _index({"a": ".."}), (_INDEX,)),
    ("the index itself", _index({"a": _INDEX}), (_INDEX,)),
    ("device", _index({"a": "/dev/zero"}), (_INDEX,)),
    ("control characters", _index({"a": "x\n\u202e.safetensors"}), (_INDEX,)),
    ("a name of 100 kB", _index({"a": "x" * 100_000}), (_INDEX,)),
    ("the same tensor twice", b'{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}', (_INDEX,)),
    ("not UTF-8", b'{"weight_map":{"a":"\xff.safetensors"}}', (_INDEX,)),
    ("deep", b'{"weight_map":' + b"[" * 100_000, (_INDEX,)),
    ("tensor elsewhere", _index({"a": "shard.safetensors", "c": "shard.safetensors"}), ("c", "shard.safetensors")),
    ("tensor unlisted", _index({"b": "shard.safetensors"}), ("a", "shard.safetensors")),
)


def _indexed(content: bytes) -> Call:
    def call(place: Place) -> Arguments:
        folder = place.model("transformer", _STEM, None)
        place.file(f"model/transformer/{_INDEX}", content)
        place.file("model/transformer/shard.safetensors", safetensors({"a": Tensor([2])}))
        return ["models", "verify", folder]

    return call


def _special_shard(make: Callable[[str], None]) -> Call:
    def call(place: Place) -> Arguments:
        folder = place.model("transformer", _STEM, None)
        place.file(f"model/transformer/{_INDEX}", _index({"a": "shard.safetensors"}))
        make(f"{folder}/transformer/shard.safetensors")
        return ["models", "verify", folder]

    return call


def _two_shards(place: Place) -> Arguments:
    folder = place.model("transformer", _STEM, None)
    place.file(f"model/transformer/{_INDEX}", _index({"a": "one.safetensors", "b": "two.safetensors"}))
    place.file("model/transformer/one.safetensors", safetensors({"a": Tensor([2])}))
    place.file("model/transformer/two.safetensors", safetensors({"a": Tensor([2]), "b": Tensor([2])}))
    return ["models", "verify", folder]


def _huge_index(place: Place) -> Arguments:
    folder = place.model("transformer", _STEM, None)
    index = place.inputs / "model" / "transformer" / _INDEX
    with index.open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    return ["models", "verify", folder]


def _index_cases() -> list[Case]:
    shard = ("shard.safetensors",)
    return [
        *(Case("index", label, names, _indexed(content)) for label, content, names in _INDEXES),
        Case("index", "tensor in two shards", ("tensor a",), _two_shards),
        Case("index", "64 MiB and a byte", (_INDEX,), _huge_index),
        Case("index", "shard is a fifo", shard, _special_shard(os.mkfifo)),
        Case("index", "shard is a folder", shard, _special_shard(os.mkdir)),
        Case("index", "shard is a link out", shard, _special_shard(lambda path: os.symlink("/etc/passwd", path))),
        Case("index", "shard links to itself", shard, _special_shard(lambda path: os.symlink(path, path))),
    ]


# ---- configurations

_TEXTS: Sequence[tuple[str, bytes]] = (
    ("no bytes", b""),
    ("an open brace", b"{"),
    ("a list", b"[]"),
    ("a trailing comma", b'{"a": 1,}'),
    ("a comment", b'{"a": 1} // one'),
    ("NaN", b'{"a": NaN}'),
    ("a byte order mark", b"\xef\xbb\xbf{}"),
    ("UTF-16", "{}".encode("utf-16")),
    ("not UTF-8", b'{"a": "\xff"}'),
    ("a key twice", b'{"a": 1, "a": 2}'),
    ("deep", b'{"a":' * 100_000),
    ("5 MB of spaces", b" " * 5_000_000),
    ("nothing in it", b"{}"),
)
_CONFIGS: Mapping[str, str] = {
    "transformer": "config.json",
    "vae": "config.json",
    "text_encoder": "config.json",
    "image_encoder": "config.json",
    "id_perceiver": "config.json",
    "recognizer": "config.json",
    "scheduler": "scheduler_config.json",
}
# Part, key, impossible values; the answer names the key.
_VALUES: Sequence[tuple[str, str, Sequence[Any]]] = (
    ("transformer", "num_attention_heads", (0, -1, "4", 1e308, 2**62)),
    ("transformer", "attention_head_dim", (0, 1.5, 2**31, True)),
    ("transformer", "num_layers", (0, -1, 2**40)),
    ("transformer", "patch_size", (0, 2**20)),
    ("transformer", "sample_height", (0, -4)),
    ("transformer", "sample_frames", (0,)),
    ("transformer", "temporal_compression_ratio", (0,)),
    ("transformer", "norm_eps", (-1, "small")),
    ("transformer", "activation_fn", ("sine",)),
    ("vae", "latent_channels", (0, -1, 2**40)),
    ("vae", "norm_num_groups", (0, 3)),
    ("vae", "layers_per_block", (-1, 2**31)),
    ("vae", "block_out_channels", ([], [0, 8, 8, 8], "8", [8, 8])),
    ("vae", "scaling_factor", (0, "x")),
    ("vae", "temporal_compression_ratio", (0, 3)),
    ("vae", "act_fn", ("tanh",)),
    ("text_encoder", "d_model", (0, -1, 2**40)),
    ("text_encoder", "num_heads", (0, "4")),
    ("text_encoder", "vocab_size", (0, 2**40)),
    ("text_encoder", "feed_forward_proj", ("linear",)),
    ("text_encoder", "relative_attention_num_buckets", (0, 2**40)),
    ("image_encoder", "hidden_size", (0, 31)),
    ("image_encoder", "patch_size", (0, 33)),
    ("image_encoder", "hidden_act", ("gelu_pytorch",)),
    ("id_perceiver", "depth", (0, "two", 2**40)),
    ("id_perceiver", "ratio", (0, -4)),
    ("recognizer", "id_dim", (0, -16)),
    ("recognizer", "widths", ([], "8", [8, -8, 16, 16])),
    ("scheduler", "num_train_timesteps", (0, -1, 2**40)),
    ("scheduler", "beta_start", (-1, "a")),
    ("scheduler", "beta_end", (2,)),
    ("scheduler", "beta_schedule", ("cubic",)),
    ("scheduler", "prediction_type", ("x0",)),
    ("scheduler", "timestep_spacing", ("random",)),
    ("scheduler", "snr_shift_scale", (0, -3)),
)


def _with_value(part: str, key: str, value: Any) -> Call:
    def call(place: Place) -> Arguments:
        name = _CONFIGS[part]
        config = json.loads((place.tiny / part / name).read_text())
        config[key] = value
        return ["models", "verify", place.model(part, name, json.dumps(config).encode())]

    return call


def _config_cases() -> list[Case]:
    found = []
    for number, (part, name) in enumerate(_CONFIGS.items()):
        for label, content in _TEXTS[number % 2 :: 2] if number > 1 else _TEXTS:
            has_defaults = part in ("scheduler", "transformer", "vae")  # Published ones, for every field.
            if content != b"{}" or not has_defaults:
                found.append(Case("config", f"{part}: {label}", (name,), _verify(part, name, content)))
        found.append(Case("config", f"{part}: absent", (name,), _verify(part, name, None)))
    for part, key, values in _VALUES:
        found += [
            Case("config", f"{part}: {key} is {value!r:.30}", (key,), _with_value(part, key, value)) for value in values
        ]
    return found


# ---- vocabularies


def _varint(value: int) -> bytes:
    encoded = b""
    while value >= 0x80:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def _block(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _piece(text: bytes, score: float = -1.0, kind: int = 1) -> bytes:
    return _block(1, _block(1, text) + b"\x15" + struct.pack("<f", score) + b"\x18" + _varint(kind))


_UNKNOWN = _piece(b"<unk>", 0.0, 2)
_SOME = _piece(b"<pad>", 0.0, 3) + _piece(b"</s>", 0.0, 3) + _UNKNOWN + _piece(b"\xe2\x96\x81a") + _piece(b"b")
_VOCABULARIES: Sequence[tuple[str, bytes]] = (
    ("no bytes", b""),
    ("random bytes", bytes((i * 91 + 7) % 256 for i in range(2000))),
    ("cut in a piece", _SOME[:-2]),
    ("a varint without end", _SOME + b"\xff" * 20),
    ("a length beyond the file", _SOME + b"\x0a\xff\xff\xff\xff\x0f"),
    ("a length of 2^63", _SOME + b"\x0a" + _varint(2**63)),
    ("no unknown piece", _piece(b"a") + _piece(b"b")),
    ("two unknown pieces", _SOME + _piece(b"<unk2>", 0.0, 2)),
    ("a piece twice", _SOME + _piece(b"b")),
    ("an empty piece", _SOME + _piece(b"")),
    ("a piece of 2 kB", _SOME + _piece(b"x" * 2000)),
    ("a piece of 300 kB", _SOME + _piece(b"x" * 300_000)),
    ("a score of NaN", _SOME + _piece(b"c", float("nan"))),
    ("a score of infinity", _SOME + _piece(b"c", float("inf"))),
    ("a piece of kind 99", _SOME + _piece(b"c", -1.0, 99)),
    ("a group", _SOME + b"\x0b"),
    ("BPE", _SOME + _block(2, b"\x18\x02")),
    ("a charsmap of noise", _SOME + _block(3, _block(2, b"\xff" * 64))),
    ("a charsmap without end", _SOME + _block(3, _block(2, struct.pack("<I", 2**31) + bytes(16)))),
    ("a charsmap that loops", _SOME + _block(3, _block(2, struct.pack("<I", 1024) + b"\x00\x04\x00\x80" * 256))),
    ("5 pieces for 256 embeddings", _SOME[:-3]),
    ("300 pieces for 256 embeddings", _SOME + b"".join(_piece(b"p%d" % i) for i in range(300))),
)


def _tokenizer_cases() -> list[Case]:
    name = "spiece.model"
    stage = ("tokenize", "--text", "a")
    found = [Case("vocabulary", label, (name,), _verify("tokenizer", name, content)) for label, content in _VOCABULARIES]
    found += [
        Case("vocabulary", f"{label}, tokenize", (name,), _stage("tokenizer", name, content, stage))
        for label, content in _VOCABULARIES[:-2:3]
    ]
    return found


def _folder_cases() -> list[Case]:
    def replaced(part: str) -> Call:
        def call(place: Place) -> Arguments:
            folder = place.model()
            os.unlink(f"{folder}/{part}")
            place.file(f"model/{part}", b"a file where a folder belongs")
            return ["run-stage", "tokenize", "--text", "a", "--model", folder,
                    "--outputs", str(place.out / "o.safetensors")]  # fmt: skip

        return call

    def looped(place: Place) -> Arguments:
        os.symlink(place.inputs / "loop", place.inputs / "loop")
        return ["models", "info", str(place.inputs / "loop")]

    def other_family(place: Place) -> Arguments:
        return ["models", "verify", place.model("vae", _STEM, (place.tiny / "transformer" / _STEM).read_bytes())]

    def model_index(text: bytes) -> Call:
        def call(place: Place) -> Arguments:
            folder = place.model()
            os.unlink(f"{folder}/model_index.json")
            place.file("model/model_index.json", text)
            return ["models", "info", folder]

        return call

    return [
        Case("folder", "tokenizer is a file", ("tokenizer", "spiece.model"), replaced("tokenizer")),
        Case("folder", "a link to itself", ("loop",), looped),
        Case("folder", "the transformer's weights in the VAE", (_STEM, "decoder", "encoder"), other_family),
        Case("folder", "model_index.json is not JSON", ("model_index.json",), model_index(b"{")),
        Case("folder", "model_index.json is a list", ("model_index.json",), model_index(b"[1]")),
        Case("folder", "a folder that is a device", ("/dev/null",), lambda _: ["models", "verify", "/dev/null"]),
        Case("folder", "an empty folder", ("in",), lambda place: ["models", "info", str(place.inputs)]),
        Case("folder", "an empty name", (), lambda _: ["models", "info", ""]),
    ]


def cases() -> list[Case]:
    return [*_index_cases(), *_config_cases(), *_tokenizer_cases(), *_folder_cases()]
