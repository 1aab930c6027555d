"""Stages `vae-encode` and `vae-decode` against AutoencoderKLCogVideoX."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKLCogVideoX

from tests.parity import fill
from tests.parity.case import DTYPES, STORED, Case, Context
from tests.parity.comparison import Row, Subject, rounding, within

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Clip:
    """Size of one clip: frames, height, width; latent or pixels as the stage wants them."""

    size: str
    frames: int
    height: int
    width: int
    batch: int = 1
    tiling: bool = False
    shard: str = "10GB"
    stored: str | None = None  # The dtype on disk, if it is not that of the run.

    @property
    def name(self) -> str:
        tiled = ", tiled" if self.tiling else ""
        sharded = ", shards" if self.shard != "10GB" else ""
        stored = f", {self.stored} on disk" if self.stored else ""
        return f"{self.size} {self.batch}x{self.frames}x{self.height}x{self.width}{tiled}{sharded}{stored}"

    def folder(self, context: Context, dtype: str) -> Path:
        return context.store.vae(self.size, STORED[self.stored or dtype], self.shard)


DECODED = (
    *(Clip(size, frames, 4, 6) for size in ("plain", "stepped") for frames in (1, 2, 3, 4, 5)),
    Clip("oblong", 3, 5, 3, batch=2),
    Clip("plain", 3, 6, 7),
    Clip("plain", 3, 6, 7, tiling=True),
    Clip("stepped", 2, 4, 9, tiling=True),
    Clip("oblong", 1, 7, 11, tiling=True),
    Clip("plain", 1, 4, 4, tiling=True),
)
ENCODED = (
    *(Clip(size, frames, 16, 16) for size in ("plain", "stepped") for frames in (1, 5, 8, 9, 17)),
    Clip("oblong", 9, 24, 40, batch=2),
    Clip("plain", 9, 48, 56),
    Clip("plain", 9, 48, 64, tiling=True),
    Clip("stepped", 5, 48, 72, tiling=True),
    Clip("oblong", 1, 56, 88, tiling=True),
)


def _load(folder: Path, clip: Clip, dtype: torch.dtype) -> AutoencoderKLCogVideoX:
    model = AutoencoderKLCogVideoX.from_pretrained(folder, subfolder="vae", torch_dtype=dtype).eval()
    if clip.tiling:
        model.enable_tiling()
    return model


@torch.no_grad()
def _decode(model: AutoencoderKLCogVideoX, latents: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"sample": model.decode(latents.to(model.dtype)).sample}


@torch.no_grad()
def _encode(model: AutoencoderKLCogVideoX, sample: torch.Tensor) -> dict[str, torch.Tensor]:
    distribution = model.encode(sample.to(model.dtype)).latent_dist
    return {"mean": distribution.mean, "logvar": distribution.logvar}


def check(clip: Clip, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    if subject.stage == "vae-decode":
        run, name, shape, scale = _decode, "latents", (clip.batch, 4, clip.frames, clip.height, clip.width), 3.0**0.5
    else:
        run, name, shape, scale = _encode, "sample", (clip.batch, 3, clip.frames, clip.height, clip.width), 1.0
    value = fill.tensor(f"input.{name}", shape, scale=scale).to(dtype)
    options = ["--dtype", subject.dtype, *(["--tiling"] if clip.tiling else [])]
    folder = clip.folder(context, subject.dtype)
    got = context.program.outputs(subject.stage, folder, {name: value}, options)
    exact = run(_load(folder, clip, torch.float32), value)
    published = run(_load(folder, clip, dtype), value) if dtype != torch.float32 else exact
    for output, want in exact.items():
        if dtype == torch.float32:
            yield within(subject, output, got.get(output), want, TOLERANCE)
        else:
            yield rounding(subject, output, got.get(output), published[output], want)


def cases() -> list[Case]:
    return [
        Case(Subject(stage, clip.name, dtype), lambda c, s, clip=clip: check(clip, c, s))
        for stage, clips in (("vae-decode", DECODED), ("vae-encode", ENCODED))
        for clip in clips
        for dtype in DTYPES
    ]
