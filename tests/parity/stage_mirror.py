"""Stages `mm-transformer` and `mm-t2v` against the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKLCogVideoX

from tests.parity import checkpoints, fill
from tests.parity.case import DTYPES, Case, Context
from tests.parity.comparison import Row, Subject, equal, joined, judged
from tests.parity.mirror_models import Reference
from tests.parity.mirror_reference import Denoising, Person, Prompts, Sampling
from tests.parity.stage_features import Setting, Tensors, bench, id_embeds
from tests.parity.stage_pipelines import GENERATIONS

STEP_TOLERANCE = 2e-5
LOOP_TOLERANCE = 1e-3
_NO_FACE = {"face_in_sa": "off", "face_in_ca": "off"}


@dataclass(frozen=True)
class Forward:
    """One call of the adapted transformer."""

    setting: Setting
    frames: int = 2
    height: int = 4
    width: int = 6
    mask: Sequence[int] | None = None

    @property
    def rows(self) -> int:
        return self.setting.rows


def _given(switch: str, value: str | float, **others: str | float) -> Forward:
    given = {switch: value, **others}
    return Forward(Setting(" ".join(f"{name}={chosen}" for name, chosen in given.items()), given, references=2))


def _filed(switch: str, value: str | int) -> Forward:
    return Forward(Setting(f"{switch}={value}", filed={switch: value}))


FORWARDS = (
    Forward(Setting("defaults")),
    Forward(Setting("defaults, two references", references=2)),
    Forward(Setting("defaults, odd sizes", preset="odd", references=3, rows=1), frames=3, height=6),
    Forward(Setting("one frame", rows=1), frames=1, height=8, width=4),
    Forward(Setting("mask 0 1"), mask=(0, 1)),
    Forward(Setting("mask 1 1"), mask=(1, 1)),
    Forward(Setting("mask 0 0"), mask=(0, 0)),
    Forward(Setting("mask 1 0 1", rows=3, references=2), mask=(1, 0, 1)),
    _given("face_in_sa", "off"),
    _given("face_in_ca", "off"),
    _given("can", "off"),
    _given("phi_face", "off", face_in_sa="off"),
    _given("face_stream", "fresh"),
    _given("can_mode", "direct"),
    _given("ca_query", "post_rope"),
    _given("ca_key_norm", "none"),
    _given("ca_input", "raw"),
    _given("ca_targets", "video"),
    _given("ca_merge", "post_out"),
    _given("multi_ref_face", "mean"),
    *(_given(scale, value) for scale in ("face_scale", "can_scale", "sa_scale") for value in (0, 0.5)),
    _given("sa_scale", 2.5),
    _given("can_scale", 0.5, can_mode="direct"),
    Forward(Setting("all scales 0", given={"face_scale": 0, "can_scale": 0, "sa_scale": 0})),
    Forward(Setting("nothing of the face", given=_NO_FACE | {"can": "off", "phi_face": "off"})),
    Forward(Setting("normalisation alone", given=_NO_FACE | {"phi_face": "off"})),
    Forward(Setting("raw, video, post_out", given={"ca_input": "raw", "ca_targets": "video", "ca_merge": "post_out"})),
    Forward(Setting("fresh, no joint attention", given={"face_stream": "fresh", "face_in_sa": "off"})),
    _filed("ca_key_norm", "own"),
    _filed("phi_face_hidden", 24),
    _filed("face_ln", "own"),
    _filed("face_rope", "learned_pos"),
    _filed("adapter_layers", "all"),
    Forward(
        Setting(
            "many at once, odd sizes",
            preset="odd",
            references=2,
            filed={"adapter_layers": "all", "face_ln": "own", "ca_key_norm": "own", "phi_face_hidden": 7},
            given={"ca_query": "post_rope", "sa_scale": 0.3, "face_scale": 0.8, "can_scale": 1.5},
        )
    ),
)


def _face_tokens(setting: Setting) -> torch.Tensor:
    count = setting.sizes.perceiver_face.tokens
    if setting.given.get("multi_ref_face") != "mean":
        count *= setting.references
    return fill.tensor("input.face_tokens", (1, count, setting.sizes.dit.width))


def forward_inputs(forward: Forward) -> Tensors:
    setting, dit = forward.setting, forward.setting.sizes.dit
    size = (forward.rows, forward.frames, dit.in_channels, forward.height, forward.width)
    text = (forward.rows, dit.max_text_seq_length, dit.text_embed_dim)
    inputs = {
        "hidden_states": fill.tensor("input.hidden_states", size),
        "encoder_hidden_states": fill.tensor("input.encoder_hidden_states", text),
        "timestep": torch.tensor([999, 421, 60][: forward.rows]),
    }
    if setting.given.get("can") != "off":
        inputs["id_embeds"] = id_embeds(setting)
    if not _NO_FACE.items() <= setting.given.items():
        inputs["face_tokens"] = _face_tokens(setting)
    if forward.mask is not None:
        inputs["adapter_mask"] = torch.tensor(forward.mask)
    return inputs


def _predicted(reference: Reference, inputs: Tensors) -> Tensors:
    person = Person(inputs.get("id_embeds"), inputs.get("face_tokens"))
    rest = {name: value for name, value in inputs.items() if name not in ("id_embeds", "face_tokens")}
    return {"sample": reference.mirror.predict(person, **rest)}


def _rounded(inputs: Tensors, dtype: torch.dtype) -> Tensors:
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}


def check_forward(forward: Forward, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    ready = bench(forward.setting, context, dtype)
    inputs = _rounded(forward_inputs(forward), dtype)
    options = [*ready.options, "--dtype", subject.dtype]
    got = context.program.outputs("mm-transformer", ready.folder, inputs, options)
    exact = _predicted(ready.reference(torch.float32), inputs)
    published = exact if dtype == torch.float32 else _predicted(ready.reference(dtype), inputs)
    yield from judged(subject, got, exact, published, STEP_TOLERANCE)
    if forward.setting.name in ("all scales 0", "nothing of the face", "mask 0 0"):
        base = context.program.outputs("transformer", ready.folder, inputs, ["--dtype", subject.dtype])
        yield equal(subject, "sample as the base model", got.get("sample"), base["sample"])


@dataclass(frozen=True)
class Loop:
    """One whole generation."""

    setting: Setting
    sampler: str = "dpm"
    steps: int = 4
    guidance: float = 6.0
    dynamic: bool = False
    frames: int = 2
    vae: bool = False
    tolerance: float = LOOP_TOLERANCE

    @property
    def merge_step(self) -> int:
        return int(self.setting.given.get("start_merge_step", 0))


LOOPS = (
    Loop(Setting("dpm dynamic, two references", references=2), dynamic=True),
    Loop(Setting("ddim"), sampler="ddim", steps=3),
    Loop(Setting("cfg_uncond_face=keep", given={"cfg_uncond_face": "keep"})),
    Loop(Setting("start_merge_step=2", given={"start_merge_step": 2}), steps=5, dynamic=True),
    Loop(Setting("start_merge_step past the end", given={"start_merge_step": 9}), steps=2),
    Loop(Setting("no guidance, one frame"), guidance=1.0, frames=1),
    Loop(Setting("keep, strength 0.6", given={"cfg_uncond_face": "keep", "face_scale": 0.6, "sa_scale": 0.6})),
    Loop(Setting("with frames", preset="odd"), sampler="ddim", steps=2, frames=3, vae=True),
)


def loop_inputs(loop: Loop, generation: int) -> Tensors:
    setting, dit = loop.setting, loop.setting.sizes.dit
    size = (1, loop.frames, dit.in_channels, 4, 6)
    text = (1, dit.max_text_seq_length, dit.text_embed_dim)
    inputs = {
        "latents": fill.tensor(f"input.latents.{generation}", size),
        "prompt_embeds": fill.tensor("input.prompt_embeds", text),
        "id_embeds": id_embeds(setting),
        "face_tokens": _face_tokens(setting),
    }
    if loop.guidance > 1:
        inputs["negative_prompt_embeds"] = fill.tensor("input.negative_prompt_embeds", text)
    if loop.merge_step > 0:
        inputs["plain_prompt_embeds"] = fill.tensor("input.plain_prompt_embeds", text)
    if loop.sampler == "dpm":
        inputs["noises"] = fill.tensor(f"noises.{generation}", (loop.steps, 2, *size))
    return inputs


def _denoised(loop: Loop, reference: Reference, given: Tensors) -> Tensors:
    inputs = {name: value.to(reference.dtype) for name, value in given.items()}
    denoising = Denoising(
        reference.mirror,
        Person(inputs["id_embeds"], inputs["face_tokens"]),
        Prompts(inputs["prompt_embeds"], inputs.get("negative_prompt_embeds"), inputs.get("plain_prompt_embeds")),
        Sampling(checkpoints.scheduler(loop.sampler), loop.steps, loop.guidance, loop.dynamic),
    )
    latents = denoising.run(inputs["latents"], inputs.get("noises"))
    return {"latents": latents} | ({"frames": _frames(reference, latents)} if loop.vae else {})


@torch.no_grad()
def _frames(reference: Reference, latents: torch.Tensor) -> torch.Tensor:
    vae = AutoencoderKLCogVideoX.from_pretrained(reference.path, subfolder="vae", torch_dtype=reference.dtype).eval()
    video = vae.decode(1 / vae.config.scaling_factor * latents.permute(0, 2, 1, 3, 4)).sample
    return (video[0].permute(1, 0, 2, 3) * 0.5 + 0.5).clamp(0, 1)


def _loop_folder(loop: Loop, plain: Path, context: Context, dtype: torch.dtype) -> Path:
    """The model folder, with a VAE beside the rest if frames are wanted."""
    if not loop.vae:
        return plain

    def write(path: Path) -> None:
        for part in plain.iterdir():
            (path / part.name).symlink_to(part)
        checkpoints.vae("plain").to(dtype).save_pretrained(path / "vae")

    return context.store.folder(f"{plain.name}-vae", write)


def check_loop(loop: Loop, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    ready = bench(loop.setting, context, dtype)
    folder = _loop_folder(loop, ready.folder, context, dtype)
    given = [_rounded(loop_inputs(loop, generation), dtype) for generation in range(GENERATIONS[subject.dtype])]
    options = [*ready.options, "--dtype", subject.dtype, "--sampler", loop.sampler, "--steps", str(loop.steps)]
    options += ["--guidance", str(loop.guidance), *(["--dynamic-cfg"] if loop.dynamic else [])]

    def reference(precision: torch.dtype) -> Tensors:
        return joined(_denoised(loop, Reference(folder, ready.adapter, precision), inputs) for inputs in given)

    got = joined(context.program.outputs("mm-t2v", folder, inputs, options) for inputs in given)
    exact = reference(torch.float32)
    yield from judged(subject, got, exact, exact if dtype == torch.float32 else reference(dtype), loop.tolerance)


def cases() -> list[Case]:
    return [
        *(
            Case(
                Subject("mm-transformer", item.setting.name, dtype), lambda c, s, item=item: check_forward(item, c, s)
            )
            for item in FORWARDS
            for dtype in DTYPES
        ),
        *(
            Case(Subject("mm-t2v", item.setting.name, dtype), lambda c, s, item=item: check_loop(item, c, s))
            for item in LOOPS
            for dtype in DTYPES
        ),
    ]
