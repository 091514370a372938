"""Write a PNG of flat colours again, smaller and with the very same pixels.

A browser filters each row as suits photographs; rows as they are compress better where a picture
is made of letters and planes.
"""

import struct
import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BYTES_PER_PIXEL = {2: 3, 6: 4}  # by colour type: RGB, RGBA


def smaller_png(data: bytes) -> bytes:
    """Return the picture without row filters, or as it was when that is not smaller."""
    header, packed = b"", b""
    for kind, body in _chunks(data):
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
    width, _, _, colour_type = struct.unpack(">IIBB", header[:10])
    step = _BYTES_PER_PIXEL[colour_type]
    rows = _unfiltered(zlib.decompress(packed), width * step, step)
    again = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    smaller = _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", again) + _chunk(b"IEND", b"")
    return min(smaller, data, key=len)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _unfiltered(raw: bytes, stride: int, step: int) -> Iterator[bytes]:
    above = bytes(stride)
    for start in range(0, len(raw), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        _unfilter(row, above, how=raw[start], step=step)
        above = bytes(row)
        yield above


def _unfilter(row: bytearray, above: bytes, *, how: int, step: int) -> None:
    """Undo one row's filter in place; the numbers are the PNG standard's."""
    for at in range(len(row) if how else 0):
        left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
        guess = (0, left, above[at], (left + above[at]) // 2)
        best = guess[how] if how < len(guess) else _paeth(left, above[at], corner)
        row[at] = (row[at] + best) & 0xFF


def _paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    return min((left, above, corner), key=lambda each: abs(estimate - each))
