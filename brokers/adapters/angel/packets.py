"""Angel One's binary price packets, read by the SDK's own parser.

The SDK's class is never constructed: its constructor opens a log file in the current directory.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from struct import error as StructError
from typing import Any

from brokers.values import Unreadable

LTP, QUOTE, SNAP_QUOTE, DEPTH = 1, 2, 3, 4
SIZES = {LTP: 51, QUOTE: 123, SNAP_QUOTE: 379, DEPTH: 443}
_LARGEST = 4096
_CURRENCY = 13
_PAISE, _CURRENCY_UNITS = Decimal(100), Decimal(10_000_000)
_MS = 1000
_EARLIEST, _LATEST = 946_684_800_000, 4_102_444_800_000  # the years 2000 and 2100


@dataclass(frozen=True, slots=True)
class Packet:
    """One price. ``day_volume`` is the whole day's, None where the packet has none."""

    exchange_type: int
    token: str
    at: datetime
    last: Decimal
    day_volume: int | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_quantity: int = 0
    ask_quantity: int = 0
    open_interest: int | None = None


def _parser() -> Any:
    import_module("logzero").logger.disabled = True
    kind: Any = import_module("SmartApi.smartWebSocketV2").SmartWebSocketV2
    return object.__new__(kind)


_PARSER = _parser()


def read_packet(frame: bytes) -> Packet | None:
    """Read one packet; None for market depth, which has no price.

    :raises Unreadable: when it is cut off, too long, of an unknown mode, or holds nonsense.
    """
    mode = frame[0] if frame else 0
    if not SIZES.get(mode, _LARGEST) <= len(frame) <= _LARGEST or mode not in SIZES:
        raise Unreadable(f"a packet of mode {mode} with {len(frame)} bytes")
    try:
        told = _PARSER._parse_binary_data(frame)
    except (StructError, ValueError, KeyError) as error:
        raise Unreadable("a packet that cannot be read") from error
    return None if mode == DEPTH else _packet(told)


def _packet(told: dict[str, Any]) -> Packet:
    kind, stamp, last = told["exchange_type"], told["exchange_timestamp"], told["last_traded_price"]
    if not _EARLIEST < stamp < _LATEST or last <= 0 or not told["token"]:
        raise Unreadable("a packet without its price, its time or its instrument")
    unit = _CURRENCY_UNITS if kind == _CURRENCY else _PAISE
    bid, ask = (_best(told.get(name)) for name in ("best_5_buy_data", "best_5_sell_data"))
    return Packet(
        exchange_type=kind,
        token=told["token"],
        at=datetime.fromtimestamp(stamp / _MS, UTC),
        last=last / unit,
        day_volume=told.get("volume_trade_for_the_day"),
        bid=bid[0] / unit if bid[0] > 0 else None,
        ask=ask[0] / unit if ask[0] > 0 else None,
        bid_quantity=bid[1],
        ask_quantity=ask[1],
        open_interest=told.get("open_interest"),
    )


def _best(levels: list[dict[str, int]] | None) -> tuple[int, int]:
    """Return price and quantity of the best level, zeros where there is none."""
    if not levels:
        return 0, 0
    return levels[0]["price"], max(levels[0]["quantity"], 0)
