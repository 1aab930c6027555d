"""Stage `scheduler` against CogVideoXDDIMScheduler and CogVideoXDPMScheduler."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from tests.parity import checkpoints, fill, published
from tests.parity.case import DTYPES, Case, Context
from tests.parity.comparison import Row, Subject, equal, rounding, within

TOLERANCE = 1e-5
SHAPE = (1, 2, 4, 3, 3)

# Counts that divide 1000 and that do not; 48 shows how the list is rounded; 7 ends before the last alpha.
STEPS = (1, 2, 4, 7, 30, 48, 50)


@dataclass(frozen=True)
class Chain:
    sampler: str
    steps: int
    shift: float

    @property
    def name(self) -> str:
        return f"{self.sampler} N={self.steps} shift {self.shift:g}"


CHAINS = tuple(
    Chain(sampler, steps, shift)
    for sampler in ("ddim", "dpm")
    for steps, shift in (*((steps, 1.0) for steps in STEPS), (4, 3.0), (50, 3.0))
)


def _check(chain: Chain, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    inputs = {
        "sample": fill.tensor("input.latents", SHAPE).to(dtype),
        "model_outputs": torch.stack([fill.tensor(f"v.{i}", SHAPE) for i in range(chain.steps)]),
    }
    noises = None
    if chain.sampler == "dpm":
        noises = fill.tensor("noises", (chain.steps, 2, *SHAPE)).to(dtype)
        inputs["noises"] = noises
    options = ["--sampler", chain.sampler, "--steps", str(chain.steps), "--dtype", subject.dtype]
    got = context.program.outputs("scheduler", context.store.scheduler(chain.shift), inputs, options)

    scheduler = checkpoints.scheduler(chain.sampler, chain.shift)
    rounded = published.sample_chain(scheduler, chain.steps, inputs["sample"], inputs["model_outputs"], noises)
    yield equal(subject, "timesteps", got.get("timesteps"), rounded[0])
    if dtype == torch.float32:
        yield within(subject, "prev_samples", got.get("prev_samples"), rounded[1], TOLERANCE)
        return
    widened = None if noises is None else noises.float()
    _, exact = published.sample_chain(
        scheduler, chain.steps, inputs["sample"].float(), inputs["model_outputs"], widened
    )
    yield rounding(subject, "prev_samples", got.get("prev_samples"), rounded[1], exact)


def cases() -> list[Case]:
    return [
        Case(Subject("scheduler", chain.name, dtype), lambda c, s, chain=chain: _check(chain, c, s))
        for chain in CHAINS
        for dtype in DTYPES
    ]
