"""python -m tests.hostile.output_faults --binary PROGRAM [--disk] [--all]: outputs that cannot be written, or no longer.

Each call ends with exit 1 and one sentence; under the final names stands what stood there before; nothing unfinished is
left; and latents that a run had already made can be decoded. Without --disk: files that may not grow beyond a size,
folders without the right to write, folders that vanish while a call writes into them, and targets that become folders.
With --disk: a small file system of its own that is full from the start, fills up meanwhile, or is read-only; that takes
the right to mount, and without it the test is passed over (exit 77).

Each call meets two of the sizes of files and of disks, another two than the next call; all of them with --all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.hostile.harness import LONGEST_LINE, Program, waited
from tests.hostile.writers import LATENTS, OLDER, Files, Workshop, Writer, files_in, is_temporary

_PASSED_OVER = 77
_MIB = 1 << 20
_SMALL_DISK = 4 * _MIB
_LARGE_DISK = 200 * _MIB  # `models init` wants 64 MiB more than it writes.
_TRIES = 5
_WORKERS = 2

Problems = list[str]
Change = Callable[[Path, Writer], None]
Job = tuple[str, Callable[[], Problems]]  # Its name, and what finds out what is wrong.


@dataclass
class Ended:
    """A call that could not do its work."""

    code: int
    said: bytes


def _judge_sentence(ended: Ended, names: Sequence[str]) -> Problems:
    problems = []
    if ended.code != 1:
        problems.append(f"exit {ended.code} instead of 1")
    if ended.said.count(b"\n") != 1 or not ended.said.endswith(b"\n") or len(ended.said) >= LONGEST_LINE:
        problems.append("stderr is not one line of less than 300 bytes")
    if b".;" in ended.said:
        problems.append("a full stop ends the sentence before its end")
    if not any(name.encode() in ended.said for name in names):
        problems.append(f"stderr names none of {list(names)}")
    if problems:
        problems.append(f"stderr: {ended.said[:300]!r}")
    return problems


def _judge_files(folder: Path, before: Files, whole: Files) -> Problems:
    """What a call with several outputs had finished may stay; anything else is as it was."""
    after = files_in(folder) if folder.exists() else {}
    problems = [f"'{name}' is gone" for name in before if name not in after]
    for name, data in after.items():
        if data != before.get(name) and data != whole.get(name):
            problems.append(f"'{name}' was {'changed' if name in before else 'left behind'}: {data!r:.40}")
    if whole.items() <= after.items():
        problems.append("everything is there, though the call failed")
    return problems


class _Faults:
    """Every fault, tried on every writer that it fits."""

    def __init__(self, workshop: Workshop, every: bool) -> None:
        self.workshop = workshop
        self.program = workshop.program
        self.every = every
        self.writers = workshop.writers()
        with ThreadPoolExecutor(_WORKERS) as pool:
            list(pool.map(workshop.whole, self.writers))
        self.failures = 0
        self.counts: Counter[str] = Counter()

    def report(self, kind: str, label: str, problems: Problems) -> None:
        self.counts[kind] += 1
        self.failures += bool(problems)
        for problem in problems:
            print(f"FAILED {kind}: {label}: {problem}")

    def report_each(self, kind: str, jobs: Sequence[Job]) -> None:
        with ThreadPoolExecutor(_WORKERS) as pool:
            found = list(pool.map(lambda job: job[1](), jobs))
        for (label, _), problems in zip(jobs, found, strict=True):
            self.report(kind, label, problems)

    def _prepared(self, writer: Writer, older: bool, below: Path | None = None) -> Path:
        folder = self.workshop.new_folder(below)
        if older and not writer.makes_folders:
            for name in writer.outputs:
                (folder / name).write_bytes(OLDER)
        return folder

    def _run(self, writer: Writer, folder: Path, other: Path, before: Sequence[str] = ()) -> Ended:
        arguments = writer.call(folder, other)
        if not before:
            done = self.program.run(arguments)
            return Ended(done.code, done.err)
        # Through a pipe: a limit on files would also hold for a file that takes what the program says.
        child = Program(Path(before[0]), self.program.home).start(
            [*before[1:], str(self.program.binary), *arguments], subprocess.DEVNULL, subprocess.PIPE
        )
        said = child.communicate()[1]
        return Ended(child.returncode, said)

    def _judged(self, writer: Writer, ended: Ended, folder: Path, other: Path, before: Files) -> Problems:
        problems = _judge_sentence(ended, self.workshop.culprits(writer, folder))
        problems += _judge_files(folder, before, self.workshop.whole(writer))
        problems += [f"'{name}' is left beside" for name in files_in(other) if is_temporary(Path(name))]
        if (latents := other / LATENTS).exists():
            problems += self.workshop.decodes(latents, writer) if writer.name != "picture" else []
        return problems

    def file_sizes(self) -> None:
        """No file may become larger than so many bytes: a write comes back short, or not at all."""
        parts = (0.0, 0.02, 0.5, 0.99)
        self.report_each("file size", [
            (f"{writer.name} at {part:.0%}", partial(self._limited, writer, part, number % 2 == 0))
            for index, writer in enumerate(self.writers)
            for number, part in enumerate(parts)
            if self.every or (index + number) // 2 % 2 == 0
        ])  # fmt: skip

    def _limited(self, writer: Writer, part: float, older: bool) -> Problems:
        largest = max(len(data) for data in self.workshop.whole(writer).values())
        folder, other = self._prepared(writer, older), self.workshop.new_folder()
        before = files_in(folder)
        ended = self._run(writer, folder, other, ["/usr/bin/prlimit", f"--fsize={int(largest * part)}"])
        # Latents are small: where they are not what is written, they may be what fails first.
        problems = _judge_sentence(ended, [*self.workshop.culprits(writer, folder), LATENTS])
        problems += _judge_files(folder, before, self.workshop.whole(writer))
        return problems + [f"'{name}' is left beside" for name in files_in(other) if is_temporary(Path(name))]

    def no_rights(self) -> None:
        """A folder that may only be read. Root may write everywhere, and gives that up for the call."""
        before = () if os.geteuid() else ("/usr/bin/setpriv", "--bounding-set=-dac_override,-dac_read_search")
        if before and subprocess.run([*before, str(self.program.binary), "--version"], capture_output=True).returncode:
            print("folders without the right to write: not tried, root cannot give up its rights here")
            return
        self.report_each("no rights", [(writer.name, partial(self._forbidden, writer, before)) for writer in self.writers])

    def _forbidden(self, writer: Writer, before: Sequence[str]) -> Problems:
        folder, other = self._prepared(writer, older=True), self.workshop.new_folder()
        files = files_in(folder)
        folder.chmod(0o555)
        ended = self._run(writer, folder, other, before)
        folder.chmod(0o755)
        return self._judged(writer, ended, folder, other, files)

    def interrupted(self, kind: str, change: Change, names: Sequence[str], below: Path | None = None) -> None:
        """The call is stopped while something unfinished is there, the change is made, and the call goes on."""
        writers = [writer for writer in self.writers if writer.name in names]
        self.report_each(kind, [(writer.name, partial(self._interrupted, writer, change, below)) for writer in writers])

    def _interrupted(self, writer: Writer, change: Change, below: Path | None) -> Problems:
        for attempt in range(_TRIES):
            folder, other = self._prepared(writer, older=False, below=below), self.workshop.new_folder()
            ended, changed = self._stopped_run(writer, folder, other, change)
            if changed and ended.code != 0:
                break
            if attempt + 1 == _TRIES:
                ended.said += b" (the call was always faster)"
        problems = _judge_sentence(ended, [*self.workshop.culprits(writer, folder), "unfinished"])
        left = files_in(folder) if folder.exists() else {}
        problems += [f"'{name}' is left behind" for name in left if is_temporary(Path(name))]
        problems += [f"'{name}' holds {data!r:.40}" for name, data in writer.own(left).items() if data not in (b"", OLDER)]
        if (latents := other / LATENTS).exists():
            problems += self.workshop.decodes(latents, writer)
        return problems

    def _stopped_run(self, writer: Writer, folder: Path, other: Path, change: Change) -> tuple[Ended, bool]:
        with tempfile.TemporaryFile() as errors:
            child = self.program.start(writer.call(folder, other), subprocess.DEVNULL, errors.fileno())
            changed = False
            while child.poll() is None and not changed:
                if any(is_temporary(Path(name)) for name in _names_in(folder)):
                    child.send_signal(signal.SIGSTOP)
                    # Between the look and the stop it may have finished.
                    if any(is_temporary(Path(name)) for name in _names_in(folder)):
                        change(folder, writer)
                        changed = True
                    child.send_signal(signal.SIGCONT)
                else:
                    time.sleep(0.0002)
            code = waited(child)
            errors.seek(0)
            return Ended(code, errors.read()), changed

    def lost_latents(self) -> None:
        """The place of the latents is gone when they are there: they go into the cache, and the sentence says so."""
        for label, lose in (("folder", shutil.rmtree), ("name", lambda folder: (folder / LATENTS).mkdir())):
            writer = next(each for each in self.writers if each.name == "latents")
            cache = self.program.home / "cache" / "magic-mirror" / "latents"
            known = set(cache.iterdir()) if cache.exists() else set()
            for _ in range(_TRIES):
                ended, lost = self._run_that_loses(writer, lose)
                if lost:
                    break
            problems = _judge_sentence(ended, [LATENTS])
            kept = [file for file in (cache.iterdir() if cache.exists() else []) if file not in known]
            if len(kept) != 1 or kept[0].name.encode() not in ended.said:
                problems.append(f"the cache holds {kept}; {ended.said!r}")
            for file in kept:
                problems += self.workshop.decodes(file, writer)
            self.report("lost latents", label, problems)

    def _run_that_loses(self, writer: Writer, lose: Callable[[Path], object]) -> tuple[Ended, bool]:
        """Whether the place was lost in time: on a busy machine the program may be faster than its reader here."""
        folder, other = self.workshop.new_folder(), self.workshop.new_folder()
        lost = False
        with tempfile.TemporaryFile() as errors:
            read, write = os.pipe()
            child = self.program.start([*writer.call(folder, other), "--json"], write, errors.fileno())
            os.close(write)
            with os.fdopen(read, "rb") as events:
                for line in events:
                    if b'"denoise"' in line and not lost:
                        child.send_signal(signal.SIGSTOP)
                        if not any(folder.iterdir()):
                            lose(folder)
                            lost = True
                        child.send_signal(signal.SIGCONT)
            code = waited(child)
            errors.seek(0)
            return Ended(code, errors.read()), lost

    def full_disk(self, root: Path) -> None:
        """Room for so many bytes, and not for one more; each writer has a disk of its own."""

        def on_disk(index: int, writer: Writer) -> list[tuple[str, Problems]]:
            found = []
            with _mounted(root / f"disk-of-{writer.name}", _SMALL_DISK):
                for number, part in enumerate((0.0, 0.3, 0.7)):
                    if self.every or number != index % 3:
                        problems = self._full(writer, root / f"disk-of-{writer.name}", part, number != 1)
                        found.append((f"{writer.name} at {part:.0%}", problems))
            return found

        with ThreadPoolExecutor(_WORKERS) as pool:
            for results in list(pool.map(on_disk, range(len(self.writers)), self.writers)):
                for label, problems in results:
                    self.report("full disk", label, problems)

    def _full(self, writer: Writer, disk: Path, part: float, older: bool) -> Problems:
        whole = sum(len(data) for data in self.workshop.whole(writer).values())
        folder, other = self._prepared(writer, older, disk), self.workshop.new_folder()
        before = files_in(folder)
        with _ballast(disk, room=int(whole * part) // 4096 * 4096):
            ended = self._run(writer, folder, other)
        problems = self._judged(writer, ended, folder, other, before)
        shutil.rmtree(folder)
        return problems

    def filling_disk(self, disk: Path) -> None:
        """The disk fills up while the checkpoint is written."""

        def fill(folder: Path, _: Writer) -> None:
            room = shutil.disk_usage(folder).free
            with (folder / "ballast").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, room // 4096 * 4096)

        self.interrupted("filling disk", fill, ["checkpoint"], disk)

    def read_only_disk(self, disk: Path) -> None:
        folders = [(writer, self._prepared(writer, True, disk)) for writer in self.writers]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        self.report_each("read-only disk", [(writer.name, partial(self._read_only, writer, to)) for writer, to in folders])
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)

    def _read_only(self, writer: Writer, folder: Path) -> Problems:
        before, other = files_in(folder), self.workshop.new_folder()
        ended = self._run(writer, folder, other)
        return self._judged(writer, ended, folder, other, before)


def _names_in(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []


@contextmanager
def _ballast(disk: Path, room: int) -> Iterator[None]:
    """A file that leaves so many bytes free."""
    file = disk / "ballast"
    with file.open("wb") as stream:
        if (size := shutil.disk_usage(disk).free - room) > 0:
            os.posix_fallocate(stream.fileno(), 0, size)
    yield
    file.unlink()


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[bool]:
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "mirror-test", str(folder)], capture_output=True)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def _becomes_folder(folder: Path, writer: Writer) -> None:
    for name in writer.outputs:
        (folder / name / "inside").mkdir(parents=True)


def _without_disk(faults: _Faults) -> int:
    faults.file_sizes()
    faults.no_rights()
    slow = ["video", "decode", "checkpoint", "import"]  # The others are written within a fraction of a millisecond.
    faults.interrupted("vanished folder", lambda folder, _: shutil.rmtree(folder), slow)
    faults.interrupted("target becomes a folder", _becomes_folder, slow)
    faults.lost_latents()
    return 0


def _with_disk(faults: _Faults, root: Path) -> int:
    with _mounted(root / "disk", _SMALL_DISK) as mounted:
        if not mounted:
            print("passed over: a small file system cannot be mounted here")
            return _PASSED_OVER
        faults.read_only_disk(root / "disk")
    faults.full_disk(root)
    with _mounted(root / "larger-disk", _LARGE_DISK):
        faults.filling_disk(root / "larger-disk")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.output_faults", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--disk", action="store_true")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mirror-outputs-") as name:
        root = Path(os.path.realpath(name))
        (root / "home").mkdir()
        faults = _Faults(Workshop(Program(options.binary.resolve(), root / "home"), root), options.all)
        code = _with_disk(faults, root) if options.disk else _without_disk(faults)
    for kind, count in sorted(faults.counts.items()):
        print(f"{count:5}  {kind}")
    print(f"{sum(faults.counts.values()):5}  calls, {faults.failures} failed")
    return 1 if faults.failures else code


if __name__ == "__main__":
    sys.exit(main())
