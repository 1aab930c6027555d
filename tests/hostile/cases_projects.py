"""Projects: a story is told from a folder that somebody else may have packed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.hostile.harness import Arguments, Case, Place

Build = Callable[[Path], None]
_SHOT: Mapping[str, Any] = {"prompt": "a man img", "character": "A", "seed": 1}
_CAST: Sequence[Any] = ({"name": "A", "references": [{"file": "references/a.jpg"}]},)


def _story(place: Place, project: str) -> Arguments:
    return ["story", project, "--model", str(place.tiny), "--frames", "1", "--size", "32x32", "--steps", "1",
            "-o", str(place.out / "s.mp4")]  # fmt: skip


def _folder(place: Place) -> Path:
    folder = place.inputs / "film.mirror"
    (folder / "references").mkdir(parents=True)
    (folder / "references" / "a.jpg").write_bytes(place.photo.read_bytes())
    return folder


def _text(content: bytes) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        folder = _folder(place)
        (folder / "project.json").write_bytes(content)
        return _story(place, str(folder))

    return call


def _project(**members: Any) -> bytes:
    return json.dumps({"version": 1, "characters": _CAST, "shots": [_SHOT], **members}).encode()


def _shot(**members: Any) -> bytes:
    return _project(shots=[{**_SHOT, **members}])


def _reference(file: Any, face: Any = None) -> bytes:
    return _project(characters=[{"name": "A", "references": [{"file": file, "face": face}]}])


_FILE = ("project.json",)
_REFERENCE = ("references[0].file",)
_TEXTS: Sequence[tuple[str, bytes, Sequence[str]]] = (
    ("no bytes", b"", _FILE),
    ("not JSON", b"{'version': 1}", _FILE),
    ("a list", b"[]", _FILE),
    ("not UTF-8", b'{"version":1,"title":"\xff"}', _FILE),
    ("a byte order mark", b"\xef\xbb\xbf" + _project(), _FILE),
    ("deep", b'{"version":1,"shots":' + b"[" * 100_000, _FILE),
    ("5 MiB of spaces", b" " * (5 << 20) + _project(), _FILE),
    ("a key twice", b'{"version":1,"version":1}', ("version",)),
    ("no version", b'{"shots":[]}', ("version",)),
    ("a newer version", b'{"version":2,"acts":[]}', ("version 2",)),
    ("a version of 1e400", b'{"version":1e400}', _FILE),
    ("a version that is text", b'{"version":"1"}', ("version",)),
    ("an unknown key", _project(script="rm -rf /"), ("script",)),
    ("an unknown key of a shot", _shot(output="../../x"), ("shots[0].output",)),
    ("no shots", _project(shots=[]), ("no shots",)),
    ("shots are a number", _project(shots=1), ("shots",)),
    ("a shot is null", _project(shots=[None]), ("shots",)),
    ("1,001 shots", _project(shots=[_SHOT] * 1001), ("shots",)),
    ("101 characters", _project(characters=[{"name": str(i)} for i in range(101)], shots=[]), ("characters",)),
    ("a character twice", _project(characters=[*_CAST, *_CAST]), ("characters[1].name",)),
    ("nobody of the cast", _shot(character="B\u202e\n"), ("shots[0].character",)),
    ("a prompt of 100 kB", _shot(prompt="a " * 50_000), ("shots[0].prompt",)),
    ("no prompt", _shot(prompt=""), ("shots[0].prompt",)),
    ("a title with control characters", _project(title="a\x1b[2J\n"), ("title",)),
    ("8 frames", _shot(frames=8), ("shots[0].frames",)),
    ("a million steps", _shot(steps=1_000_000), ("shots[0].steps",)),
    ("a negative seed", _shot(seed=-1), ("shots[0].seed",)),
    ("a seed of 1e300", _shot(seed=1e300), ("shots[0].seed",)),
    ("a guidance of NaN", _shot(guidance=float("nan")), _FILE),
    ("a strength of 9", _shot(identity={"value": 9}), ("shots[0].identity.value",)),
    ("a width of 0", _project(defaults={"width": 0, "height": 32}), ("defaults.width",)),
    ("a width alone", _project(defaults={"width": 32}), ("defaults.height",)),
    ("0 frames a second", _project(defaults={"fps": 0}), ("defaults.fps",)),
    ("face 0", _reference("references/a.jpg", 0), ("references[0].face",)),
    ("face 7", _reference("references/a.jpg", 7), ("face 7",)),
    ("five references", _project(characters=[{"name": "A", "references": [{"file": "references/a.jpg"}] * 5}]),
     ("characters[0].references",)),
    ("no references", _project(characters=[{"name": "A"}]), ("reference",)),
    ("an absolute reference", _reference("/etc/passwd"), _REFERENCE),
    ("a device", _reference("/dev/zero"), _REFERENCE),
    ("a reference above", _reference("../../photo.jpg"), _REFERENCE),
    ("a reference above, further in", _reference("references/../../x.jpg"), _REFERENCE),
    ("a reference with backslashes", _reference("..\\x.jpg"), _REFERENCE),
    ("a URL", _reference("http://example.org/a.jpg"), _REFERENCE),
    ("a protocol", _reference("concat:a.jpg|b.jpg"), _REFERENCE),
    ("a reference with control characters", _reference("a\n\u202e.jpg"), _REFERENCE),
    ("a reference of 100 kB", _reference("x" * 100_000), _REFERENCE),
    ("a reference of nothing", _reference(""), _REFERENCE),
    ("a reference that is gone", _reference("references/gone.jpg"), ("gone.jpg",)),
    ("a reference that is a folder", _reference("references"), ("references",)),
)  # fmt: skip


def _link_out(folder: Path) -> None:
    (folder.parent / "outside.jpg").write_bytes((folder / "references" / "a.jpg").read_bytes())
    (folder / "references" / "a.jpg").unlink()
    (folder / "references" / "a.jpg").symlink_to("../../outside.jpg")


def _folder_link_out(folder: Path) -> None:
    (folder / "references").rename(folder.parent / "elsewhere")
    (folder / "references").symlink_to("../elsewhere")


def _link_to_itself(folder: Path) -> None:
    (folder / "references" / "a.jpg").unlink()
    (folder / "references" / "a.jpg").symlink_to("a.jpg")


def _fifo(folder: Path) -> None:
    (folder / "references" / "a.jpg").unlink()
    os.mkfifo(folder / "references" / "a.jpg")


def _project_links_out(folder: Path) -> None:
    (folder / "project.json").rename(folder.parent / "outside.json")
    (folder / "project.json").symlink_to("../outside.json")


def _project_fifo(folder: Path) -> None:
    (folder / "project.json").unlink()
    os.mkfifo(folder / "project.json")


def _no_picture(folder: Path) -> None:
    (folder / "references" / "a.jpg").write_bytes(b"GIF89a")


_FOLDERS: Sequence[tuple[str, Build, Sequence[str]]] = (
    ("a reference that links out", _link_out, ("a.jpg",)),
    ("a folder that links out", _folder_link_out, ("a.jpg",)),
    ("a reference that links to itself", _link_to_itself, ("a.jpg",)),
    ("a reference that is a pipe", _fifo, ("a.jpg",)),
    ("a project.json that links out", _project_links_out, _FILE),
    ("a project.json that is a pipe", _project_fifo, _FILE),
    ("a reference that is no picture", _no_picture, ("a.jpg",)),
)


def _built(build: Build) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        folder = _folder(place)
        (folder / "project.json").write_bytes(_project())
        build(folder)
        return _story(place, str(folder))

    return call


def _over_a_reference(place: Place) -> Arguments:
    folder = _folder(place)
    (folder / "references" / "a.jpg").rename(folder / "references" / "a.mp4")
    (folder / "project.json").write_bytes(_reference("references/a.mp4"))
    return [*_story(place, str(folder))[:-1], str(folder / "references" / "a.mp4")]


def cases() -> list[Case]:
    found = [Case("project", label, names, _text(content)) for label, content, names in _TEXTS]
    found += [Case("project", label, names, _built(build)) for label, build, names in _FOLDERS]
    found.append(Case("project", "the output is a reference", ("a.mp4",), _over_a_reference))
    found.append(Case("project", "nothing there", ("gone",), lambda place: _story(place, str(place.inputs / "gone"))))
    found.append(Case("project", "good", (), _text(_project()), 0, ("s.mp4",), always=True))
    return found
