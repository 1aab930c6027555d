"""Magic Mirror stated a second time in plain PyTorch, as directly as the paper's equations allow.

Weights are dictionaries by the names of the adapter file. The base model is diffusers' own class, the CLIP tower
transformers' own. Nothing here is fast, and nothing is shared with the C++ implementation.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import CogVideoXTransformer3DModel
from transformers import CLIPVisionConfig, CLIPVisionModel

from tests.parity import fill, published

Weights = Mapping[str, torch.Tensor]
Shapes = dict[str, tuple[int, ...]]

DEFAULT_SWITCHES: Mapping[str, Any] = {
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

TINY: Mapping[str, Mapping[str, int]] = {
    "dit": {
        "num_layers": 4,
        "num_attention_heads": 4,
        "attention_head_dim": 16,
        "time_embed_dim": 32,
        "text_embed_dim": 48,
        "max_text_seq_length": 16,
        "in_channels": 4,
        "patch_size": 2,
    },
    "clip_vision": {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "image_size": 32,
        "patch_size": 8,
    },
    "perceiver_id": {
        "id_dim": 16,
        "width": 32,
        "tokens": 2,
        "ratio": 4,
        "depth": 2,
        "heads": 2,
        "head_dim": 16,
        "ff_mult": 4,
    },
    "perceiver_face": {"tokens": 4, "width": 32, "depth": 2, "heads": 2, "head_dim": 16, "ff_mult": 4},
    "can": {"id_vector_dim": 16, "hidden_dim": 32},
}


@dataclass(frozen=True)
class Config:
    """Sizes of every part and the switches that differ from their defaults."""

    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: TINY)
    changed: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, switch: str) -> Any:
        return self.changed.get(switch, DEFAULT_SWITCHES[switch])

    def on(self, switch: str) -> bool:
        return bool(self[switch] == "on")

    def size(self, section: str, key: str) -> int:
        return self.sizes[section][key]

    @property
    def width(self) -> int:
        return self.size("dit", "num_attention_heads") * self.size("dit", "attention_head_dim")

    @property
    def adapted(self) -> list[int]:
        return list(range(0, self.size("dit", "num_layers"), 2 if self["adapter_layers"] == "even" else 1))

    def to_json(self) -> str:
        value = {**self.sizes, "switches": dict(self.changed)}
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def metadata(self) -> dict[str, str]:
        return {
            "format": "magic-mirror-adapter",
            "format_version": "1",
            "arch": "cogvideox-tiny",
            "config": self.to_json(),
            "id_pack": "buffalo_l/w600k_r50",
            "id_embedding_norm": "raw",
        }


def _linear(name: str, outputs: int, inputs: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), **({f"{name}.bias": (outputs,)} if bias else {})}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _perceiver_layer(name: str, width: int, inner: int, ff_mult: int) -> Shapes:
    return {
        **_norm(f"{name}.attn.norm_kv", width),
        **_norm(f"{name}.attn.norm_q", width),
        **_linear(f"{name}.attn.to_q", inner, width, bias=False),
        **_linear(f"{name}.attn.to_kv", 2 * inner, width, bias=False),
        **_linear(f"{name}.attn.to_out", width, inner, bias=False),
        **_norm(f"{name}.ff.norm", width),
        **_linear(f"{name}.ff.fc1", ff_mult * width, width, bias=False),
        **_linear(f"{name}.ff.fc2", width, ff_mult * width, bias=False),
    }


def perceiver_id_shapes(config: Config) -> Shapes:
    s = config.sizes["perceiver_id"]
    hidden = s["ratio"] * s["id_dim"]
    shapes = {
        **_linear("token_proj.fc1", hidden, s["id_dim"]),
        **_linear("token_proj.fc2", s["tokens"] * s["width"], hidden),
        **_norm("token_norm", s["width"]),
        **_linear("proj_in", s["width"], config.size("clip_vision", "hidden_size")),
        **_linear("proj_out", s["width"], s["width"]),
        **_norm("norm_out", s["width"]),
    }
    for i in range(s["depth"]):
        shapes |= _perceiver_layer(f"layers.{i}", s["width"], s["heads"] * s["head_dim"], s["ff_mult"])
    return shapes


def _perceiver_face_shapes(config: Config) -> Shapes:
    s, d = config.sizes["perceiver_face"], config.width
    shapes = {
        "queries": (s["tokens"], s["width"]),
        **_linear("proj_in", s["width"], config.size("clip_vision", "hidden_size")),
        **_linear("proj_out", d, s["width"]),
        **_norm("norm_out", d),
    }
    for i in range(s["depth"]):
        shapes |= _perceiver_layer(f"layers.{i}", s["width"], s["heads"] * s["head_dim"], s["ff_mult"])
    if config["face_rope"] == "learned_pos":
        shapes["pos"] = (s["tokens"], d)
    return {f"perceiver_face.{name}": shape for name, shape in shapes.items()}


def _block_shapes(config: Config) -> Shapes:
    d, c2, h = config.width, config.size("dit", "time_embed_dim"), config.size("can", "hidden_dim")
    hidden = config["phi_face_hidden"]
    shapes = {
        **_linear("mod_face.linear", 6 * d, hidden or c2),
        **_linear("mod_cond.fc1", h, config.size("can", "id_vector_dim") + c2 + d),
        **_linear("mod_cond.fc2", 12 * d, h),
        **_linear("attn_ca.to_k", d, d),
        **_linear("attn_ca.to_v", d, d),
    }
    if hidden:
        shapes |= _linear("mod_face.fc0", hidden, c2)
    if config["ca_key_norm"] == "own":
        shapes |= _norm("attn_ca.norm_k", config.size("dit", "attention_head_dim"))
    if config["face_ln"] == "own":
        shapes |= _norm("face_ln1", d) | _norm("face_ln2", d)
    return shapes


def adapter_shapes(config: Config) -> Shapes:
    """Every tensor of an adapter file with this configuration."""
    e, c = config.size("dit", "text_embed_dim"), config.size("perceiver_id", "width")
    shapes = {
        **_perceiver_face_shapes(config),
        **_norm("fuse.mlp1.norm", e + c),
        **_linear("fuse.mlp1.fc1", e, e + c),
        **_linear("fuse.mlp1.fc2", e, e),
        **_norm("fuse.mlp2.norm", e),
        **_linear("fuse.mlp2.fc1", e, e),
        **_linear("fuse.mlp2.fc2", e, e),
        **_linear(
            "can.id_proj", config.size("can", "id_vector_dim"), config.size("perceiver_id", "tokens") * c
        ),
    }
    if config["fuse_out_norm"] != "none":
        shapes |= _norm("fuse.norm", e)
    for layer in config.adapted:
        shapes |= {f"blocks.{layer}.{name}": shape for name, shape in _block_shapes(config).items()}
    return shapes


def filled(shapes: Shapes, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    return {name: fill.parameter(name, shape).to(dtype) for name, shape in shapes.items()}


def clip_tower(config: Config) -> CLIPVisionModel:
    """The published tower with every tensor filled by its name without the prefix `vision_model.`."""
    tower = CLIPVisionModel(CLIPVisionConfig(**config.sizes["clip_vision"], hidden_act="quick_gelu")).eval()
    with torch.no_grad():
        for name, value in tower.named_parameters():
            value.copy_(fill.parameter(name.removeprefix("vision_model."), value.shape))
    return tower


@torch.no_grad()
def clip_vision(tower: CLIPVisionModel, pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The last layer's output and the one before, neither normalised."""
    states = tower(pixel_values=pixel_values, output_hidden_states=True).hidden_states
    return states[-1], states[-2]


def _lin(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))


def _ln(w: Weights, name: str, x: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    return F.layer_norm(x, (x.shape[-1],), w[f"{name}.weight"], w[f"{name}.bias"], eps)


def _heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def _merge(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)


def _resample(w: Weights, prefix: str, sizes: Mapping[str, int], tokens: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The layers that both perceivers share."""
    heads, scale = sizes["heads"], sizes["head_dim"] ** -0.25
    for i in range(sizes["depth"]):
        attn = f"{prefix}layers.{i}.attn"
        z1, y1 = _ln(w, f"{attn}.norm_kv", tokens), _ln(w, f"{attn}.norm_q", y)
        keys, values = _lin(w, f"{attn}.to_kv", torch.cat([z1, y1], dim=1)).chunk(2, dim=-1)
        q, k, v = _heads(_lin(w, f"{attn}.to_q", y1), heads), _heads(keys, heads), _heads(values, heads)
        p = torch.softmax(((q * scale) @ (k * scale).transpose(-1, -2)).float(), dim=-1).to(q.dtype)
        y = y + _lin(w, f"{attn}.to_out", _merge(p @ v))
        ff = f"{prefix}layers.{i}.ff"
        y = y + _lin(w, f"{ff}.fc2", F.gelu(_lin(w, f"{ff}.fc1", _ln(w, f"{ff}.norm", y))))
    return y


@torch.no_grad()
def perceiver_id(w: Weights, config: Config, face_embedding: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    s = config.sizes["perceiver_id"]
    x0 = _lin(w, "token_proj.fc2", F.gelu(_lin(w, "token_proj.fc1", face_embedding)))
    x0 = _ln(w, "token_norm", x0.reshape(-1, s["tokens"], s["width"]))
    y = _resample(w, "", s, _lin(w, "proj_in", tokens), x0)
    return x0 + _ln(w, "norm_out", _lin(w, "proj_out", y))


@torch.no_grad()
def perceiver_face(w: Weights, config: Config, tokens: torch.Tensor) -> torch.Tensor:
    p = "perceiver_face."
    y = w[p + "queries"].expand(tokens.shape[0], -1, -1)
    y = _resample(w, p, config.sizes["perceiver_face"], _lin(w, p + "proj_in", tokens), y)
    x = _ln(w, p + "norm_out", _lin(w, p + "proj_out", y))
    if config["face_rope"] == "learned_pos":
        x = x + w[p + "pos"]
    return x.mean(0, keepdim=True) if config["multi_ref_face"] == "mean" else x.reshape(1, -1, x.shape[-1])


@torch.no_grad()
def fuse(
    w: Weights, config: Config, prompt_embeds: torch.Tensor, id_embeds: torch.Tensor, identity_mask: torch.Tensor
) -> torch.Tensor:
    positions = [i for i, marked in enumerate(identity_mask[0].tolist()) if marked]
    if not positions or not config.on("text_fuse"):
        return prompt_embeds
    identity = id_embeds.mean(0) if config["multi_ref_text"] == "mean" else id_embeds.flatten(0, 1)
    assert len(positions) == len(identity)
    result = prompt_embeds.clone()
    for position, u in zip(positions, identity, strict=True):
        e = prompt_embeds[0, position]
        y = _mlp(w, "fuse.mlp1", torch.cat([e, u])) + e
        z = _mlp(w, "fuse.mlp2", y) + y
        result[0, position] = _ln(w, "fuse.norm", z) if config["fuse_out_norm"] != "none" else z
    return result


def _mlp(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return _lin(w, f"{name}.fc2", F.gelu(_lin(w, f"{name}.fc1", _ln(w, f"{name}.norm", x))))


@dataclass(frozen=True)
class Modulation:
    """All factors of one adapted block; chunks are video and text, each shift, scale, gate of both operations."""

    base: torch.Tensor  # [B, 12, d]
    delta: torch.Tensor  # [B, 12, d]
    modulation: torch.Tensor  # [B, 12, d]
    face: torch.Tensor  # [B, 6, d]


@torch.no_grad()
def id_vector(w: Weights, id_embeds: torch.Tensor) -> torch.Tensor:
    return _lin(w, "can.id_proj", id_embeds.mean(0).flatten()[None])


@torch.no_grad()
def modulation(
    base_model: CogVideoXTransformer3DModel,
    w: Weights,
    config: Config,
    layer: int,
    temb: torch.Tensor,
    p: torch.Tensor | None,
) -> Modulation:
    block, rows, d = base_model.transformer_blocks[layer], temb.shape[0], config.width
    n1 = block.norm1.linear(F.silu(temb)).reshape(rows, 6, d)
    n2 = block.norm2.linear(F.silu(temb)).reshape(rows, 6, d)
    base = torch.cat([n1[:, :3], n2[:, :3], n1[:, 3:], n2[:, 3:]], dim=1)
    delta, total, s = torch.zeros_like(base), base, config["can_scale"]
    name = f"blocks.{layer}."
    if config.on("can"):
        assert p is not None
        z = torch.cat([p.expand(rows, -1), temb, base[:, 0]], dim=-1)
        delta = _lin(w, name + "mod_cond.fc2", F.silu(_lin(w, name + "mod_cond.fc1", z))).reshape(rows, 12, d)
        if s != 0:
            total = (base if config["can_mode"] == "residual" else (1 - s) * base) + s * delta
    face = torch.zeros_like(base[:, :6])
    if config.on("phi_face"):
        a = F.silu(temb)
        if config["phi_face_hidden"]:
            a = F.silu(_lin(w, name + "mod_face.fc0", a))
        face = _lin(w, name + "mod_face.linear", a).reshape(rows, 6, d)
    return Modulation(base, delta, total, face)


def _rotate(x: torch.Tensor, table: tuple[torch.Tensor, torch.Tensor], first: int) -> torch.Tensor:
    cos, sin = table
    turned = x[:, :, first:].float()
    pairs = torch.stack([-turned[..., 1::2], turned[..., 0::2]], dim=-1).flatten(-2)
    return torch.cat([x[:, :, :first], (turned * cos + pairs * sin).to(x.dtype)], dim=2)


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    logits = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if bias is not None:
        logits = logits + bias
    return torch.softmax(logits.float(), dim=-1).to(v.dtype) @ v


@dataclass
class Streams:
    text: torch.Tensor
    face: torch.Tensor | None
    video: torch.Tensor


class AdaptedBlock:
    """One block of the adapter around one published block."""

    def __init__(self, base_model: CogVideoXTransformer3DModel, w: Weights, config: Config, layer: int) -> None:
        self.block: Any = base_model.transformer_blocks[layer]
        self.attn: Any = self.block.attn1
        self.w, self.config, self.name = w, config, f"blocks.{layer}."
        self.heads = config.size("dit", "num_attention_heads")
        self.face_in_sa = config.on("face_in_sa")
        self.face_in_ca = config.on("face_in_ca") and config["face_scale"] != 0

    def run(self, s: Streams, m: Modulation, face_tokens: torch.Tensor, table: tuple[torch.Tensor, torch.Tensor]) -> None:
        """Changes the streams; `s.face` is the stream, or the delivered tokens where the face has none."""
        a = self._modulate(s, m, 1)
        o = self._attention(a, face_tokens, table)
        self._gate(s, m, o, 2)
        f = self._feed_forward(self._modulate(s, m, 2))
        self._gate(s, m, f, 5)

    def _modulate(self, s: Streams, m: Modulation, n: int) -> Streams:
        norm = self.block.norm1.norm if n == 1 else self.block.norm2.norm
        first = 3 * (n - 1)

        def apply(x: torch.Tensor, factors: torch.Tensor, chunk: int, ln: Callable[..., torch.Tensor]) -> torch.Tensor:
            return ln(x) * (1 + factors[:, chunk + 1])[:, None] + factors[:, chunk][:, None]

        own = self.config["face_ln"] == "own"
        face = None
        if s.face is not None:
            face = apply(s.face, m.face, first, (lambda x: _ln(self.w, f"{self.name}face_ln{n}", x)) if own else norm)
        return Streams(apply(s.text, m.modulation, 6 + first, norm), face, apply(s.video, m.modulation, first, norm))

    def _gate(self, s: Streams, m: Modulation, y: Streams, chunk: int) -> None:
        s.text = s.text + m.modulation[:, 6 + chunk][:, None] * y.text
        s.video = s.video + m.modulation[:, chunk][:, None] * y.video
        if self.face_in_sa:
            assert s.face is not None and y.face is not None
            s.face = s.face + m.face[:, chunk][:, None] * y.face

    def _project(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        q, k, v = (_heads(part(x), self.heads) for part in (self.attn.to_q, self.attn.to_k, self.attn.to_v))
        return self.attn.norm_q(q), self.attn.norm_k(k), v

    def _attention(self, a: Streams, face_tokens: torch.Tensor, table: tuple[torch.Tensor, torch.Tensor]) -> Streams:
        scale = self.config["sa_scale"]
        members = [a.text] + ([a.face] if self.face_in_sa and a.face is not None else []) + [a.video]
        rows, text_rows = torch.cat(members, dim=1), a.text.shape[1]
        face_rows = members[1].shape[1] if len(members) == 3 else 0
        first_video = text_rows + face_rows
        q, k, v = self._project(rows)
        plain_q = q
        q, k = _rotate(q, table, first_video), _rotate(k, table, first_video)
        bias = None
        if face_rows and scale != 1:
            bias = torch.zeros(rows.shape[1], dtype=q.dtype)
            bias[text_rows:first_video] = -math.inf if scale == 0 else math.log(scale)
        o = _attend(q, k, v, bias)
        out = self._merged(o, plain_q if self.config["ca_query"] == "pre_rope" else q, a, face_tokens, first_video)
        return Streams(out[:, :text_rows], out[:, text_rows:first_video], out[:, first_video:])

    def _merged(
        self, o: torch.Tensor, q: torch.Tensor, a: Streams, face_tokens: torch.Tensor, first_video: int
    ) -> torch.Tensor:
        out: Callable[[torch.Tensor], torch.Tensor] = self.attn.to_out[0]
        if not self.face_in_ca:
            return out(_merge(o))
        source = face_tokens.expand(o.shape[0], -1, -1) if self.config["ca_input"] == "raw" else a.face
        assert source is not None
        k = _heads(_lin(self.w, self.name + "attn_ca.to_k", source), self.heads)
        v = _heads(_lin(self.w, self.name + "attn_ca.to_v", source), self.heads)
        if self.config["ca_key_norm"] == "base":
            k = self.attn.norm_k(k)
        elif self.config["ca_key_norm"] == "own":
            k = _ln(self.w, self.name + "attn_ca.norm_k", k, 1e-6)
        cross = _attend(q, k, v)
        if self.config["ca_targets"] == "video":
            cross = torch.cat([torch.zeros_like(cross[:, :, :first_video]), cross[:, :, first_video:]], dim=2)
        s = self.config["face_scale"]
        if self.config["ca_merge"] == "pre_out":
            return out(_merge(o + s * cross))
        return out(_merge(o)) + s * _merge(cross)

    def _feed_forward(self, b: Streams) -> Streams:
        with_face = self.face_in_sa and b.face is not None
        return Streams(self.block.ff(b.text), self.block.ff(b.face) if with_face else None, self.block.ff(b.video))


@torch.no_grad()
def adapted_transformer(
    base_model: CogVideoXTransformer3DModel,
    w: Weights,
    config: Config,
    hidden_states: torch.Tensor,
    encoder_hidden_states: torch.Tensor,
    timestep: torch.Tensor,
    id_embeds: torch.Tensor | None,
    face_tokens: torch.Tensor | None,
) -> torch.Tensor:
    """Velocity with the adapter on every row."""
    batch, frames, _, height, width = hidden_states.shape
    dtype = hidden_states.dtype
    table = published.rotary(base_model, frames, height, width)
    assert table is not None
    temb = base_model.time_embedding(base_model.time_proj(timestep).to(dtype))
    rows = base_model.patch_embed(encoder_hidden_states, hidden_states)
    text_rows = encoder_hidden_states.shape[1]
    tokens = face_tokens if face_tokens is not None else torch.zeros(1, 0, config.width, dtype=dtype)
    uses_face = config.on("face_in_sa") or config.on("face_in_ca")
    start = tokens.expand(batch, -1, -1) if uses_face else None
    s = Streams(rows[:, :text_rows], start, rows[:, text_rows:])
    p = id_vector(w, id_embeds) if config.on("can") and id_embeds is not None else None
    for layer, block in enumerate(base_model.transformer_blocks):
        if layer in config.adapted:
            if config["face_stream"] == "fresh":
                s.face = start
            m = modulation(base_model, w, config, layer, temb, p)
            AdaptedBlock(base_model, w, config, layer).run(s, m, tokens, table)
        else:
            s.video, s.text = block(
                hidden_states=s.video, encoder_hidden_states=s.text, temb=temb, image_rotary_emb=table
            )
    out = base_model.proj_out(base_model.norm_out(base_model.norm_final(s.video), temb=temb))
    patch = config.size("dit", "patch_size")
    out = out.reshape(batch, frames, height // patch, width // patch, -1, patch, patch)
    return out.permute(0, 1, 4, 2, 5, 3, 6).flatten(5, 6).flatten(3, 4)


@torch.no_grad()
def mm_transformer(
    base_model: CogVideoXTransformer3DModel,
    w: Weights,
    config: Config,
    inputs: Mapping[str, torch.Tensor],
    adapter_mask: Sequence[int] | None = None,
) -> torch.Tensor:
    """Stage `mm-transformer`: rows of mask 0 are the base model's."""
    results = []
    for row in range(inputs["hidden_states"].shape[0]):
        one = {name: inputs[name][row : row + 1] for name in ("hidden_states", "encoder_hidden_states", "timestep")}
        if adapter_mask is not None and not adapter_mask[row]:
            results.append(published.predict(base_model, **one))
        else:
            results.append(
                adapted_transformer(
                    base_model, w, config, **one, id_embeds=inputs.get("id_embeds"), face_tokens=inputs.get("face_tokens")
                )
            )
    return torch.cat(results)


def guidance_weight(guidance: float, dynamic: bool, steps: int, timestep: int) -> float:
    """The `timestep` schedule of the published pipelines, or the constant."""
    if not dynamic:
        return guidance
    return 1 + guidance * (1 - math.cos(math.pi * ((steps - timestep) / steps) ** 5.0)) / 2


@dataclass(frozen=True)
class Sampling:
    sampler: str = "dpm"
    steps: int = 3
    guidance: float = 6.0
    dynamic: bool = False


@torch.no_grad()
def mm_t2v(
    base_model: CogVideoXTransformer3DModel,
    w: Weights,
    config: Config,
    scheduler: Any,
    sampling: Sampling,
    inputs: Mapping[str, torch.Tensor],
) -> torch.Tensor:
    """Stage `mm-t2v`: the latents after the last step."""
    latents, guided = inputs["latents"], sampling.guidance > 1
    scheduler.set_timesteps(sampling.steps)
    stepper = published.Stepper(scheduler)
    with published.given_draws(published.draw_order(scheduler, sampling.steps, inputs.get("noises"))):
        for i, timestep in enumerate(scheduler.timesteps.tolist()):
            on = i >= config["start_merge_step"]
            prompts = [inputs["prompt_embeds"] if on else inputs["plain_prompt_embeds"]]
            mask = [int(on)]
            if guided:
                prompts.insert(0, inputs["negative_prompt_embeds"])
                mask.insert(0, int(on and config["cfg_uncond_face"] == "keep"))
            call = {
                **inputs,
                "hidden_states": latents.repeat(len(prompts), 1, 1, 1, 1),
                "encoder_hidden_states": torch.cat(prompts),
                "timestep": torch.full((len(prompts),), timestep),
            }
            v = mm_transformer(base_model, w, config, call, mask).float()
            if guided:
                g = guidance_weight(sampling.guidance, sampling.dynamic, sampling.steps, timestep)
                v = v[:1] + g * (v[1:] - v[:1])
            latents = stepper.step(i, v, latents)
    return latents


CLASS_WORDS = frozenset(
    "man woman boy girl baby person child kid lady gentleman guy male female officer policeman policewoman actor actress "
    "dancer doctor nurse teacher".split()
)


def parse_prompt(prompt: str, trigger: str = "img") -> tuple[str, tuple[int, int] | None]:
    """The cleaned prompt and the characters of its class word. ValueError where the protocol refuses."""
    found = list(re.finditer(rf"(?<!\w){re.escape(trigger)}(?!\w)", prompt))
    if len(found) > 1:
        raise ValueError(f"{trigger} occurs {len(found)} times")
    if not found:
        for word in re.finditer(r"[^\W\d_]+", prompt):
            if word.group().lower() in CLASS_WORDS:
                return prompt, word.span()
        return prompt, None
    before = prompt[: found[0].start()].rstrip()
    word_at_end = re.search(r"\w+$", before)
    if not word_at_end:
        raise ValueError(f"no class word before {trigger}")
    return before + prompt[found[0].end() :], word_at_end.span()


def expand_tokens(
    pieces: Sequence[tuple[int, int, int]], span: tuple[int, int] | None, copies: int, max_length: int
) -> tuple[list[int], list[int], list[int]]:
    """`input_ids`, `identity_mask`, `plain_input_ids` of pieces (id, begin, end) and a span in the same units."""
    plain = [piece[0] for piece in pieces]
    ids, mask = list(plain), [0] * max_length
    if span is not None:
        p = max(i for i, (_, begin, end) in enumerate(pieces) if begin < span[1] and end > span[0])
        if p + copies <= max_length - 1:
            ids[p : p + 1] = [ids[p]] * copies
            mask[p : p + copies] = [1] * copies

    def finish(values: list[int]) -> list[int]:
        kept = [*values[: max_length - 1], 1]
        return kept + [0] * (max_length - len(kept))

    return finish(ids), mask, finish(plain)
