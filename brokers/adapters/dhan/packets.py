"""The market feed's binary packets, byte by byte. Pure.

Little-endian. Eight bytes of header: code, message length, segment, security id. Close comes
before high. Several packets may stand in one frame, of which the SDK reads the first alone.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TICKER, QUOTE, INTEREST, PREVIOUS_CLOSE, STATUS, FULL, DISCONNECT = 2, 4, 5, 6, 7, 8, 50

_HEADER = struct.Struct("<BHBI")
_TICKER = struct.Struct("<fI")
_QUOTE = struct.Struct("<fHIfIIIffff")
_FULL = struct.Struct("<fHIfIIIIIIffff")
_LEVEL = struct.Struct("<IIHHff")
_COUNT = struct.Struct("<I")
_REASON = struct.Struct("<H")
_SIZES = {
    TICKER: 16,
    QUOTE: 50,
    INTEREST: 12,
    PREVIOUS_CLOSE: 16,
    STATUS: 8,
    FULL: 162,
    DISCONNECT: 10,
}


class PacketUnreadable(Exception):
    """A packet was cut off or is of a kind that nobody documented."""


@dataclass(frozen=True, slots=True)
class Level:
    bid_quantity: int
    ask_quantity: int
    bid_orders: int
    ask_orders: int
    bid: float
    ask: float


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. What its kind does not tell is None; ``last_at`` is the feed's own epoch."""

    code: int
    segment: int
    number: int
    last: float | None = None
    last_at: int | None = None
    volume: int | None = None
    open_interest: int | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    levels: tuple[Level, ...] = ()
    reason: int | None = None


def read_packets(frame: bytes) -> Iterator[Packet]:
    """Read every packet of a frame.

    :raises PacketUnreadable: at the first one that cannot be read; those before it were yielded.
    """
    start = 0
    while start < len(frame):
        if len(frame) - start < _HEADER.size:
            raise PacketUnreadable(f"{len(frame) - start} bytes are no packet")
        code, _, segment, number = _HEADER.unpack_from(frame, start)
        size = _SIZES.get(code)
        if size is None:
            raise PacketUnreadable(f"A packet of the unknown kind {code}")
        if len(frame) - start < size:
            raise PacketUnreadable(f"A packet of kind {code} was cut off")
        yield _READERS[code](Packet(code, segment, number), frame, start + _HEADER.size)
        start += size


def _ticker(head: Packet, frame: bytes, at: int) -> Packet:
    last, last_at = _TICKER.unpack_from(frame, at)
    return Packet(head.code, head.segment, head.number, last=last, last_at=last_at)


def _quote(head: Packet, frame: bytes, at: int) -> Packet:
    last, _, last_at, _, volume, _, _, opened, close, high, low = _QUOTE.unpack_from(frame, at)
    return Packet(
        head.code, head.segment, head.number, last=last, last_at=last_at, volume=volume,
        open=opened, high=high, low=low, close=close,
    )  # fmt: skip


def _full(head: Packet, frame: bytes, at: int) -> Packet:
    told = _FULL.unpack_from(frame, at)
    last, _, last_at, _, volume, _, _, interest, _, _, opened, close, high, low = told
    at += _FULL.size
    levels = tuple(Level(*_LEVEL.unpack_from(frame, at + _LEVEL.size * row)) for row in range(5))
    return Packet(
        head.code, head.segment, head.number, last=last, last_at=last_at, volume=volume,
        open_interest=interest, open=opened, high=high, low=low, close=close, levels=levels,
    )  # fmt: skip


def _interest(head: Packet, frame: bytes, at: int) -> Packet:
    (interest,) = _COUNT.unpack_from(frame, at)
    return Packet(head.code, head.segment, head.number, open_interest=interest)


def _previous_close(head: Packet, frame: bytes, at: int) -> Packet:
    close, interest = _TICKER.unpack_from(frame, at)
    return Packet(head.code, head.segment, head.number, close=close, open_interest=interest)


def _status(head: Packet, _frame: bytes, _at: int) -> Packet:
    return head


def _disconnect(head: Packet, frame: bytes, at: int) -> Packet:
    (reason,) = _REASON.unpack_from(frame, at)
    return Packet(head.code, head.segment, head.number, reason=reason)


_READERS: dict[int, Callable[[Packet, bytes, int], Packet]] = {
    TICKER: _ticker,
    QUOTE: _quote,
    INTEREST: _interest,
    PREVIOUS_CLOSE: _previous_close,
    STATUS: _status,
    FULL: _full,
    DISCONNECT: _disconnect,
}
