"""Writes tests/golden/magic_mirror.safetensors, the numbers that tests/identity compares with.

    python -m tests.parity.magic_mirror_golden

Weights and inputs are made from their names, so that only results are in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from tests.parity import adapter_files, checkpoints, fill, mirror_models, mirror_reference
from tests.parity.adapter_files import TINY
from tests.parity.mirror_reference import Denoising, Mirror, Person, Prompts, Sampling

Tensors = dict[str, torch.Tensor]

# Every switch that acts on a block, and the combinations of the paper's ablations.
BLOCK_CASES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "face_in_sa_off": {"face_in_sa": "off"},
    "face_in_ca_off": {"face_in_ca": "off"},
    "can_off": {"can": "off"},
    "can_direct": {"can_mode": "direct"},
    "can_direct_half": {"can_mode": "direct", "can_scale": 0.5},
    "can_scale_half": {"can_scale": 0.5},
    "phi_face_hidden": {"phi_face_hidden": 24},
    "ca_query_post_rope": {"ca_query": "post_rope"},
    "ca_key_norm_own": {"ca_key_norm": "own"},
    "ca_key_norm_none": {"ca_key_norm": "none"},
    "ca_input_raw": {"ca_input": "raw"},
    "ca_input_raw_fresh": {"ca_input": "raw", "face_stream": "fresh"},
    "ca_targets_video": {"ca_targets": "video"},
    "ca_merge_post_out": {"ca_merge": "post_out"},
    "ca_merge_post_out_video": {"ca_merge": "post_out", "ca_targets": "video", "face_scale": 0.7},
    "face_ln_own": {"face_ln": "own"},
    "face_stream_fresh": {"face_stream": "fresh"},
    "adapter_layers_all": {"adapter_layers": "all"},
    "face_scale": {"face_scale": 0.8},
    "face_scale_negative": {"face_scale": -0.5},
    "face_scale_0": {"face_scale": 0.0},
    "sa_scale_half": {"sa_scale": 0.5},
    "sa_scale_0": {"sa_scale": 0.0},
    "sa_scale_0_video": {"sa_scale": 0.0, "ca_targets": "video"},
    "sa_scale_0_post_out": {"sa_scale": 0.0, "ca_merge": "post_out"},
    "sa_scale_2": {"sa_scale": 2.0},
    "ablation_a": {"face_in_sa": "off", "face_in_ca": "off", "can": "off", "phi_face": "off"},
    "ablation_b": {"text_fuse": "off", "can": "off", "phi_face": "off", "face_in_sa": "off"},
    "ablation_e": {"face_in_sa": "off", "face_in_ca": "off", "phi_face": "off"},
}


def block_inputs(references: int) -> dict[str, torch.Tensor]:
    return {
        "hidden_states": fill.tensor("input.hidden_states", (2, 2, 4, 4, 6)),
        "encoder_hidden_states": fill.tensor("input.encoder_hidden_states", (2, 5, 48)),
        "timestep": torch.tensor([999, 421]),
        "id_embeds": fill.tensor("input.id_embeds", (references, 2, 32)),
        "face_tokens": fill.tensor("input.face_tokens", (1, 4 * references, 64)),
    }


def _mirror(
    switches: dict[str, Any], dtype: torch.dtype = torch.float32, computed: torch.dtype | None = None
) -> Mirror:
    """Weights stored in one dtype and computed with in another."""
    adapter = adapter_files.make(TINY, switches, dtype)
    precision = computed or dtype
    model = checkpoints.transformer("5b", **mirror_models.transformer_changes(TINY)).to(dtype).to(precision)
    return Mirror(adapter, {name: value.to(precision) for name, value in adapter.tensors.items()}, model)


def _block(mirror: Mirror, inputs: Tensors, mask: torch.Tensor | None = None) -> torch.Tensor:
    rest = {name: value for name, value in inputs.items() if name not in ("id_embeds", "face_tokens")}
    return mirror.predict(Person(inputs["id_embeds"], inputs["face_tokens"]), **rest, adapter_mask=mask)


@torch.no_grad()
def features(results: Tensors) -> None:
    pixels = fill.tensor("input.pixel_values", (2, 3, 32, 32))
    tower = mirror_models.clip_model(TINY)(pixels, output_hidden_states=True)
    states, results["clip.pooled"] = tower.hidden_states, tower.pooler_output
    last, penultimate = states[-1], states[-2]
    results["clip.last_hidden_state"], results["clip.penultimate"] = last, penultimate
    embedding = fill.tensor("input.face_embedding", (2, 16), scale=20.0)
    weights = mirror_models.perceiver_id_tensors(TINY)
    results["perceiver_id"] = mirror_reference.perceive_identity(weights, TINY.perceiver_id, embedding, last)
    for name, switches in {
        "concat": {},
        "mean": {"multi_ref_face": "mean"},
        "learned_pos": {"face_rope": "learned_pos"},
    }.items():
        adapter = adapter_files.make(TINY, switches)
        results[f"perceiver_face.{name}"] = mirror_reference.perceive_face(adapter, adapter.tensors, penultimate)


def fusion(results: Tensors) -> None:
    text = fill.tensor("input.prompt_embeds", (1, 16, 48), scale=0.3)
    identity = fill.tensor("input.id_embeds", (2, 2, 32))
    masks = {"stack": [2, 3, 5, 9], "mean": [4, 6], "norm": [2, 3, 4, 5]}
    changes = {"stack": {}, "mean": {"multi_ref_text": "mean"}, "norm": {"fuse_out_norm": "layernorm"}}
    for name, positions in masks.items():
        adapter = adapter_files.make(TINY, changes[name])
        mask = torch.zeros(1, 16, dtype=torch.int64)
        mask[0, positions] = 1
        results[f"fuse.{name}"] = mirror_reference.fuse(adapter, adapter.tensors, text, identity, mask)


def blocks(results: Tensors) -> None:
    for name, switches in BLOCK_CASES.items():
        results[f"block.{name}"] = _block(_mirror(switches), block_inputs(1))
    mirror = _mirror({})
    results["block.two_references"] = _block(mirror, block_inputs(2))
    results["block.masked"] = _block(mirror, block_inputs(1), torch.tensor([0, 1]))
    half = torch.bfloat16
    rounded = {k: v.to(half) if v.is_floating_point() else v for k, v in block_inputs(1).items()}
    results["block.bf16"] = _block(_mirror({}, half), rounded).float()
    widened = {k: v.float() if v.is_floating_point() else v for k, v in rounded.items()}
    results["block.bf16_exact"] = _block(_mirror({}, half, torch.float32), widened)


def loops(results: Tensors) -> None:
    person = Person(block_inputs(1)["id_embeds"], block_inputs(1)["face_tokens"])
    prompts = Prompts(
        fill.tensor("input.prompt_embeds", (1, 5, 48)),
        fill.tensor("input.negative_prompt_embeds", (1, 5, 48)),
        fill.tensor("input.plain_prompt_embeds", (1, 5, 48)),
    )
    sampling = Sampling(checkpoints.scheduler("ddim"), steps=3, guidance=6.0, dynamic=False)
    latents = fill.tensor("input.latents", (1, 2, 4, 4, 6))
    for name, switches in {
        "drop": {},
        "keep": {"cfg_uncond_face": "keep"},
        "start_merge_step": {"start_merge_step": 2},
    }.items():
        results[f"loop.{name}"] = Denoising(_mirror(switches), person, prompts, sampling).run(latents, None)


def all_results() -> Tensors:
    results: Tensors = {}
    features(results)
    fusion(results)
    blocks(results)
    loops(results)
    return {name: value.contiguous() for name, value in results.items()}


def main() -> None:
    torch.set_num_threads(1)
    results = all_results()
    target = Path(__file__).parents[1] / "golden" / "magic_mirror.safetensors"
    target.parent.mkdir(exist_ok=True)
    save_file(results, str(target), {"written_by": "python -m tests.parity.magic_mirror_golden"})
    print(target, f"{len(results)} tensors")


if __name__ == "__main__":
    main()
