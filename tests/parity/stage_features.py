"""Stages `clip-vision`, `perceiver-id`, `perceiver-face`, `fuse` and `can` against the reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from tests.parity import adapter_files, fill, mirror_models
from tests.parity.adapter_files import Adapter, Sizes, Switch
from tests.parity.case import DTYPES, STORED, Case, Context
from tests.parity.comparison import Row, Subject, equal, judged
from tests.parity.mirror_models import Reference

TOLERANCE = 2e-5
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Setting:
    """What is switched, where, and for how many references and rows."""

    name: str
    given: Mapping[str, Switch] = field(default_factory=dict)  # By --set.
    filed: Mapping[str, Switch] = field(default_factory=dict)  # In the file, with the tensors they ask for.
    preset: str = "tiny"
    references: int = 1
    rows: int = 2
    prefixed: bool = False
    adapter: bool = True
    sharded: bool = False  # Every file of the folder that can be, and the adapter.
    stored: str | None = None  # The dtype on disk, if it is not that of the run.

    @property
    def sizes(self) -> Sizes:
        return adapter_files.PRESETS[self.preset]

    @property
    def options(self) -> list[str]:
        return [word for name, value in self.given.items() for word in ("--set", f"{name}={value}")]


@dataclass
class Bench:
    """One setting made ready: the folder, the adapter file, and the adapter as the overrides leave it."""

    setting: Setting
    folder: Path
    plain_folder: Path  # The same numbers under the names that the published classes write today.
    file: Path
    adapter: Adapter

    def reference(self, dtype: torch.dtype) -> Reference:
        return Reference(self.plain_folder, self.adapter, dtype)

    @property
    def options(self) -> list[str]:
        adapter = ["--adapter", str(self.file)] if self.setting.adapter else []
        return [*adapter, *self.setting.options]


def bench(setting: Setting, context: Context, dtype: torch.dtype) -> Bench:
    stored = STORED[setting.stored] if setting.stored else dtype
    shard = "20KB" if setting.sharded else "10GB"
    folder = mirror_models.folder(context.store, setting.preset, stored, setting.prefixed, shard)
    plain_folder = mirror_models.folder(context.store, setting.preset, stored)
    adapter = adapter_files.make(setting.sizes, setting.filed, stored)
    label = "-".join([setting.preset, str(stored), shard, *(f"{k}={v}" for k, v in setting.filed.items())])
    save = partial(_save_adapter, adapter, setting.sharded)
    file = context.store.folder(f"adapter-{label}", save) / _ADAPTER_FILES[setting.sharded]
    adapter = adapter.load(file)
    adapter.switches = {**setting.filed, **setting.given}
    return Bench(setting, folder, plain_folder, file, adapter)


_ADAPTER_FILES = {False: "adapter.safetensors", True: "adapter.safetensors.index.json"}


def _save_adapter(adapter: Adapter, sharded: bool, place: Path) -> None:
    if sharded:
        adapter.save_sharded(place, "adapter")
    else:
        adapter.save(place / _ADAPTER_FILES[False])


def _pixels(setting: Setting) -> Tensors:
    side = setting.sizes.clip_vision.image_size
    return {"pixel_values": fill.tensor("input.pixel_values", (setting.references, 3, side, side))}


def _clip_tokens(setting: Setting, name: str) -> torch.Tensor:
    clip = setting.sizes.clip_vision
    return fill.tensor(f"input.{name}", (setting.references, clip.tokens, clip.hidden_size))


def id_embeds(setting: Setting) -> torch.Tensor:
    part = setting.sizes.perceiver_id
    return fill.tensor("input.id_embeds", (setting.references, part.tokens, part.width))


def _identity_inputs(setting: Setting) -> Tensors:
    tap = "penultimate" if setting.filed.get("id_vit_layer") == -2 else "last_hidden_state"
    embedding = fill.tensor("input.face_embedding", (setting.references, setting.sizes.perceiver_id.id_dim), scale=5.0)
    return {"face_embedding": embedding, tap: _clip_tokens(setting, tap)}


def _face_inputs(setting: Setting) -> Tensors:
    last = {**setting.filed, **setting.given}.get("face_vit_layer") == -1
    tap = "last_hidden_state" if last else "penultimate"
    return {tap: _clip_tokens(setting, tap)}


def _fuse_inputs(setting: Setting) -> Tensors:
    dit = setting.sizes.dit
    marks = setting.sizes.perceiver_id.tokens * setting.references
    if setting.given.get("multi_ref_text") == "mean":
        marks = setting.sizes.perceiver_id.tokens
    mask = torch.zeros(1, dit.max_text_seq_length, dtype=torch.int64)
    if setting.name == "apart":
        mask[0, 1 : 1 + 3 * marks : 3] = 1
    elif setting.name != "nothing marked":
        mask[0, 2 : 2 + marks] = 1
    return {
        "prompt_embeds": fill.tensor(
            "input.prompt_embeds", (1, dit.max_text_seq_length, dit.text_embed_dim), scale=0.3
        ),
        "id_embeds": id_embeds(setting),
        "identity_mask": mask,
    }


def _can_inputs(setting: Setting) -> Tensors:
    inputs = {"temb": fill.tensor("input.temb", (setting.rows, setting.sizes.dit.time_embed_dim), scale=1.0)}
    if setting.given.get("can") != "off":
        inputs["id_embeds"] = id_embeds(setting)
    return inputs


INPUTS = {
    "clip-vision": _pixels,
    "perceiver-id": _identity_inputs,
    "perceiver-face": _face_inputs,
    "fuse": _fuse_inputs,
    "can": _can_inputs,
}


def _expected(stage: str, reference: Reference, inputs: Tensors) -> Tensors:
    if stage == "clip-vision":
        return reference.clip_vision(inputs["pixel_values"])
    if stage == "perceiver-id":
        embedding, tokens = inputs.values()
        return {"id_embeds": reference.perceiver_id(embedding, tokens)}
    if stage == "perceiver-face":
        (tokens,) = inputs.values()
        return {"face_tokens": reference.perceiver_face(tokens)}
    if stage == "fuse":
        return {"prompt_embeds": reference.fuse(*inputs.values())}
    return reference.can(inputs.get("id_embeds"), inputs["temb"])


def check(setting: Setting, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    ready = bench(setting, context, dtype)
    inputs = {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in INPUTS[subject.stage](setting).items()
    }
    options = [*ready.options, "--dtype", subject.dtype]
    got = context.program.outputs(subject.stage, ready.folder, inputs, options)
    exact = _expected(subject.stage, ready.reference(torch.float32), inputs)
    published = exact if dtype == torch.float32 else _expected(subject.stage, ready.reference(dtype), inputs)
    yield from judged(subject, got, exact, published, TOLERANCE)
    if subject.stage == "fuse" and dtype == torch.float32 and "prompt_embeds" in got:
        kept = inputs["identity_mask"][0] == 0
        yield equal(subject, "unmarked rows", got["prompt_embeds"][:, kept], inputs["prompt_embeds"][:, kept])


_TWO_OFF = {"phi_face": "off", "face_in_sa": "off"}
SETTINGS: Mapping[str, Sequence[Setting]] = {
    "clip-vision": (
        Setting("tiny", adapter=False),
        Setting("two pictures, names with prefix", adapter=False, references=2, prefixed=True),
        Setting("odd sizes", preset="odd", references=3, adapter=False),
    ),
    "perceiver-id": (
        Setting("tiny", adapter=False),
        Setting("two references", references=2),
        Setting("odd sizes", preset="odd", references=3),
        Setting("id_vit_layer=-2", filed={"id_vit_layer": -2}),
    ),
    "perceiver-face": (
        Setting("tiny"),
        Setting("two references", references=2),
        Setting("odd sizes", preset="odd", references=3),
        Setting("multi_ref_face=mean", given={"multi_ref_face": "mean"}, references=3),
        Setting("face_rope=learned_pos", filed={"face_rope": "learned_pos"}, references=2),
        Setting("mean of learned_pos", filed={"face_rope": "learned_pos", "multi_ref_face": "mean"}, references=2),
        Setting("face_vit_layer=-1", given={"face_vit_layer": -1}),
    ),
    "fuse": (
        Setting("tiny"),
        Setting("two references", references=2),
        Setting("apart", references=2),
        Setting("nothing marked"),
        Setting("odd sizes", preset="odd", references=2),
        Setting("multi_ref_text=mean", given={"multi_ref_text": "mean"}, references=3),
        Setting("text_fuse=off", given={"text_fuse": "off"}),
        Setting("fuse_out_norm=layernorm", filed={"fuse_out_norm": "layernorm"}),
        Setting("fuse_out_norm=layernorm_t5scale", filed={"fuse_out_norm": "layernorm_t5scale"}),
    ),
    "can": (
        Setting("tiny"),
        Setting("one row, two references", references=2, rows=1),
        Setting("odd sizes", preset="odd", references=3, rows=3),
        Setting("can=off", given={"can": "off"}),
        Setting("can_mode=direct, 0.25", given={"can_mode": "direct", "can_scale": 0.25}),
        Setting("can_scale=0", given={"can_scale": 0}),
        Setting("can_scale=-0.5", given={"can_scale": -0.5}),
        Setting("phi_face=off", given=_TWO_OFF),
        Setting("phi_face_hidden=24", filed={"phi_face_hidden": 24}),
        Setting("adapter_layers=all", filed={"adapter_layers": "all"}),
    ),
}


def _check_bundled(stage: str, sharded: bool, context: Context, subject: Subject) -> Iterable[Row]:
    """Frozen parts in the adapter win over those of the folder, which hold other numbers."""
    setting = Setting("bundled", references=2)
    folder = mirror_models.folder(context.store, "tiny", torch.float32)
    other = context.store.folder("mirror-other", lambda path: mirror_models.write_frozen(setting.sizes, path))
    adapter = adapter_files.make(setting.sizes)
    adapter.tensors |= mirror_models.frozen_tensors(other)
    place = context.store.folder(f"bundled-{stage}", lambda path: None)
    file = adapter.save_sharded(place, "bundle") if sharded else adapter.save(place / "bundle.safetensors")
    inputs = INPUTS[stage](setting)
    got = context.program.outputs(stage, folder, inputs, ["--adapter", str(file)])
    want = _expected(stage, Reference(other, adapter, torch.float32), inputs)
    yield from judged(subject, got, want, want, TOLERANCE)


def cases() -> list[Case]:
    result = [
        Case(Subject(stage, setting.name, dtype), lambda c, s, setting=setting: check(setting, c, s))
        for stage, settings in SETTINGS.items()
        for setting in settings
        for dtype in DTYPES
    ]
    for stage, sharded in (("clip-vision", False), ("perceiver-id", True)):
        name = "bundled in shards" if sharded else "bundled"
        result.append(
            Case(
                Subject(stage, name),
                lambda c, s, stage=stage, sharded=sharded: _check_bundled(stage, sharded, c, s),
            )
        )
    return result
