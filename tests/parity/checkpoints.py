"""Tiny checkpoints in the published folder layout, made with the published classes and filled by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import (
    AutoencoderKLCogVideoX,
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    CogVideoXTransformer3DModel,
)
from torch import nn
from transformers import T5Config, T5EncoderModel

from tests.parity import fill

_TRANSFORMER = {
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "in_channels": 4,
    "out_channels": 4,
    "time_embed_dim": 8,
    "text_embed_dim": 8,
    "num_layers": 2,
    "sample_height": 8,
    "sample_width": 8,
    "sample_frames": 9,
    "max_text_seq_length": 8,
}

# What distinguishes the published models from each other, at a size that runs in milliseconds. `wide` has the published
# head size and more tokens than any block size of an attention kernel.
TRANSFORMERS: Mapping[str, Mapping[str, Any]] = {
    "2b": {"use_rotary_positional_embeddings": False},
    "5b": {"use_rotary_positional_embeddings": True},
    "5b-i2v": {
        "in_channels": 8,
        "use_rotary_positional_embeddings": True,
        "use_learned_positional_embeddings": True,
    },
    "1.5": {"patch_size_t": 2, "patch_bias": False, "use_rotary_positional_embeddings": True},
    "1.5-i2v": {
        "in_channels": 8,
        "patch_size_t": 2,
        "patch_bias": False,
        "ofs_embed_dim": 8,
        "use_rotary_positional_embeddings": True,
    },
    "wide": {
        "attention_head_dim": 64,
        "num_attention_heads": 3,
        "time_embed_dim": 32,
        "text_embed_dim": 24,
        "max_text_seq_length": 226,
        "sample_height": 16,
        "sample_width": 24,
        "use_rotary_positional_embeddings": True,
    },
}

_VAE = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ("CogVideoXDownBlock3D",) * 4,
    "up_block_types": ("CogVideoXUpBlock3D",) * 4,
    "latent_channels": 4,
    "layers_per_block": 1,
    "temporal_compression_ratio": 4,
    "sample_height": 64,
    "sample_width": 64,
    "scaling_factor": 0.7,
}

# `plain` has one width throughout; `stepped` changes width between blocks (shortcut convolutions); `oblong` has tiles
# that are not square, two layers a block, and the latent scaling of the 1.5 models.
VAES: Mapping[str, Mapping[str, Any]] = {
    "plain": {"block_out_channels": (8, 8, 8, 8), "norm_num_groups": 2},
    "stepped": {"block_out_channels": (8, 16, 16, 32), "norm_num_groups": 4},
    "oblong": {
        "block_out_channels": (8, 8, 16, 16),
        "norm_num_groups": 4,
        "layers_per_block": 2,
        "sample_height": 48,
        "sample_width": 80,
        "invert_scale_latents": True,
    },
}

_SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "set_alpha_to_one": True,
    "steps_offset": 0,
    "timestep_spacing": "trailing",
    "num_train_timesteps": 1000,
}

Scheduler = CogVideoXDDIMScheduler | CogVideoXDPMScheduler
Module = TypeVar("Module", bound=nn.Module)


def transformer_config(layout: str, **changes: Any) -> dict[str, Any]:
    return {**_TRANSFORMER, **TRANSFORMERS[layout], **changes}


def filled(module: Module) -> Module:
    fill.fill_module(module)
    return module.eval()


def transformer(layout: str, **changes: Any) -> CogVideoXTransformer3DModel:
    return filled(CogVideoXTransformer3DModel(**transformer_config(layout, **changes)))


def vae(size: str, **changes: Any) -> AutoencoderKLCogVideoX:
    return filled(AutoencoderKLCogVideoX(**{**_VAE, **VAES[size], **changes}))


def scheduler(sampler: str, snr_shift_scale: float = 1.0) -> Scheduler:
    family = CogVideoXDDIMScheduler if sampler == "ddim" else CogVideoXDPMScheduler
    return family(**_SCHEDULER, snr_shift_scale=snr_shift_scale)


def t5(**changes: Any) -> T5EncoderModel:
    sizes: dict[str, Any] = {
        "vocab_size": 64,
        "d_model": 16,
        "d_kv": 8,
        "num_heads": 3,
        "d_ff": 24,
        "num_layers": 2,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
    }
    return filled(T5EncoderModel(T5Config(**{**sizes, **changes})))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@dataclass
class Store:
    """Makes each model folder once and remembers it."""

    root: Path
    _made: dict[str, Path] = field(default_factory=dict)

    def folder(self, key: str, make: Callable[[Path], object]) -> Path:
        if key not in self._made:
            path = self.root / key
            path.mkdir(parents=True)
            make(path)
            self._made[key] = path
        return self._made[key]

    def transformer(self, layout: str, dtype: torch.dtype = torch.float32, shard: str = "10GB") -> Path:
        def make(path: Path) -> None:
            transformer(layout).to(dtype).save_pretrained(path / "transformer", max_shard_size=shard)

        return self.folder(f"transformer-{layout}-{_suffix(dtype)}-{shard}", make)

    def vae(self, size: str, dtype: torch.dtype = torch.float32, shard: str = "10GB") -> Path:
        def make(path: Path) -> None:
            vae(size).to(dtype).save_pretrained(path / "vae", max_shard_size=shard)

        return self.folder(f"vae-{size}-{_suffix(dtype)}-{shard}", make)

    def scheduler(self, snr_shift_scale: float) -> Path:
        def make(path: Path) -> None:
            scheduler("dpm", snr_shift_scale).save_pretrained(path / "scheduler")

        return self.folder(f"scheduler-{snr_shift_scale}", make)

    def t5(self, dtype: torch.dtype = torch.float32, shard: str = "10GB") -> Path:
        def make(path: Path) -> None:
            t5().to(dtype).save_pretrained(path / "text_encoder", max_shard_size=shard)

        return self.folder(f"t5-{_suffix(dtype)}-{shard}", make)


def _suffix(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
