"""The stages at the published layer sizes, with random weights: `python -m tests.parity --true-size`.

One layer stands for the many equal ones of the large models. Weights are filled by name like those of the tiny models,
a few gigabytes in all; they lie in the run's temporary folder and go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel
from transformers import T5EncoderModel

from tests.parity import adapter_files, checkpoints, fill, mirror_models, published
from tests.parity.adapter_files import Can, ClipVision, Dit, PerceiverFace, PerceiverId, Sizes
from tests.parity.case import DTYPES, Case, Context
from tests.parity.comparison import Row, Subject, Tensors, close, rounding
from tests.parity.mirror_models import Reference
from tests.parity.mirror_reference import Denoising, Person, Prompts, Sampling
from tests.parity.stage_pipelines import Oracle, Run

MODULE_TOLERANCE = 2e-5
LOOP_TOLERANCE = 1e-4
STEPS = 8
# Both loops make 9 frames of 64 x 96 pixels.
FRAMES, HEIGHT, WIDTH = 9, 64, 96
LATENT = (1, 3, 16, HEIGHT // 8, WIDTH // 8)

# The 5B model with one of its 42 layers, CLIP ViT-L/14, and the adapter of the "paper" preset for that one layer.
SIZES = Sizes(
    Dit(1, 48, 64, 512, 4096, 226, 16, 2),
    ClipVision(1024, 24, 16, 4096, 224, 14),
    PerceiverId(512, 2048, 2, 4, 4, 16, 128, 4),
    PerceiverFace(32, 2048, 12, 16, 128, 4),
    Can(1024, 512),
)
_TRANSFORMER = {
    **asdict(SIZES.dit),
    "out_channels": 16,
    "sample_height": 60,
    "sample_width": 90,
    "sample_frames": 49,
}
_T5 = {"vocab_size": 32128, "d_model": 4096, "d_kv": 64, "num_heads": 64, "d_ff": 10240, "num_layers": 1}
# The published channels and depth; the picture size, which only sets the tiles (half of it each way), is smaller, so
# that 64 x 96 pixels need several of them and fill none evenly.
_VAE = {
    "block_out_channels": (128, 256, 256, 512),
    "norm_num_groups": 32,
    "layers_per_block": 3,
    "latent_channels": 16,
    "sample_height": 96,
    "sample_width": 128,
}


def _write_base(dtype: torch.dtype, path: Path) -> None:
    checkpoints.transformer("5b", **_TRANSFORMER).to(dtype).save_pretrained(path / "transformer")
    checkpoints.vae("plain", **_VAE).to(dtype).save_pretrained(path / "vae")
    checkpoints.scheduler("dpm").save_pretrained(path / "scheduler")


def base_folder(context: Context, dtype: torch.dtype) -> Path:
    """`transformer/`, `vae/` and `scheduler/`."""
    return context.store.folder(f"true-base-{dtype}", lambda path: _write_base(dtype, path))


def _write_t5(dtype: torch.dtype, path: Path) -> None:
    checkpoints.t5(**_T5).to(dtype).save_pretrained(path / "text_encoder")


def _mirror_folder(context: Context, dtype: torch.dtype) -> Path:
    """`transformer/`, `image_encoder/`, `id_perceiver/`, and the adapter."""

    def write(path: Path) -> None:
        (path / "transformer").symlink_to(base_folder(context, dtype) / "transformer")
        (path / "scheduler").symlink_to(base_folder(context, dtype) / "scheduler")
        mirror_models.clip_model(SIZES).to(dtype).save_pretrained(path / "image_encoder")
        mirror_models.write_perceiver_id(SIZES, dtype, path / "id_perceiver")
        adapter_files.make(SIZES, dtype=dtype).save(path / "adapter.safetensors")

    return context.store.folder(f"true-mirror-{dtype}", write)


def _reference(folder: Path, dtype: torch.dtype) -> Reference:
    return Reference(folder, adapter_files.describe(SIZES).load(folder / "adapter.safetensors"), dtype)


def _rounded(inputs: Tensors, dtype: torch.dtype) -> Tensors:
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}


@dataclass(frozen=True)
class Module:
    """One call of one stage: its folder, its inputs, and the published Python over the same folder."""

    stage: str
    name: str
    folder: Callable[[Context, torch.dtype], Path]
    inputs: Callable[[], Tensors]
    expected: Callable[[Path, torch.dtype, Tensors], Tensors]
    options: tuple[str, ...] = ()
    adapter: bool = False
    tolerance: float = MODULE_TOLERANCE


def _check(module: Module, context: Context, subject: Subject) -> Iterable[Row]:
    dtype = DTYPES[subject.dtype]
    folder = module.folder(context, dtype)
    inputs = _rounded(module.inputs(), dtype)
    options = [*module.options, "--dtype", subject.dtype]
    if module.adapter:
        options += ["--adapter", str(folder / "adapter.safetensors")]
    got = replace(context.program, timeout=1800).outputs(module.stage, folder, inputs, options)
    exact = module.expected(folder, torch.float32, inputs)
    python = exact if dtype == torch.float32 else module.expected(folder, dtype, inputs)
    for name, want in exact.items():
        if dtype == torch.float32:
            yield close(subject, name, got.get(name), want, module.tolerance)
        else:
            yield rounding(subject, name, got.get(name), python[name], want)


# The base model ------------------------------------------------------------------------------------------------------


def _transformer_inputs(shape: tuple[int, ...]) -> Tensors:
    return {
        "hidden_states": fill.tensor("input.hidden_states", shape),
        "encoder_hidden_states": fill.tensor("input.encoder_hidden_states", (shape[0], 226, 4096), scale=0.3),
        "timestep": torch.tensor([999, 421][: shape[0]]),
    }


def _predicted(folder: Path, dtype: torch.dtype, inputs: Tensors) -> Tensors:
    model = CogVideoXTransformer3DModel.from_pretrained(folder, subfolder="transformer", torch_dtype=dtype).eval()
    return {"sample": published.predict(model, **_rounded(inputs, dtype))}


@torch.no_grad()
def _encoded_text(folder: Path, dtype: torch.dtype, inputs: Tensors) -> Tensors:
    model = T5EncoderModel.from_pretrained(folder, subfolder="text_encoder", dtype=dtype).eval()
    return {"last_hidden_state": model(inputs["input_ids"])[0]}


def _vae(folder: Path, dtype: torch.dtype, tiling: bool) -> AutoencoderKLCogVideoX:
    model = AutoencoderKLCogVideoX.from_pretrained(folder, subfolder="vae", torch_dtype=dtype).eval()
    if tiling:
        model.enable_tiling()
    return model


@torch.no_grad()
def _decoded(folder: Path, dtype: torch.dtype, inputs: Tensors, tiling: bool) -> Tensors:
    return {"sample": _vae(folder, dtype, tiling).decode(inputs["latents"].to(dtype)).sample}


@torch.no_grad()
def _encoded(folder: Path, dtype: torch.dtype, inputs: Tensors, tiling: bool) -> Tensors:
    distribution = _vae(folder, dtype, tiling).encode(inputs["sample"].to(dtype)).latent_dist
    return {"mean": distribution.mean, "logvar": distribution.logvar}


def _vae_module(stage: str, tiling: bool) -> Module:
    latents = stage == "vae-decode"
    shape = (1, 16, 3, HEIGHT // 8, WIDTH // 8) if latents else (1, 3, FRAMES, HEIGHT, WIDTH)
    name, scale = ("latents", 3.0**0.5) if latents else ("sample", 1.0)
    run = _decoded if latents else _encoded
    return Module(
        stage,
        f"published channels, {FRAMES} frames of {HEIGHT}x{WIDTH}{', tiled' if tiling else ''}",
        base_folder,
        lambda: {name: fill.tensor(f"input.{name}", shape, scale=scale)},
        lambda folder, dtype, inputs: run(folder, dtype, inputs, tiling),
        ("--tiling",) if tiling else (),
    )


# Magic Mirror --------------------------------------------------------------------------------------------------------


def _clip_tokens(name: str, references: int = 1) -> torch.Tensor:
    return fill.tensor(f"input.{name}", (references, SIZES.clip_vision.tokens, SIZES.clip_vision.hidden_size))


def _id_embeds(references: int) -> torch.Tensor:
    return fill.tensor("input.id_embeds", (references, SIZES.perceiver_id.tokens, SIZES.perceiver_id.width))


def _face_tokens(references: int) -> torch.Tensor:
    return fill.tensor("input.face_tokens", (1, references * SIZES.perceiver_face.tokens, SIZES.dit.width))


def _fuse_inputs() -> Tensors:
    mask = torch.zeros(1, 226, dtype=torch.int64)
    mask[0, 2:6] = 1
    prompt = fill.tensor("input.prompt_embeds", (1, 226, 4096), scale=0.3)
    return {"prompt_embeds": prompt, "id_embeds": _id_embeds(2), "identity_mask": mask}


def _adapted(folder: Path, dtype: torch.dtype, inputs: Tensors) -> Tensors:
    person = Person(inputs["id_embeds"], inputs["face_tokens"])
    rest = {name: value for name, value in inputs.items() if name not in ("id_embeds", "face_tokens")}
    return {"sample": _reference(folder, dtype).mirror.predict(person, **rest)}


def _person_inputs(references: int, shape: tuple[int, ...]) -> Tensors:
    person = {"id_embeds": _id_embeds(references), "face_tokens": _face_tokens(references)}
    return {**_transformer_inputs(shape), **person}


_MIRROR_MODULES = (
    Module(
        "clip-vision",
        "ViT-L/14, 24 layers",
        _mirror_folder,
        lambda: {"pixel_values": fill.tensor("input.pixel_values", (1, 3, 224, 224))},
        lambda folder, dtype, inputs: _reference(folder, dtype).clip_vision(**inputs),
    ),
    Module(
        "perceiver-id",
        "paper preset, depth 4",
        _mirror_folder,
        lambda: {
            "face_embedding": fill.tensor("input.face_embedding", (1, 512), scale=5.0),
            "last_hidden_state": _clip_tokens("last_hidden_state"),
        },
        lambda folder, dtype, inputs: {"id_embeds": _reference(folder, dtype).perceiver_id(*inputs.values())},
    ),
    Module(
        "perceiver-face",
        "paper preset, depth 12, two references",
        _mirror_folder,
        lambda: {"penultimate": _clip_tokens("penultimate", 2)},
        lambda folder, dtype, inputs: {"face_tokens": _reference(folder, dtype).perceiver_face(*inputs.values())},
        adapter=True,
    ),
    Module(
        "fuse",
        "paper preset, two references",
        _mirror_folder,
        _fuse_inputs,
        lambda folder, dtype, inputs: {"prompt_embeds": _reference(folder, dtype).fuse(*inputs.values())},
        adapter=True,
    ),
    Module(
        "can",
        "paper preset",
        _mirror_folder,
        lambda: {"id_embeds": _id_embeds(2), "temb": fill.tensor("input.temb", (2, 512), scale=1.0)},
        lambda folder, dtype, inputs: _reference(folder, dtype).can(inputs["id_embeds"], inputs["temb"]),
        adapter=True,
    ),
    Module(
        "mm-transformer",
        "5B block, 226 + 32 + 1350 tokens",
        _mirror_folder,
        lambda: _person_inputs(1, (1, 1, 16, 60, 90)),
        _adapted,
        adapter=True,
    ),
    Module(
        "mm-transformer",
        "5B block, batch 2, mask 0 1, two references",
        _mirror_folder,
        lambda: {**_person_inputs(2, (2, *LATENT[1:])), "adapter_mask": torch.tensor([0, 1])},
        _adapted,
        adapter=True,
    ),
)


# Whole generations ---------------------------------------------------------------------------------------------------


def _loop_inputs(sampler: str) -> Tensors:
    inputs = {
        "latents": fill.tensor("noise.latents", LATENT),
        "prompt_embeds": fill.tensor("input.prompt_embeds", (1, 226, 4096), scale=0.3),
        "negative_prompt_embeds": fill.tensor("input.negative_prompt_embeds", (1, 226, 4096), scale=0.3),
    }
    if sampler == "dpm":
        inputs["noises"] = fill.tensor("noises", (STEPS, 2, *LATENT))
    return inputs


def _generated(folder: Path, dtype: torch.dtype, inputs: Tensors, sampler: str) -> Tensors:
    run = Run("true size", "5b", sampler, STEPS, HEIGHT, WIDTH, FRAMES)
    return Oracle(folder, run, dtype).outputs(inputs)


def _denoised(folder: Path, dtype: torch.dtype, given: Tensors, sampler: str) -> Tensors:
    inputs = {name: value.to(dtype) for name, value in given.items()}
    denoising = Denoising(
        _reference(folder, dtype).mirror,
        Person(inputs["id_embeds"], inputs["face_tokens"]),
        Prompts(inputs["prompt_embeds"], inputs["negative_prompt_embeds"], None),
        Sampling(checkpoints.scheduler(sampler), STEPS, 6.0, dynamic=sampler == "dpm"),
    )
    return {"latents": denoising.run(inputs["latents"], inputs.get("noises"))}


def _loop(sampler: str, mirror: bool) -> Module:
    def inputs() -> Tensors:
        person = {"id_embeds": _id_embeds(1), "face_tokens": _face_tokens(1)} if mirror else {}
        return {**_loop_inputs(sampler), **person}

    run = _denoised if mirror else _generated
    options = ["--sampler", sampler, "--steps", str(STEPS)]
    options += (["--dynamic-cfg"] if sampler == "dpm" else []) if mirror else ["--frames", str(FRAMES)]
    return Module(
        "mm-t2v" if mirror else "t2v",
        f"5B block{', 32 face tokens' if mirror else ' and VAE'}, {sampler}, {STEPS} steps",
        _mirror_folder if mirror else base_folder,
        inputs,
        lambda folder, dtype, given: run(folder, dtype, given, sampler),
        tuple(options),
        adapter=mirror,
        tolerance=LOOP_TOLERANCE,
    )


MODULES = (
    Module(
        "transformer",
        "5B block, 226 + 1350 tokens",
        base_folder,
        lambda: _transformer_inputs((1, 1, 16, 60, 90)),
        _predicted,
    ),
    Module(
        "transformer",
        "5B block, batch 2, 9 frames of 64x96",
        base_folder,
        lambda: _transformer_inputs((2, *LATENT[1:])),
        _predicted,
    ),
    Module(
        "t5",
        "T5-XXL layer, 226 ids",
        lambda context, dtype: context.store.folder(f"true-t5-{dtype}", lambda path: _write_t5(dtype, path)),
        lambda: {"input_ids": (torch.arange(226)[None] * 1013) % 32100},
        _encoded_text,
    ),
    *(_vae_module(stage, tiling) for stage in ("vae-decode", "vae-encode") for tiling in (False, True)),
    *_MIRROR_MODULES,
    *(_loop(sampler, mirror) for mirror in (False, True) for sampler in ("ddim", "dpm")),
)


def cases() -> list[Case]:
    return [
        Case(Subject(module.stage, module.name, dtype), lambda c, s, module=module: _check(module, c, s))
        for dtype in DTYPES
        for module in MODULES
    ]
