#!/usr/bin/env python3
"""Times the engine and the published Python in turns: same libtorch version, threads and sizes; random weights.

    python tests/bench/compare.py --program build/dev/bin/mirror_bench [--case dit-layer] [--dtype bf16] [--rounds 3]

Prints one Markdown row a case: medians of both, spread of ours, ratio (above 1: the engine is faster), for bf16 the
error of each against its own model in float32 (root mean square over root mean square), peak memory. `dit-small-face`
has no published code; its row is compared with the published step without a person, and the last lines tell what
Magic Mirror adds to our own.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

CASES = ("t5-layer", "dit-layer", "dit-small", "dit-small-face", "dit-medium", "vae-decode", "clip")


def fill(torch, model):
    """Normal weights of variance 1 / fan-in in bf16 values, norms at 1, biases at 0, as the engine's benchmark has."""
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if weight.dim() < 2:
            torch.nn.init.constant_(weight, 1.0 if name.endswith("weight") else 0.0)
        else:
            torch.nn.init.normal_(weight, std=(weight.shape[0] / weight.numel()) ** 0.5)
            weight.data = weight.data.bfloat16().float()
    return model.eval()


def numbers(torch, seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).bfloat16().float()


def t5_model(torch, **sizes):
    from transformers import T5Config, T5EncoderModel

    return fill(torch, T5EncoderModel(T5Config(feed_forward_proj="gated-gelu", dropout_rate=0.0, **sizes)))


def t5_run(torch, dtype):
    model = t5_model(torch, vocab_size=512, d_model=4096, d_kv=64, d_ff=10240, num_layers=1, num_heads=64).to(dtype)
    ids = torch.arange(226)[None]
    return lambda: model(ids).last_hidden_state


def rotary_of(torch, head_size, frames, height, width):
    from diffusers.models.embeddings import get_3d_rotary_pos_embed

    grid = (height // 2, width // 2)
    return get_3d_rotary_pos_embed(head_size, ((0, 0), grid), grid, frames, device=torch.device("cpu"))


def dit_run(torch, dtype, heads, layers, frames, height, width):
    from diffusers import CogVideoXTransformer3DModel

    model = CogVideoXTransformer3DModel(
        num_attention_heads=heads, num_layers=layers, use_rotary_positional_embeddings=True
    )
    model = fill(torch, model).to(dtype)
    rotary = rotary_of(torch, 64, frames, height, width)
    hidden = numbers(torch, 2, 1, frames, 16, height, width).to(dtype)
    text = numbers(torch, 3, 1, 226, 4096).to(dtype)
    timestep = torch.tensor([499])
    return lambda: model(hidden, text, timestep, image_rotary_emb=rotary).sample


def vae_model(torch, channels, layers, groups):
    from diffusers import AutoencoderKLCogVideoX

    model = AutoencoderKLCogVideoX(
        block_out_channels=channels, latent_channels=16, layers_per_block=layers, norm_num_groups=groups,
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
    )
    model.encoder = None
    return fill(torch, model)


def vae_run(torch, dtype):
    model = vae_model(torch, (128, 256, 256, 512), 3, 32).to(dtype)
    latents = numbers(torch, 2, 1, 16, 3, 8, 12).to(dtype)
    return lambda: model.decode(latents).sample


def clip_run(torch, dtype):
    """The loop of CogVideoXPipeline at the sizes of the preset demo."""
    from diffusers import CogVideoXDDIMScheduler, CogVideoXTransformer3DModel

    encoder = t5_model(torch, vocab_size=4096, d_model=256, d_ff=512, d_kv=32, num_heads=8, num_layers=4).to(dtype)
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=8, attention_head_dim=32, num_layers=8, max_text_seq_length=64, text_embed_dim=256,
        time_embed_dim=128, use_rotary_positional_embeddings=True,
    )
    transformer = fill(torch, transformer).to(dtype)
    vae = vae_model(torch, (24, 48, 96, 128), 1, 8).to(dtype)
    rotary = rotary_of(torch, 32, 5, 16, 24)
    ids = torch.arange(128).view(2, 64)
    noise = numbers(torch, 4, 1, 5, 16, 16, 24).to(dtype)

    def run():
        prompts = encoder(ids).last_hidden_state
        scheduler = CogVideoXDDIMScheduler(
            prediction_type="v_prediction", timestep_spacing="trailing", rescale_betas_zero_snr=True,
            snr_shift_scale=1.0, clip_sample=False,
        )
        scheduler.set_timesteps(8)
        latents = noise
        for timestep in scheduler.timesteps:
            both = torch.cat([latents] * 2)
            velocity = transformer(both, prompts, timestep.expand(2), image_rotary_emb=rotary).sample.float()
            without, given = velocity.chunk(2)
            latents = scheduler.step(without + 6.0 * (given - without), timestep, latents).prev_sample.to(dtype)
        return vae.decode(latents.permute(0, 2, 1, 3, 4) / 0.7).sample

    return run


PEERS = {
    "t5-layer": t5_run,
    "dit-layer": lambda torch, dtype: dit_run(torch, dtype, 48, 1, 1, 60, 90),
    "dit-small": lambda torch, dtype: dit_run(torch, dtype, 12, 12, 5, 48, 64),
    "dit-small-face": lambda torch, dtype: dit_run(torch, dtype, 12, 12, 5, 48, 64),
    "dit-medium": lambda torch, dtype: dit_run(torch, dtype, 16, 16, 3, 32, 48),
    "vae-decode": vae_run,
    "clip": clip_run,
}


def peer(case, dtype, threads, repeats):
    """Runs in a process of its own, so that memory and threads are its own too."""
    import torch

    torch.set_num_threads(threads)
    seconds, cpu_seconds, error = [], [], 0.0
    with torch.inference_mode():
        run = PEERS[case](torch, torch.bfloat16 if dtype == "bf16" else torch.float32)
        result = run()
        for _ in range(repeats):
            start, cpu_start = time.perf_counter(), time.process_time()
            run()
            cpu_seconds.append(time.process_time() - cpu_start)
            seconds.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if dtype == "bf16":
            del run
            exact = PEERS[case](torch, torch.float32)().double()
            error = ((result.double() - exact).square().mean() / exact.square().mean()).sqrt().item()
    times = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    print(json.dumps({"case": case, "dtype": dtype, "threads": threads, **times, "peak_mib": peak, "error": error}))


def measured(command, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            env=environment).stdout
    return json.loads(output.strip().splitlines()[-1])


def compare(program, case, dtype, rounds, repeats, threads, clock):
    """Prints the row and returns our median."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measured([program, case, dtype, str(repeats), str(threads)], threads))
        theirs.append(measured([sys.executable, __file__, "--peer", case, dtype, str(threads), str(repeats)], threads))
    own = [second for run in ours for second in run[clock]]
    other = [second for run in theirs for second in run[clock]]
    ratio = statistics.median(other) / statistics.median(own)
    errors = f"{ours[-1]['error']:.2e} | {theirs[-1]['error']:.2e}" if dtype == "bf16" else " | "
    print(
        f"| {case} | {dtype} | {statistics.median(own):.3f} | {min(own):.3f}-{max(own):.3f} "
        f"| {statistics.median(other):.3f} | {min(other):.3f}-{max(other):.3f} | {ratio:.2f} | {errors} "
        f"| {ours[-1]['peak_mib']} | {theirs[-1]['peak_mib']} |",
        flush=True,
    )
    return statistics.median(own)


def face_rows_share():
    """The added arithmetic of dit-small-face over that of dit-small: rows, keys and matrices that are not there else."""
    width, layers, rows, face = 768, 12, 226 + 3840, 32
    plain = layers * (24 * rows * width**2 + 4 * rows**2 * width)
    adapted = layers // 2
    face_path = 24 * face * width**2 + 4 * (2 * rows * face + face**2) * width
    cross_attention = 4 * face * width**2 + 4 * (rows + face) * face * width
    return adapted * (face_path + cross_attention) / plain


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "--peer":
        peer(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--dtype", action="append", choices=("fp32", "bf16"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cpu-time", action="store_true", help="compare processor time: steadier on a busy machine")
    options = parser.parse_args()
    print("| case | dtype | engine s (median) | spread | published Python s | spread | ratio | engine error "
          "| Python error | engine MiB | Python MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    clock = "cpu_seconds" if options.cpu_time else "seconds"
    medians = {}
    for case in options.case or CASES:
        for dtype in options.dtype or ("fp32", "bf16"):
            medians[case, dtype] = compare(
                options.program, case, dtype, options.rounds, options.repeats, options.threads, clock
            )
    for dtype in ("fp32", "bf16"):
        if ("dit-small", dtype) in medians and ("dit-small-face", dtype) in medians:
            share = medians["dit-small-face", dtype] / medians["dit-small", dtype] - 1
            print(f"\nMagic Mirror on a step of dit-small, {dtype}: {100 * share:+.1f} % of time, "
                  f"{100 * face_rows_share():+.1f} % of arithmetic")


if __name__ == "__main__":
    main()
