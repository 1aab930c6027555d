"""Compares the peak memory of real runs with what the program predicted before it began.

    python -m tests.memory --binary build/dev/bin/magic-mirror [--quick] [--model FOLDER ...]

Prints a Markdown table. Fails if a prediction is off by more than a tenth. The program writes its prediction into the
file that MAGIC_MIRROR_LOG names; the peak is what the kernel says of the finished process, mapped files included.
"""

import argparse
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.memory.cases import Case, cases_for

PREDICTED = re.compile(r"predicted to need (\d+) MiB")
WORST = 0.10


def write_latents(file: Path, channels: int, frames: int, height: int, width: int) -> None:
    """Normal numbers [1, C, F, h, w] as one safetensors file."""
    count = channels * frames * height * width
    source = random.Random(7)
    data = struct.pack(f"<{count}f", *(source.gauss(0, 1) for _ in range(count)))
    shape = f"[1,{channels},{frames},{height},{width}]"
    header = f'{{"latents":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{len(data)}]}}}}'.encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + data)


class Runner:
    def __init__(self, binary: Path, folder: Path):
        self.binary = binary
        self.folder = folder

    def model(self, name: str) -> Path:
        """A preset, made once; or a folder."""
        if Path(name).is_dir():
            return Path(name)
        made = self.folder / name
        if not made.exists():
            subprocess.run(
                [self.binary, "models", "init", "--preset", name, "--seed", "1", made],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        return made

    def arguments(self, case: Case) -> list:
        model = ["--model", self.model(case.model), "--precision", case.precision]
        if case.command == "decode":
            latents = self.folder / "latents.safetensors"
            write_latents(latents, case.channels, case.latents, case.height // 8, case.width // 8)
            return ["decode", latents, *model, "-o", self.folder / "out.mp4"]
        output = self.folder / ("out.png" if case.command == "image" else "out.mp4")
        size = ["--size", f"{case.width}x{case.height}", "--steps", "2", "-o", output]
        frames = ["--frames", str(case.frames)] if case.command == "generate" else []
        latents = ["--latents", self.folder / "kept.safetensors"]
        person = ["--method", "none"]
        if case.reference:
            person = ["--reference", case.reference]
        budget = ["--budget", case.budget] if case.budget else []
        return [case.command, "--prompt", "a man img smiles", *model, *size, *frames, *latents, *person, *budget]

    def measure(self, case: Case) -> tuple[float, float]:
        """MiB predicted and measured."""
        log = self.folder / "log.txt"
        log.unlink(missing_ok=True)
        command = [str(part) for part in [self.binary, *self.arguments(case)]]
        environment = {**os.environ, "MAGIC_MIRROR_LOG": str(log), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{case.name}: {output.strip()}")
        predicted = PREDICTED.findall(log.read_text())
        return float(predicted[-1]), usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="only the cases that take seconds")
    parser.add_argument("--model", action="append", default=[], help="a further checkpoint folder to measure")
    parser.add_argument("--reference", help="a photograph, for the cases with a person")
    options = parser.parse_args()
    worst = 0.0
    print("| case | predicted MiB | measured MiB | predicted / measured |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(options.binary.resolve(), Path(folder))
        for case in cases_for(options.quick, options.model, options.reference):
            predicted, measured = runner.measure(case)
            worst = max(worst, abs(predicted / measured - 1))
            print(f"| {case.name} | {predicted:.0f} | {measured:.0f} | {predicted / measured:.2f} |", flush=True)
    print(f"\nworst: {worst:.1%}")
    return 0 if worst <= WORST else 1


if __name__ == "__main__":
    sys.exit(main())
