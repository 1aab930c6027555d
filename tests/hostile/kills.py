"""python -m tests.hostile.kills --binary PROGRAM [--kills N]: ends calls that write at random moments.

After `kill -9` a final name holds what was there before or a whole file, what else is there can be recognised as
unfinished, and the same call again takes that away and succeeds. After Ctrl-C nothing unfinished is there at all. Most
kills wait for the first sign of something unfinished and come a random fraction of a millisecond or more later, so that
they hit the writing itself; the others come at any moment of the call.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.harness import PATIENCE, Program, waited
from tests.hostile.writers import LATENTS, OLDER, Files, Workshop, Writer, files_in, is_temporary

_SEED = 20_240_607
_KILLS = 40
_WORKERS = 2
_STOPPED = 130
# How often each writer is killed, and for how long it usually writes: in milliseconds from the first sign.
_WRITERS = {"video": (5, 40.0), "latents": (3, 3.0), "decode": (3, 40.0), "checkpoint": (6, 120.0), "import": (3, 12.0)}
_STEERED = 0.75
_REPEATED = 0.5  # Of the kills: how many are followed by the same call once more.


@dataclass(frozen=True)
class Moment:
    """When a call is ended: so long after the start, or after the first sign of something unfinished."""

    number: int
    writer: str
    steered: bool
    seconds: float
    kind: signal.Signals
    repeated: bool

    @property
    def title(self) -> str:
        since = "the first sign" if self.steered else "the start"
        return f"{self.kind.name} {self.number}, {self.writer}, {1000 * self.seconds:.1f} ms after {since}"


def _unfinished(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if is_temporary(Path(entry.name))]
    except FileNotFoundError:
        return []


class _Range:
    """Ends calls and judges what they leave."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.writers = {writer.name: writer for writer in workshop.writers()}
        self.seconds = {}
        for name in _WRITERS:
            begin = time.monotonic()
            workshop.whole(self.writers[name])
            self.seconds[name] = time.monotonic() - begin

    def moments(self, kills: int) -> list[Moment]:
        draw = random.Random(_SEED)
        shares = [name for name, (share, _) in _WRITERS.items() for _ in range(share)]
        found = []
        for number in range(kills + kills // 5):
            kind = signal.SIGKILL if number < kills else signal.SIGINT
            name = shares[number % len(shares)]
            steered = draw.random() < _STEERED
            longest = _WRITERS[name][1] / 1000 if steered else self.seconds[name]
            found.append(Moment(number, name, steered, longest * draw.random(), kind, draw.random() < _REPEATED))
        return found

    def end(self, moment: Moment) -> tuple[str, list[str]]:
        """What was there afterwards, in a word, and what is wrong with it."""
        writer = self.writers[moment.writer]
        folder, other = self.workshop.new_folder(), self.workshop.new_folder()
        if moment.number % 3 == 0 and not writer.makes_folders:
            (folder / writer.outputs[0]).write_bytes(OLDER)
        before = files_in(folder)
        with tempfile.TemporaryFile() as errors:
            child = self.workshop.program.start(writer.call(folder, other), errors.fileno(), errors.fileno())
            while moment.steered and child.poll() is None and not _unfinished(folder):
                time.sleep(0.0002)
            time.sleep(moment.seconds)
            child.send_signal(moment.kind)
            code = waited(child, PATIENCE)
            errors.seek(0)
            said = errors.read()
        word, problems = self._judge(moment, folder, before)
        problems += self._judge_kept(other, writer)
        # Before its handler is installed, a program is simply ended.
        wanted = {"whole": (0, _STOPPED), "nothing": (_STOPPED, -signal.SIGINT)}.get(word, (_STOPPED,))
        if moment.kind is signal.SIGINT and code not in wanted:
            problems.append(f"exit {code}: {said[:200]!r}")
        if moment.repeated:
            problems += self._repeat(writer, folder, other, word)
        shutil.rmtree(folder)
        shutil.rmtree(other)
        return word, problems

    def _judge(self, moment: Moment, folder: Path, before: Files) -> tuple[str, list[str]]:
        writer, after = self.writers[moment.writer], files_in(folder)
        whole = self.workshop.whole(writer)
        rest = [name for name in after if is_temporary(Path(name))]
        finished = {name: data for name, data in after.items() if name not in rest}
        problems = []
        for name, data in finished.items():
            if data != whole.get(name) and data != before.get(name):
                problems.append(f"'{name}' is broken: {len(data)} bytes, {data!r:.40}")
        problems += [f"'{name}' is gone" for name in before if name not in finished]
        folders = {name.split("/")[0] for name in finished} if writer.makes_folders else set()
        problems += [
            f"the folder '{folder}' is not whole"
            for folder in folders
            if any(name.startswith(folder + "/") and name not in finished for name in whole)
        ]
        if moment.kind is signal.SIGINT:
            problems += [f"'{name}' is left" for name in rest]
        if whole.items() <= finished.items():
            return "whole", problems
        return ("unfinished" if rest else "nothing"), problems

    def _judge_kept(self, other: Path, writer: Writer) -> list[str]:
        latents = other / LATENTS
        return self.workshop.decodes(latents, writer) if latents.exists() else []

    def _repeat(self, writer: Writer, folder: Path, other: Path, word: str) -> list[str]:
        if writer.makes_folders and word == "whole":
            return []  # They write into new folders only.
        done = self.workshop.program.run(writer.call(folder, other))
        if done.code != 0:
            return [f"the call again: exit {done.code}: {done.err[:200]!r}"]
        after = files_in(folder)
        problems = [f"'{name}' is there after the call again" for name in after if name not in self.workshop.whole(writer)]
        problems += [f"'{name}' is left beside" for name in files_in(other) if is_temporary(Path(name))]
        return problems + ([] if after == self.workshop.whole(writer) else ["the call again wrote something else"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.kills", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=_KILLS, help="and a fifth as many times Ctrl-C")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mirror-kills-") as name:
        root = Path(os.path.realpath(name))
        (root / "home").mkdir()
        place = _Range(Workshop(Program(options.binary.resolve(), root / "home"), root))
        moments = place.moments(options.kills)
        with ThreadPoolExecutor(_WORKERS) as pool:
            results = list(pool.map(place.end, moments))
    failed = 0
    words: Counter[tuple[str, str, str]] = Counter()
    for moment, (word, problems) in zip(moments, results, strict=True):
        words[moment.kind.name, moment.writer, word] += 1
        failed += bool(problems)
        for problem in problems:
            print(f"FAILED {moment.title}: {problem}")
    for (kind, writer, word), count in sorted(words.items()):
        print(f"{count:5}  {kind} of {writer}: {word}")
    print(f"{len(moments):5}  ended calls, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
