"""The published Python, called the way its pipelines call it, with every random number handed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline, CogVideoXTransformer3DModel

from tests.parity.checkpoints import Scheduler

_RANDOM_DRAWS = (
    "diffusers.schedulers.scheduling_dpm_cogvideox.randn_tensor",
    "diffusers.models.autoencoders.vae.randn_tensor",
)
OFS = 2.0


@contextmanager
def given_draws(draws: Iterable[torch.Tensor]) -> Iterator[None]:
    """Hands these tensors to everything that asks for noise, in the order of the requests."""
    queue = iter(draws)

    def draw(shape: Any, generator: Any = None, device: Any = None, dtype: torch.dtype | None = None) -> torch.Tensor:
        noise = next(queue)
        assert tuple(noise.shape) == tuple(shape)
        return noise.to(dtype)

    with ExitStack() as stack:
        for name in _RANDOM_DRAWS:
            stack.enter_context(mock.patch(name, draw))
        yield


def draw_order(scheduler: Scheduler, steps: int, noises: torch.Tensor | None) -> Iterator[torch.Tensor]:
    """The draws of `noises` [N, 2, ...] as the published scheduler asks for them: twice in the middle steps."""
    if noises is None:
        return
    scheduler.set_timesteps(steps)
    for i, timestep in enumerate(scheduler.timesteps.tolist()):
        yield noises[i, 0]
        if i > 0 and timestep - scheduler.config.num_train_timesteps // steps >= 0:
            yield noises[i, 1]


def rotary(
    transformer: CogVideoXTransformer3DModel, frames: int, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The tables for latents of this size, by the pipeline's own method."""
    if not transformer.config.use_rotary_positional_embeddings:
        return None
    pipeline = SimpleNamespace(transformer=transformer, vae_scale_factor_spatial=8)
    prepare: Any = CogVideoXPipeline._prepare_rotary_positional_embeddings
    return prepare(pipeline, 8 * height, 8 * width, frames, torch.device("cpu"))


@torch.no_grad()
def predict(
    transformer: CogVideoXTransformer3DModel,
    hidden_states: torch.Tensor,
    encoder_hidden_states: torch.Tensor,
    timestep: torch.Tensor,
    ofs: torch.Tensor | None = None,
) -> torch.Tensor:
    """One call of the transformer in its own dtype."""
    dtype = transformer.dtype
    if ofs is None and transformer.config.ofs_embed_dim is not None:
        ofs = torch.full((1,), OFS)
    _, frames, _, height, width = hidden_states.shape
    return transformer(
        hidden_states=hidden_states.to(dtype),
        encoder_hidden_states=encoder_hidden_states.to(dtype),
        timestep=timestep,
        ofs=None if ofs is None else ofs.to(dtype),
        image_rotary_emb=rotary(transformer, frames, height, width),
        return_dict=False,
    )[0]


def sample_chain(
    scheduler: Scheduler,
    steps: int,
    sample: torch.Tensor,
    model_outputs: torch.Tensor,
    noises: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The timesteps and the sample after each step, rounded to the sample's dtype every time as the pipelines do."""
    scheduler.set_timesteps(steps)
    timesteps = scheduler.timesteps
    stepper = Stepper(scheduler)
    samples = []
    with given_draws(draw_order(scheduler, steps, noises)):
        for i in range(len(timesteps)):
            sample = stepper.step(i, model_outputs[i], sample)
            samples.append(sample)
    return timesteps, torch.stack(samples)


class Stepper:
    """One interface to the two published step functions; remembers the previous x0 for the second-order one."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._previous: torch.Tensor | None = None

    def step(self, i: int, output: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        scheduler = self._scheduler
        timestep = scheduler.timesteps[i]
        if isinstance(scheduler, CogVideoXDPMScheduler):
            back = scheduler.timesteps[i - 1] if i > 0 else None
            after, self._previous = scheduler.step(output, self._previous, timestep, back, sample, return_dict=False)
        else:
            after = scheduler.step(output, timestep, sample, return_dict=False)[0]
        return after.to(sample.dtype)
