"""Calls of good models that must be refused: inputs that are missing or misshapen, impossible options, wrong usage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.parity import adapter_files, fill, mirror_models, refusal
from tests.parity.case import Case, Context
from tests.parity.comparison import Row, Subject
from tests.parity.stage_text import tokenizer_folder

Tensors = dict[str, torch.Tensor]
FP32 = torch.float32


@dataclass(frozen=True)
class Good:
    """A call that succeeds: the folder, the inputs and the options to start from."""

    stage: str
    folder: Callable[[Context], Path]
    shapes: Mapping[str, Sequence[int]]
    options: Sequence[str] = ()
    adapter: bool = False

    def inputs(self) -> Tensors:
        integers = {
            "timestep": torch.tensor([500]),
            "identity_mask": torch.tensor([[0, 1, 1] + [0] * 13]),
            "adapter_mask": torch.tensor([1]),
            "input_ids": torch.arange(6)[None],
        }
        return {
            name: integers[name] if name in integers else fill.tensor(f"input.{name}", shape, offset=0.5, scale=0.5)
            for name, shape in self.shapes.items()
        }


def _transformer(layout: str) -> Callable[[Context], Path]:
    return lambda context: context.store.transformer(layout)


def _mirror(context: Context) -> Path:
    return mirror_models.folder(context.store, "tiny", FP32)


_LATENTS = (1, 2, 4, 4, 4)
_CLIP = (1, 17, 32)
GOOD: Mapping[str, Good] = {
    "transformer": Good(
        "transformer",
        _transformer("5b"),
        {"hidden_states": _LATENTS, "encoder_hidden_states": (1, 8, 8), "timestep": (1,)},
    ),
    "vae-encode": Good("vae-encode", lambda c: c.store.vae("plain"), {"sample": (1, 3, 1, 16, 16)}),
    "vae-decode": Good("vae-decode", lambda c: c.store.vae("plain"), {"latents": (1, 4, 1, 2, 2)}),
    "t5": Good("t5", lambda c: c.store.t5(), {"input_ids": (1, 6)}),
    "scheduler": Good(
        "scheduler",
        lambda c: c.store.scheduler(1.0),
        {"sample": _LATENTS, "model_outputs": (2, *_LATENTS), "noises": (2, 2, *_LATENTS)},
        ("--steps", "2"),
    ),
    "t2v": Good(
        "t2v",
        _mirror,
        {
            "latents": _LATENTS,
            "prompt_embeds": (1, 16, 48),
            "negative_prompt_embeds": (1, 16, 48),
            "noises": (2, 2, *_LATENTS),
        },
        ("--steps", "2"),
    ),
    "clip-vision": Good("clip-vision", _mirror, {"pixel_values": (1, 3, 32, 32)}),
    "perceiver-id": Good("perceiver-id", _mirror, {"face_embedding": (1, 16), "last_hidden_state": _CLIP}),
    "perceiver-face": Good("perceiver-face", _mirror, {"penultimate": _CLIP}, adapter=True),
    "fuse": Good(
        "fuse",
        _mirror,
        {"prompt_embeds": (1, 16, 48), "id_embeds": (1, 2, 32), "identity_mask": (1, 16)},
        adapter=True,
    ),
    "can": Good("can", _mirror, {"id_embeds": (1, 2, 32), "temb": (2, 32)}, adapter=True),
    "mm-transformer": Good(
        "mm-transformer",
        _mirror,
        {
            "hidden_states": _LATENTS,
            "encoder_hidden_states": (1, 16, 48),
            "timestep": (1,),
            "id_embeds": (1, 2, 32),
            "face_tokens": (1, 4, 64),
            "adapter_mask": (1,),
        },
        adapter=True,
    ),
    "mm-t2v": Good(
        "mm-t2v",
        _mirror,
        {
            "latents": _LATENTS,
            "prompt_embeds": (1, 16, 48),
            "negative_prompt_embeds": (1, 16, 48),
            "id_embeds": (1, 2, 32),
            "face_tokens": (1, 4, 64),
            "noises": (2, 2, *_LATENTS),
        },
        ("--steps", "2"),
        adapter=True,
    ),
}
# `t2v` stops after the loop without a VAE, so here it is refused for the folder and used for its inputs alone.
_NEEDS_NOTHING_ELSE = [stage for stage in GOOD if stage != "t2v"]
_OPTIONAL = {"adapter_mask"}


@dataclass(frozen=True)
class Bad:
    """One change to a good call and the names of which the answer must hold one."""

    stage: str
    label: str
    names: Sequence[str]
    replace: Mapping[str, torch.Tensor] | None = None
    options: Sequence[str] = ()
    code: int = 1


BAD = (
    Bad("mm-transformer", "7 face rows", ("face_tokens",), {"face_tokens": torch.ones(1, 7, 64)}),
    Bad("mm-transformer", "8 face rows of 1 reference", ("face_tokens",), {"face_tokens": torch.ones(1, 8, 64)}),
    Bad("mm-transformer", "mask of another length", ("adapter_mask",), {"adapter_mask": torch.tensor([1, 0])}),
    Bad("mm-transformer", "3 identity tokens", ("id_embeds",), {"id_embeds": torch.ones(1, 3, 32)}),
    Bad("mm-transformer", "odd latent height", ("hidden_states",), {"hidden_states": torch.ones(1, 2, 4, 5, 4)}),
    Bad("mm-transformer", "5 channels", ("hidden_states",), {"hidden_states": torch.ones(1, 2, 5, 4, 4)}),
    Bad("transformer", "floating timestep", ("timestep",), {"timestep": torch.tensor([1.5])}),
    Bad("transformer", "two rows of text", ("encoder_hidden_states",), {"encoder_hidden_states": torch.ones(2, 8, 8)}),
    Bad("vae-encode", "17 pixels", ("sample",), {"sample": torch.ones(1, 3, 1, 17, 16)}),
    Bad("vae-encode", "a sliver of a tile", ("tiling",), {"sample": torch.ones(1, 3, 1, 32, 40)}, ("--tiling",)),
    Bad("transformer", "no text", ("encoder_hidden_states",), {"encoder_hidden_states": torch.ones(1, 0, 8)}),
    Bad("vae-decode", "5 channels", ("latents",), {"latents": torch.ones(1, 5, 1, 2, 2)}),
    Bad("t5", "floating ids", ("input_ids",), {"input_ids": torch.ones(1, 4)}),
    Bad("t5", "an id beyond the vocabulary", ("input_ids",), {"input_ids": torch.tensor([[3, 64]])}),
    Bad("t5", "a negative id", ("input_ids",), {"input_ids": torch.tensor([[-1]])}),
    Bad("clip-vision", "larger picture", ("pixel_values",), {"pixel_values": torch.ones(1, 3, 40, 40)}),
    Bad(
        "perceiver-id",
        "other references",
        ("last_hidden_state", "face_embedding"),
        {"last_hidden_state": torch.ones(2, 17, 32)},
    ),
    Bad("fuse", "one mark", ("identity_mask",), {"identity_mask": torch.eye(1, 16, dtype=torch.int64)}),
    Bad("fuse", "a mark of 2", ("identity_mask",), {"identity_mask": 2 * torch.eye(1, 16, dtype=torch.int64)}),
    Bad("fuse", "17 positions", ("identity_mask",), {"identity_mask": torch.zeros(1, 17, dtype=torch.int64)}),
    Bad("mm-t2v", "one step of noise", ("noises",), {"noises": torch.ones(1, 2, *_LATENTS)}),
    Bad("mm-t2v", "no plain prompt", ("plain_prompt_embeds",), None, ("--set", "start_merge_step=1")),
    *(
        Bad(stage, f"--steps {steps}", ("steps",), None, ("--steps", steps))
        for stage in ("scheduler", "mm-t2v")
        for steps in ("0", "-1", "61", "122", "1001")
    ),
    Bad("mm-t2v", "--guidance nan", ("guidance",), None, ("--guidance", "nan")),
    Bad("mm-t2v", "--guidance inf", ("guidance",), None, ("--guidance", "inf")),
    Bad("mm-t2v", "--guidance six", ("guidance",), None, ("--guidance", "six"), 2),
    Bad("scheduler", "--steps few", ("steps",), None, ("--steps", "few"), 2),
    Bad("scheduler", "--sampler euler", ("sampler",), None, ("--sampler", "euler"), 2),
    Bad("transformer", "--dtype fp8", ("dtype",), None, ("--dtype", "fp8"), 2),
    Bad("transformer", "unknown option", ("turbo",), None, ("--turbo",), 2),
    Bad("transformer", "a word too many", ("surplus",), None, ("surplus",), 2),
    Bad("perceiver-face", "--set without a value", ("set", "face_scale"), None, ("--set", "face_scale"), 2),
)


def _adapter_options(good: Good, context: Context) -> list[str]:
    if not good.adapter:
        return []
    place = context.store.folder("good-adapter", lambda path: adapter_files.make().save(path / "good.safetensors"))
    return ["--adapter", str(place / "good.safetensors")]


def _named(subject: Subject, label: str) -> Subject:
    return Subject(subject.stage, f"{subject.case}: {label}", subject.dtype)


def _check_inputs(good: Good, context: Context, subject: Subject) -> Iterable[Row]:
    """The good call with one tensor more; then without each tensor, and with one dimension too many in each."""
    folder, options = good.folder(context), [*_adapter_options(good, context), *good.options]
    inputs = good.inputs()
    if good.stage in _NEEDS_NOTHING_ELSE:
        surplus = inputs | {"not_an_input": torch.ones(2)}
        outcome = context.program.stage(good.stage, folder, surplus, options)
        yield refusal.accepted(_named(subject, "a tensor too many"), outcome)
    for name in inputs:
        if name not in _OPTIONAL:
            less = {key: value for key, value in inputs.items() if key != name}
            outcome = context.program.stage(good.stage, folder, less, options)
            yield refusal.judge(_named(subject, f"no {name}"), outcome, (name,))
        deeper = inputs | {name: inputs[name][..., None].contiguous()}
        outcome = context.program.stage(good.stage, folder, deeper, options)
        yield refusal.judge(_named(subject, f"{name} with a dimension more"), outcome, (name,))


def _check_bad(bad: Bad, context: Context, subject: Subject) -> Iterable[Row]:
    good = GOOD[bad.stage]
    inputs = good.inputs() | dict(bad.replace or {})
    options = [*_adapter_options(good, context), *good.options, *bad.options]
    if "--steps" in bad.options:
        options = [*_adapter_options(good, context), *bad.options]
    outcome = context.program.stage(bad.stage, good.folder(context), inputs, options)
    yield refusal.judge(subject, outcome, bad.names, bad.code)


def _check_usage(context: Context, subject: Subject) -> Iterable[Row]:
    good = GOOD["transformer"]
    folder, inputs = good.folder(context), good.inputs()
    stage = context.program.stage

    def named(label: str) -> Subject:
        return _named(subject, label)

    yield refusal.judge(named("unknown stage"), stage("transform", folder, inputs), ("transform",), 2)
    yield refusal.judge(named("no --model"), stage("transformer", None, inputs), ("model",), 2)
    yield refusal.judge(named("no --inputs"), stage("transformer", folder), ("inputs",), 2)
    yield refusal.judge(named("no --text"), stage("tokenize", tokenizer_folder(context)), ("text",), 2)
    face = GOOD["perceiver-face"]
    yield refusal.judge(
        named("no --adapter"), stage("perceiver-face", face.folder(context), face.inputs()), ("adapter",), 2
    )
    nowhere = folder / "nowhere"
    yield refusal.judge(named("no such folder"), stage("transformer", nowhere, inputs), ("nowhere",))
    yield refusal.judge(
        named("folder without the part"), stage("vae-decode", folder, {"latents": torch.ones(1, 4, 1, 2, 2)}), ("vae",)
    )
    absent = stage("transformer", folder, None, ["--inputs", str(folder / "absent.safetensors")])
    yield refusal.judge(named("no such inputs file"), absent, ("absent.safetensors",))


def _check_same_bytes(context: Context, subject: Subject) -> Iterable[Row]:
    """The same command gives the same numbers."""
    good = GOOD["mm-t2v"]
    options = [*_adapter_options(good, context), *good.options, "--dtype", "bf16"]
    first, second = (context.program.outputs(good.stage, good.folder(context), good.inputs(), options) for _ in "ab")
    same = first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    yield subject.ok("latents", "equal") if same else subject.fail("latents", "two runs differ")


def cases() -> list[Case]:
    def case(label: str, check: Callable[[Context, Subject], Iterable[Row]]) -> Case:
        return Case(Subject("refusal", label, "-"), check)

    return [
        *(case(f"input of {stage}", lambda c, s, good=good: _check_inputs(good, c, s)) for stage, good in GOOD.items()),
        *(case(f"{bad.stage}: {bad.label}", lambda c, s, bad=bad: _check_bad(bad, c, s)) for bad in BAD),
        case("usage", _check_usage),
        case("the same twice", _check_same_bytes),
    ]
