"""Packed projects: ZIP files that somebody else made."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable, Sequence

from tests.hostile.harness import Arguments, Case, Place

Bytes = Callable[[bytes], bytes]
_NAME = "film.mirror"
_PROJECT = json.dumps(
    {
        "version": 1,
        "characters": [{"name": "A", "references": [{"file": "references/a.jpg"}]}],
        "shots": [{"prompt": "a man img", "character": "A", "seed": 1}],
    }
).encode()


class _Writer:
    """One archive; what differs from an honest one is added or changed by the case."""

    def __init__(self, photo: bytes, folder: str = "", method: int = zipfile.ZIP_DEFLATED) -> None:
        self._bytes = io.BytesIO()
        self.zip = zipfile.ZipFile(self._bytes, "w", method)
        self.zip.writestr(folder + "project.json", _PROJECT)
        self.zip.writestr(folder + "references/a.jpg", photo)

    def finished(self) -> bytes:
        self.zip.close()
        return self._bytes.getvalue()


def _with(name: str, content: bytes = b"x", mode: int = 0) -> Bytes:
    def make(photo: bytes) -> bytes:
        writer = _Writer(photo)
        info = zipfile.ZipInfo(name)
        info.filename = name  # ZipInfo cuts the name at a NUL.
        info.create_system = 3
        info.external_attr = mode << 16
        writer.zip.writestr(info, content)
        return writer.finished()

    return make


def _twice(photo: bytes) -> bytes:
    # The second name is changed where it stands, because the module warns of the same one.
    return _with("references/b.jpg", photo)(photo).replace(b"references/b.jpg", b"references/a.jpg")


def _patched(before_data: int, in_directory: int, value: bytes) -> Bytes:
    """Changes a field of project.json, the first entry, in both of its headers."""

    def make(photo: bytes) -> bytes:
        content = bytearray(_Writer(photo).finished())
        for at in (before_data, content.index(b"PK\x01\x02") + in_directory):
            content[at : at + len(value)] = value
        return bytes(content)

    return make


def _damaged(photo: bytes) -> bytes:
    content = bytearray(_Writer(photo, method=zipfile.ZIP_STORED).finished())
    content[content.index(photo) + len(photo) // 2] ^= 1
    return bytes(content)


def _many(photo: bytes) -> bytes:
    writer = _Writer(photo)
    for number in range(10_001):
        writer.zip.writestr(f"takes/{number}", b"")
    return writer.finished()


def _claims_many(_: bytes) -> bytes:
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 0, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
    return wide + locator + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0, 0xFFFFFFFF, 0)


def _one_gigabyte_and_more(photo: bytes) -> bytes:
    return _patched(22, 24, struct.pack("<I", (1 << 30) + 1))(photo)


def _overlapping(photo: bytes) -> bytes:
    """Every entry of the directory has the data of the first one, which unpacks to 8 MiB."""
    writer = _Writer(photo)
    writer.zip.writestr("zeros0", bytes(8 << 20))
    content = writer.finished()
    record = content[content.rindex(b"PK\x01\x02") : content.rindex(b"PK\x05\x06")]
    records = [record.replace(b"zeros0", b"zeros%d" % number) for number in range(10)]
    begin = content.index(b"PK\x01\x02")
    honest = content[begin : content.rindex(b"PK\x01\x02")]
    directory = honest + b"".join(records)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 12, 12, len(directory), begin, 0)
    return content[:begin] + directory + end


def _deep(photo: bytes) -> bytes:
    return _Writer(photo, "a/b/").finished()


def _two_projects(photo: bytes) -> bytes:
    writer = _Writer(photo, "a/")
    writer.zip.writestr("b/project.json", _PROJECT)
    return writer.finished()


def _without_picture(_: bytes) -> bytes:
    bytes_ = io.BytesIO()
    with zipfile.ZipFile(bytes_, "w") as archive:
        archive.writestr("project.json", _PROJECT)
    return bytes_.getvalue()


def _large_text(photo: bytes) -> bytes:
    bytes_ = io.BytesIO()
    with zipfile.ZipFile(bytes_, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", b" " * (5 << 20) + _PROJECT)
        archive.writestr("references/a.jpg", photo)
    return bytes_.getvalue()


_FILE = (_NAME,)
_REFUSED: Sequence[tuple[str, Bytes, Sequence[str]]] = (
    ("no bytes", lambda photo: b"", _FILE),
    ("a beginning alone", lambda photo: b"PK\x03\x04" + bytes(26), _FILE),
    ("another kind of archive", lambda photo: b"\x1f\x8b\x08" + bytes(100), _FILE),
    ("cut in half", lambda photo: _Writer(photo).finished()[: len(photo) // 2], _FILE),
    ("a byte short", lambda photo: _Writer(photo).finished()[:-1], _FILE),
    ("something behind it", lambda photo: _Writer(photo).finished() + b"more", _FILE),
    ("something before it", lambda photo: b"#!/bin/sh\n" + _Writer(photo).finished(), _FILE),
    ("no entries", lambda photo: b"PK\x05\x06" + bytes(18), ("project.json",)),
    ("a name that leads out", _with("../evil"), ("../evil",)),
    ("a name that leads out further in", _with("a/../../evil"), ("a/../../evil",)),
    ("an absolute name", _with("/tmp/evil"), ("/tmp/evil",)),
    ("a name with backslashes", _with("..\\evil"), ("evil",)),
    ("a name with a drive", _with("C:evil"), ("C:evil",)),
    ("a name with control characters", _with("a\x1b[2J\n\u202eb"), ("x1b",)),
    ("a name of 2,000 letters", _with("x" * 2000), ("xxx",)),
    ("a name twice", _twice, ("references/a.jpg",)),
    ("a link", _with("takes/link", b"/etc/passwd", stat.S_IFLNK | 0o777), ("takes/link",)),
    ("a device", _with("takes/zero", b"", stat.S_IFCHR | 0o666), ("takes/zero",)),
    ("a pipe", _with("takes/pipe", b"", stat.S_IFIFO | 0o666), ("takes/pipe",)),
    ("an encrypted entry", _patched(6, 8, b"\x01\x00"), ("project.json is encrypted",)),
    ("an unknown compression", _patched(8, 10, b"\x63\x00"), ("project.json is compressed",)),
    ("a changed bit in a picture", _damaged, ("references/a.jpg is damaged",)),
    ("a wrong checksum", _patched(14, 16, b"\x00\x01\x02\x03"), ("project.json is damaged",)),
    ("an entry of more than it says", _patched(22, 24, b"\x05\x00\x00\x00"), ("project.json unpacks to more",)),
    ("an entry of more than 1 GiB", _one_gigabyte_and_more, ("project.json is larger",)),
    ("entries over each other", _overlapping, ("zeros1 has two headers that disagree",)),
    ("10,003 entries", _many, ("10000 entries",)),
    ("a claim of 2^40 entries", _claims_many, _FILE),
    ("the project two folders deep", _deep, ("holds no project.json",)),
    ("two projects", _two_projects, ("2 folders",)),
    ("a reference that is not in it", _without_picture, ("references/a.jpg",)),
    ("a project.json of 5 MiB", _large_text, ("project.json",)),
    ("a reference that is no picture", lambda photo: _Writer(b"GIF89a").finished(), ("a.jpg",)),
)  # fmt: skip


def _story(place: Place, content: bytes) -> Arguments:
    return ["story", place.file(_NAME, content), "--model", str(place.tiny), "--frames", "1", "--size", "32x32",
            "--steps", "1", "-o", str(place.out / "s.mp4")]  # fmt: skip


def _call(make: Bytes) -> Callable[[Place], Arguments]:
    return lambda place: _story(place, make(place.photo.read_bytes()))


def cases() -> list[Case]:
    found = [Case("packed", label, names, _call(make)) for label, make, names in _REFUSED]
    found.append(
        Case("packed", "good", (), _call(lambda photo: _Writer(photo).finished()), 0, ("s.mp4",), always=True)
    )
    found.append(
        Case("packed", "good, in a folder", (), _call(lambda photo: _Writer(photo, "f.mirror/").finished()), 0,
             ("s.mp4",), always=True)
    )  # fmt: skip
    return found
