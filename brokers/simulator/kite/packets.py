"""The ticker's binary packets, byte by byte: big-endian, prices times a hundred."""

import struct
from decimal import Decimal

from brokers.simulator.kite.listing import kite_token
from brokers.simulator.records import DepthLevel, SimQuote
from brokers.terms import InstrumentType

HEARTBEAT = b"\x00"
LTP, QUOTE, FULL = "ltp", "quote", "full"
_LEVELS = 5
_DIVISORS = {"CDS": 10_000_000, "BCD": 10_000, "NCO": 10_000}


def frame(packets: list[bytes]) -> bytes:
    """Return a frame: the count of packets, and before each its length."""
    parts = [struct.pack(">H", len(packet)) + packet for packet in packets]
    return struct.pack(">H", len(packets)) + b"".join(parts)


def packet(quote: SimQuote, mode: str) -> bytes:
    """Return one instrument's packet: 8, 28, 32, 44 or 184 bytes."""
    token = kite_token(quote.instrument)
    if mode == LTP:
        return struct.pack(">2I", token, _price(quote, quote.last_price))
    if quote.instrument.kind is InstrumentType.INDEX:
        return _index(quote, token, mode)
    head = struct.pack(
        ">11I",
        token,
        _price(quote, quote.last_price),
        quote.last_quantity,
        _price(quote, quote.average_price),
        quote.volume,
        sum(level.quantity for level in quote.bids),
        sum(level.quantity for level in quote.asks),
        *(_price(quote, each) for each in (quote.open, quote.high, quote.low, quote.close)),
    )
    return head if mode == QUOTE else head + _depth(quote)


def _index(quote: SimQuote, token: int, mode: str) -> bytes:
    prices = (quote.last_price, quote.high, quote.low, quote.open, quote.close)
    change = _price(quote, quote.last_price - quote.close)
    told = struct.pack(">6Ii", token, *(_price(quote, each) for each in prices), change)
    return told if mode == QUOTE else told + struct.pack(">I", _seconds(quote))


def _depth(quote: SimQuote) -> bytes:
    interest = quote.open_interest
    told = struct.pack(">5I", _seconds(quote), interest, interest, interest, _seconds(quote))
    for side in (quote.bids, quote.asks):
        levels = [*side[:_LEVELS], *[DepthLevel(Decimal(0), 0, 0)] * (_LEVELS - len(side))]
        for each in levels:
            told += struct.pack(
                ">2IHxx", each.quantity, _price(quote, each.price), min(each.orders, 0xFFFF)
            )
    return told


def _price(quote: SimQuote, price: Decimal) -> int:
    return round(price * _DIVISORS.get(quote.instrument.exchange, 100))


def _seconds(quote: SimQuote) -> int:
    return int(quote.at.timestamp())
