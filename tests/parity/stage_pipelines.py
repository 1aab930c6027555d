"""Stages `t2v` and `i2v` against CogVideoXPipeline and CogVideoXImageToVideoPipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLCogVideoX,
    CogVideoXImageToVideoPipeline,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
)

from tests.parity import checkpoints, fill, golden, published
from tests.parity.case import DTYPES, Case, Context
from tests.parity.comparison import Row, Subject, joined, judged

TOLERANCE = 1e-3
# A few steps amplify single roundings, so that one tiny generation in bf16 says little: three count together.
GENERATIONS = {"fp32": 1, "bf16": 3}


@dataclass(frozen=True)
class Run:
    """One whole generation; sizes in pixels."""

    name: str
    layout: str
    sampler: str
    steps: int
    height: int = 32
    width: int = 32
    frames: int = 9
    vae: str = "plain"
    shift: float = 1.0
    scaling: float = 0.7
    guidance: float = 6.0
    dynamic: bool = False
    says_frames: bool = True
    tolerance: float = TOLERANCE
    generations: int = GENERATIONS["bf16"]  # In bf16; the shorter the clip, the more are needed to say anything.

    @property
    def stage(self) -> str:
        return "i2v" if "i2v" in self.layout else "t2v"

    @property
    def changes(self) -> dict[str, int]:
        side = 10 if self.layout.startswith("1.5") else 4
        return {"sample_height": side, "sample_width": side}

    @property
    def inverts(self) -> bool:
        return self.layout.startswith("1.5")

    @property
    def latent_shape(self) -> tuple[int, ...]:
        frames = (self.frames - 1) // 4 + 1
        if self.layout.startswith("1.5"):
            frames += frames % 2
        return (1, frames, 4, self.height // 8, self.width // 8)


RUNS = (
    Run("2b", "2b", "ddim", 3, shift=3.0, scaling=1.15258426),
    Run("5b dynamic", "5b", "dpm", 4, height=48, dynamic=True),
    Run("5b ddim dynamic", "5b", "ddim", 4, width=64, dynamic=True),
    Run("5b no guidance", "5b", "dpm", 3, guidance=1.0),
    Run("5b 7 steps, one frame", "5b", "dpm", 7, frames=1),
    Run("5b-i2v", "5b-i2v", "dpm", 4),
    Run("5b-i2v other length", "5b-i2v", "ddim", 4, frames=5, vae="stepped"),
    Run("1.5", "1.5", "dpm", 4, height=48),
    Run("1.5 frames not said", "1.5", "ddim", 2, frames=13, says_frames=False),
    Run("1.5-i2v", "1.5-i2v", "ddim", 4, height=48),
    Run("1.5-i2v dynamic", "1.5-i2v", "dpm", 5, width=48, dynamic=True),
)


def _write(run: Run, dtype: torch.dtype, path: Path) -> None:
    checkpoints.transformer(run.layout, **run.changes).to(dtype).save_pretrained(path / "transformer")
    vae = checkpoints.vae(run.vae, scaling_factor=run.scaling, invert_scale_latents=run.inverts)
    vae.to(dtype).save_pretrained(path / "vae")
    checkpoints.scheduler(run.sampler, run.shift).save_pretrained(path / "scheduler")


def _inputs(run: Run, dtype: torch.dtype, generation: int = 0) -> dict[str, torch.Tensor]:
    shape = run.latent_shape
    inputs = {
        "latents": fill.tensor(f"noise.latents.{generation}", shape),
        "prompt_embeds": fill.tensor("input.prompt_embeds", (1, 8, 8)),
    }
    if run.guidance > 1:
        inputs["negative_prompt_embeds"] = fill.tensor("input.negative_prompt_embeds", (1, 8, 8))
    if run.sampler == "dpm":
        inputs["noises"] = fill.tensor(f"noises.{generation}", (run.steps, 2, *shape))
    if run.stage == "i2v":
        inputs["image"] = fill.tensor("input.image", (1, 3, run.height, run.width), offset=0.5, scale=0.5)
        inputs["posterior_noise"] = fill.tensor("noise.posterior", (1, shape[2], 1, *shape[3:]))
    return {name: value.to(dtype) for name, value in inputs.items()}


class Oracle:
    """A published pipeline over a saved folder."""

    def __init__(self, folder: Path, run: Run, dtype: torch.dtype) -> None:
        family = CogVideoXImageToVideoPipeline if run.stage == "i2v" else CogVideoXPipeline
        self._run = run
        self._dtype = dtype
        self.pipeline = family(
            tokenizer=None,
            text_encoder=None,
            transformer=CogVideoXTransformer3DModel.from_pretrained(
                folder, subfolder="transformer", torch_dtype=dtype
            ).eval(),
            vae=AutoencoderKLCogVideoX.from_pretrained(folder, subfolder="vae", torch_dtype=dtype).eval(),
            scheduler=checkpoints.scheduler(run.sampler, run.shift),
        )
        self.pipeline.set_progress_bar_config(disable=True)

    def outputs(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """`latents` as returned with latent output, `frames` in 0..1."""
        return {
            "latents": self._call(inputs, "latent"),
            "frames": self._call(inputs, "pt")[0],
        }

    def _draws(self, inputs: dict[str, torch.Tensor]) -> Iterator[torch.Tensor]:
        if "posterior_noise" in inputs:
            yield inputs["posterior_noise"]
        yield from published.draw_order(self.pipeline.scheduler, self._run.steps, inputs.get("noises"))

    def _call(self, inputs: dict[str, torch.Tensor], output: str) -> torch.Tensor:
        run = self._run
        arguments: dict[str, Any] = {
            name: inputs[name].to(self._dtype)
            for name in ("latents", "prompt_embeds", "negative_prompt_embeds")
            if name in inputs
        }
        if run.stage == "i2v":
            arguments["image"] = inputs["image"].float()
        frames = run.frames if run.says_frames else run.latent_shape[1] * 4 - 3
        with published.given_draws(self._draws(inputs)):
            return self.pipeline(
                **arguments,
                height=run.height,
                width=run.width,
                num_frames=frames,
                num_inference_steps=run.steps,
                guidance_scale=run.guidance,
                use_dynamic_cfg=run.dynamic,
                output_type=output,
                max_sequence_length=arguments["prompt_embeds"].shape[1],
                return_dict=False,
            )[0]


def _options(run: Run, dtype: str) -> list[str]:
    options = ["--sampler", run.sampler, "--steps", str(run.steps), "--guidance", str(run.guidance), "--dtype", dtype]
    if run.dynamic:
        options.append("--dynamic-cfg")
    if run.says_frames:
        options += ["--frames", str(run.frames)]
    return options


def check(run: Run, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    folder = context.store.folder(f"{subject.stage}-{run.name}-{subject.dtype}", lambda path: _write(run, dtype, path))
    options = _options(run, subject.dtype)
    count = GENERATIONS["fp32"] if dtype == torch.float32 else run.generations
    given = [_inputs(run, dtype, generation) for generation in range(count)]
    got = joined(context.program.outputs(run.stage, folder, inputs, options) for inputs in given)
    exact = joined(Oracle(folder, run, torch.float32).outputs(inputs) for inputs in given)
    if dtype == torch.float32:
        yield from judged(subject, got, exact, exact, run.tolerance)
    else:
        rounded = joined(Oracle(folder, run, dtype).outputs(inputs) for inputs in given)
        yield from judged(subject, got, exact, rounded, run.tolerance)


# Sums and first elements of the latents of whole generations, with draws named noise.1, noise.2, ... as they are drawn.
_GOLDEN: Sequence[tuple[str, golden.Digest]] = (
    ("2b", golden.Digest(13.032697, 216.019341, (-0.634401, -0.530367))),
    ("5b dynamic", golden.Digest(-15.505609, 331.171348, (-0.187110, -1.709328))),
    ("5b-i2v", golden.Digest(19.170652, 216.728683, (-0.320510, 2.456029))),
    ("1.5", golden.Digest(4.871371, 390.217075, (0.506978, 0.450973))),
    ("1.5-i2v", golden.Digest(53.945575, 446.451537, (0.109557, -0.413352))),
)


def _numbered_draws(run: Run) -> dict[str, torch.Tensor]:
    shape = run.latent_shape
    scheduler = checkpoints.scheduler(run.sampler, run.shift)
    inputs = _inputs(run, torch.float32)
    number = 0

    def draw(size: tuple[int, ...]) -> torch.Tensor:
        nonlocal number
        number += 1
        return fill.tensor(f"noise.{number}", size)

    if run.stage == "i2v":
        inputs["posterior_noise"] = draw((1, shape[2], 1, *shape[3:]))
    inputs["latents"] = draw(shape)
    if run.sampler == "dpm":
        noises = torch.zeros(run.steps, 2, *shape)
        for slot in published.draw_order(scheduler, run.steps, noises):
            slot.copy_(draw(shape))
        inputs["noises"] = noises
    return inputs


def _check_golden(run: Run, want: golden.Digest, context: Context, subject: Subject) -> Iterable[Row]:
    folder = context.store.folder(f"{run.stage}-{run.name}-fp32", lambda path: _write(run, torch.float32, path))
    latents = Oracle(folder, run, torch.float32).outputs(_numbered_draws(run))["latents"]
    yield golden.judge(subject, "latents", latents, want)


def cases() -> list[Case]:
    runs = {run.name: run for run in RUNS}
    return [
        *(
            Case(
                Subject("published", f"pipeline {name}"),
                lambda c, s, run=runs[name], want=want: _check_golden(run, want, c, s),
            )
            for name, want in _GOLDEN
        ),
        *(
            Case(Subject(run.stage, run.name, dtype), lambda c, s, run=run: check(run, c, s))
            for run in RUNS
            for dtype in DTYPES
        ),
    ]
