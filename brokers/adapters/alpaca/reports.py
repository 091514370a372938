"""Alpaca's rows as the port's messages. Pure: whose symbol it is is asked of ``key_of``.

A word or number that cannot be understood raises :class:`Unreadable`, and with it the whole
answer is no answer. A fraction of a share is such a number.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from brokers.abilities import Profile
from brokers.adapters.alpaca import words
from brokers.adapters.alpaca.words import Row, Unreadable
from brokers.gateway import (
    FundsReport,
    HoldingReport,
    OrderReport,
    PositionReport,
    TradeReport,
)
from brokers.terms import Product, Side

KeyOf = Callable[[str], str]  # Alpaca's symbol to the house's key
PRODUCT = Product.CNC
_AVERAGE_UNIT = Decimal("0.0001")
_BLOCKS = ("trading_blocked", "account_blocked", "transfers_blocked", "trade_suspended_by_user")

_NO_REASON = "Alpaca rejected it and does not say why: look at the order in Alpaca's own app"


def order_report(row: Row, *, key_of: KeyOf, at: datetime) -> OrderReport:
    """Read a folded row; ``at`` is when it was told, for one without any time of its own."""
    symbol = words.required(row, "symbol")
    order_type = words.order_type_of(row)
    if row.get("qty") is None:
        raise Unreadable(
            f"An order for an amount of {symbol} and not for shares is in the account: Pinnacle"
            " counts whole shares alone"
        )
    filled = words.whole(words.required(row, "filled_qty"), of=symbol)
    return OrderReport(
        broker_order_id=words.required(row, "id"),
        tag=words.text(row.get("client_order_id")),
        instrument_key=key_of(symbol),
        side=words.side_of(row),
        order_type=order_type,
        product=PRODUCT,
        validity=words.validity_of(row),
        status=words.status_of(row, order_type=order_type, filled=filled),
        quantity=words.whole(row.get("qty"), of=symbol),
        filled_quantity=filled,
        updated_at=words.moment(row.get("updated_at")) or at,
        average_price=words.price(row.get("filled_avg_price")),
        price=words.price(row.get("limit_price")),
        trigger_price=words.price(row.get("stop_price")),
        message=_message(row),
        exchange_order_id=words.text(row.get("venue_id") or row.get("id")),
        placed_at=words.moment(row.get("submitted_at")) or words.moment(row.get("created_at")),
    )


def _message(row: Row) -> str:
    """Alpaca tells no reason in the row of an order it rejected later; what it adds is shown."""
    told = words.text(row.get("reject_reason") or row.get("failed_reason"))
    return told or (_NO_REASON if row.get("status") == "rejected" else "")


def trade_report(row: Row, *, root: str, key_of: KeyOf) -> TradeReport:
    """Read a fill; ``root`` is the order that the house knows the filled one by."""
    symbol = words.required(row, "symbol")
    traded_at = words.moment(row.get("transaction_time"))
    if traded_at is None:
        raise Unreadable("Alpaca told a fill without its time")
    return TradeReport(
        trade_id=words.required(row, "id"),
        broker_order_id=root,
        instrument_key=key_of(symbol),
        side=words.side_of(row),
        product=PRODUCT,
        quantity=words.whole(words.required(row, "qty"), of=symbol),
        price=words.number(words.required(row, "price")),
        traded_at=traded_at,
    )


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
        quantity = words.whole(words.required(row, "qty"), of=symbol)
        price = words.number(words.required(row, "price"))
        if words.side_of(row) is Side.BUY:
            self.bought += quantity
            self.paid += price * quantity
        else:
            self.sold += quantity
            self.received += price * quantity


def days(fills: Iterable[Row]) -> dict[str, Day]:
    """Add up the day's fills by symbol."""
    found: defaultdict[str, Day] = defaultdict(Day)
    for row in fills:
        symbol = words.required(row, "symbol")
        found[symbol].take(row, symbol)
    return dict(found)


def position_reports(
    held: Sequence[Row], traded: dict[str, Day], *, key_of: KeyOf
) -> list[PositionReport]:
    """Tell what today's fills came to; Alpaca's own positions hold the earlier days too.

    What is sold short from earlier days, which only Alpaca's own app can do, is here as well.
    """
    carried = {symbol: min(rest, 0) for symbol, rest in _carried(held, traded).items()}
    averages = {words.text(row.get("symbol")): row.get("avg_entry_price") for row in held}
    return [
        PositionReport(
            instrument_key=key_of(symbol),
            product=PRODUCT,
            quantity=day.net + carried.get(symbol, 0),
            average_price=(
                words.number(averages.get(symbol)) if carried.get(symbol, 0) else day.average
            ),
            buy_quantity=day.bought,
            sell_quantity=day.sold,
            realized_pnl=day.realized,
        )
        for symbol, day in _with_shorts(traded, carried).items()
    ]


def _with_shorts(traded: dict[str, Day], carried: dict[str, int]) -> dict[str, Day]:
    shorts = {symbol: Day() for symbol, rest in carried.items() if rest < 0}
    return {**shorts, **traded}


def holding_reports(
    held: Sequence[Row], traded: dict[str, Day], *, key_of: KeyOf
) -> list[HoldingReport]:
    """Tell what was owned when the day began: what is held less what today's fills came to."""
    averages = {words.text(row.get("symbol")): row.get("avg_entry_price") for row in held}
    return [
        HoldingReport(
            instrument_key=key_of(symbol),
            quantity=quantity,
            t1_quantity=0,
            # Of what has been sold out today, Alpaca no longer tells what it cost.
            average_price=words.number(averages.get(symbol)).quantize(_AVERAGE_UNIT),
        )
        for symbol, quantity in _carried(held, traded).items()
        if quantity > 0
    ]


def _carried(held: Sequence[Row], traded: dict[str, Day]) -> dict[str, int]:
    totals = dict.fromkeys(traded, 0)
    for row in held:
        symbol = words.required(row, "symbol")
        totals[symbol] = words.whole(words.required(row, "qty"), of=symbol)
    return {
        symbol: total - (traded[symbol].net if symbol in traded else 0)
        for symbol, total in totals.items()
    }


def funds_report(row: Row) -> FundsReport:
    """Read the account's own money: what could be borrowed is not counted as available."""
    cash = words.number(words.required(row, "cash"))
    own = "non_marginable_buying_power"
    free = words.number(words.required(row, "buying_power" if row.get(own) is None else own))
    available = min(free, cash)
    return FundsReport(
        cash=cash,
        margin_used=max(cash - available, Decimal(0)),
        available=available,
        opening_balance=cash,
    )


def profile_report(row: Row) -> Profile:
    blocks = tuple(name.replace("_", " ") for name in _BLOCKS if row.get(name) is True)
    return Profile(
        client_code=words.required(row, "account_number"),
        name=words.text(row.get("account_number")),
        exchanges=("NASDAQ", "NYSE"),
        permissions=(words.text(row.get("status")), *blocks),
    )


def _average(value: Decimal, quantity: int) -> Decimal:
    return (value / quantity).quantize(_AVERAGE_UNIT) if quantity else Decimal(0)
