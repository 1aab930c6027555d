"""Stage `transformer` against CogVideoXTransformer3DModel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from diffusers import CogVideoXTransformer3DModel

from tests.parity import fill, published
from tests.parity.case import DTYPES, STORED, Case, Context
from tests.parity.checkpoints import TRANSFORMERS, transformer_config
from tests.parity.comparison import Row, Subject, rounding, within

TOLERANCE = 2e-5


@dataclass(frozen=True)
class Shape:
    """A published layout and the size of one input."""

    name: str
    layout: str
    frames: int = 3
    height: int = 8
    width: int = 8
    timesteps: Sequence[int] = (999, 421)
    tokens: int | None = None
    ofs: float | None = None
    shard: str = "10GB"
    stored: str | None = None  # The dtype on disk, if it is not that of the run.


SHAPES = (
    Shape("2b", "2b"),
    Shape("2b one frame", "2b", frames=1, timesteps=(500,)),
    Shape("2b not its own size", "2b", height=12, width=6),
    Shape("2b in shards", "2b", shard="20KB"),
    Shape("5b", "5b"),
    Shape("5b tall", "5b", height=12),
    Shape("5b wide, short text", "5b", height=4, width=14, tokens=5),
    Shape("5b one frame", "5b", frames=1, timesteps=(19,)),
    Shape("5b batch 3", "5b", frames=2, timesteps=(999, 0, 350)),
    Shape("5b-i2v", "5b-i2v"),
    Shape("5b-i2v other length", "5b-i2v", frames=2),
    Shape("1.5", "1.5", frames=4, height=6),
    Shape("1.5 one pair", "1.5", frames=2, height=4, timesteps=(7,)),
    Shape("1.5-i2v", "1.5-i2v", frames=4, height=6),
    Shape("1.5-i2v ofs 0.5", "1.5-i2v", frames=2, ofs=0.5),
    Shape("head size 64, 706 tokens", "wide", frames=5, height=16, width=24, timesteps=(640,)),
)


def inputs_of(shape: Shape) -> dict[str, torch.Tensor]:
    config = transformer_config(shape.layout)
    batch = len(shape.timesteps)
    tokens = config["max_text_seq_length"] if shape.tokens is None else shape.tokens
    size = (batch, shape.frames, config["in_channels"], shape.height, shape.width)
    inputs = {
        "hidden_states": fill.tensor("input.hidden_states", size),
        "encoder_hidden_states": fill.tensor("input.encoder_hidden_states", (batch, tokens, config["text_embed_dim"])),
        "timestep": torch.tensor(shape.timesteps),
    }
    if shape.ofs is not None:
        inputs["ofs"] = torch.tensor([shape.ofs])
    return inputs


def check(shape: Shape, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    folder = context.store.transformer(shape.layout, STORED[shape.stored or subject.dtype], shape.shard)
    inputs = {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs_of(shape).items()}
    exact = published.predict(_load(folder, torch.float32), **{k: _widened(v) for k, v in inputs.items()})
    got = context.program.outputs("transformer", folder, inputs, ["--dtype", subject.dtype]).get("sample")
    if dtype == torch.float32:
        yield within(subject, "sample", got, exact, TOLERANCE)
    else:
        yield rounding(subject, "sample", got, published.predict(_load(folder, dtype), **inputs), exact)


def _load(folder: object, dtype: torch.dtype) -> CogVideoXTransformer3DModel:
    return CogVideoXTransformer3DModel.from_pretrained(folder, subfolder="transformer", torch_dtype=dtype).eval()


def _widened(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def cases() -> list[Case]:
    assert {shape.layout for shape in SHAPES} == set(TRANSFORMERS)
    return [
        Case(Subject("transformer", shape.name, dtype), lambda c, s, shape=shape: check(shape, c, s))
        for shape in SHAPES
        for dtype in DTYPES
    ]
