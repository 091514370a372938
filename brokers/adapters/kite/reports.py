"""Kite's rows as the port's messages. Pure: whose number an instrument has is asked of ``key_of``.

An optional field that is absent or null is nothing, one that is new is passed over. A quantity or
total that is missing, or a word or number that cannot be understood, raises :class:`Unreadable`,
which costs its row.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from brokers.adapters.kite import words
from brokers.gateway import (
    BrokerStatus,
    FundsReport,
    HoldingReport,
    Margin,
    OrderReport,
    PositionReport,
    TradeReport,
)
from brokers.rows import KeyOf, Listed, Naming, read_rows, rows_of
from brokers.values import (
    MOST_PRICE,
    Row,
    Unreadable,
    count,
    count_or_zero,
    filled,
    is_nothing,
    number,
    number_or_zero,
    price,
    required,
    text,
)

BROKER = "Kite"
Report = TypeVar("Report")


def key_of_row(row: Row, key_of: KeyOf) -> str:
    """Return the instrument's key by Kite's number; by its symbol where it tells no number."""
    field = "tradingsymbol" if is_nothing(row.get("instrument_token")) else "instrument_token"
    return key_of(required(row, "exchange"), required(row, field))


def naming(key_of: KeyOf) -> Naming:
    """How rows of every kind name what they are of."""
    return Naming(partial(key_of_row, key_of=key_of), "tradingsymbol", "order_id", words.tag_of)


def _each(data: object, read: Callable[[Row], Report], key_of: KeyOf) -> Listed[Report]:
    """Read a list. Kite writes an empty one for none; null is no answer."""
    return read_rows(data, read, naming=naming(key_of), broker=BROKER)


def part_of(data: object, name: str) -> Any:
    """:raises Unreadable: when the answer has no such part."""
    if not isinstance(data, dict) or name not in data:
        raise Unreadable(f"Kite's answer has no {name}")
    return data[name]


def order_reports(data: object, *, key_of: KeyOf, at: datetime) -> Listed[OrderReport]:
    return _each(data, lambda row: order_report(row, key_of=key_of, at=at), key_of)


def history_reports(data: object, *, key_of: KeyOf, at: datetime) -> Listed[OrderReport]:
    """Read an order's history: its first rows may name no instrument yet, its last one does."""
    rows = rows_of(data, "history")
    settled = {"instrument_token": rows[-1].get("instrument_token")} if rows else {}
    return order_reports([{**row, **settled} for row in rows], key_of=key_of, at=at)


def order_report(row: Row, *, key_of: KeyOf, at: datetime) -> OrderReport:
    """``at`` is when it was told, for a row without any time of its own."""
    order_type = words.order_type_of(row)
    quantity = count(row.get("quantity"), "quantity", least=1)

    def status(done: int) -> BrokerStatus:
        return words.status_of(row, order_type=order_type, filled=done)

    done = filled(row.get("filled_quantity"), quantity=quantity, status=status)
    return OrderReport(
        broker_order_id=required(row, "order_id"),
        tag=words.tag_of(row),
        instrument_key=key_of_row(row, key_of),
        side=words.side_of(row),
        order_type=order_type,
        product=words.product_of(row),
        validity=words.validity_of(row),
        status=status(done),
        quantity=quantity,
        filled_quantity=done,
        updated_at=_updated_at(row) or at,
        average_price=words.average(row.get("average_price"), "average_price") or None,
        price=price(row.get("price"), "price"),
        trigger_price=price(row.get("trigger_price"), "trigger_price"),
        message=text(row.get("status_message") or row.get("status_message_raw")),
        exchange_order_id=text(row.get("exchange_order_id")),
        placed_at=_placed_at(row),
    )


def trade_reports(data: object, *, key_of: KeyOf, at: datetime) -> Listed[TradeReport]:
    return _each(data, lambda row: trade_report(row, key_of=key_of, at=at), key_of)


def trade_report(row: Row, *, key_of: KeyOf, at: datetime) -> TradeReport:
    """Name a fill by its order too: exchanges number their trades anew, each on its own."""
    order_id, trade_id = required(row, "order_id"), required(row, "trade_id")
    traded = words.moment(row.get("fill_timestamp")) or words.moment(row.get("exchange_timestamp"))
    return TradeReport(
        trade_id=f"{order_id}:{trade_id}",
        broker_order_id=order_id,
        instrument_key=key_of_row(row, key_of),
        side=words.side_of(row),
        product=words.product_of(row),
        quantity=count(row.get("quantity"), "quantity", least=1),
        price=number(row.get("average_price"), "average_price", most=MOST_PRICE),
        traded_at=traded or at,
        exchange_trade_id=trade_id,
    )


def position_reports(data: object, *, key_of: KeyOf) -> Listed[PositionReport]:
    """Read the net positions; the day's own list beside them says nothing more."""
    return _each(part_of(data, "net"), lambda row: _position(row, key_of), key_of)


def _position(row: Row, key_of: KeyOf) -> PositionReport:
    quantity = count(row.get("quantity"), "quantity")
    average = words.average(row.get("average_price"), "average_price")
    return PositionReport(
        instrument_key=key_of_row(row, key_of),
        product=words.product_of(row),
        quantity=quantity,
        average_price=average,
        buy_quantity=count_or_zero(row.get("buy_quantity"), "buy_quantity", least=0),
        sell_quantity=count_or_zero(row.get("sell_quantity"), "sell_quantity", least=0),
        realized_pnl=_realized(row, quantity=quantity, average=average),
    )


def _realized(row: Row, *, quantity: int, average: Decimal) -> Decimal:
    """Work out what closing has brought: Kite's own ``realised`` stays at nothing."""
    bought, sold = (number_or_zero(row.get(name), name) for name in ("buy_value", "sell_value"))
    held = quantity * average * (number_or_zero(row.get("multiplier"), "multiplier") or 1)
    return words.money(sold - bought + held, "the profit of what was closed")


def holding_reports(data: object, *, key_of: KeyOf) -> Listed[HoldingReport]:
    """Read what was owned at the start of the day: a sale of today is in the positions.

    Shares bought with the broker's money (``mtf``) are a loan's collateral and not among them.
    """
    return _each(data, lambda row: _holding(row, key_of), key_of)


def _holding(row: Row, key_of: KeyOf) -> HoldingReport:
    if is_nothing(row.get("realised_quantity")):
        settled = count(row.get("quantity"), "quantity") + _shares(row, "used_quantity")
    else:
        settled = count(row.get("realised_quantity"), "realised_quantity", least=0)
    return HoldingReport(
        instrument_key=key_of_row(row, key_of),
        quantity=settled,
        t1_quantity=_shares(row, "t1_quantity"),
        average_price=words.average(row.get("average_price"), "average_price"),
        collateral_quantity=_shares(row, "collateral_quantity"),
    )


def funds_report(data: object) -> FundsReport:
    """Read the equity segment's money, where all but commodities trade; else the commodities'.

    The two cannot pay for one another, so their sum would promise what is not there.
    """
    segments = data if isinstance(data, dict) else {}
    for name in ("equity", "commodity"):
        money = segments.get(name)
        if isinstance(money, dict) and money.get("enabled") is not False:
            return _funds(money)
    if isinstance(segments.get("available"), dict):  # one segment, asked for alone
        return _funds(segments)
    raise Unreadable("Kite told the money of no segment")


def _funds(money: Row) -> FundsReport:
    available, utilised = part_of(money, "available"), part_of(money, "utilised")
    return FundsReport(
        cash=_total(available, "cash"),
        margin_used=_total(utilised, "debits"),
        available=_total(money, "net"),
        opening_balance=words.money(available.get("opening_balance"), "opening_balance"),
        collateral=words.money(available.get("collateral"), "collateral"),
    )


def _total(part: object, name: str) -> Decimal:
    if not isinstance(part, dict):
        raise Unreadable(f"Kite's answer has no {name}")
    return words.money(number(part.get(name), name), name)


def margin_report(data: object) -> Margin:
    """Read the margin of the one order that was asked about."""
    rows = rows_of(data, "margins")
    if len(rows) != 1:
        raise Unreadable(f"Kite told {len(rows)} margins for one order")
    row = rows[0]
    return Margin(
        total=number(row.get("total"), "total"),
        span=number_or_zero(row.get("span"), "span"),
        exposure=number_or_zero(row.get("exposure"), "exposure"),
        var=number_or_zero(row.get("var"), "var"),
    )


def _shares(row: Row, name: str) -> int:
    return count_or_zero(row.get(name), name, least=0)


def _updated_at(row: Row) -> datetime | None:
    told = words.moment(row.get("exchange_update_timestamp"))
    return max([each for each in (told, *_order_times(row)) if each], default=None)


def _placed_at(row: Row) -> datetime | None:
    """Return the earliest time told: a change moves the order's own time to that of the change."""
    return min(_order_times(row), default=None)


def _order_times(row: Row) -> list[datetime]:
    told = [words.moment(row.get(name)) for name in ("order_timestamp", "exchange_timestamp")]
    return [each for each in told if each]
