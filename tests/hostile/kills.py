"""python -m tests.hostile.kills --binary PROGRAM: ends `generate` at random moments and looks at what it leaves.

After `kill -9` a final name holds nothing or a whole file, and what else is there can be recognised as temporary. After
Ctrl-C there is nothing but the latents, whole, if they were already saved.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.harness import PATIENCE, Program, waited

_SEED = 20_240_607
_KILLS = 60
_INTERRUPTS = 12
_WORKERS = 2
_STOPPED = 130
_TEMPORARY = re.compile(r"\.(v\.mp4|l\.safetensors)\.[0-9a-f]{12}\.part")


def _is_whole(video: bytes) -> bool:
    """Whether the boxes of an MP4 cover the file exactly and the index and the pictures are among them."""
    at, kinds = 0, set()
    while at + 8 <= len(video):
        (size,) = struct.unpack_from(">I", video, at)
        kinds.add(video[at + 4 : at + 8])
        if size < 8:
            return False
        at += size
    return at == len(video) and {b"ftyp", b"moov", b"mdat"} <= kinds


@dataclass(frozen=True)
class Moment:
    """When the program is ended, as a part of the time that it takes if nobody ends it."""

    number: int
    part: float
    kind: signal.Signals


class _Range:
    """The checkpoint, and how long an undisturbed call takes."""

    def __init__(self, program: Program, root: Path) -> None:
        self.program = program
        self.root = root
        self.tiny = root / "tiny"
        made = program.run(["models", "init", "--preset", "tiny", "--seed", "1", str(self.tiny)])
        if made.code != 0:
            raise RuntimeError(made.err.decode(errors="replace"))
        begin = time.monotonic()
        folder = root / "whole"
        folder.mkdir()
        done = program.run(self.generate(folder))
        if done.code != 0:
            raise RuntimeError(done.err.decode(errors="replace"))
        self.whole = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.seconds = time.monotonic() - begin

    def generate(self, folder: Path) -> list[str | bytes]:
        return ["generate", "--method", "none", "--prompt", "a man", "--model", str(self.tiny), "--frames", "9",
                "--size", "64x48", "--steps", "4", "--latents", str(folder / "l.safetensors"),
                "-o", str(folder / "v.mp4")]  # fmt: skip

    def end(self, moment: Moment) -> tuple[str, list[str]]:
        """What was there afterwards, in a word, and what is wrong with it."""
        folder = self.root / f"{moment.kind.name}-{moment.number}"
        folder.mkdir()
        if moment.number % 3 == 0:
            (folder / "v.mp4").write_bytes(b"an older video")
        with (folder / "err").open("wb") as errors:
            child = self.program.start(self.generate(folder), errors.fileno(), errors.fileno())
            time.sleep(moment.part * self.seconds)
            child.send_signal(moment.kind)
            code = waited(child, PATIENCE)
        said = (folder / "err").read_bytes()
        (folder / "err").unlink()
        return self._judge(moment, folder, code, said)

    def _judge(self, moment: Moment, folder: Path, code: int, said: bytes) -> tuple[str, list[str]]:
        older = b"an older video" if moment.number % 3 == 0 else None
        video, latents = folder / "v.mp4", folder / "l.safetensors"
        content = video.read_bytes() if video.exists() else None
        problems = []
        done = content not in (None, older)
        if done and not _is_whole(content or b""):
            problems.append("the video is broken")
        if older is not None and content is None:
            problems.append("the older video is gone")
        if latents.exists() and latents.read_bytes() != self.whole["l.safetensors"]:
            problems.append("the latents are broken")
        rest = [path.name for path in folder.iterdir() if path not in (video, latents)]
        if moment.kind is signal.SIGINT:
            problems += [f"'{name}' is left" for name in rest]
            wanted = (0, _STOPPED) if done else (_STOPPED, -signal.SIGINT)
            if code not in wanted:
                problems.append(f"exit {code}: {said[:200]!r}")
        else:
            problems += [f"'{name}' is no temporary name" for name in rest if not _TEMPORARY.fullmatch(name)]
        if latents.exists() and not done and moment.number % 5 == 0:
            problems += self._decode(folder, latents)
        word = "video" if done else "latents" if latents.exists() else "temporary" if rest else "nothing"
        return word, problems

    def _decode(self, folder: Path, latents: Path) -> list[str]:
        again = folder / "again.mp4"
        done = self.program.run(["decode", str(latents), "--model", str(self.tiny), "-o", str(again)])
        usable = done.code == 0 and _is_whole(again.read_bytes())
        return [] if usable else [f"decode of the latents: exit {done.code}: {done.err[:200]!r}"]


def _moments() -> list[Moment]:
    draw = random.Random(_SEED)
    found = [Moment(number, draw.uniform(0.0, 1.05), signal.SIGKILL) for number in range(_KILLS)]
    return found + [Moment(number, draw.uniform(0.2, 1.0), signal.SIGINT) for number in range(_INTERRUPTS)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.kills", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mirror-kills-") as name:
        root = Path(os.path.realpath(name))
        (root / "home").mkdir()
        place = _Range(Program(options.binary.resolve(), root / "home"), root)
        moments = _moments()
        with ThreadPoolExecutor(_WORKERS) as pool:
            results = list(pool.map(place.end, moments))
    failed = 0
    for moment, (_, problems) in zip(moments, results, strict=True):
        for problem in problems:
            print(f"FAILED {moment.kind.name} {moment.number} at {moment.part:.0%}: {problem}")
        failed += bool(problems)
    for kind in (signal.SIGKILL, signal.SIGINT):
        words = Counter(word for moment, (word, _) in zip(moments, results, strict=True) if moment.kind is kind)
        print(f"{kind.name}: {', '.join(f'{count} {word}' for word, count in sorted(words.items()))}")
    print(f"{len(moments)} ended calls, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
