"""Magic Mirror adapter files: sizes, switches, tensors, metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tests.parity import fill

Switch = str | int | float
Shapes = dict[str, tuple[int, ...]]

DEFAULTS: Mapping[str, Switch] = {
    "text_fuse": "on",
    "face_in_sa": "on",
    "face_in_ca": "on",
    "can": "on",
    "phi_face": "on",
    "face_stream": "persistent",
    "can_mode": "residual",
    "ca_query": "pre_rope",
    "ca_key_norm": "base",
    "ca_input": "modulated",
    "ca_targets": "all",
    "ca_merge": "pre_out",
    "phi_face_hidden": 0,
    "face_ln": "shared",
    "face_rope": "none",
    "fuse_out_norm": "none",
    "adapter_layers": "even",
    "multi_ref_text": "stack",
    "multi_ref_face": "concat",
    "id_vit_layer": -1,
    "face_vit_layer": -2,
    "face_scale": 1.0,
    "can_scale": 1.0,
    "sa_scale": 1.0,
    "cfg_uncond_face": "drop",
    "start_merge_step": 0,
    "trigger_word": "img",
    "ref_crop": "square_face",
    "ref_crop_expand": 2.0,
    "ca_init": "copy_zero",
    "tau_face_init": "random",
}


@dataclass(frozen=True)
class Dit:
    num_layers: int = 4
    num_attention_heads: int = 4
    attention_head_dim: int = 16
    time_embed_dim: int = 32
    text_embed_dim: int = 48
    max_text_seq_length: int = 16
    in_channels: int = 4
    patch_size: int = 2

    @property
    def width(self) -> int:
        return self.num_attention_heads * self.attention_head_dim


@dataclass(frozen=True)
class ClipVision:
    hidden_size: int = 32
    num_hidden_layers: int = 3
    num_attention_heads: int = 2
    intermediate_size: int = 64
    image_size: int = 32
    patch_size: int = 8

    @property
    def tokens(self) -> int:
        return (self.image_size // self.patch_size) ** 2 + 1


@dataclass(frozen=True)
class PerceiverId:
    id_dim: int = 16
    width: int = 32
    tokens: int = 2
    ratio: int = 4
    depth: int = 2
    heads: int = 2
    head_dim: int = 16
    ff_mult: int = 4


@dataclass(frozen=True)
class PerceiverFace:
    tokens: int = 4
    width: int = 32
    depth: int = 2
    heads: int = 2
    head_dim: int = 16
    ff_mult: int = 4


@dataclass(frozen=True)
class Can:
    id_vector_dim: int = 16
    hidden_dim: int = 32


@dataclass(frozen=True)
class Sizes:
    """The tiny preset by default."""

    dit: Dit = field(default_factory=Dit)
    clip_vision: ClipVision = field(default_factory=ClipVision)
    perceiver_id: PerceiverId = field(default_factory=PerceiverId)
    perceiver_face: PerceiverFace = field(default_factory=PerceiverFace)
    can: Can = field(default_factory=Can)


TINY = Sizes()

# No two numbers that may be confused are equal here, and no inner width is its outer one.
ODD = Sizes(
    Dit(3, 3, 16, 24, 40, 12),
    ClipVision(28, 2, 4, 44, 24, 8),
    PerceiverId(10, 26, 3, 3, 1, 2, 15, 2),
    PerceiverFace(5, 20, 3, 3, 9, 3),
    Can(12, 22),
)
PRESETS: Mapping[str, Sizes] = {"tiny": TINY, "odd": ODD}


@dataclass
class Adapter:
    """Everything an adapter file says; change `config`, `metadata` or `tensors` to make a broken one."""

    sizes: Sizes
    switches: Mapping[str, Switch]
    config: dict[str, Any]
    metadata: dict[str, str]
    tensors: dict[str, torch.Tensor]

    def switch(self, name: str) -> Any:
        return self.switches.get(name, DEFAULTS[name])

    @property
    def layers(self) -> list[int]:
        return adapted_layers(self.sizes, self.switches)

    @property
    def saved_metadata(self) -> dict[str, str]:
        """What the file carries; an empty config is left out."""
        config = {"config": json.dumps(self.config, sort_keys=True, separators=(",", ":"))} if self.config else {}
        return self.metadata | config

    def save(self, path: Path) -> Path:
        save_file(self.tensors, path, metadata=self.saved_metadata)
        return path

    def load(self, path: Path) -> Adapter:
        """With the weights of this file, or of the shards beside this index, as they lie there.

        The last bits of a float32 matrix product depend on where its operands lie in memory, and mapped weights lie
        there as in the file: reading them from it as the program does leaves nothing but the arithmetic to compare.
        """
        shards = sorted(path.parent.glob("*-of-*.safetensors")) if path.suffix == ".json" else [path]
        return replace(self, tensors={name: value for shard in shards for name, value in load_file(shard).items()})

    def save_sharded(self, folder: Path, name: str) -> Path:
        """Two shards with the same metadata and the index that names them."""
        names = sorted(self.tensors)
        halves = (names[: len(names) // 2], names[len(names) // 2 :])
        places = {}
        for k, half in enumerate(halves, start=1):
            shard = f"{name}-0000{k}-of-00002.safetensors"
            save_file({key: self.tensors[key] for key in half}, folder / shard, metadata=self.saved_metadata)
            places |= dict.fromkeys(half, shard)
        index = folder / f"{name}.safetensors.index.json"
        size = sum(value.nbytes for value in self.tensors.values())
        index.write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": places}), encoding="utf-8")
        return index


def adapted_layers(sizes: Sizes, switches: Mapping[str, Switch]) -> list[int]:
    stride = 1 if switches.get("adapter_layers", "even") == "all" else 2
    return list(range(0, sizes.dit.num_layers, stride))


def make(
    sizes: Sizes = TINY, switches: Mapping[str, Switch] | None = None, dtype: torch.dtype = torch.float32
) -> Adapter:
    """A complete adapter with weights by name."""
    adapter = describe(sizes, switches)
    names = shapes(sizes, adapter.switches).items()
    adapter.tensors = {name: fill.parameter(name, shape).to(dtype) for name, shape in names}
    return adapter


def describe(sizes: Sizes = TINY, switches: Mapping[str, Switch] | None = None) -> Adapter:
    """An adapter without its weights."""
    chosen = dict(switches or {})
    config = {
        "dit": asdict(sizes.dit),
        "clip_vision": asdict(sizes.clip_vision),
        "perceiver_id": asdict(sizes.perceiver_id),
        "perceiver_face": asdict(sizes.perceiver_face),
        "can": asdict(sizes.can),
        "switches": chosen,
    }
    metadata = {
        "format": "magic-mirror-adapter",
        "format_version": "1",
        "arch": "cogvideox-tiny",
        "id_pack": "buffalo_l/w600k_r50",
        "id_embedding_norm": "raw",
        "trigger_word": str(chosen.get("trigger_word", DEFAULTS["trigger_word"])),
        "stage": "video",
        "ai_content_notice": "true",
        "a field of later versions": "kept and ignored",
    }
    return Adapter(sizes, chosen, config, metadata, {})


def shapes(sizes: Sizes, switches: Mapping[str, Switch]) -> Shapes:
    """The names and shapes that these sizes and switches ask for."""
    result = _perceiver_face(sizes, switches) | _fuse(sizes, switches)
    result |= _linear("can.id_proj", sizes.can.id_vector_dim, sizes.perceiver_id.tokens * sizes.perceiver_id.width)
    for layer in adapted_layers(sizes, switches):
        result |= _block(f"blocks.{layer}", sizes, switches)
    return result


def _linear(name: str, outputs: int, inputs: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (outputs, inputs)} | ({f"{name}.bias": (outputs,)} if bias else {})


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def perceiver_layers(prefix: str, part: PerceiverId | PerceiverFace) -> Shapes:
    """The repeated layer that both perceivers have."""
    inner = part.heads * part.head_dim
    result: Shapes = {}
    for i in range(part.depth):
        layer = f"{prefix}layers.{i}"
        result |= _norm(f"{layer}.attn.norm_kv", part.width) | _norm(f"{layer}.attn.norm_q", part.width)
        result |= _linear(f"{layer}.attn.to_q", inner, part.width, bias=False)
        result |= _linear(f"{layer}.attn.to_kv", 2 * inner, part.width, bias=False)
        result |= _linear(f"{layer}.attn.to_out", part.width, inner, bias=False)
        result |= _norm(f"{layer}.ff.norm", part.width)
        result |= _linear(f"{layer}.ff.fc1", part.ff_mult * part.width, part.width, bias=False)
        result |= _linear(f"{layer}.ff.fc2", part.width, part.ff_mult * part.width, bias=False)
    return result


def perceiver_id_shapes(sizes: Sizes, prefix: str = "") -> Shapes:
    """The frozen identity perceiver."""
    part = sizes.perceiver_id
    return {
        **_linear(f"{prefix}token_proj.fc1", part.ratio * part.id_dim, part.id_dim),
        **_linear(f"{prefix}token_proj.fc2", part.tokens * part.width, part.ratio * part.id_dim),
        **_norm(f"{prefix}token_norm", part.width),
        **_linear(f"{prefix}proj_in", part.width, sizes.clip_vision.hidden_size),
        **perceiver_layers(prefix, part),
        **_linear(f"{prefix}proj_out", part.width, part.width),
        **_norm(f"{prefix}norm_out", part.width),
    }


def _perceiver_face(sizes: Sizes, switches: Mapping[str, Switch]) -> Shapes:
    part, width = sizes.perceiver_face, sizes.dit.width
    result: Shapes = {"perceiver_face.queries": (part.tokens, part.width)}
    result |= _linear("perceiver_face.proj_in", part.width, sizes.clip_vision.hidden_size)
    result |= perceiver_layers("perceiver_face.", part)
    result |= _linear("perceiver_face.proj_out", width, part.width) | _norm("perceiver_face.norm_out", width)
    if switches.get("face_rope") == "learned_pos":
        result["perceiver_face.pos"] = (part.tokens, width)
    return result


def _fuse(sizes: Sizes, switches: Mapping[str, Switch]) -> Shapes:
    text = sizes.dit.text_embed_dim
    joined = text + sizes.perceiver_id.width
    result = _norm("fuse.mlp1.norm", joined) | _linear("fuse.mlp1.fc1", text, joined)
    result |= _linear("fuse.mlp1.fc2", text, text)
    result |= (
        _norm("fuse.mlp2.norm", text) | _linear("fuse.mlp2.fc1", text, text) | _linear("fuse.mlp2.fc2", text, text)
    )
    if switches.get("fuse_out_norm", "none") != "none":
        result |= _norm("fuse.norm", text)
    return result


def _block(name: str, sizes: Sizes, switches: Mapping[str, Switch]) -> Shapes:
    dit, can = sizes.dit, sizes.can
    hidden = int(switches.get("phi_face_hidden", 0))
    result = _linear(f"{name}.mod_face.linear", 6 * dit.width, hidden or dit.time_embed_dim)
    if hidden:
        result |= _linear(f"{name}.mod_face.fc0", hidden, dit.time_embed_dim)
    result |= _linear(f"{name}.mod_cond.fc1", can.hidden_dim, can.id_vector_dim + dit.time_embed_dim + dit.width)
    result |= _linear(f"{name}.mod_cond.fc2", 12 * dit.width, can.hidden_dim)
    result |= _linear(f"{name}.attn_ca.to_k", dit.width, dit.width)
    result |= _linear(f"{name}.attn_ca.to_v", dit.width, dit.width)
    if switches.get("ca_key_norm") == "own":
        result |= _norm(f"{name}.attn_ca.norm_k", dit.attention_head_dim)
    if switches.get("face_ln") == "own":
        result |= _norm(f"{name}.face_ln1", dit.width) | _norm(f"{name}.face_ln2", dit.width)
    return result
