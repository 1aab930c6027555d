"""Adapter files, each refused for one reason, in the order in which the format is checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.hostile.bytes_of import Opened, Tensor
from tests.hostile.harness import Arguments, Case, Place

Change = Callable[[Opened], bytes]
_FILE = "bad.safetensors"
_TENSOR = "fuse.mlp1.fc1.weight"


def _with(change: Change, *options: str) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        file = place.file(_FILE, change(Opened(place.tiny / "adapter" / "adapter.safetensors")))
        return ["run-stage", "mm-tokenize", "--model", str(place.tiny), "--text", "a man img", "--adapter", file,
                *options, "--outputs", str(place.out / "o.safetensors")]  # fmt: skip

    return call


def _generate(change: Change) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        file = place.file(_FILE, change(Opened(place.tiny / "adapter" / "adapter.safetensors")))
        return ["generate", "--reference", str(place.photo), "--prompt", "a man img", "--model", str(place.tiny),
                "--adapter", file, "--steps", "1", "--frames", "1", "--size", "32x32",
                "-o", str(place.out / "v.mp4")]  # fmt: skip

    return call


def _field(name: str, value: str | None) -> Change:
    def change(opened: Opened) -> bytes:
        if value is None:
            del opened.table["__metadata__"][name]
        else:
            opened.table["__metadata__"][name] = value
        return opened.bytes()

    return change


def _config(path: str, value: Any, remove: bool = False) -> Change:
    def change(opened: Opened) -> bytes:
        metadata = opened.table["__metadata__"]
        config = json.loads(metadata["config"])
        *parents, last = path.split(".")
        part = config
        for parent in parents:
            part = part[parent]
        if remove:
            del part[last]
        else:
            part[last] = value
        metadata["config"] = json.dumps(config)
        return opened.bytes()

    return change


_FIELDS: Sequence[tuple[str, str | None]] = (
    *((name, None) for name in ("format", "format_version", "arch", "config", "id_pack", "id_embedding_norm")),
    ("format", "lora"),
    ("format", "magic-mirror-adapter\u202e\n"),
    *(("format_version", text) for text in ("0", "2", "-1", "1.0", "one", "", " 1", "0x1", "99999999999999999999")),
    ("arch", "wan-2.1"),
    ("arch", ""),
    ("id_embedding_norm", "l2"),
    ("config", ""),
    ("config", "{"),
    ("config", "[]"),
    ("config", '{"a":' * 50_000),
    ("config", "x" * 1_000_000),
    ("clip_layers", '{"id":-2,"face":-2,"post_ln":false}'),
    ("clip_layers", "{"),
    ("trigger_word", "sks"),
)
_VALUES: Sequence[tuple[str, Any]] = (
    ("can", []),
    ("dit.extra", 1),
    ("router", {}),
    ("perceiver_face.depth", 0),
    ("perceiver_face.depth", "2"),
    ("perceiver_face.depth", 2.5),
    ("perceiver_face.depth", 2**62),
    ("perceiver_face.tokens", 2**31),
    ("perceiver_id.heads", -1),
    ("dit.num_attention_heads", -4),
    ("can.hidden_dim", True),
    ("switches.turbo", "on"),
    ("switches.text_fuse", True),
    ("switches.can", 1),
    ("switches.ca_query", "rope"),
    ("switches.phi_face_hidden", -1),
    ("switches.id_vit_layer", -3),
    ("switches.face_scale", "1.0"),
    ("switches.face_scale", None),
    ("switches.sa_scale", -0.1),
    ("switches.start_merge_step", -1),
    ("switches.trigger_word", ""),
    ("switches.trigger_word", "x" * 100_000),
    ("switches.phi_face", "off"),
)


def _added(name: str, tensor: Tensor) -> Change:
    return lambda opened: opened.with_tensor(name, tensor)


_TENSORS: Sequence[tuple[str, Change, Sequence[str]]] = (
    ("a tensor missing", lambda opened: opened.without(_TENSOR), (_TENSOR,)),
    ("a tensor more", _added("blocks.1.extra", Tensor([2])), ("blocks.1.extra",)),
    ("a tensor of another shape", _added(_TENSOR, Tensor([80, 48])), (_TENSOR,)),
    ("a tensor of integers", _added(_TENSOR, Tensor([48, 80], "I64")), (_TENSOR,)),
    ("a tensor of doubles", _added(_TENSOR, Tensor([48, 80], "F64")), (_TENSOR,)),
    ("part of a frozen tower", _added("frozen.clip_vision.a", Tensor([2])), ("frozen.clip_vision",)),
    ("an unknown frozen part", _added("frozen.vae.a", Tensor([2])), ("frozen.vae.a",)),
    ("a name of control characters", _added("\u202eblocks\n", Tensor([2])), ("blocks\\n",)),
)


def cases() -> list[Case]:
    found = [
        Case("adapter", f"{name} {'missing' if value is None else repr(value)[:24]}", (name,), _with(_field(name, value)))
        for name, value in _FIELDS
    ]
    found += [
        Case("adapter", f"{path} is {value!r:.24}", (path, path.removeprefix("switches.")), _with(_config(path, value)))
        for path, value in _VALUES
    ]
    found += [
        Case("adapter", f"{section} missing", (section,), _with(_config(section, None, remove=True)))
        for section in ("dit", "perceiver_id.ratio", "can")
    ]
    found += [Case("adapter", label, names, _with(change)) for label, change, names in _TENSORS]
    for text in ("face_scala=1", "face_scale=big", "face_scale=nan", "can=maybe", "sa_scale=-1", "ca_merge=", "=on"):
        name = text.split("=")[0] or "--set"
        good = _with(lambda opened: opened.bytes(), "--set", text)
        found.append(Case("adapter", f"--set {text}", (name,), good, 2 if text == "=on" else 1))
    layers = _with(lambda opened: opened.bytes(), "--set", "adapter_layers=all")
    found.append(Case("adapter", "--set adapter_layers=all", ("blocks.1.",), layers))
    pack = _with(lambda opened: opened.bytes(), "--id-pack", "other/pack")
    found.append(Case("adapter", "--id-pack of another recogniser", ("id_pack",), pack))
    poisoned = _generate(lambda opened: opened.poison("fuse.mlp1.fc1.bias", b"\0\0\xc0\x7f"))
    found.append(Case("adapter", "NaN in a tensor, generate", ("fuse.mlp1.fc1.bias",), poisoned))
    other = _generate(_config("dit.num_layers", 6))
    found.append(Case("adapter", "dit.num_layers of another base, generate", ("dit.num_layers", "blocks."), other))
    pack = _generate(_field("id_pack", "buffalo_l/w600k_r50"))
    found.append(Case("adapter", "id_pack of another recogniser, generate", ("id_pack",), pack))
    return found
