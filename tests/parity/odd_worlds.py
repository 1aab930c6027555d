"""The ends of what is supported: the longest, the smallest, the narrowest, odd numbers, other files, and 8 steps.

The stage modules hold the ordinary cases; these are the ones nobody makes by accident. Their names begin with `odd`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch

from tests.parity import stage_features, stage_mirror, stage_pipelines, stage_text, stage_transformer, stage_vae
from tests.parity.case import DTYPES, Case, Context
from tests.parity.comparison import Row, Subject
from tests.parity.stage_features import Setting
from tests.parity.stage_mirror import Forward, Loop
from tests.parity.stage_pipelines import Run
from tests.parity.stage_text import Tokenizer, tokenizer_folder
from tests.parity.stage_transformer import Shape
from tests.parity.stage_vae import Clip

# `--frames` goes up to 1025.
LONGEST, LONGEST_LATENT = 1025, 257
LOOP_TOLERANCE = 1e-4
STEPS = 8
WORDS = 400

SHAPES = (
    Shape("odd: one patch high", "5b", height=2, width=30),
    Shape("odd: one patch wide", "2b", height=26, width=2),
    Shape("odd: one patch in all", "5b", frames=1, height=2, width=2, timesteps=(0,)),
    Shape("odd: longest", "5b", frames=LONGEST_LATENT, height=2, width=2, timesteps=(700,)),
    Shape("odd: longest, sincos", "2b", frames=LONGEST_LATENT, height=2, width=2, timesteps=(700,)),
    Shape("odd: longest pair", "1.5", frames=LONGEST_LATENT + 1, height=2, width=2, timesteps=(700,)),
    Shape("odd: batch 5", "1.5-i2v", frames=2, height=4, timesteps=(999, 3, 500, 500, 0)),
    Shape("odd: one text token", "5b", tokens=1),
    Shape("odd: 400 text tokens", "5b", tokens=WORDS),
    Shape("odd: 400 text tokens, head size 64", "wide", frames=1, tokens=WORDS, timesteps=(640,)),
    *(
        Shape(f"odd: {layout}, {stored} on disk", layout, stored=stored)
        for layout, stored in (("5b-i2v", "fp16"), ("5b-i2v", "bf16"), ("5b-i2v", "fp32"))
    ),
    Shape("odd: shards, fp16 on disk", "2b", shard="20KB", stored="fp16"),
)

# The tiles of `plain` and `stepped` are 4 latent cells wide and high, those of `oblong` 3 by 5. Decoding takes any rest
# of a tile; encoding wants 8 pixels at least, here and in the published code (refused_calls.py has a smaller one).
_TILED_DECODED = (
    *(Clip("plain", 2, *size, tiling=True) for size in ((5, 5), (9, 5), (3, 13), (8, 8), (4, 5))),
    *(Clip("oblong", 3, *size, tiling=True) for size in ((4, 6), (13, 7), (3, 11))),
    Clip("stepped", 5, 7, 6, batch=2, tiling=True),
)
_TILED_ENCODED = (
    *(Clip("plain", 5, *size, tiling=True) for size in ((40, 40), (72, 40), (24, 72), (64, 64), (104, 16))),
    *(Clip("oblong", 9, *size, tiling=True) for size in ((48, 72), (88, 104), (16, 88))),
    Clip("stepped", 17, 48, 64, batch=2, tiling=True),
)
_WHOLE = (
    Clip("plain", 1, 1, 1),
    Clip("stepped", 2, 1, 9),
    Clip("plain", LONGEST_LATENT, 2, 2),
    Clip("stepped", 3, 4, 6, shard="400KB"),
    *(Clip("stepped", 3, 4, 6, stored=stored) for stored in ("fp16", "bf16", "fp32")),
)


def _pixels(clip: Clip) -> Clip:
    frames = LONGEST if clip.frames == LONGEST_LATENT else 4 * clip.frames - 3
    return replace(clip, frames=frames, height=8 * clip.height, width=8 * clip.width)


CLIPS = (
    *(("vae-decode", clip) for clip in (*_TILED_DECODED, *_WHOLE)),
    *(("vae-encode", clip) for clip in (*_TILED_ENCODED, *map(_pixels, _WHOLE))),
)

# With the height in pixels; 5B-I2V has a learned table for its own size alone.
_LAYOUTS = (("2b", 48), ("5b", 48), ("5b-i2v", 32), ("1.5", 48), ("1.5-i2v", 48))
RUNS = (
    *(
        Run(f"odd: {layout} {sampler}, 8 steps", layout, sampler, STEPS, height=height, tolerance=LOOP_TOLERANCE)
        for layout, height in _LAYOUTS
        for sampler in ("ddim", "dpm")
    ),
    Run("odd: longest", "5b", "dpm", 2, height=16, width=16, frames=LONGEST),
    Run("odd: longest 1.5", "1.5", "ddim", 2, height=16, width=16, frames=LONGEST),
    Run("odd: narrow", "5b", "dpm", 3, height=16, width=112),
    Run("odd: i2v, one frame", "5b-i2v", "dpm", 3, frames=1),
    Run("odd: i2v, no guidance", "5b-i2v", "ddim", 3, guidance=1.0),
    Run("odd: guidance 0", "2b", "ddim", 3, guidance=0.0),
    Run("odd: guidance 1.001", "5b", "ddim", 3, guidance=1.001),
    Run("odd: guidance 100", "5b", "dpm", 3, guidance=100.0, dynamic=True),
    *(
        Run(f"odd: {layout}, {frames} frames", layout, "dpm", 3, frames=frames, generations=generations)
        for layout in ("1.5", "1.5-i2v")
        for frames, generations in ((1, 12), (5, 12), (17, 3))
    ),
    Run("odd: 1.5, 33 frames, no guidance", "1.5", "ddim", 2, frames=33, guidance=1.0),
)

_MEANS = {"multi_ref_face": "mean", "multi_ref_text": "mean"}


def _people(stage: str) -> Iterator[tuple[str, Setting]]:
    for count in (1, 2, 3, 4):
        yield stage, Setting(f"odd: {count} references", references=count)
        yield stage, Setting(f"odd: {count} references, mean", given=_MEANS, references=count)


def _files(stage: str) -> Iterator[tuple[str, Setting]]:
    yield stage, Setting("odd: shards", sharded=True, references=2)
    for stored in ("fp16", "bf16", "fp32"):
        yield stage, Setting(f"odd: {stored} on disk", stored=stored, references=2)


FEATURES = (
    *_people("perceiver-face"),
    *_people("fuse"),
    *_people("can"),
    *(item for stage in ("clip-vision", "perceiver-id", "perceiver-face", "fuse", "can") for item in _files(stage)),
)
FORWARDS = tuple(Forward(setting) for _, setting in (*_people("mm-transformer"), *_files("mm-transformer")))
LOOPS = (
    *(
        Loop(setting, sampler=sampler, steps=STEPS, tolerance=LOOP_TOLERANCE)
        for sampler, setting in (
            ("ddim", Setting("odd: ddim, 8 steps")),
            ("dpm", Setting("odd: dpm, 8 steps")),
            ("dpm", Setting("odd: dpm, 8 steps, 4 references", references=4)),
            ("ddim", Setting("odd: ddim, 8 steps, mean of 3", given=_MEANS, references=3)),
        )
    ),
    Loop(Setting("odd: longest", references=2), steps=2, frames=LONGEST_LATENT),
    Loop(Setting("odd: shards, fp16 on disk", sharded=True, stored="fp16"), steps=2),
)


def _ids(context: Context, text: str, length: int) -> torch.Tensor:
    tokenizer = Tokenizer(tokenizer_folder(context) / "tokenizer" / "spiece.model")
    return torch.tensor([tokenizer.padded(tokenizer.ids(text), length)]) % 64  # The tiny T5 knows 64 words.


def _text_cases() -> Iterator[Case]:
    words = " ".join(["word"] * WORDS)
    empty, long = ("odd: empty prompt", "", 226), ("odd: 400 ids", words, WORDS)
    for dtype in DTYPES:
        for name, text, length in (empty, long):

            def check(c: Context, s: Subject, text: str = text, length: int = length) -> Iterable[Row]:
                return stage_text.check_t5(_ids(c, text, length), c, s)

            yield Case(Subject("t5", name, dtype), check)
        for stored in ("fp16", "bf16", "fp32"):

            def check_stored(c: Context, s: Subject, stored: str = stored) -> Iterable[Row]:
                return stage_text.check_t5(_ids(c, words, 226), c, s, stored=stored)

            yield Case(Subject("t5", f"odd: {stored} on disk", dtype), check_stored)
    texts = (("odd: empty", "", 226), ("odd: 400 words, cut", words, 226), ("odd: 400 words", words, WORDS))
    for name, text, length in texts:

        def check_ids(c: Context, s: Subject, text: str = text, length: int = length) -> Iterable[Row]:
            return stage_text.check_tokenize("nmt_nfkc", [text], length, c, s)

        yield Case(Subject("tokenize", name, "i64"), check_ids)


def _both(stage: str, name: str, check: object, item: object) -> Iterator[Case]:
    for dtype in DTYPES:
        yield Case(Subject(stage, name, dtype), lambda c, s: check(item, c, s))  # type: ignore[operator]


def cases() -> list[Case]:
    result = list(_text_cases())
    for shape in SHAPES:
        result += _both("transformer", shape.name, stage_transformer.check, shape)
    for stage, clip in CLIPS:
        result += _both(stage, f"odd: {clip.name}", stage_vae.check, clip)
    for run in RUNS:
        result += _both(run.stage, run.name, stage_pipelines.check, run)
    for stage, setting in FEATURES:
        result += _both(stage, setting.name, stage_features.check, setting)
    for forward in FORWARDS:
        result += _both("mm-transformer", forward.setting.name, stage_mirror.check_forward, forward)
    for loop in LOOPS:
        result += _both("mm-t2v", loop.setting.name, stage_mirror.check_loop, loop)
    return result
