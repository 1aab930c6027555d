"""Runs the program on one hostile input and judges what it did: the oracle of every case."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
MOST_MEMORY_ABOVE_NORMAL = 256 * MIB
MOST_SECONDS = 5.0  # Of processor time: how long the clock runs also depends on what else the machine does.
PATIENCE = 60.0
LONGEST_LINE = 300
_FORBIDDEN = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@dataclass(frozen=True)
class Finished:
    """What one call did."""

    code: int
    out: bytes
    err: bytes
    memory: int
    seconds: float


class Program:
    """The program under test, with a home of its own."""

    def __init__(self, binary: Path, home: Path) -> None:
        self.binary = binary
        self.home = home
        self.environment = {
            "OMP_NUM_THREADS": "1",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_DATA_HOME": str(home / "data"),
            "LC_ALL": "C.UTF-8",
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        }

    def start(self, arguments: Sequence[str | bytes], out: int, err: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(self.binary), *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.environment
        )

    def run(self, arguments: Sequence[str | bytes]) -> Finished:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = self.start(arguments, out.fileno(), err.fileno())
            alarm = threading.Timer(PATIENCE, child.send_signal, [signal.SIGKILL])
            alarm.start()
            _, status, usage = os.wait4(child.pid, 0)
            alarm.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            seconds = usage.ru_utime + usage.ru_stime
            return Finished(child.returncode, out.read(), err.read(), usage.ru_maxrss * 1024, seconds)


@dataclass
class Place:
    """The folders of one case. `tiny` is a good checkpoint that every case shares and nobody changes."""

    root: Path
    tiny: Path
    photo: Path

    @property
    def inputs(self) -> Path:
        return self.root / "in"

    @property
    def out(self) -> Path:
        return self.root / "out"

    def file(self, name: str, content: bytes) -> str:
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def model(self, part: str = "", name: str = "", content: bytes | None = None) -> str:
        """A checkpoint in which one file of one part is replaced, or removed if there is no content."""
        folder = self.inputs / "model"
        folder.mkdir()
        for entry in self.tiny.iterdir():
            if entry.name == part:
                shutil.copytree(entry, folder / part)
            else:
                (folder / entry.name).symlink_to(entry)
        if part:
            target = folder / part / name
            if content is None:
                target.unlink()
            else:
                target.write_bytes(content)
        return str(folder)


Arguments = list["str | bytes"]


@dataclass(frozen=True)
class Case:
    """One hostile call: what must come out, and what its one sentence must name (one of the names is enough)."""

    kind: str
    label: str
    names: Sequence[str]
    call: Callable[[Place], Arguments]
    code: int = 1
    # Files the call may leave in its output folder, when it is to succeed.
    leaves: Sequence[str] = ()
    # In every sample.
    always: bool = False

    @property
    def title(self) -> str:
        return f"{self.kind}: {self.label}"


def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every entry below a folder with what identifies its content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        identity = (state.st_mode, state.st_ino)
        # A folder's size and time change when a temporary file comes and goes, which is no violation.
        if not stat.S_ISDIR(state.st_mode):
            content = _digest(path) if stat.S_ISREG(state.st_mode) and state.st_size < 64 * MIB else b""
            identity = (*identity, state.st_size, state.st_mtime_ns, content)
        found[str(path.relative_to(folder))] = identity
    return found


def _judge_lines(case: Case, finished: Finished) -> list[str]:
    problems = []
    try:
        text = finished.err.decode()
    except UnicodeDecodeError:
        return [f"stderr is not UTF-8: {finished.err[:200]!r}"]
    if case.code == 0:
        if text.count("\n") > 1 or (text and not text.startswith("warning: ")):
            problems.append("stderr holds more than one warning")
    elif text.count("\n") != 1 or not text.endswith("\n"):
        problems.append(f"stderr has {text.count(chr(10))} lines")
    if len(finished.err) >= LONGEST_LINE:
        problems.append(f"the line has {len(finished.err)} bytes")
    if any(character in text.rstrip("\n") for character in _FORBIDDEN):
        problems.append("stderr holds control or bidirectional characters")
    if case.names and not any(name in text for name in case.names):
        problems.append(f"stderr names none of {list(case.names)}")
    return problems


def _judge_files(case: Case, place: Place, before: dict[str, tuple[object, ...]], home: Path) -> list[str]:
    after = snapshot(place.root)
    problems = [f"'{name}' was changed or removed" for name, state in before.items() if after.get(name) != state]
    allowed = {f"out/{name}" for name in case.leaves} if case.code == 0 else set()
    problems += [f"'{name}' was left behind" for name in after if name not in before and name not in allowed]
    problems += [f"'{name}' is missing" for name in allowed if name not in after]
    problems += [f"the cache holds '{path.name}'" for path in home.rglob("*.part")]
    return problems


def judge(case: Case, program: Program, place: Place, normal: Mapping[str, int]) -> list[str]:
    """What is wrong with the program's answer; empty if nothing is."""
    arguments = case.call(place)
    before = snapshot(place.root)
    finished = program.run(arguments)
    problems = []
    if finished.code != case.code:
        problems.append(f"exit {finished.code} instead of {case.code}")
    problems += _judge_lines(case, finished)
    problems += _judge_files(case, place, before, program.home)
    normal_memory = normal.get(str(arguments[0]) if arguments else "", max(normal.values()))
    if finished.memory > normal_memory + MOST_MEMORY_ABOVE_NORMAL:
        problems.append(f"{finished.memory // MIB} MiB where {normal_memory // MIB} MiB are normal")
    if finished.seconds > MOST_SECONDS:
        problems.append(f"{finished.seconds:.1f} s of processor time")
    if problems:
        problems.append("stderr: " + finished.err[:400].decode(errors="backslashreplace").rstrip())
    return problems


def own_memory() -> int:
    """The most that this process ever held. A child's peak begins with it, for the kernel hands it on across exec."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def normal_memories(program: Program, calls: dict[str, Arguments]) -> dict[str, int]:
    """Peak memory of good calls, by command."""
    memories = {}
    for command, arguments in calls.items():
        finished = program.run(arguments)
        if finished.code != 0:
            raise RuntimeError(f"the good call of {command} failed: {finished.err.decode(errors='replace')}")
        memories[command] = finished.memory
    return memories


def waited(child: subprocess.Popen[bytes], limit: float = PATIENCE) -> int:
    """The exit code of a child that must end by itself."""
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return -signal.SIGKILL

