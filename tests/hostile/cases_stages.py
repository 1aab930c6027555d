"""Inputs of every stage: missing, misshapen, of another type, empty, and not a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.hostile.bytes_of import Tensor, integers, safetensors
from tests.hostile.harness import Arguments, Case, Place

_LATENTS = (1, 2, 4, 4, 4)
_CLIP = (1, 17, 32)
_WIDE = ("--steps", "2")


@dataclass(frozen=True)
class Good:
    """A call that succeeds: what it reads, and its options."""

    inputs: Mapping[str, Tensor]
    options: Sequence[str] = ()
    adapter: bool = False


_GOOD: Mapping[str, Good] = {
    "t5": Good({"input_ids": integers([1, 6], 3)}),
    "transformer": Good(
        {
            "hidden_states": Tensor(_LATENTS),
            "encoder_hidden_states": Tensor([1, 16, 48]),
            "timestep": integers([1], 500),
        }
    ),
    "vae-encode": Good({"sample": Tensor([1, 3, 1, 16, 16])}),
    "vae-decode": Good({"latents": Tensor([1, 4, 1, 2, 2])}),
    "scheduler": Good(
        {
            "sample": Tensor(_LATENTS),
            "model_outputs": Tensor([2, *_LATENTS]),
            "noises": Tensor([2, 2, *_LATENTS]),
        },
        _WIDE,
    ),
    "t2v": Good(
        {
            "latents": Tensor(_LATENTS),
            "prompt_embeds": Tensor([1, 16, 48]),
            "negative_prompt_embeds": Tensor([1, 16, 48]),
            "noises": Tensor([2, 2, *_LATENTS]),
        },
        _WIDE,
    ),
    "clip-vision": Good({"pixel_values": Tensor([1, 3, 32, 32])}),
    "perceiver-id": Good({"face_embedding": Tensor([1, 16]), "last_hidden_state": Tensor(_CLIP)}),
    "perceiver-face": Good({"penultimate": Tensor(_CLIP)}, adapter=True),
    "fuse": Good(
        {
            "prompt_embeds": Tensor([1, 16, 48]),
            "id_embeds": Tensor([1, 2, 32]),
            "identity_mask": integers([1, 16], 0, {1: 1, 2: 1}),
        },
        adapter=True,
    ),
    "can": Good({"id_embeds": Tensor([1, 2, 32]), "temb": Tensor([2, 32])}, adapter=True),
    "mm-transformer": Good(
        {
            "hidden_states": Tensor(_LATENTS),
            "encoder_hidden_states": Tensor([1, 16, 48]),
            "timestep": integers([1], 500),
            "id_embeds": Tensor([1, 2, 32]),
            "face_tokens": Tensor([1, 4, 64]),
        },
        adapter=True,
    ),
    "mm-t2v": Good(
        {
            "latents": Tensor(_LATENTS),
            "prompt_embeds": Tensor([1, 16, 48]),
            "negative_prompt_embeds": Tensor([1, 16, 48]),
            "id_embeds": Tensor([1, 2, 32]),
            "face_tokens": Tensor([1, 4, 64]),
            "noises": Tensor([2, 2, *_LATENTS]),
        },
        _WIDE,
        adapter=True,
    ),
}


def _call(
    stage: str, changes: Mapping[str, Tensor | None], options: Sequence[str] | None = None
) -> Callable[[Place], Arguments]:
    """The good call with some inputs replaced, or left out."""
    good = _GOOD[stage]
    inputs = {**good.inputs, **changes}
    content = safetensors({name: tensor for name, tensor in inputs.items() if tensor is not None})

    def call(place: Place) -> Arguments:
        adapter = ["--adapter", str(place.tiny / "adapter" / "adapter.safetensors")] if good.adapter else []
        return ["run-stage", stage, "--model", str(place.tiny), "--inputs", place.file("in.safetensors", content),
                *adapter, *(good.options if options is None else options),
                "--outputs", str(place.out / "o.safetensors")]  # fmt: skip

    return call


def _misshapen(tensor: Tensor) -> Sequence[tuple[str, Tensor | None]]:
    shape = list(tensor.shape)
    other = "F32" if tensor.dtype == "I64" else "I64"
    return (
        ("missing", None),
        ("a dimension more", Tensor([*shape, 1], tensor.dtype, tensor.value)),
        ("no rows", Tensor([0, *shape[1:]], tensor.dtype, tensor.value)),
        (f"type {other}", Tensor(shape, other, tensor.value)),
    )


def _last_longer(tensor: Tensor) -> Tensor:
    return Tensor([*tensor.shape[:-1], tensor.shape[-1] + 1], tensor.dtype, tensor.value)


# An input whose last dimension may have any length, so that one more is no fault.
_ANY_LENGTH = {("t5", "input_ids"), ("vae-decode", "latents")}
_BAD: Sequence[tuple[str, str, str, Tensor]] = (
    ("t5", "an id beyond the vocabulary", "input_ids", integers([1, 6], 256)),
    ("t5", "an id of 2^62", "input_ids", integers([1, 6], 2**62)),
    ("t5", "a negative id", "input_ids", integers([1, 6], -1)),
    ("transformer", "odd height", "hidden_states", Tensor([1, 2, 4, 5, 4])),
    ("transformer", "two rows of text", "encoder_hidden_states", Tensor([2, 16, 48])),
    ("transformer", "three times", "timestep", integers([3], 5)),
    ("vae-encode", "17 pixels", "sample", Tensor([1, 3, 1, 17, 16])),
    ("vae-encode", "4 colours", "sample", Tensor([1, 4, 1, 16, 16])),
    ("vae-decode", "5 channels", "latents", Tensor([1, 5, 1, 2, 2])),
    ("perceiver-id", "two pictures, one face", "last_hidden_state", Tensor([2, 17, 32])),
    ("fuse", "one mark", "identity_mask", integers([1, 16], 0, {1: 1})),
    ("fuse", "a mark of 2", "identity_mask", integers([1, 16], 0, {1: 2, 2: 1})),
    ("fuse", "marks of -1", "identity_mask", integers([1, 16], -1)),
    ("fuse", "17 positions", "identity_mask", integers([1, 17])),
    ("mm-transformer", "7 face rows", "face_tokens", Tensor([1, 7, 64])),
    ("mm-transformer", "3 identity tokens", "id_embeds", Tensor([1, 3, 32])),
    ("mm-transformer", "a mask of two rows", "adapter_mask", integers([2], 1)),
    ("mm-transformer", "a mask of 2", "adapter_mask", integers([1], 2)),
    ("mm-t2v", "noise for one step", "noises", Tensor([1, 2, *_LATENTS])),
    ("t2v", "other frames of noise", "noises", Tensor([2, 2, 1, 3, 4, 4, 4])),
)
_OPTIONS: Sequence[tuple[str, Sequence[str], str, int]] = (
    *(("scheduler", ("--steps", text), "--steps", 1) for text in ("0", "-1", "61", "122", "1001", "9" * 30)),
    *(("scheduler", ("--steps", text), "--steps", 2) for text in ("few", "", "1.5", "0x2", "2 ")),
    *(("mm-t2v", ("--guidance", text), "--guidance", 1) for text in ("nan", "inf", "-inf")),
    *(("mm-t2v", ("--guidance", text), "--guidance", 2) for text in ("six", "", "1,5", "6x")),
    *(("t2v", ("--steps", "2", "--frames", text), "--frames", 1) for text in ("0", "-9", "1000", "9" * 25)),
    ("scheduler", ("--sampler", "euler"), "--sampler", 2),
    ("transformer", ("--dtype", "fp8"), "--dtype", 2),
    ("transformer", ("--device", "tpu"), "--device", 2),
    ("transformer", ("--device", "cuda:77"), "cuda", 1),
    ("transformer", ("--tiling",), "--tiling", 2),
    ("transformer", ("--turbo",), "--turbo", 2),
    ("transformer", ("surplus",), "surplus", 2),
    ("transformer", ("--adapter", "x"), "--adapter", 2),
    ("perceiver-face", ("--set", "face_scale"), "--set", 2),
    ("perceiver-face", ("--set", "\u202e\n=1"), "\\n", 1),
)


def cases() -> list[Case]:
    found = []
    for stage, good in _GOOD.items():
        for name, tensor in good.inputs.items():
            for label, changed in _misshapen(tensor):
                found.append(Case("stage", f"{stage}: {name}: {label}", (name,), _call(stage, {name: changed})))
            if (stage, name) not in _ANY_LENGTH and not name.startswith(("timestep",)):
                longer = _call(stage, {name: _last_longer(tensor)})
                found.append(Case("stage", f"{stage}: {name}: one element more", tuple(good.inputs), longer))
    found += [Case("stage", f"{stage}: {label}", (name,), _call(stage, {name: bad})) for stage, label, name, bad in _BAD]
    found += [
        Case("stage option", f"{stage} {' '.join(options)!r}", (name,), _call(stage, {}, options), code)
        for stage, options, name, code in _OPTIONS
    ]
    for stage in ("vae-decode", "transformer"):
        name, tensor = next(iter(_GOOD[stage].inputs.items()))
        poisoned = Tensor(tensor.shape, value=float("nan"))
        found.append(Case("stage", f"{stage}: NaN passes", (), _call(stage, {name: poisoned}), 0, ("o.safetensors",)))
    return found
