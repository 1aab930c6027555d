"""python -m tests.parity.thread_counts --binary build/dev/bin/magic-mirror [--true-size] [--only NAME]

Runs the program's stages with 1, 1 again, 2, 3 and 4 threads and compares the bytes of the results. No other
implementation takes part. Exit code 1 if a repetition with the same number of threads differs; other counts are measured,
not judged, because the library may split its work by the number of threads (docs/numerics.md).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tests.parity import fill, stage_features, stage_mirror, stage_text, stage_transformer, true_size
from tests.parity.case import DTYPES, Context
from tests.parity.checkpoints import Store
from tests.parity.comparison import Tensors, rms
from tests.parity.program import Program
from tests.parity.stage_features import Setting, bench
from tests.parity.stage_mirror import Forward, Loop
from tests.parity.stage_transformer import Shape

THREADS = (1, 1, 2, 3, 4)


@dataclass(frozen=True)
class Call:
    """One stage and everything it is given."""

    stage: str
    name: str
    folder: Path
    inputs: Tensors
    options: Sequence[str]


Maker = Callable[[Context, torch.dtype], Call]


def _rounded(inputs: Tensors, dtype: torch.dtype) -> Tensors:
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}


def _at_true_size() -> Iterator[tuple[str, Maker]]:
    for module in true_size.MODULES:

        def make(context: Context, dtype: torch.dtype, module: true_size.Module = module) -> Call:
            folder = module.folder(context, dtype)
            adapter = ["--adapter", str(folder / "adapter.safetensors")] if module.adapter else []
            return Call(module.stage, module.name, folder, module.inputs(), [*module.options, *adapter])

        yield f"{module.stage}/{module.name}", make


def _transformer(layout: str, frames: int, height: int, width: int) -> tuple[str, Maker]:
    shape = Shape(f"{layout}, {frames}x{height}x{width}", layout, frames, height, width)

    def make(context: Context, dtype: torch.dtype) -> Call:
        folder = context.store.transformer(layout, dtype)
        return Call("transformer", shape.name, folder, stage_transformer.inputs_of(shape), ())

    return f"transformer/{shape.name}", make


def _vae(stage: str, frames: int, side: int, tiling: bool) -> tuple[str, Maker]:
    name = f"stepped, {frames} latent frames of {side}x{side}{', tiled' if tiling else ''}"

    def make(context: Context, dtype: torch.dtype) -> Call:
        decode = stage == "vae-decode"
        shape = (1, 4, frames, side, side) if decode else (1, 3, 4 * frames - 3, 8 * side, 8 * side)
        key = "latents" if decode else "sample"
        options = ["--tiling"] if tiling else []
        inputs = {key: fill.tensor(f"input.{key}", shape)}
        return Call(stage, name, context.store.vae("stepped", dtype), inputs, options)

    return f"{stage}/{name}", make


def _t5() -> tuple[str, Maker]:
    name = "batch 2, 226 ids"

    def make(context: Context, dtype: torch.dtype) -> Call:
        return Call("t5", name, context.store.t5(dtype), {"input_ids": stage_text.IDS[name]}, ())

    return f"t5/{name}", make


def _feature(stage: str) -> tuple[str, Maker]:
    setting = Setting("two references", references=2)

    def make(context: Context, dtype: torch.dtype) -> Call:
        ready = bench(setting, context, dtype)
        inputs = stage_features.INPUTS[stage](setting)
        return Call(stage, setting.name, ready.folder, inputs, ready.options)

    return f"{stage}/{setting.name}", make


def _mirror(frames: int, height: int, width: int) -> tuple[str, Maker]:
    forward = Forward(Setting(f"tiny, {frames}x{height}x{width}", references=2), frames, height, width)

    def make(context: Context, dtype: torch.dtype) -> Call:
        ready = bench(forward.setting, context, dtype)
        inputs = stage_mirror.forward_inputs(forward)
        return Call("mm-transformer", forward.setting.name, ready.folder, inputs, ready.options)

    return f"mm-transformer/{forward.setting.name}", make


def _loop(sampler: str) -> tuple[str, Maker]:
    loop = Loop(Setting(f"{sampler}, 8 steps", references=2), sampler=sampler, steps=8)

    def make(context: Context, dtype: torch.dtype) -> Call:
        ready = bench(loop.setting, context, dtype)
        options = [*ready.options, "--sampler", sampler, "--steps", "8"]
        return Call("mm-t2v", loop.setting.name, ready.folder, stage_mirror.loop_inputs(loop, 0), options)

    return f"mm-t2v/{loop.setting.name}", make


def _scheduler() -> tuple[str, Maker]:
    shape = (1, 13, 16, 60, 90)

    def make(context: Context, dtype: torch.dtype) -> Call:
        inputs = {
            "sample": fill.tensor("input.latents", shape),
            "model_outputs": fill.tensor("v", (2, *shape)),
            "noises": fill.tensor("noises", (2, 2, *shape)),
        }
        return Call("scheduler", "5B latents", context.store.scheduler(1.0), inputs, ("--steps", "2"))

    return "scheduler/5B latents", make


def _tiny() -> Iterator[tuple[str, Maker]]:
    yield _transformer("2b", 3, 8, 8)
    yield _transformer("1.5-i2v", 4, 6, 8)
    yield _transformer("wide", 5, 16, 24)
    for stage in ("vae-decode", "vae-encode"):
        yield _vae(stage, 3, 4, tiling=False)
        yield _vae(stage, 3, 9, tiling=True)
    yield _t5()
    yield _scheduler()
    for stage in stage_features.INPUTS:
        yield _feature(stage)
    yield _mirror(2, 4, 6)
    yield _mirror(5, 24, 32)
    for sampler in ("ddim", "dpm"):
        yield _loop(sampler)


def _difference(first: Tensors, other: Tensors) -> str:
    """`equal`, or the largest difference in units of the output's size (rms), of the output that differs most."""
    worst = 0.0
    for name, want in first.items():
        if not torch.equal(other[name], want):
            worst = max(worst, float((other[name].double() - want.double()).abs().max()) / rms(want))
    return f"{worst:.1e}" if worst > 0 else "equal"


def _measure(context: Context, make: Maker, dtype: str) -> list[str]:
    call = make(context, DTYPES[dtype])
    inputs = _rounded(call.inputs, DTYPES[dtype])
    results = []
    for threads in THREADS:
        program = replace(context.program, threads=threads, timeout=1800)
        results.append(program.outputs(call.stage, call.folder, inputs, [*call.options, "--dtype", dtype]))
    return [_difference(results[0], other) for other in results[1:]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.parity.thread_counts", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="the program under test")
    parser.add_argument("--true-size", action="store_true", help="layers of the published sizes instead of tiny models")
    parser.add_argument("--only", default="", metavar="NAME", help="run what has this in its name")
    return parser.parse_args()


def main() -> int:
    options = _arguments()
    torch.set_num_threads(1)
    repeatable = True
    print("| stage and case | dtype | again | 2 threads | 3 threads | 4 threads |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="parity-models-") as root:
        context = Context(Program(options.binary.resolve()), Store(Path(root)))
        for dtype in DTYPES:
            for name, make in _at_true_size() if options.true_size else _tiny():
                if options.only in f"{name}/{dtype}":
                    cells = _measure(context, make, dtype)
                    repeatable &= cells[0] == "equal"
                    print(f"| {name} | {dtype} | {' | '.join(cells)} |", flush=True)
    return 0 if repeatable else 1


if __name__ == "__main__":
    sys.exit(main())
