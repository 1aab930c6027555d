"""Magic Mirror in plain PyTorch, around the published CogVideoX transformer.

Written for reading beside the paper (Zhang et al., "Magic Mirror: ID-Preserved Video Generation in Video Diffusion
Transformers"): no caching, no fused operation, one function per module. Arithmetic runs in the dtype of the weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import CogVideoXTransformer3DModel
from diffusers.models.embeddings import apply_rotary_emb
from torch import Tensor, nn

from tests.parity import published
from tests.parity.adapter_files import Adapter, PerceiverFace, PerceiverId
from tests.parity.checkpoints import Scheduler

Weights = Mapping[str, Tensor]


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))


def layer_norm(w: Weights, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], eps)


def _heads(x: Tensor, heads: int) -> Tensor:
    """[B, S, heads * dim] -> [B, heads, S, dim]"""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _merged(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


# Perceivers ----------------------------------------------------------------------------------------------------------


def _perceiver_attention(w: Weights, name: str, heads: int, context: Tensor, latents: Tensor) -> Tensor:
    context, latents = layer_norm(w, f"{name}.norm_kv", context), layer_norm(w, f"{name}.norm_q", latents)
    query = _heads(linear(w, f"{name}.to_q", latents), heads)
    both = linear(w, f"{name}.to_kv", torch.cat([context, latents], dim=1))
    key, value = (_heads(part, heads) for part in both.chunk(2, dim=-1))
    scale = query.shape[-1] ** -0.25
    scores = (query * scale) @ (key * scale).transpose(-1, -2)
    weights = scores.float().softmax(dim=-1).to(value.dtype)
    return linear(w, f"{name}.to_out", _merged(weights @ value))


def _perceiver(
    w: Weights, prefix: str, part: PerceiverId | PerceiverFace, clip_tokens: Tensor, latents: Tensor
) -> Tensor:
    context = linear(w, f"{prefix}proj_in", clip_tokens)
    for i in range(part.depth):
        layer = f"{prefix}layers.{i}"
        latents = latents + _perceiver_attention(w, f"{layer}.attn", part.heads, context, latents)
        hidden = linear(w, f"{layer}.ff.fc1", layer_norm(w, f"{layer}.ff.norm", latents))
        latents = latents + linear(w, f"{layer}.ff.fc2", F.gelu(hidden))
    return layer_norm(w, f"{prefix}norm_out", linear(w, f"{prefix}proj_out", latents))


def perceive_identity(w: Weights, part: PerceiverId, face_embedding: Tensor, clip_tokens: Tensor) -> Tensor:
    """[N, id_dim], [N, P, w] -> [N, K, c]"""
    projected = linear(w, "token_proj.fc2", F.gelu(linear(w, "token_proj.fc1", face_embedding)))
    queries = layer_norm(w, "token_norm", projected.unflatten(-1, (part.tokens, part.width)))
    return queries + _perceiver(w, "", part, clip_tokens, queries)


def perceive_face(adapter: Adapter, w: Weights, clip_tokens: Tensor) -> Tensor:
    """[N, P, w] -> [1, N * T, d], or [1, T, d] with the mean over the references"""
    queries = w["perceiver_face.queries"].expand(clip_tokens.shape[0], -1, -1)
    tokens = _perceiver(w, "perceiver_face.", adapter.sizes.perceiver_face, clip_tokens, queries)
    if adapter.switch("face_rope") == "learned_pos":
        tokens = tokens + w["perceiver_face.pos"]
    if adapter.switch("multi_ref_face") == "mean":
        return tokens.mean(dim=0, keepdim=True)
    return tokens.flatten(0, 1)[None]


# Text fusion ---------------------------------------------------------------------------------------------------------


def _fusion_mlp(w: Weights, name: str, x: Tensor) -> Tensor:
    return linear(w, f"{name}.fc2", F.gelu(linear(w, f"{name}.fc1", layer_norm(w, f"{name}.norm", x))))


def fuse(adapter: Adapter, w: Weights, prompt_embeds: Tensor, id_embeds: Tensor, mask: Tensor) -> Tensor:
    """Replaces the marked vectors by vectors that know the identity."""
    if adapter.switch("text_fuse") == "off" or not mask.any():
        return prompt_embeds
    identity = id_embeds.mean(dim=0) if adapter.switch("multi_ref_text") == "mean" else id_embeds.flatten(0, 1)
    marked = mask[0].bool()
    text = prompt_embeds[0, marked]
    y = _fusion_mlp(w, "fuse.mlp1", torch.cat([text, identity], dim=-1)) + text
    z = _fusion_mlp(w, "fuse.mlp2", y) + y
    if adapter.switch("fuse_out_norm") != "none":
        z = layer_norm(w, "fuse.norm", z)
    fused = prompt_embeds.clone()
    fused[0, marked] = z
    return fused


# Conditioned Adaptive Normalization ----------------------------------------------------------------------------------


@dataclass
class Modulation:
    """The factors of one adapted block: [B, 12, d] for video and text, [B, 6, d] for the face."""

    base: Tensor
    delta: Tensor
    both: Tensor
    face: Tensor


def id_vector(w: Weights, id_embeds: Tensor) -> Tensor:
    return linear(w, "can.id_proj", id_embeds.mean(dim=0, keepdim=True).flatten(1))


def _base_factors(block: nn.Module, temb: Tensor) -> Tensor:
    """Video shift, scale, gate of attention, then of the FFN; then the same six of the text."""
    activated = F.silu(temb)
    first, second = (norm.linear(activated).unflatten(-1, (6, -1)) for norm in (block.norm1, block.norm2))
    return torch.cat([first[:, :3], second[:, :3], first[:, 3:], second[:, 3:]], dim=1)


def _face_factors(adapter: Adapter, w: Weights, name: str, temb: Tensor) -> Tensor:
    if adapter.switch("phi_face") == "off":
        return temb.new_zeros(temb.shape[0], 6, adapter.sizes.dit.width)
    activated = F.silu(temb)
    if adapter.switch("phi_face_hidden"):
        activated = F.silu(linear(w, f"{name}.mod_face.fc0", activated))
    return linear(w, f"{name}.mod_face.linear", activated).unflatten(-1, (6, -1))


def modulation(
    adapter: Adapter, w: Weights, layer: int, block: nn.Module, temb: Tensor, p: Tensor | None
) -> Modulation:
    name = f"blocks.{layer}"
    base = _base_factors(block, temb)
    face = _face_factors(adapter, w, name, temb)
    if p is None:
        return Modulation(base, torch.zeros_like(base), base, face)
    condition = torch.cat([p.expand(temb.shape[0], -1), temb, base[:, 0]], dim=-1)
    hidden = F.silu(linear(w, f"{name}.mod_cond.fc1", condition))
    delta = linear(w, f"{name}.mod_cond.fc2", hidden).unflatten(-1, (12, -1))
    scale = adapter.switch("can_scale")
    if scale == 0:
        both = base
    elif adapter.switch("can_mode") == "direct":
        both = (1 - scale) * base + scale * delta
    else:
        both = base + scale * delta
    return Modulation(base, delta, both, face)


# The adapted block ---------------------------------------------------------------------------------------------------


@dataclass
class FaceStream:
    """The face tokens on their way through the blocks, and what they were at the start."""

    start: Tensor
    now: Tensor


def _modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return x * (1 + scale)[:, None] + shift[:, None]


class AdaptedBlock(nn.Module):
    """Stands in for one CogVideoXBlock of the published model."""

    def __init__(
        self, adapter: Adapter, w: Weights, layer: int, block: nn.Module, p: Tensor | None, stream: FaceStream
    ) -> None:
        super().__init__()
        self._adapter, self._w, self._layer = adapter, w, layer
        self._base, self._p, self._stream = block, p, stream

    def _on(self, name: str) -> bool:
        return self._adapter.switch(name) == "on"

    @property
    def _has_cross_attention(self) -> bool:
        return self._on("face_in_ca") and self._adapter.switch("face_scale") != 0

    def _face_norm(self, which: int, x: Tensor) -> Tensor:
        if self._adapter.switch("face_ln") == "own":
            return layer_norm(self._w, f"blocks.{self._layer}.face_ln{which}", x)
        return (self._base.norm1 if which == 1 else self._base.norm2).norm(x)

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        temb: Tensor,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
        attention_kwargs: Mapping[str, object] | None = None,
    ) -> tuple[Tensor, Tensor]:
        video, text = hidden_states, encoder_hidden_states
        if self._adapter.switch("face_stream") == "fresh":
            self._stream.now = self._stream.start
        face = self._stream.now
        m = modulation(self._adapter, self._w, self._layer, self._base, temb, self._p)
        mv, mt, mf = m.both[:, :6].unbind(1), m.both[:, 6:].unbind(1), m.face.unbind(1)

        norm = self._base.norm1.norm
        o_text, o_face, o_video = self._attention(
            _modulated(norm(text), mt[0], mt[1]),
            _modulated(self._face_norm(1, face), mf[0], mf[1]),
            _modulated(norm(video), mv[0], mv[1]),
            image_rotary_emb,
        )
        text, video = text + mt[2][:, None] * o_text, video + mv[2][:, None] * o_video
        norm = self._base.norm2.norm
        f_text = self._base.ff(_modulated(norm(text), mt[3], mt[4]))
        f_video = self._base.ff(_modulated(norm(video), mv[3], mv[4]))
        if self._on("face_in_sa"):
            face = face + mf[2][:, None] * o_face
            f_face = self._base.ff(_modulated(self._face_norm(2, face), mf[3], mf[4]))
            self._stream.now = face + mf[5][:, None] * f_face
        return video + mv[5][:, None] * f_video, text + mt[5][:, None] * f_text

    def _attention(
        self, text: Tensor, face: Tensor, video: Tensor, rotary: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        attn = self._base.attn1
        n_text, n_face = text.shape[1], face.shape[1] if self._on("face_in_sa") else 0
        rows = torch.cat([text, face[:, :n_face], video], dim=1)
        query, key, value = (_heads(f(rows), attn.heads) for f in (attn.to_q, attn.to_k, attn.to_v))
        query, key = attn.norm_q(query), attn.norm_k(key)
        before = query
        if rotary is not None:
            query, key = (self._rotated(x, n_text + n_face, rotary) for x in (query, key))

        out = self._self_attention(query, key, value, n_text, n_face)
        cross = None
        if self._has_cross_attention:
            asks = before if self._adapter.switch("ca_query") == "pre_rope" else query
            cross = self._cross_attention(asks, face, n_text + n_face)
        merged = self._project(out, cross)
        return merged[:, :n_text], merged[:, n_text : n_text + n_face], merged[:, n_text + n_face :]

    @staticmethod
    def _rotated(x: Tensor, start: int, rotary: tuple[Tensor, Tensor]) -> Tensor:
        return torch.cat([x[:, :, :start], apply_rotary_emb(x[:, :, start:], rotary)], dim=2)

    def _self_attention(self, query: Tensor, key: Tensor, value: Tensor, n_text: int, n_face: int) -> Tensor:
        scale = self._adapter.switch("sa_scale")
        faces = slice(n_text, n_text + n_face)
        if n_face == 0 or scale == 1:
            return F.scaled_dot_product_attention(query, key, value)
        if scale > 0:
            bias = torch.zeros(query.shape[2], key.shape[2], dtype=query.dtype)
            bias[:, faces] = math.log(scale)
            return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)

        def without_face(x: Tensor) -> Tensor:
            return torch.cat([x[:, :, :n_text], x[:, :, n_text + n_face :]], dim=2)

        keys, values = without_face(key), without_face(value)
        others = F.scaled_dot_product_attention(without_face(query), keys, values)
        face = F.scaled_dot_product_attention(query[:, :, faces], keys, values)
        return torch.cat([others[:, :, :n_text], face, others[:, :, n_text:]], dim=2)

    def _cross_attention(self, query: Tensor, modulated_face: Tensor, first_video_row: int) -> Tensor:
        name, attn = f"blocks.{self._layer}.attn_ca", self._base.attn1
        source = self._stream.start if self._adapter.switch("ca_input") == "raw" else modulated_face
        key = _heads(linear(self._w, f"{name}.to_k", source), attn.heads)
        value = _heads(linear(self._w, f"{name}.to_v", source), attn.heads)
        key_norm = self._adapter.switch("ca_key_norm")
        if key_norm == "base":
            key = attn.norm_k(key)
        elif key_norm == "own":
            key = layer_norm(self._w, f"{name}.norm_k", key, eps=1e-6)
        out = F.scaled_dot_product_attention(query, key, value)
        if self._adapter.switch("ca_targets") == "video":
            out[:, :, :first_video_row] = 0
        return out

    def _project(self, out: Tensor, cross: Tensor | None) -> Tensor:
        project = self._base.attn1.to_out[0]
        if cross is None:
            return project(_merged(out))
        scale = self._adapter.switch("face_scale")
        if self._adapter.switch("ca_merge") == "post_out":
            return project(_merged(out)) + scale * _merged(cross)
        return project(_merged(out + scale * cross))


# The whole model -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """What the denoiser is told about the person; one person for every row."""

    id_embeds: Tensor | None
    face_tokens: Tensor | None


@dataclass(frozen=True)
class Mirror:
    """The published transformer and an adapter in the same dtype."""

    adapter: Adapter
    weights: Weights
    transformer: CogVideoXTransformer3DModel

    @torch.no_grad()
    def predict(
        self,
        person: Person,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        timestep: Tensor,
        adapter_mask: Tensor | None = None,
    ) -> Tensor:
        """Rows whose mask is 0 are the base model's."""
        if adapter_mask is None:
            adapter_mask = torch.ones(hidden_states.shape[0], dtype=torch.int64)
        out = torch.empty_like(hidden_states, dtype=self.transformer.dtype)
        for value in (0, 1):
            rows = adapter_mask == value
            if rows.any():
                inputs = hidden_states[rows], encoder_hidden_states[rows], timestep[rows]
                out[rows] = self._adapted(person, *inputs) if value else published.predict(self.transformer, *inputs)
        return out

    def _adapted(self, person: Person, hidden: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
        adapter, model = self.adapter, self.transformer
        p = None
        if adapter.switch("can") == "on":
            assert person.id_embeds is not None
            p = id_vector(self.weights, person.id_embeds.to(model.dtype))
        tokens = person.face_tokens
        if tokens is None:
            tokens = torch.zeros(1, 0, adapter.sizes.dit.width)
        start = tokens.to(model.dtype).expand(hidden.shape[0], -1, -1)
        stream = FaceStream(start, start)
        plain = model.transformer_blocks
        model.transformer_blocks = nn.ModuleList(
            AdaptedBlock(adapter, self.weights, i, block, p, stream) if i in adapter.layers else block
            for i, block in enumerate(plain)
        )
        try:
            return published.predict(model, hidden, text, timestep)
        finally:
            model.transformer_blocks = plain


@dataclass(frozen=True)
class Prompts:
    fused: Tensor
    negative: Tensor | None
    plain: Tensor | None


@dataclass(frozen=True)
class Sampling:
    scheduler: Scheduler
    steps: int
    guidance: float
    dynamic: bool

    def weight(self, timestep: int) -> float:
        if not self.dynamic:
            return self.guidance
        angle = math.pi * ((self.steps - timestep) / self.steps) ** 5.0
        return 1 + self.guidance * (1 - math.cos(angle)) / 2


@dataclass(frozen=True)
class Denoising:
    """One whole generation, with guidance as the published pipeline has it."""

    mirror: Mirror
    person: Person
    prompts: Prompts
    sampling: Sampling

    def run(self, latents: Tensor, noises: Tensor | None) -> Tensor:
        """The latents after the last step."""
        scheduler, steps = self.sampling.scheduler, self.sampling.steps
        scheduler.set_timesteps(steps)
        stepper = published.Stepper(scheduler)
        with published.given_draws(published.draw_order(scheduler, steps, noises)):
            for i, timestep in enumerate(scheduler.timesteps.tolist()):
                latents = stepper.step(i, self._prediction(latents, i, timestep), latents)
        return latents

    def _prediction(self, latents: Tensor, step: int, timestep: int) -> Tensor:
        """In float32; the rows of the batch are the negative prompt and the positive one."""
        adapter, prompts = self.mirror.adapter, self.prompts
        active = step >= adapter.switch("start_merge_step")
        positive = prompts.fused if active else prompts.plain
        assert positive is not None
        rows, mask = [positive], [int(active)]
        guided = self.sampling.guidance > 1
        if guided:
            assert prompts.negative is not None
            rows.insert(0, prompts.negative)
            mask.insert(0, int(active and adapter.switch("cfg_uncond_face") == "keep"))
        count = len(rows)
        v = self.mirror.predict(
            self.person,
            latents.expand(count, *latents.shape[1:]),
            torch.cat(rows),
            torch.full((count,), timestep),
            torch.tensor(mask),
        ).float()
        return v[:1] + self.sampling.weight(timestep) * (v[1:] - v[:1]) if guided else v
