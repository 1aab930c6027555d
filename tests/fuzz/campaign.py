"""python -m tests.fuzz.campaign --programs build/fuzz/bin --state FOLDER: every target up to a number of executions.

The targets take turns, a slice each, so that the campaign can be stopped at any time and goes on where it was: the
inputs found so far, the totals and the logs are kept in the folder. It ends at the first finding, whose input stays
there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.seeds import write_seeds

_LONGEST_INPUT = 8192
_SECONDS_PER_INPUT = 120  # Of the clock: on a busy machine a process may wait long for its turn.
# Short stacks of allocations and a small quarantine: a third faster, and what they find is found again with more.
_SANITIZER = "malloc_context_size=2:quarantine_size_mb=64"
_DONE = re.compile(r"^stat::number_of_executed_units:\s+(\d+)$", re.MULTILINE)


class _Campaign:
    """The folder with everything that outlives one call."""

    def __init__(self, programs: Path, state: Path) -> None:
        self._programs = programs
        self._state = state
        self._totals_file = state / "totals.json"
        (state / "logs").mkdir(parents=True, exist_ok=True)
        write_seeds(state / "corpus")
        self.targets = sorted(path.name for path in (state / "corpus").iterdir())
        self.totals: dict[str, int] = dict.fromkeys(self.targets, 0)
        if self._totals_file.exists():
            self.totals |= json.loads(self._totals_file.read_text())

    def _save(self) -> None:
        fresh = self._totals_file.with_suffix(".new")
        fresh.write_text(json.dumps(self.totals, indent=2) + "\n")
        fresh.replace(self._totals_file)

    def slice(self, target: str, runs: int) -> bool:
        """Whether the target ran that often without a finding."""
        corpus = self._state / "corpus" / target
        options = [f"-runs={runs}", f"-max_len={_LONGEST_INPUT}", f"-timeout={_SECONDS_PER_INPUT}", "-malloc_limit_mb=256",
                   "-rss_limit_mb=2048", "-reload=0", "-print_final_stats=1", "-verbosity=0",
                   f"-artifact_prefix={self._state}/finding-{target}-"]  # fmt: skip
        # What a target writes goes to memory, not to a disk.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
        environment = {**os.environ, "ASAN_OPTIONS": _SANITIZER, "TMPDIR": memory}
        done = subprocess.run(
            [self._programs / target, *options, corpus], env=environment, capture_output=True, text=True, errors="replace"
        )
        with (self._state / "logs" / f"{target}.log").open("a") as log:
            log.write(done.stderr)
        if found := _DONE.search(done.stderr):
            self.totals[target] += int(found[1])
            self._save()
        return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.campaign", description=__doc__)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=10_000_000, help="of each target")
    parser.add_argument("--slice", type=int, default=250_000)
    options = parser.parse_args()
    campaign = _Campaign(options.programs.resolve(), options.state.resolve())
    while open_targets := [target for target in campaign.targets if campaign.totals[target] < options.runs]:
        for target in open_targets:
            if not campaign.slice(target, min(options.slice, options.runs - campaign.totals[target])):
                print(f"{target} found something, or was ended; see {options.state}")
                return 1
            print(f"{target} {campaign.totals[target]:,}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
