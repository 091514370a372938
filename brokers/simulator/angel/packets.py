"""SmartWebSocketV2's binary packets, byte by byte; little-endian, prices in paise."""

import struct
from datetime import datetime
from decimal import Decimal

from brokers.simulator.angel.symbols import EXCHANGE_TYPES
from brokers.simulator.exchange import SimQuote
from brokers.simulator.records import DepthLevel
from brokers.terms import Segment

LTP, QUOTE, SNAP_QUOTE, DEPTH = 1, 2, 3, 4
_HEAD = struct.Struct("<BB25sqq")
_LAST = struct.Struct("<q")
_QUOTED = struct.Struct("<qqqddqqqq")
_SNAP = struct.Struct("<qqd")
_LEVEL = struct.Struct("<hqqh")
_LIMITS = struct.Struct("<qqqq")
_DEPTH_LEVEL = struct.Struct("<iih")
_PAISE, _CURRENCY_UNITS = Decimal(100), Decimal(10_000_000)
_BEST, _DEEP = 5, 20


def packet(quote: SimQuote, *, mode: int, sequence: int) -> bytes:
    """Return one packet: 51, 123, 379 or 443 bytes."""
    scale = _CURRENCY_UNITS if quote.instrument.segment is Segment.CDS_FUT else _PAISE
    if mode == DEPTH:
        return _head(quote, mode, sequence) + _deep(quote, scale)
    body = _head(quote, mode, sequence) + _LAST.pack(_units(quote.last_price, scale))
    if mode >= QUOTE:
        body += _quoted(quote, scale)
    if mode == SNAP_QUOTE:
        body += _snap(quote, scale)
    return body


def _head(quote: SimQuote, mode: int, sequence: int) -> bytes:
    kind = EXCHANGE_TYPES.get(quote.instrument.exchange, 0)
    return _HEAD.pack(mode, kind, quote.instrument.token.encode(), sequence, _ms(quote.at))


def _quoted(quote: SimQuote, scale: Decimal) -> bytes:
    return _QUOTED.pack(
        quote.last_quantity,
        _units(quote.average_price, scale),
        quote.volume,
        float(sum(level.quantity for level in quote.bids)),
        float(sum(level.quantity for level in quote.asks)),
        *(_units(price, scale) for price in (quote.open, quote.high, quote.low, quote.close)),
    )


def _snap(quote: SimQuote, scale: Decimal) -> bytes:
    levels = b"".join(
        _LEVEL.pack(flag, level.quantity, _units(level.price, scale), level.orders)
        for flag, side in ((1, quote.bids), (0, quote.asks))
        for level in _filled(side, _BEST)
    )
    limits = (quote.upper_circuit, quote.lower_circuit) * 2
    return (
        _SNAP.pack(_ms(quote.at) // 1000, quote.open_interest, 0.0)
        + levels
        + _LIMITS.pack(*(_units(price, scale) for price in limits))
    )


def _deep(quote: SimQuote, scale: Decimal) -> bytes:
    return b"".join(
        _DEPTH_LEVEL.pack(level.quantity, _units(level.price, scale), level.orders)
        for side in (quote.bids, quote.asks)
        for level in _filled(side, _DEEP)
    )


def _filled(levels: tuple[DepthLevel, ...], count: int) -> list[DepthLevel]:
    none = DepthLevel(Decimal(0), 0, 0)
    return [*levels[:count], *([none] * (count - len(levels)))]


def _units(price: Decimal, scale: Decimal) -> int:
    return int(price * scale)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
