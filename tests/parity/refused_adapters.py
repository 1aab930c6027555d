"""Adapter files that must be refused, each with the name that the message must hold, and a few that must not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tests.parity import adapter_files, fill, mirror_models, refusal
from tests.parity.adapter_files import Adapter
from tests.parity.case import Case, Context
from tests.parity.comparison import Row, Subject
from tests.parity.program import Outcome
from tests.parity.stage_features import Setting
from tests.parity.stage_mirror import Forward, forward_inputs

Change = Callable[[Adapter], object]
SHAPED = "perceiver_face.layers.0.ff.fc1.weight"


@dataclass(frozen=True)
class Broken:
    """A change to a good adapter; the answer names one of `names`, or is a success if there are none."""

    label: str
    change: Change
    names: Sequence[str] = ()
    options: Sequence[str] = ()
    warning: str = ""


def _metadata(field: str, value: str | None, *names: str) -> Broken:
    def change(adapter: Adapter) -> None:
        if value is None:
            adapter.metadata.pop(field)
        else:
            adapter.metadata[field] = value

    label = f"{field} missing" if value is None else f"{field}={value[:24]}"
    return Broken(label, change, names or (field,))


def _config(path: str, value: Any, *names: str) -> Broken:
    """Sets a key of the config, or removes it if the value is None."""
    *parents, last = path.split(".")

    def change(adapter: Adapter) -> None:
        part = adapter.config
        for name in parents:
            part = part[name]
        if value is None:
            part.pop(last)
        else:
            part[last] = value

    return Broken(f"config {path} {'missing' if value is None else value!r}", change, names or (path,))


def _switch(name: str, value: Any) -> Broken:
    return _config(f"switches.{name}", value, name)


def _tensor(label: str, name: str, value: torch.Tensor | None, *names: str) -> Broken:
    def change(adapter: Adapter) -> None:
        if value is None:
            adapter.tensors.pop(name)
        else:
            adapter.tensors[name] = value

    return Broken(label, change, names or (name,))


def _raw_config(text: str) -> Broken:
    def change(adapter: Adapter) -> None:
        adapter.config = {}
        adapter.metadata["config"] = text

    return Broken(f"config {text[:16]!r}", change, ("config",))


def _frozen(adapter: Adapter, leave_out: str = "") -> None:
    adapter.tensors |= {
        f"frozen.perceiver_id.{name}": value
        for name, value in mirror_models.perceiver_id_tensors(adapter.sizes).items()
        if name != leave_out
    }


FIELDS = (
    *(_metadata(field, None) for field in ("format", "format_version", "arch", "id_pack", "id_embedding_norm")),
    Broken("config missing", lambda adapter: adapter.config.clear(), ("config",)),
    _metadata("format", "other-adapter"),
    *(_metadata("format_version", value) for value in ("2", "0", "-1", "1.0", "one", "", "99999999999999999999")),
    _metadata("arch", "wan-2.1"),
    _metadata("id_embedding_norm", "l2"),
    _metadata("clip_layers", '{"id":-2,"face":-2,"post_ln":false}'),
    _metadata("clip_layers", '{"id":-1,"face":-2,"post_ln":true}'),
    _metadata("trigger_word", "sks"),
)

CONFIGS = (
    _raw_config("{"),
    _raw_config("[]"),
    _raw_config("7"),
    _raw_config(""),
    *(
        _config(section, None)
        for section in ("dit", "clip_vision", "perceiver_id", "perceiver_face", "can", "switches")
    ),
    _config("can", []),
    _config("perceiver_face.depth", None),
    _config("perceiver_face.depth", 0),
    _config("perceiver_face.depth", "2"),
    _config("perceiver_face.depth", 2.5),
    _config("perceiver_face.depth", 2**62),
    _config("dit.num_attention_heads", -4),
    _config("can.hidden_dim", True),
    _config("perceiver_id.ratio", None),
    _config("dit.extra", 1),
    _config("router", {}),
    _config("switches.turbo", "on", "turbo"),
)

_VALUES: Mapping[str, Sequence[Any]] = {
    "text_fuse": ("yes", True),
    "face_in_sa": ("maybe",),
    "can": (1,),
    "face_stream": ("stale",),
    "can_mode": ("absolute",),
    "ca_query": ("rope",),
    "ca_key_norm": ("layer",),
    "ca_input": ("cooked",),
    "ca_targets": ("text",),
    "ca_merge": ("post",),
    "phi_face_hidden": (-1, "8", 1.5),
    "face_ln": ("none",),
    "face_rope": ("on",),
    "fuse_out_norm": ("rms",),
    "adapter_layers": ("odd", 3),
    "multi_ref_text": ("sum",),
    "multi_ref_face": ("max",),
    "id_vit_layer": (-3, 0, "-1"),
    "face_vit_layer": (1,),
    "face_scale": ("1.0",),
    "sa_scale": (-0.1,),
    "cfg_uncond_face": ("both",),
    "start_merge_step": (-1, 0.5),
    "trigger_word": ("", 5),
    "ref_crop": ("round",),
    "ca_init": ("zero",),
    "tau_face_init": ("clip",),
}
SWITCHES = (
    *(_switch(name, value) for name, values in _VALUES.items() for value in values),
    _switch("phi_face", "off"),
)

TENSORS = (
    _tensor("unknown tensor", "perceiver_face.extra", torch.ones(2)),
    _tensor("router tensor", "router.weight", torch.ones(2)),
    _tensor("missing tensor", "blocks.2.attn_ca.to_v.bias", None),
    _tensor("missing tensor of can", "can.id_proj.weight", None),
    _tensor("tensor of a block without adapter", "blocks.1.attn_ca.to_v.bias", torch.ones(64)),
    _tensor("wrong shape", SHAPED, torch.ones(128, 31)),
    _tensor("shape turned", "can.id_proj.weight", torch.ones(64, 16)),
    _tensor("one dimension too many", "can.id_proj.bias", torch.ones(16, 1)),
    _tensor("F64", SHAPED, torch.ones(128, 32, dtype=torch.float64)),
    _tensor("I64", "can.id_proj.bias", torch.ones(16, dtype=torch.int64)),
    _tensor("pos without its switch", "perceiver_face.pos", torch.ones(4, 64)),
    _tensor("fuse.norm without its switch", "fuse.norm.weight", torch.ones(48)),
    _config("switches.face_ln", "own", "face_ln1", "face_ln2"),
    _config("switches.phi_face_hidden", 8, "mod_face"),
    _config("switches.adapter_layers", "all", "blocks.1"),
    _tensor("unknown frozen part", "frozen.text_encoder.weight", torch.ones(2)),
    Broken(
        "frozen part incomplete",
        lambda adapter: _frozen(adapter, leave_out="token_norm.bias"),
        ("frozen.perceiver_id.token_norm.bias",),
    ),
)

OVERRIDES = tuple(
    Broken(f"--set {text}", lambda adapter: None, (name,), ("--set", text))
    for text, name in (
        ("turbo=on", "turbo"),
        ("face_scale=much", "face_scale"),
        ("face_scale=nan", "face_scale"),
        ("face_scale=inf", "face_scale"),
        ("sa_scale=-1", "sa_scale"),
        ("can=maybe", "can"),
        ("phi_face=off", "phi_face"),
        ("face_ln=own", "face_ln"),
        ("adapter_layers=all", "blocks."),
        ("start_merge_step=1.5", "start_merge_step"),
    )
)

ACCEPTED = (
    Broken("as it is", lambda adapter: None),
    Broken(
        "x. names of any dtype",
        lambda adapter: adapter.tensors.update({"x.training.step": torch.ones(3, dtype=torch.int64)}),
    ),
    Broken("other metadata", lambda adapter: adapter.metadata.update({"dtype": "bf16", "lr": "1e-5"})),
    Broken(
        "clip_layers agree",
        lambda adapter: adapter.metadata.update({"clip_layers": '{"id":-1,"face":-2,"post_ln":false}'}),
    ),
    Broken("frozen part complete", _frozen),
    Broken(
        "other base",
        lambda adapter: adapter.metadata.update({"base_model_sha256": "0" * 64}),
        warning="base_model_sha256",
    ),
    Broken("half precision", lambda adapter: adapter.tensors.update({k: v.half() for k, v in adapter.tensors.items()})),
)


def _call(context: Context, file: Path, options: Sequence[str] = (), folder: Path | None = None) -> Outcome:
    """`mm-transformer` reads the whole adapter and compares it with the base model."""
    model = folder or mirror_models.folder(context.store, "tiny", torch.float32)
    inputs = forward_inputs(Forward(Setting("defaults", rows=1), frames=1, height=4, width=4))
    return context.program.stage("mm-transformer", model, inputs, ["--adapter", str(file), *options])


def _place(context: Context) -> Path:
    return context.store.folder("broken-adapter", lambda path: None)


def _check(broken: Broken, context: Context, subject: Subject) -> Iterable[Row]:
    adapter = adapter_files.make()
    broken.change(adapter)
    outcome = _call(context, adapter.save(_place(context) / "broken.safetensors"), broken.options)
    if broken.names:
        yield refusal.judge(subject, outcome, broken.names)
    else:
        yield refusal.accepted(subject, outcome, broken.warning)


def _check_id_pack(context: Context, subject: Subject) -> Iterable[Row]:
    """The recogniser counts where its embeddings enter."""
    file = adapter_files.make().save(_place(context) / "good.safetensors")
    folder = mirror_models.folder(context.store, "tiny", torch.float32)
    inputs = {
        "face_embedding": fill.tensor("input.face_embedding", (1, 16)),
        "last_hidden_state": fill.tensor("input.last_hidden_state", (1, 17, 32)),
    }
    other, equal = ("--id-pack", "antelopev2/glintr100"), ("--id-pack", "buffalo_l/w600k_r50")
    for label, words in (("not said", ()), ("equal", equal), ("allowed", (*other, "--allow-id-pack-mismatch"))):
        outcome = context.program.stage("perceiver-id", folder, inputs, ["--adapter", str(file), *words])
        yield refusal.accepted(_named(subject, label), outcome)
    outcome = context.program.stage("perceiver-id", folder, inputs, ["--adapter", str(file), *other])
    yield refusal.judge(_named(subject, "differs"), outcome, ("id_pack",))


def _check_files(context: Context, subject: Subject) -> Iterable[Row]:
    place = _place(context)
    good = adapter_files.make().save(place / "good.safetensors").read_bytes()
    contents = {
        "empty": b"",
        "text": b"this is no safetensors file at all",
        "cut in the header": good[:200],
        "cut in the data": good[:-7],
        "longer than its header says": good + b"\0" * 16,
        "header longer than the file": (1 << 40).to_bytes(8, "little") + good[8:],
        "negative header": b"\xff" * 8 + good[8:],
    }
    for label, content in contents.items():
        file = place / "damaged.safetensors"
        file.write_bytes(content)
        yield refusal.judge(_named(subject, label), _call(context, file), ("damaged.safetensors",))
    absent = place / "absent.safetensors"
    yield refusal.judge(_named(subject, "absent"), _call(context, absent), ("absent.safetensors",))
    yield refusal.judge(_named(subject, "a folder"), _call(context, place), (place.name,))


def _check_shards(context: Context, subject: Subject) -> Iterable[Row]:
    place = _place(context)
    adapter = adapter_files.make()
    index = adapter.save_sharded(place, "whole")
    yield refusal.accepted(_named(subject, "whole"), _call(context, index))

    second = place / "whole-00002-of-00002.safetensors"
    tensors, metadata = load_file(second), adapter.saved_metadata
    save_file(tensors, second, metadata=metadata | {"stage": "image"})
    yield refusal.judge(_named(subject, "metadata differs"), _call(context, index), ("metadata",))

    twice = sorted(set(adapter.tensors) - set(tensors))[0]
    save_file(tensors | {twice: adapter.tensors[twice]}, second, metadata=metadata)
    yield refusal.judge(_named(subject, "tensor in two shards"), _call(context, index), ("two shards", twice))

    second.unlink()
    yield refusal.judge(_named(subject, "shard absent"), _call(context, index), (second.name,))


def _named(subject: Subject, label: str) -> Subject:
    return Subject(subject.stage, f"{subject.case}: {label}", subject.dtype)


_DIT_VALUES = {
    "num_layers": 6,
    "time_embed_dim": 48,
    "text_embed_dim": 6,
    "max_text_seq_length": 226,
    "in_channels": 8,
    "patch_size": 4,
}
_BASE_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "patch_size_t": {"patch_size_t": 2},
    "use_rotary_positional_embeddings": {"use_rotary_positional_embeddings": False},
    "ofs_embed_dim": {"ofs_embed_dim": 8},
}


def _check_base(context: Context, subject: Subject) -> Iterable[Row]:
    """A good adapter on a base model that is not its own, or that Magic Mirror is not defined on."""
    file = adapter_files.make().save(_place(context) / "good.safetensors")
    for key, value in _DIT_VALUES.items():
        folder = mirror_models.edited_base(context.store, f"dit-{key}", {key: value})
        yield refusal.judge(_named(subject, key), _call(context, file, folder=folder), (f"dit.{key}",))
    for name, changes in _BASE_FIELDS.items():
        folder = mirror_models.edited_base(context.store, f"base-{name}", changes)
        yield refusal.judge(_named(subject, name), _call(context, file, folder=folder), (name,))


def cases() -> list[Case]:
    def case(label: str, check: Callable[[Context, Subject], Iterable[Row]]) -> Case:
        return Case(Subject("refusal", label, "-"), check)

    groups = {
        "field": FIELDS,
        "config": CONFIGS,
        "switch": SWITCHES,
        "tensor": TENSORS,
        "override": OVERRIDES,
        "accepted": ACCEPTED,
    }
    return [
        *(
            case(f"{group}: {broken.label}", lambda c, s, broken=broken: _check(broken, c, s))
            for group, items in groups.items()
            for broken in items
        ),
        case("id pack", _check_id_pack),
        case("file", _check_files),
        case("shards", _check_shards),
        case("base model", _check_base),
    ]
