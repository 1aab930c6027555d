"""Tiny model folders for the Magic Mirror stages, and the reference over them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import CogVideoXTransformer3DModel
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, CLIPVisionModel

from tests.parity import adapter_files, checkpoints, fill
from tests.parity import mirror_reference as reference
from tests.parity.adapter_files import Adapter, Sizes
from tests.parity.checkpoints import Store


def clip_model(sizes: Sizes) -> CLIPVisionModel:
    config = CLIPVisionConfig(**asdict(sizes.clip_vision), hidden_act="quick_gelu", layer_norm_eps=1e-5)
    return checkpoints.filled(CLIPVisionModel(config))


def perceiver_id_tensors(sizes: Sizes) -> dict[str, torch.Tensor]:
    return {name: fill.parameter(name, shape) for name, shape in adapter_files.perceiver_id_shapes(sizes).items()}


def transformer_changes(sizes: Sizes) -> dict[str, Any]:
    return {
        **asdict(sizes.dit),
        "out_channels": sizes.dit.in_channels,
        "sample_height": 4,
        "sample_width": 4,
        "sample_frames": 5,
    }


def write_perceiver_id(sizes: Sizes, dtype: torch.dtype, folder: Path) -> None:
    config = asdict(sizes.perceiver_id) | {"clip_hidden_size": sizes.clip_vision.hidden_size}
    checkpoints.write_json(folder / "config.json", config)
    tensors = {name: value.to(dtype) for name, value in perceiver_id_tensors(sizes).items()}
    save_file(tensors, folder / "model.safetensors")


def _prefix_clip_names(folder: Path) -> None:
    """What transformers wrote before version 5, with the buffers and the projection that readers pass over."""
    path = folder / "model.safetensors"
    tensors = {name.removeprefix("vision_model."): value for name, value in load_file(path).items()}
    named = {f"vision_model.{name}": value.clone() for name, value in tensors.items()}
    named["vision_model.embeddings.position_ids"] = torch.arange(17)[None]
    named["visual_projection.weight"] = torch.ones(3, 3)
    save_file(named, path)


def _write(sizes: Sizes, dtype: torch.dtype, prefixed: bool, shard: str, path: Path) -> None:
    changes = transformer_changes(sizes)
    checkpoints.transformer("5b", **changes).to(dtype).save_pretrained(path / "transformer", max_shard_size=shard)
    clip_model(sizes).to(dtype).save_pretrained(path / "image_encoder", max_shard_size=shard)
    if prefixed:
        _prefix_clip_names(path / "image_encoder")
    write_perceiver_id(sizes, dtype, path / "id_perceiver")
    checkpoints.scheduler("dpm").save_pretrained(path / "scheduler")


def folder(
    store: Store, preset: str, dtype: torch.dtype, prefixed: bool = False, shard: str = "10GB"
) -> Path:
    """`transformer/`, `image_encoder/`, `id_perceiver/` and `scheduler/` of one size."""
    sizes = adapter_files.PRESETS[preset]
    names = f"mirror-{preset}-{str(dtype).removeprefix('torch.')}{'-prefixed' if prefixed else ''}-{shard}"
    return store.folder(names, lambda path: _write(sizes, dtype, prefixed, shard, path))


def edited_base(store: Store, key: str, changes: Mapping[str, Any]) -> Path:
    """The tiny folder with another number in the transformer's config; its weights stay."""
    plain = folder(store, "tiny", torch.float32)

    def write(path: Path) -> None:
        for part in plain.iterdir():
            if part.name != "transformer":
                (path / part.name).symlink_to(part)
        (path / "transformer").mkdir()
        for part in (plain / "transformer").iterdir():
            if part.name != "config.json":
                (path / "transformer" / part.name).symlink_to(part)
        config = json.loads((plain / "transformer" / "config.json").read_text(encoding="utf-8"))
        checkpoints.write_json(path / "transformer" / "config.json", config | dict(changes))

    return store.folder(f"mirror-{key}", write)


@dataclass
class Reference:
    """The models of one folder and one adapter, computing in `dtype`."""

    path: Path
    adapter: Adapter
    dtype: torch.dtype

    @cached_property
    def weights(self) -> dict[str, torch.Tensor]:
        return {name: value.to(self.dtype) for name, value in self.adapter.tensors.items()}

    @cached_property
    def transformer(self) -> CogVideoXTransformer3DModel:
        return CogVideoXTransformer3DModel.from_pretrained(
            self.path, subfolder="transformer", torch_dtype=self.dtype
        ).eval()

    @property
    def mirror(self) -> reference.Mirror:
        return reference.Mirror(self.adapter, self.weights, self.transformer)

    @cached_property
    def _perceiver_id(self) -> dict[str, torch.Tensor]:
        return load_file(self.path / "id_perceiver" / "model.safetensors")

    @torch.no_grad()
    def clip_vision(self, pixel_values: torch.Tensor) -> dict[str, torch.Tensor]:
        model = CLIPVisionModel.from_pretrained(self.path, subfolder="image_encoder", dtype=self.dtype).eval()
        states = model(pixel_values.to(self.dtype), output_hidden_states=True).hidden_states
        return {"last_hidden_state": states[-1], "penultimate": states[-2]}

    @torch.no_grad()
    def perceiver_id(self, face_embedding: torch.Tensor, clip_tokens: torch.Tensor) -> torch.Tensor:
        weights = {name: value.to(self.dtype) for name, value in self._perceiver_id.items()}
        part = self.adapter.sizes.perceiver_id
        return reference.perceive_identity(weights, part, face_embedding.to(self.dtype), clip_tokens.to(self.dtype))

    @torch.no_grad()
    def perceiver_face(self, clip_tokens: torch.Tensor) -> torch.Tensor:
        return reference.perceive_face(self.adapter, self.weights, clip_tokens.to(self.dtype))

    @torch.no_grad()
    def fuse(self, prompt_embeds: torch.Tensor, id_embeds: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        values = prompt_embeds.to(self.dtype), id_embeds.to(self.dtype)
        return reference.fuse(self.adapter, self.weights, *values, mask)

    @torch.no_grad()
    def can(self, id_embeds: torch.Tensor | None, temb: torch.Tensor) -> dict[str, torch.Tensor]:
        p = None
        if self.adapter.switch("can") == "on":
            assert id_embeds is not None
            p = reference.id_vector(self.weights, id_embeds.to(self.dtype))
        blocks = self.transformer.transformer_blocks
        parts = [
            reference.modulation(self.adapter, self.weights, layer, blocks[layer], temb.to(self.dtype), p)
            for layer in self.adapter.layers
        ]
        outputs = {
            "base": torch.stack([m.base for m in parts]),
            "delta": torch.stack([m.delta for m in parts]),
            "modulation": torch.stack([m.both for m in parts]),
            "face_modulation": torch.stack([m.face for m in parts]),
        }
        return outputs if p is None else outputs | {"id_vector": p}


def write_frozen(sizes: Sizes, path: Path) -> None:
    """A folder with frozen parts of other numbers than `folder` has."""
    clip = clip_model(sizes)
    with torch.no_grad():
        for parameter in clip.parameters():
            parameter.mul_(0.9)
    clip.save_pretrained(path / "image_encoder")
    place = path / "id_perceiver"
    write_perceiver_id(sizes, torch.float32, place)
    tensors = load_file(place / "model.safetensors")
    save_file({name: 0.9 * value for name, value in tensors.items()}, place / "model.safetensors")


def frozen_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The frozen parts of a folder by the names they have in an adapter."""
    clip = load_file(path / "image_encoder" / "model.safetensors")
    perceiver = load_file(path / "id_perceiver" / "model.safetensors")
    return {
        **{f"frozen.clip_vision.{name.removeprefix('vision_model.')}": value for name, value in clip.items()},
        **{f"frozen.perceiver_id.{name}": value for name, value in perceiver.items()},
    }
