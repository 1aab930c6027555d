"""Writes tests/golden/magic_mirror.safetensors, the numbers that tests/identity compares with.

    python -m tests.parity.magic_mirror_golden

Weights and inputs are made from their names, so that only results are in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import CogVideoXTransformer3DModel
from safetensors.torch import save_file

from tests.parity import checkpoints, fill
from tests.parity import magic_mirror_reference as mm

BASE = {
    "num_attention_heads": 4,
    "attention_head_dim": 16,
    "in_channels": 4,
    "out_channels": 4,
    "time_embed_dim": 32,
    "text_embed_dim": 48,
    "num_layers": 4,
    "sample_height": 4,
    "sample_width": 4,
    "sample_frames": 5,
    "max_text_seq_length": 16,
    "use_rotary_positional_embeddings": True,
}

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


def features(results: dict[str, torch.Tensor]) -> None:
    config = mm.Config()
    pixels = fill.tensor("input.pixel_values", (2, 3, 32, 32))
    last, penultimate = mm.clip_vision(mm.clip_tower(config), pixels)
    results["clip.last_hidden_state"], results["clip.penultimate"] = last, penultimate
    embedding = fill.tensor("input.face_embedding", (2, 16), scale=20.0)
    results["perceiver_id"] = mm.perceiver_id(mm.filled(mm.perceiver_id_shapes(config)), config, embedding, last)
    for name, changed in {
        "concat": {},
        "mean": {"multi_ref_face": "mean"},
        "learned_pos": {"face_rope": "learned_pos"},
    }.items():
        variant = mm.Config(changed=changed)
        results[f"perceiver_face.{name}"] = mm.perceiver_face(mm.filled(mm.adapter_shapes(variant)), variant, penultimate)


def fusion(results: dict[str, torch.Tensor]) -> None:
    text = fill.tensor("input.prompt_embeds", (1, 16, 48), scale=0.3)
    identity = fill.tensor("input.id_embeds", (2, 2, 32))
    masks = {"stack": [2, 3, 5, 9], "mean": [4, 6], "norm": [2, 3, 4, 5]}
    changes = {"stack": {}, "mean": {"multi_ref_text": "mean"}, "norm": {"fuse_out_norm": "layernorm"}}
    for name, positions in masks.items():
        config = mm.Config(changed=changes[name])
        mask = torch.zeros(1, 16, dtype=torch.int64)
        mask[0, positions] = 1
        results[f"fuse.{name}"] = mm.fuse(mm.filled(mm.adapter_shapes(config)), config, text, identity, mask)


def blocks(results: dict[str, torch.Tensor]) -> None:
    base = checkpoints.filled(CogVideoXTransformer3DModel(**BASE))
    for name, changed in BLOCK_CASES.items():
        config = mm.Config(changed=changed)
        weights = mm.filled(mm.adapter_shapes(config))
        results[f"block.{name}"] = mm.mm_transformer(base, weights, config, block_inputs(1))
    config = mm.Config()
    weights = mm.filled(mm.adapter_shapes(config))
    results["block.two_references"] = mm.mm_transformer(base, weights, config, block_inputs(2))
    results["block.masked"] = mm.mm_transformer(base, weights, config, block_inputs(1), [0, 1])
    bf16 = {k: v.bfloat16() if v.is_floating_point() else v for k, v in block_inputs(1).items()}
    half = mm.filled(mm.adapter_shapes(config), torch.bfloat16)
    base16 = checkpoints.filled(CogVideoXTransformer3DModel(**BASE)).bfloat16()
    results["block.bf16"] = mm.mm_transformer(base16, half, config, bf16).float()
    rounded = {k: v.float() if v.is_floating_point() else v for k, v in bf16.items()}
    results["block.bf16_exact"] = mm.mm_transformer(
        base16.float(), {k: v.float() for k, v in half.items()}, config, rounded
    )


def loops(results: dict[str, torch.Tensor]) -> None:
    base = checkpoints.filled(CogVideoXTransformer3DModel(**BASE))
    inputs = {
        **block_inputs(1),
        "latents": fill.tensor("input.latents", (1, 2, 4, 4, 6)),
        "prompt_embeds": fill.tensor("input.prompt_embeds", (1, 5, 48)),
        "plain_prompt_embeds": fill.tensor("input.plain_prompt_embeds", (1, 5, 48)),
        "negative_prompt_embeds": fill.tensor("input.negative_prompt_embeds", (1, 5, 48)),
    }
    for name, changed in {
        "drop": {},
        "keep": {"cfg_uncond_face": "keep"},
        "start_merge_step": {"start_merge_step": 2},
    }.items():
        config = mm.Config(changed=changed)
        weights = mm.filled(mm.adapter_shapes(config))
        sampling = mm.Sampling(sampler="ddim")
        results[f"loop.{name}"] = mm.mm_t2v(base, weights, config, checkpoints.scheduler("ddim"), sampling, inputs)


def main() -> None:
    torch.set_num_threads(1)
    results: dict[str, torch.Tensor] = {}
    features(results)
    fusion(results)
    blocks(results)
    loops(results)
    target = Path(__file__).parents[1] / "golden" / "magic_mirror.safetensors"
    target.parent.mkdir(exist_ok=True)
    note = {"written_by": "python -m tests.parity.magic_mirror_golden"}
    save_file({name: value.contiguous() for name, value in results.items()}, str(target), note)
    print(target, f"{len(results)} tensors")


if __name__ == "__main__":
    main()
