"""Runs the program under test."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

Tensors = Mapping[str, torch.Tensor]


class StageError(RuntimeError):
    """The stage did not end with exit code 0, or said something on stderr that nobody expected."""


@dataclass(frozen=True)
class Outcome:
    """What one call left behind."""

    code: int
    stderr: str
    outputs: dict[str, torch.Tensor] | None

    @property
    def lines(self) -> list[str]:
        return self.stderr.splitlines()


@dataclass(frozen=True)
class Program:
    """`magic-mirror run-stage`, called with tensors instead of files."""

    binary: Path
    timeout: float = 120.0
    threads: int = 1

    def call(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        threads = str(self.threads)
        # Threads that wait asleep, because there may be more of them than processors.
        waiting = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "LC_ALL": "C.UTF-8"}
        environment = os.environ | waiting | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        return subprocess.run(
            [str(self.binary), *arguments],
            capture_output=True,
            text=True,
            timeout=self.timeout,
            env=environment,
            check=False,
        )

    def stage(
        self, stage: str, model: Path | None, inputs: Tensors | None = None, options: Sequence[str] = ()
    ) -> Outcome:
        """One call; `outputs` is None when no file was left under the output's name."""
        with tempfile.TemporaryDirectory(prefix="parity-") as name:
            folder = Path(name)
            arguments = ["run-stage", stage]
            if model is not None:
                arguments += ["--model", str(model)]
            if inputs is not None:
                save_file({key: value.contiguous() for key, value in inputs.items()}, folder / "in.safetensors")
                arguments += ["--inputs", str(folder / "in.safetensors")]
            output = folder / "out.safetensors"
            done = self.call([*arguments, "--outputs", str(output), *options])
            outputs = load_file(output) if output.exists() else None
            return Outcome(done.returncode, done.stderr, outputs)

    def outputs(
        self, stage: str, model: Path, inputs: Tensors | None = None, options: Sequence[str] = ()
    ) -> dict[str, torch.Tensor]:
        """The tensors of a call that must succeed without a word on stderr."""
        outcome = self.stage(stage, model, inputs, options)
        if outcome.code != 0 or outcome.outputs is None:
            raise StageError(f"exit {outcome.code}: {outcome.stderr.strip()[:200] or 'no output file'}")
        if outcome.stderr:
            raise StageError(f"stderr not empty: {outcome.stderr.strip()[:200]}")
        return outcome.outputs
