"""Photographs: all formats, cut off, bombs, lies in EXIF, and files that are no photographs at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from tests.hostile import pictures
from tests.hostile.harness import Arguments, Case, Place

_NAME = "photo.jpg"
_GREY_ROWS = b"\0" * 64
_SVG = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
_HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)

_REFUSED: Sequence[tuple[str, bytes]] = (
    ("no bytes", b""),
    ("one byte", b"\xff"),
    ("text", b"this is no picture\n"),
    ("random bytes", bytes((i * 193 + 5) % 256 for i in range(5000))),
    ("GIF", b"GIF89a\1\0\1\0\x80\0\0" + bytes(20)),
    ("HEIC", _HEIC),
    ("SVG", _SVG),
    ("PDF", b"%PDF-1.7\n" + bytes(100)),
    ("a playlist", b"#EXTM3U\nfile:///etc/passwd\n"),
    ("an MP4", b"\0\0\0\x18ftypisom" + bytes(100)),
    ("PNG: signature only", b"\x89PNG\r\n\x1a\n"),
    ("PNG: 100,000 x 100,000", pictures.png(100_000, 100_000, rows=_GREY_ROWS)),
    ("PNG: 1 x 2^31-1", pictures.png(1, 2**31 - 1, rows=_GREY_ROWS)),
    ("PNG: 0 x 5", pictures.png(0, 5, rows=_GREY_ROWS)),
    ("PNG: width 0x80000001", pictures.png(0x80000001, 4, rows=_GREY_ROWS)),
    ("PNG: 3 bits", pictures.png(8, 8, depth=3, rows=_GREY_ROWS)),
    ("PNG: colour type 9", pictures.png(8, 8, colour=9, rows=_GREY_ROWS)),
    ("PNG: no rows", pictures.png(64, 64, rows=b"")),
    ("PNG: 16,384 x 16,384, no rows", pictures.png(16_384, 16_384, rows=_GREY_ROWS)),
    ("PNG: half the rows", pictures.png(64, 64, rows=(b"\0" + bytes(192)) * 32)),
    ("PNG: filter 9", pictures.png(8, 8, rows=(b"\x09" + bytes(24)) * 8)),
    ("PNG: header changed", pictures.png(8, 8).replace(b"IHDR\0\0\0\x08", b"IHDR\0\0\0\x09")),
    ("JPEG: markers only", b"\xff\xd8\xff\xd9"),
    ("JPEG: 65,535 x 65,535", pictures.jpeg_of_size(65_535, 65_535)),
    ("JPEG: 16,384 x 16,384, no scan", pictures.jpeg_of_size(16_384, 16_384)),
    ("JPEG: 0 x 8", pictures.jpeg_of_size(0, 8)),
    ("JPEG: no scan", pictures.jpeg_of_size(64, 64)),
    ("JPEG: a segment without end", b"\xff\xd8\xff\xe1\xff\xff" + bytes(10)),
    ("JPEG: 100,000 markers", b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100_000),
    ("BMP: header only", pictures.bmp(64, 64)[:54]),
    ("BMP: half a header", pictures.bmp(64, 64)[:30]),
    ("BMP: 2^31-1 wide", pictures.bmp(2**31 - 1, 1, data=bytes(64))),
    ("BMP: 16,384 x 16,384, no pixels", pictures.bmp(16_384, 16_384, data=b"")),
    ("BMP: -2^31 high", pictures.bmp(4, -(2**31), data=bytes(64))),
    ("BMP: -4 wide", pictures.bmp(-4, 4)),
    ("BMP: 0 x 0", pictures.bmp(0, 0)),
    ("BMP: 7 bits", pictures.bmp(8, 8, bits=7)),
    ("BMP: compression 99", pictures.bmp(8, 8, compression=99)),
    ("BMP: runs beyond the picture", pictures.bmp(8, 8, bits=8, data=b"\xff\x01" * 400, compression=1)),
    ("TIFF: header only", b"II*\0\x08\0\0\0"),
    ("TIFF: folder points at itself", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
    ("TIFF: folder beyond the file", b"II*\0\xff\xff\xff\x7f" + bytes(20)),
    ("TIFF: 2^31 wide", pictures.tiff(8, 8, [(256, 4, 1, 2**31)])),
    ("TIFF: 100,000 x 100,000", pictures.tiff(8, 8, [(256, 4, 1, 100_000), (257, 4, 1, 100_000)])),
    ("TIFF: strip beyond the file", pictures.tiff(8, 8, [(273, 4, 1, 2**31)])),
    ("TIFF: 16,384 x 16,384, no pixels", pictures.tiff(16_384, 16_384, data=b"")),
    ("TIFF: 65,535 samples", pictures.tiff(8, 8, [(277, 3, 1, 65_535)])),
    ("TIFF: 4 billion strips", pictures.tiff(8, 8, [(273, 4, 2**32 - 1, 8), (278, 4, 1, 1)])),
    ("TIFF: compression 12345", pictures.tiff(8, 8, [(259, 3, 1, 12_345)])),
    ("WebP: no pixels", pictures.webp(64, 64)),
    ("WebP: 16,384 x 16,384, no pixels", pictures.webp(16_384, 16_384)),
    ("WebP: length 2^32-1", b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff" + bytes(20)),
    ("WebP: no chunk", b"RIFF\x04\0\0\0WEBP"),
)


# All the bytes that the claimed size could need.
_PADDED: Sequence[tuple[str, Callable[[BinaryIO], None]]] = (
    ("PNG", lambda stream: pictures.write_padded(stream, pictures.png_bomb(16_000), 40_000_000)),
    ("JPEG", lambda stream: pictures.write_padded(stream, pictures.jpeg_of_size(16_000, 16_000), 40_000_000)),
    ("WebP", lambda stream: pictures.write_padded(stream, pictures.webp(16_000, 16_000), 40_000_000)),
    ("TIFF", lambda stream: pictures.write_black_tiff(stream, 8_000, 8_000)),
    ("BMP", lambda stream: pictures.write_black_bmp(stream, 7_000, 7_000)),
)


_MOVING: Sequence[tuple[str, bytes]] = (("to the right", b"\xff\0"), ("upwards", b"\0\xff"))


def _accepted(jpeg: bytes) -> Sequence[tuple[str, bytes]]:
    """Lies about which the program must not care: a grey picture without a face, or the example with bad notes."""
    return (
        ("PNG named .jpg", pictures.png(64, 64)),
        ("1 x 1", pictures.png(1, 1)),
        ("1 x 4,000", pictures.png(1, 4_000)),
        ("4,000 x 1", pictures.png(4_000, 1)),
        ("PNG: 200 texts of 15 MiB", pictures.png_with_texts(200, 15 << 20)),
        ("BMP upside down", pictures.bmp(16, -16)),
        ("TIFF", pictures.tiff(32, 32)),
        *(
            (f"EXIF orientation {number}", pictures.jpeg_with(pictures.exif(number), jpeg))
            for number in (0, 9, 65_535)
        ),
        ("EXIF orientation of another type", pictures.jpeg_with(pictures.exif(6, kind=12), jpeg)),
        ("EXIF loop", pictures.jpeg_with(pictures.exif(1, next_folder=8), jpeg)),
        ("EXIF of 65,535 entries", pictures.jpeg_with(pictures.exif(1, entries=65_535), jpeg)),
        ("EXIF without content", pictures.jpeg_with(b"\xff\xe1\x00\x08Exif\0\0", jpeg)),
    )


def _written(write: Callable[[BinaryIO], object]) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        with (place.inputs / _NAME).open("wb") as stream:
            write(stream)
        return ["face", str(place.inputs / _NAME), "--json"]

    return call


def _face(content: bytes) -> Callable[[Place], Arguments]:
    return lambda place: ["face", place.file(_NAME, content), "--json"]


def _cut(part: float) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        content = place.photo.read_bytes()
        return ["face", place.file(_NAME, content[: int(len(content) * part)]), "--json"]

    return call


def _cut_grey(content: bytes, part: float) -> Callable[[Place], Arguments]:
    return _face(content[: int(len(content) * part)])


def _special(make: Callable[[Path], object]) -> Callable[[Place], Arguments]:
    def call(place: Place) -> Arguments:
        make(place.inputs / _NAME)
        return ["face", str(place.inputs / _NAME)]

    return call


def _sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"\xff\xd8\xff\xe0")
        stream.truncate(2**40)


def _special_cases() -> list[Case]:
    files: Sequence[tuple[str, Callable[[Path], object]]] = (
        ("absent", lambda _: None),
        ("a fifo", os.mkfifo),
        ("a folder", os.mkdir),
        ("a link to nothing", lambda path: os.symlink("nothing", path)),
        ("a link to itself", lambda path: os.symlink(path, path)),
        ("a link to a device", lambda path: os.symlink("/dev/zero", path)),
        ("a terabyte with holes", _sparse),
    )
    found = [Case("photograph", label, (_NAME,), _special(make)) for label, make in files]
    paths: Sequence[str] = (
        "/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem", "/proc/self/pagemap",
        "http://127.0.0.1:9/a.jpg", "file:///etc/passwd", "concat:a|b", "a-%d.jpg", "*.jpg",
    )  # fmt: skip
    for path in paths:
        name = path.rsplit("/", maxsplit=1)[-1]
        found.append(Case("photograph", path, (name,), lambda _, path=path: ["face", path]))
    return found


def cases() -> list[Case]:
    jpeg = (Path(__file__).resolve().parents[2] / "resources" / "examples" / "astronaut.jpg").read_bytes()
    found = [Case("photograph", label, (_NAME,), _face(content)) for label, content in _REFUSED]
    found += [Case("photograph", f"accepted: {label}", (), _face(content), 0) for label, content in _accepted(jpeg)]
    found += [Case("photograph", f"JPEG cut at {part:.0%}", (_NAME,), _cut(part)) for part in (0.001, 0.01, 0.05)]
    grey = (("PNG", pictures.png(64, 64)), ("BMP", pictures.bmp(64, 64)), ("TIFF", pictures.tiff(64, 64)))
    found += [
        Case("photograph", f"{name} cut at {part:.0%}", (_NAME,), _cut_grey(content, part))
        for name, content in grey
        for part in (0.1, 0.5, 0.9)
    ]
    bomb = _written(lambda stream: stream.write(pictures.png_bomb(30_000)))
    found.append(Case("photograph", "PNG bomb of 30,000 x 30,000", (_NAME,), bomb, always=True))
    for label, move in _MOVING:
        call = _written(lambda stream, move=move: pictures.write_moving_bmp(stream, move))
        found.append(Case("photograph", f"accepted: BMP: 2^31 pixels {label}", (), call, 0, always=True))
    for name, write in _PADDED:
        label = f"{name} padded to what its size could need"
        found.append(Case("photograph", label, (_NAME,), _written(write), always=True))
    return found + _special_cases()
