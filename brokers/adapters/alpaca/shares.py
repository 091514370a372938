"""Positions of today and holdings of earlier days, out of what is held and the day's fills. Pure.

Alpaca's own positions hold both. Each symbol is read by itself, so that one that cannot be costs
nothing but that symbol.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

from brokers.adapters.alpaca import words
from brokers.adapters.alpaca.reports import BROKER, PRODUCT, KeyOf, check_share, naming
from brokers.gateway import HoldingReport, PositionReport
from brokers.rows import Listed, read_rows, rows_of
from brokers.terms import Side
from brokers.values import MOST_PRICE, Row, Unreadable, number, price, required

Read = TypeVar("Read")
_FILLS, _IS_HELD = "fills", "is_held"
_AVERAGE_UNIT = Decimal("0.0001")


@dataclass(slots=True)
class Day:
    """What was bought and sold of one symbol today."""

    bought: int = 0
    sold: int = 0
    paid: Decimal = field(default_factory=Decimal)
    received: Decimal = field(default_factory=Decimal)

    @property
    def net(self) -> int:
        return self.bought - self.sold

    @property
    def average(self) -> Decimal:
        """The average of the side that remains."""
        if self.net > 0:
            return _average(self.paid, self.bought)
        return _average(self.received, self.sold) if self.net < 0 else Decimal(0)

    @property
    def realized(self) -> Decimal:
        both = min(self.bought, self.sold)
        gain = _average(self.received, self.sold) - _average(self.paid, self.bought)
        return gain * both

    def take(self, row: Row, symbol: str) -> None:
        quantity = words.whole(row.get("qty"), of=symbol)
        at = number(row.get("price"), "price", most=MOST_PRICE)
        if words.side_of(row) is Side.BUY:
            self.bought += quantity
            self.paid += at * quantity
        else:
            self.sold += quantity
            self.received += at * quantity


def position_reports(
    held: Sequence[object], fills: Sequence[object], *, key_of: KeyOf
) -> Listed[PositionReport]:
    """Tell what today's fills came to; Alpaca's own positions hold the earlier days too.

    What is sold short from earlier days, which only Alpaca's own app can do, is here as well.
    """
    return _of_each(held, fills, partial(_position, key_of=key_of), key_of)


def holding_reports(
    held: Sequence[object], fills: Sequence[object], *, key_of: KeyOf
) -> Listed[HoldingReport]:
    """Tell what was owned when the day began: what is held less what today's fills came to."""
    return _of_each(held, fills, partial(_holding, key_of=key_of), key_of)


def _position(row: Row, key_of: KeyOf) -> PositionReport | None:
    share = _share_of(row)
    short = min(share.carried, 0)
    if not share.fills and not short:
        return None
    return PositionReport(
        instrument_key=key_of(share.symbol),
        product=PRODUCT,
        quantity=share.day.net + short,
        average_price=share.average if short else share.day.average,
        buy_quantity=share.day.bought,
        sell_quantity=share.day.sold,
        realized_pnl=share.day.realized,
    )


def _holding(row: Row, key_of: KeyOf) -> HoldingReport | None:
    share = _share_of(row)
    if share.carried <= 0:
        return None
    return HoldingReport(
        instrument_key=key_of(share.symbol),
        quantity=share.carried,
        t1_quantity=0,
        # Of what has been sold out today, Alpaca no longer tells what it cost.
        average_price=share.average.quantize(_AVERAGE_UNIT),
    )


@dataclass(frozen=True, slots=True)
class _Share:
    """What Alpaca tells of one symbol: what is held now, at what average, and the day's fills."""

    symbol: str
    held: int
    average: Decimal
    day: Day
    fills: int

    @property
    def carried(self) -> int:
        return self.held - self.day.net


def _share_of(row: Row) -> _Share:
    """:raises Unreadable: when the position or one fill of the symbol cannot be read."""
    check_share(row)
    symbol, day = required(row, "symbol"), Day()
    fills = rows_of(row[_FILLS], "fills")
    for fill in fills:
        day.take(fill, symbol)
    if not row[_IS_HELD]:
        return _Share(symbol, 0, Decimal(0), day, len(fills))
    average = price(row.get("avg_entry_price"), "avg_entry_price") or Decimal(0)
    return _Share(symbol, words.whole(row.get("qty"), of=symbol), average, day, len(fills))


def _of_each(
    held: Sequence[object],
    fills: Sequence[object],
    read: Callable[[Row], Read | None],
    key_of: KeyOf,
) -> Listed[Read]:
    """Read each symbol by itself; rows that name none stand alone."""
    held_of: dict[str, Row] = {}
    fills_of: defaultdict[str, list[Row]] = defaultdict(list)
    nameless = list[object]()
    for row in held:
        if isinstance(row, Mapping) and (symbol := _told_symbol(row)):
            held_of[symbol] = row
        else:
            nameless.append(row)
    for row in fills:
        if isinstance(row, Mapping) and (symbol := _told_symbol(row)):
            fills_of[symbol].append(row)
        else:
            nameless.append(row)
    whole = [
        {"symbol": each, **held_of.get(each, {}), _IS_HELD: each in held_of, _FILLS: fills_of[each]}
        for each in dict.fromkeys([*held_of, *fills_of])
    ]
    listed = read_rows([*whole, *nameless], read, naming=naming(key_of, order_id=""), broker=BROKER)
    return Listed((each for each in listed if each is not None), unreadable=listed.unreadable)


def _told_symbol(row: Row) -> str:
    try:
        return required(row, "symbol")
    except Unreadable:
        return ""


def _average(value: Decimal, quantity: int) -> Decimal:
    return (value / quantity).quantize(_AVERAGE_UNIT) if quantity else Decimal(0)
