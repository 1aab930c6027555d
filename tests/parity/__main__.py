"""python -m tests.parity --binary build/dev/bin/magic-mirror [--only PART_OF_A_NAME]..."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import diffusers
import torch
import transformers

from tests.parity import (
    golden,
    odd_worlds,
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
    true_size,
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
    odd_worlds,
    refused_adapters,
    refused_calls,
)


def _all_cases(at_true_size: bool) -> dict[str, Case]:
    modules = (true_size,) if at_true_size else _MODULES
    cases = [case for module in modules for case in module.cases()]
    named = {case.name: case for case in cases}
    assert len(named) == len(cases), "two cases have the same name"
    return named


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.parity", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="the program under test")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="run the cases whose stage/case/dtype contains NAME; may be given again",
    )
    parser.add_argument("--true-size", action="store_true", help="layers of the published sizes instead of tiny models")
    parser.add_argument("--jobs", type=int, help="worker processes (2; at true size 1)")
    parser.add_argument("--failures", action="store_true", help="print the failed lines alone")
    parser.add_argument("--markdown", action="store_true", help="print the table as markdown")
    return parser.parse_args()


# What a worker process has; set once after the fork.
_worker: list[tuple[Context, Mapping[str, Case]]] = []


def _start_worker(binary: Path, root: Path, cases: Mapping[str, Case]) -> None:
    """Every worker makes its own models, so that none waits for another."""
    torch.set_num_threads(1)
    folder = root / str(os.getpid())
    folder.mkdir()
    _worker.append((Context(Program(binary), Store(folder)), cases))


def _run_case(name: str) -> list[Row]:
    context, cases = _worker[0]
    return list(cases[name].run(context))


def _run(cases: Mapping[str, Case], binary: Path, root: Path, jobs: int) -> Iterator[Row]:
    with multiprocessing.get_context("fork").Pool(jobs, _start_worker, (binary, root, cases)) as pool:
        for i, rows in enumerate(pool.imap(_run_case, cases)):
            _report_progress(f"{i + 1}/{len(cases)}", rows)
            yield from rows
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)


def _report_progress(place: str, rows: list[Row]) -> None:
    """One line that is overwritten on a terminal; in a file, every line, because a run may take an hour."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{place} {rows[0].stage} {rows[0].case}", end="", file=sys.stderr, flush=True)
        return
    for row in rows:
        result = "pass" if row.passed else "FAIL"
        line = f"{place} {result} {row.stage}/{row.case}/{row.dtype} {row.output} {row.max_abs:.2e} {row.note}"
        print(line, file=sys.stderr, flush=True)


def _silence_libraries() -> None:
    logging.disable(logging.WARNING)
    diffusers.logging.set_verbosity_error()
    transformers.logging.set_verbosity_error()
    diffusers.logging.disable_progress_bar()
    transformers.logging.disable_progress_bar()


def main() -> int:
    options = _arguments()
    _silence_libraries()
    wanted = options.only or [""]
    every = _all_cases(options.true_size)
    cases = {name: case for name, case in every.items() if any(part in name for part in wanted)}
    if not cases:
        print(f"no case has {' or '.join(wanted)} in its name", file=sys.stderr)
        return 2
    jobs = options.jobs or (1 if options.true_size else min(2, os.cpu_count() or 1))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parity-models-") as root:
        rows = list(_run(cases, options.binary.resolve(), Path(root), jobs))
    failed = [row for row in rows if not row.passed]
    print((markdown_table if options.markdown else table)(failed if options.failures else rows))
    print(f"\n{len(rows)} comparisons, {len(failed)} failed, {time.monotonic() - start:.0f} s")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
