"""Photographs of every format, whole and lying, written byte by byte."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, rows: bytes | None = None) -> bytes:
    """A grey PNG; its header may claim a size that `rows` do not have."""
    if rows is None:
        rows = (b"\0" + bytes([128]) * (width * 3)) * height
    head = struct.pack(">IIBBBBB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, colour, 0, 0, 0)
    data = zlib.compress(rows, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def png_with_texts(count: int, length: int) -> bytes:
    """A good grey PNG with so many compressed comments of so many spaces each."""
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b" " * length, 9))
    start, rest = (content := png(64, 64))[:33], content[33:]
    return start + text * count + rest


def png_bomb(side: int) -> bytes:
    """All the pixels it claims, in a few kilobytes: compressed zeros, compressed again by nobody."""
    squeeze = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()  # Row by row: 110 MB in all.
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _bmp_head(width: int, height: int, bits: int, compression: int, length: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + length, 0, 0, 54) + info


def write_moving_bmp(stream: BinaryIO, move: bytes) -> None:
    """Runs of 8 bits that move more often than a 32-bit number can count pixels, and then draw."""
    data = b"\0\2" + move
    moves = 2**31 // 255 + 1
    stream.write(_bmp_head(16, 16, 8, 1, 4 * moves + 4))
    stream.write(data * moves + b"\x10\1\0\1")


def _bmp_length(width: int, height: int, bits: int) -> int:
    return (abs(width) * bits // 8 + 3) // 4 * 4 * abs(height)


def bmp(width: int, height: int, bits: int = 24, data: bytes | None = None, compression: int = 0) -> bytes:
    pixels = bytes([128]) * _bmp_length(width, height, bits) if data is None else data
    return _bmp_head(width, height, bits, compression, len(pixels)) + pixels


def write_black_bmp(stream: BinaryIO, width: int, height: int) -> None:
    """All its pixels, as a hole in the file: large pictures cost this process no memory."""
    length = _bmp_length(width, height, 24)
    stream.write(_bmp_head(width, height, 24, 0, length))
    stream.truncate(54 + length)


def _tiff_folder(width: int, height: int, length: int, tags: Sequence[tuple[int, int, int, int]] = ()) -> bytes:
    base = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 8),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, length),
    }
    base |= {number: (kind, count, value) for number, kind, count, value in tags}
    folder = struct.pack("<H", len(base))
    for number, (kind, count, value) in sorted(base.items()):
        folder += struct.pack("<HHII", number, kind, count, value & 0xFFFFFFFF)
    return folder + bytes(4)


def _tiff_head(length: int) -> bytes:
    return b"II*\0" + struct.pack("<I", 8 + length)


def tiff(width: int, height: int, tags: Sequence[tuple[int, int, int, int]] = (), data: bytes | None = None) -> bytes:
    """An uncompressed grey TIFF; `tags` (number, type, count, value) are added or win."""
    pixels = bytes([128]) * (width * height) if data is None else data
    return _tiff_head(len(pixels)) + pixels + _tiff_folder(width, height, len(pixels), tags)


def write_black_tiff(stream: BinaryIO, width: int, height: int) -> None:
    """All its pixels, as a hole in the file."""
    length = width * height
    stream.write(_tiff_head(length))
    stream.seek(8 + length)
    stream.write(_tiff_folder(width, height, length))


def webp(width: int, height: int) -> bytes:
    """A lossless header without pixels."""
    bits = (width - 1) & 0x3FFF | ((height - 1) & 0x3FFF) << 14
    body = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", bits) + bytes(5)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def write_padded(stream: BinaryIO, content: bytes, size: int) -> None:
    """The file with so many bytes behind it, as a hole."""
    stream.write(content)
    stream.truncate(len(content) + size)


def exif(orientation: int, *, kind: int = 3, next_folder: int = 0, entries: int = 1) -> bytes:
    """A JPEG segment with an orientation; `next_folder` may point back at itself."""
    body = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", entries)
    body += struct.pack("<HHII", 0x112, kind, 1, orientation) + struct.pack("<I", next_folder)
    payload = b"Exif\0\0" + body
    return b"\xff\xe1" + struct.pack(">H", 2 + len(payload)) + payload


def jpeg_with(segment: bytes, jpeg: bytes) -> bytes:
    return jpeg[:2] + segment + jpeg[2:]


def jpeg_of_size(width: int, height: int) -> bytes:
    """A frame header and nothing to fill it."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\x01\x11\0\x02\x11\0\x03\x11\0"
    return b"\xff\xd8" + frame + b"\xff\xd9"
