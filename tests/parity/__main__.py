"""python -m tests.parity --binary build/dev/bin/magic-mirror [--only PART_OF_A_NAME]"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import diffusers
import torch
import transformers

from tests.parity import (
    golden,
    refused_adapters,
    refused_calls,
    stage_features,
    stage_mirror,
    stage_pipelines,
    stage_prompt,
    stage_scheduler,
    stage_text,
    stage_transformer,
    stage_vae,
)
from tests.parity.case import Case, Context
from tests.parity.checkpoints import Store
from tests.parity.comparison import Row, markdown_table, table
from tests.parity.program import Program

_MODULES = (
    golden,
    stage_transformer,
    stage_vae,
    stage_scheduler,
    stage_text,
    stage_pipelines,
    stage_features,
    stage_mirror,
    stage_prompt,
    refused_adapters,
    refused_calls,
)


@cache
def _all_cases() -> dict[str, Case]:
    cases = [case for module in _MODULES for case in module.cases()]
    named = {case.name: case for case in cases}
    assert len(named) == len(cases), "two cases have the same name"
    return named


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.parity", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="the program under test")
    parser.add_argument("--only", default="", metavar="NAME", help="run the cases whose stage/case/dtype contains NAME")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="worker processes (2)")
    parser.add_argument("--failures", action="store_true", help="print the failed lines alone")
    parser.add_argument("--markdown", action="store_true", help="print the table as markdown")
    return parser.parse_args()


# What a worker process has; set once after the fork.
_worker: list[Context] = []


def _start_worker(binary: Path, root: Path) -> None:
    """Every worker makes its own models, so that none waits for another."""
    folder = root / str(os.getpid())
    folder.mkdir()
    _worker.append(Context(Program(binary), Store(folder)))


def _run_case(name: str) -> list[Row]:
    return list(_all_cases()[name].run(_worker[0]))


def _run(names: list[str], binary: Path, root: Path, jobs: int) -> Iterator[Row]:
    with multiprocessing.get_context("fork").Pool(jobs, _start_worker, (binary, root)) as pool:
        for i, rows in enumerate(pool.imap(_run_case, names)):
            if sys.stderr.isatty():
                print(f"\r\x1b[K{i + 1}/{len(names)} {names[i]}", end="", file=sys.stderr, flush=True)
            yield from rows
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)


def _silence_libraries() -> None:
    logging.disable(logging.WARNING)
    diffusers.logging.set_verbosity_error()
    transformers.logging.set_verbosity_error()
    diffusers.logging.disable_progress_bar()
    transformers.logging.disable_progress_bar()


def main() -> int:
    options = _arguments()
    torch.set_num_threads(1)
    _silence_libraries()
    names = [name for name in _all_cases() if options.only in name]
    if not names:
        print(f"no case has {options.only!r} in its name", file=sys.stderr)
        return 2
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parity-models-") as root:
        rows = list(_run(names, options.binary.resolve(), Path(root), options.jobs))
    failed = [row for row in rows if not row.passed]
    print((markdown_table if options.markdown else table)(failed if options.failures else rows))
    print(f"\n{len(rows)} comparisons, {len(failed)} failed, {time.monotonic() - start:.0f} s")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
