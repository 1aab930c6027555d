"""python -m tests.hostile --binary PROGRAM [--all | --only PART_OF_A_TITLE | --seed N] [--list]: hostile inputs.

A run takes at most so many cases of each kind, drawn by a seed, and those that are marked to be always there. All of
them are replayed with --all, and those with a title that holds a text with --only.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hostile import (
    cases_adapter,
    cases_calls,
    cases_folders,
    cases_packed,
    cases_pictures,
    cases_projects,
    cases_safetensors,
    cases_stages,
)
from tests.hostile.harness import MIB, Case, Place, Program, judge, normal_memories, own_memory

_MODULES = (
    cases_safetensors,
    cases_folders,
    cases_adapter,
    cases_stages,
    cases_pictures,
    cases_projects,
    cases_packed,
    cases_calls,
)
_PHOTO = Path(__file__).resolve().parents[2] / "resources" / "examples" / "astronaut.jpg"
_WORKERS = 2
_SEED = 20_240_518
_MOST_OF_A_KIND = 28


def _all_cases() -> list[Case]:
    cases = [case for module in _MODULES for case in module.cases()]
    twice = [title for title, count in Counter(case.title for case in cases).items() if count > 1]
    if twice:
        raise ValueError(f"two cases are called {twice}")
    return cases


def _sample(cases: list[Case], seed: int) -> list[Case]:
    """At most so many of each kind, in the order of the whole corpus."""
    draw = random.Random(seed)
    kinds: dict[str, list[Case]] = {}
    for case in cases:
        kinds.setdefault(case.kind, []).append(case)
    chosen: set[str] = set()
    for same in kinds.values():
        needed = [case for case in same if case.always]
        others = [case for case in same if not case.always]
        drawn = draw.sample(others, min(len(others), _MOST_OF_A_KIND - len(needed)))
        chosen |= {case.title for case in (*needed, *drawn)}
    return [case for case in cases if case.title in chosen]


class _Bench:
    """The good checkpoint and what normal calls need, for all cases."""

    def __init__(self, binary: Path, root: Path) -> None:
        self.root = root
        self.program = Program(binary, root / "home")
        self.program.home.mkdir()
        self.tiny = root / "tiny"
        made = self.program.run(["models", "init", "--preset", "tiny", "--seed", "1", str(self.tiny)])
        if made.code != 0:
            raise RuntimeError(made.err.decode(errors="replace"))
        tiny, photo = str(self.tiny), str(_PHOTO)
        clip = ["--model", tiny, "--frames", "9", "--size", "64x48", "--steps", "1"]
        latents = str(root / "latents.safetensors")
        generate = ["generate", "--reference", photo, "--prompt", "a man img", *clip, "--latents", latents]
        stage = ["run-stage", "tokenize", "--model", tiny, "--text", "a", "--outputs", str(root / "ids.safetensors")]
        self.normal = normal_memories(
            self.program,
            {
                "generate": [*generate, "-o", str(root / "good.mp4")],
                "decode": ["decode", latents, "--model", tiny, "-o", str(root / "again.mp4")],
                "face": ["face", photo],
                "models": ["models", "verify", tiny],
                "run-stage": [*stage],
            },
        )

    def check(self, case: Case) -> list[str]:
        folder = Path(tempfile.mkdtemp(dir=self.root))
        place = Place(folder, self.tiny, _PHOTO)
        place.inputs.mkdir()
        place.out.mkdir()
        try:
            return judge(case, self.program, place, self.normal)
        finally:
            shutil.rmtree(folder)


def _report(cases: list[Case], problems: list[list[str]]) -> int:
    for case, found in zip(cases, problems, strict=True):
        if found:
            print(f"FAILED {case.title}")
            print("".join(f"       {problem}\n" for problem in found), end="")
    for kind, count in sorted(Counter(case.kind for case in cases).items()):
        print(f"{count:5}  {kind}")
    failed = sum(1 for found in problems if found)
    print(f"{len(cases):5}  cases, {failed} failed")
    return 1 if failed else 0


def _check_own_memory(normal: dict[str, int]) -> int:
    """Whether the memory of the calls was that of the program, not what it inherited from this process."""
    own, least = own_memory(), min(normal.values())
    print(f"{own // MIB:5}  MiB at most in this process, {least // MIB} MiB in the smallest normal call")
    if own < least:
        return 0
    print("FAILED this process needs more memory than a normal call: peaks that a call inherits from it mean nothing")
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    cases = [case for case in _all_cases() if options.only in case.title]
    if not options.all and not options.only:
        cases = _sample(cases, options.seed)
    if options.list:
        print("\n".join(case.title for case in cases))
        return 0
    with tempfile.TemporaryDirectory(prefix="mirror-hostile-") as name:
        bench = _Bench(options.binary.resolve(), Path(name))
        with ThreadPoolExecutor(_WORKERS) as pool:
            problems = list(pool.map(bench.check, cases))
        return _report(cases, problems) | _check_own_memory(bench.normal)


if __name__ == "__main__":
    sys.exit(main())
