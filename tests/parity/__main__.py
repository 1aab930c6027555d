"""python -m tests.parity --binary build/dev/bin/magic-mirror [--only PART_OF_A_NAME]"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
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
from tests.parity.comparison import Row, table
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


def _all_cases() -> list[Case]:
    return [case for module in _MODULES for case in module.cases()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.parity", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="the program under test")
    parser.add_argument("--only", default="", metavar="NAME", help="run the cases whose stage/case/dtype contains NAME")
    parser.add_argument("--failures", action="store_true", help="print the failed lines alone")
    parser.add_argument("--markdown", action="store_true", help="print the table as markdown")
    return parser.parse_args()


def _run(cases: list[Case], context: Context) -> Iterator[Row]:
    shown = sys.stderr.isatty()
    for i, case in enumerate(cases):
        if shown:
            print(f"\r\x1b[K{i + 1}/{len(cases)} {case.name}", end="", file=sys.stderr, flush=True)
        yield from case.run(context)
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr)


def main() -> int:
    options = _arguments()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    diffusers.logging.set_verbosity_error()
    transformers.logging.set_verbosity_error()
    diffusers.logging.disable_progress_bar()
    transformers.logging.disable_progress_bar()
    cases = [case for case in _all_cases() if options.only in case.name]
    if not cases:
        print(f"no case has {options.only!r} in its name", file=sys.stderr)
        return 2
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parity-models-") as root:
        rows = list(_run(cases, Context(Program(options.binary.resolve()), Store(Path(root)))))
    failed = [row for row in rows if not row.passed]
    print(table(failed if options.failures else rows, options.markdown))
    print(f"\n{len(rows)} comparisons, {len(failed)} failed, {time.monotonic() - start:.0f} s")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
