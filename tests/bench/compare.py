#!/usr/bin/env python3
"""Times the engine and the published Python in turns: same libtorch version, threads, sizes; random weights.

    python tests/bench/compare.py --program build/dev/bin/mirror_bench [--case dit-layer] [--dtype bf16] [--rounds 3]

Prints one Markdown row a case: medians of both, spread of ours, ratio (above 1: the engine is faster), peak memory.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

CASES = ("t5-layer", "dit-layer", "dit-small", "vae-decode")


def t5_run(torch, dtype):
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=512, d_model=4096, d_kv=64, d_ff=10240, num_layers=1, num_heads=64,
        feed_forward_proj="gated-gelu", dropout_rate=0.0,
    )
    model = T5EncoderModel(config).to(dtype).eval()
    ids = torch.arange(226)[None]
    return lambda: model(ids)


def dit_run(torch, dtype, heads, layers, frames, height, width):
    from diffusers import CogVideoXTransformer3DModel
    from diffusers.models.embeddings import get_3d_rotary_pos_embed

    model = CogVideoXTransformer3DModel(
        num_attention_heads=heads, num_layers=layers, use_rotary_positional_embeddings=True
    ).to(dtype).eval()
    rotary = get_3d_rotary_pos_embed(
        64, ((0, 0), (height // 2, width // 2)), (height // 2, width // 2), frames, device=torch.device("cpu")
    )
    hidden = torch.randn(1, frames, 16, height, width).to(dtype)
    text = torch.randn(1, 226, 4096).to(dtype)
    timestep = torch.tensor([499])
    return lambda: model(hidden, text, timestep, image_rotary_emb=rotary)


def vae_run(torch, dtype):
    from diffusers import AutoencoderKLCogVideoX

    model = AutoencoderKLCogVideoX(
        block_out_channels=(128, 256, 256, 512), latent_channels=16, layers_per_block=3,
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
    ).to(dtype).eval()
    latents = torch.randn(1, 16, 3, 8, 12).to(dtype)
    return lambda: model.decode(latents)


def peer(case, dtype, threads, repeats):
    """Runs in a process of its own, so that memory and threads are its own too."""
    import torch

    torch.set_num_threads(threads)
    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    run = {
        "t5-layer": lambda: t5_run(torch, kind),
        "dit-layer": lambda: dit_run(torch, kind, 48, 1, 1, 60, 90),
        "dit-small": lambda: dit_run(torch, kind, 12, 12, 5, 48, 64),
        "vae-decode": lambda: vae_run(torch, kind),
    }[case]()
    seconds, cpu_seconds = [], []
    with torch.inference_mode():
        run()
        for _ in range(repeats):
            start, cpu_start = time.perf_counter(), time.process_time()
            run()
            cpu_seconds.append(time.process_time() - cpu_start)
            seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    times = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    print(json.dumps({"case": case, "dtype": dtype, "threads": threads, **times, "peak_mib": peak}))


def measured(command, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(output.strip().splitlines()[-1])


def compare(program, case, dtype, rounds, repeats, threads, clock):
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measured([program, case, dtype, str(repeats), str(threads)], threads))
        theirs.append(measured([sys.executable, __file__, "--peer", case, dtype, str(threads), str(repeats)], threads))
    own = [second for run in ours for second in run[clock]]
    other = [second for run in theirs for second in run[clock]]
    ratio = statistics.median(other) / statistics.median(own)
    print(
        f"| {case} | {dtype} | {statistics.median(own):.3f} | {min(own):.3f}-{max(own):.3f} "
        f"| {statistics.median(other):.3f} | {ratio:.2f} | {ours[-1]['peak_mib']} | {theirs[-1]['peak_mib']} |",
        flush=True,
    )


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
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu-time", action="store_true", help="compare processor time: steadier on a busy machine")
    options = parser.parse_args()
    print("| case | dtype | engine s (median) | spread | published Python s | ratio | engine MiB | Python MiB |")
    print("|---|---|---|---|---|---|---|---|")
    clock = "cpu_seconds" if options.cpu_time else "seconds"
    for case in options.case or CASES:
        for dtype in options.dtype or ("fp32", "bf16"):
            compare(options.program, case, dtype, options.rounds, options.repeats, options.threads, clock)


if __name__ == "__main__":
    main()
