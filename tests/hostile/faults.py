"""python -m tests.hostile.faults --binary PROGRAM --preload LIBRARY [--tries N]: no memory at the N-th allocation.

Allocations of a call, drawn by chance, are refused: one alone, or all that are at least that large from one on. The
call then ends with exit 1 and one sentence, or, where it can do without, with the very file of an undisturbed call;
nothing unfinished is left. Libraries that do not look at what their allocator gave them end the program at once: then
there is a sentence as well, and what is left has a temporary's name.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.harness import LONGEST_LINE, PATIENCE, Program
from tests.hostile.writers import Workshop, Writer, files_in, is_temporary

_SEED = 20_250_301
_TRIES = 4
_WORKERS = 2
# Of allocations at least that large are half of the tries: tensors, files and pictures rather than names and lists.
# Only these are refused for good: without any memory at all nobody could say so.
_LARGE = 4096
_AT_ONCE = b"magic-mirror: the program failed"


@dataclass(frozen=True)
class Fault:
    """Which allocation of which call fails."""

    writer: Writer
    least: int
    at: int
    always: bool

    @property
    def title(self) -> str:
        size = f" of at least {self.least} bytes" if self.least > 1 else ""
        return f"{self.writer.name}: allocation {self.at}{size} {'and all that follow' if self.always else 'once'}"


@dataclass(frozen=True)
class Outcome:
    """What a call said, none if it succeeded, whether a signal had ended it, and whether it could not list its folder."""

    sentence: str
    at_once: bool
    unlisted: bool
    problems: list[str]


class _Faults:
    def __init__(self, workshop: Workshop, preload: Path) -> None:
        self.workshop = workshop
        self.preload = preload

    def _environment(self, least: int, at: int, always: bool) -> dict[str, str]:
        variables = {"LD_PRELOAD": str(self.preload), "MIRROR_FAULT_LEAST": str(least), "MIRROR_FAULT_AT": str(at)}
        return variables | ({"MIRROR_FAULT_ALWAYS": "1"} if always else {})

    def _run(self, writer: Writer, folder: Path, other: Path, variables: dict[str, str]) -> tuple[int, bytes, int]:
        """Exit code, what it said, and how many allocations were counted."""
        read, write = os.pipe()
        child = subprocess.Popen(
            [str(self.workshop.program.binary), *writer.call(folder, other)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(write,),
            env=self.workshop.program.environment | variables | {"MIRROR_FAULT_COUNT": str(write)},
        )  # fmt: skip
        os.close(write)
        try:
            said = child.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            child.kill()
            said = child.communicate()[1] + b"(it did not end)"
        with os.fdopen(read, "rb") as count:
            return child.returncode, said, int(count.read() or 0)

    def count(self, writer: Writer, least: int) -> int:
        folder, other = self.workshop.new_folder(), self.workshop.new_folder()
        code, said, count = self._run(writer, folder, other, self._environment(least, 0, False))
        if code != 0 or count == 0:
            raise RuntimeError(f"{writer.name}: exit {code}, {count} allocations: {said!r}")
        return count

    def draw(self, tries: int, only: str, pool: ThreadPoolExecutor) -> list[Fault]:
        draw = random.Random(_SEED)
        found = []
        writers = [writer for writer in self.workshop.writers() if only in writer.name]
        counted = list(pool.map(lambda writer: {least: self.count(writer, least) for least in (1, _LARGE)}, writers))
        for writer, counts in zip(writers, counted, strict=True):
            print(f"{counts[1]:8,}  allocations of {writer.name}, {counts[_LARGE]:,} of them large")
            for number in range(tries):
                least = (1, _LARGE)[number % 2]
                found.append(Fault(writer, least, draw.randint(1, counts[least]), number % 4 == 3))
        return found

    def check(self, fault: Fault) -> Outcome:
        folder, other = self.workshop.new_folder(), self.workshop.new_folder()
        variables = self._environment(fault.least, fault.at, fault.always)
        code, said, _ = self._run(fault.writer, folder, other, variables)
        left, whole = files_in(folder), self.workshop.whole(fault.writer)
        problems = []
        if code not in (0, 1):
            problems.append(f"exit {code}")
        if code == 0 and left != whole:
            problems.append("it says that it succeeded, and did not")
        if code == 1 and (said.count(b"\n") != 1 or not said.endswith(b"\n") or len(said) >= LONGEST_LINE):
            problems.append("stderr is not one line of less than 300 bytes")
        rest = [name for name in (*left, *files_in(other)) if is_temporary(Path(name))]
        at_once = said.startswith(_AT_ONCE)
        # Without any memory a folder cannot even be listed, so it stays until the next call; a folder alone is an empty one.
        unlisted = [name for name in rest if fault.always and ("/" in name or (folder / name).is_dir())]
        problems += [f"'{name}' is left" for name in rest if not at_once and name not in unlisted]
        problems += [f"'{name}' is broken" for name, data in left.items() if name not in rest and data != whole.get(name)]
        if problems:
            problems.append(f"stderr: {said[:300]!r}")
        shutil.rmtree(folder)
        shutil.rmtree(other)
        sentence = said.decode(errors="replace").strip() if code == 1 else ""
        return Outcome(sentence, at_once, bool(unlisted) and not at_once, problems)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.faults", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--preload", type=Path, required=True)
    parser.add_argument("--tries", type=int, default=_TRIES, help="of each call")
    parser.add_argument("--only", default="", help="the name of one call")
    parser.add_argument("--sentences", action="store_true", help="print what the calls said, with how often they did")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mirror-faults-") as name:
        root = Path(os.path.realpath(name))
        (root / "home").mkdir()
        faults = _Faults(Workshop(Program(options.binary.resolve(), root / "home"), root), options.preload.resolve())
        with ThreadPoolExecutor(_WORKERS) as pool:
            drawn = faults.draw(options.tries, options.only, pool)
            list(pool.map(faults.workshop.whole, {fault.writer.name: fault.writer for fault in drawn}.values()))
            results = list(pool.map(faults.check, drawn))
    for fault, outcome in zip(drawn, results, strict=True):
        for problem in outcome.problems:
            print(f"FAILED {fault.title}: {problem}")
    sentences = Counter(outcome.sentence for outcome in results)
    if options.sentences:
        for sentence, count in sentences.most_common():
            print(f"{count:5}  {sentence}")
    failed = sum(1 for outcome in results if outcome.problems)
    print(f"{len(results) - sentences['']:5}  exit 1, {sum(outcome.at_once for outcome in results)} of them through a signal")
    print(f"{sentences['']:5}  without consequence")
    print(f"{sum(outcome.unlisted for outcome in results):5}  left an unfinished folder that they could not list")
    print(f"{len(drawn):5}  refused allocations, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
