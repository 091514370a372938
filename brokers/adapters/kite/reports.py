"""Kite's rows as the port's messages. Pure: whose number an instrument has is asked of ``key_of``.

Rows are read tolerantly: a field that is absent or null is nothing, one that is new is passed
over. A quantity or total that is missing, or a word or number that cannot be understood, raises
:class:`Unreadable`, and with it the whole answer is no answer.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.adapters.kite import words
from brokers.adapters.kite.words import Row, Unreadable
from brokers.gateway import (
    BrokerStatus,
    FundsReport,
    HoldingReport,
    Margin,
    OrderReport,
    PositionReport,
    TradeReport,
)

KeyOf = Callable[[str, str], str]  # exchange and Kite's instrument token to the house's key


def rows_in(data: object) -> Sequence[Row]:
    """Return a list's rows. Kite writes an empty list for none; null is no answer.

    :raises Unreadable: when it is not a list of objects.
    """
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise Unreadable("Kite did not answer with a list")
    return data


def part_of(data: object, name: str) -> Any:
    """:raises Unreadable: when the answer has no such part."""
    if not isinstance(data, dict) or name not in data:
        raise Unreadable(f"Kite's answer has no {name}")
    return data[name]


def order_reports(data: object, *, key_of: KeyOf, at: datetime) -> list[OrderReport]:
    return [order_report(row, key_of=key_of, at=at) for row in rows_in(data)]


def history_reports(data: object, *, key_of: KeyOf, at: datetime) -> list[OrderReport]:
    """Read an order's history: its first rows may name no instrument yet, its last one does."""
    rows = rows_in(data)
    settled = {"instrument_token": rows[-1].get("instrument_token")} if rows else {}
    return [order_report({**row, **settled}, key_of=key_of, at=at) for row in rows]


def order_report(row: Row, *, key_of: KeyOf, at: datetime) -> OrderReport:
    """``at`` is when it was told, for a row without any time of its own."""
    order_type = words.order_type_of(row)
    quantity = words.whole(words.told(row, "quantity"))
    filled = words.whole(row.get("filled_quantity"))
    status = words.status_of(row, order_type=order_type, filled=filled)
    if status is BrokerStatus.FILLED and row.get("filled_quantity") is None:
        filled = quantity
    return OrderReport(
        broker_order_id=_required(row, "order_id"),
        tag=words.tag_of(row),
        instrument_key=_key(row, key_of),
        side=words.side_of(row),
        order_type=order_type,
        product=words.product_of(row),
        validity=words.validity_of(row),
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        updated_at=_updated_at(row) or at,
        average_price=words.average(row.get("average_price")) or None,
        price=words.price(row.get("price")),
        trigger_price=words.price(row.get("trigger_price")),
        message=words.text(row.get("status_message") or row.get("status_message_raw")),
        exchange_order_id=words.text(row.get("exchange_order_id")),
        placed_at=_placed_at(row),
    )


def trade_reports(data: object, *, key_of: KeyOf, at: datetime) -> list[TradeReport]:
    return [trade_report(row, key_of=key_of, at=at) for row in rows_in(data)]


def trade_report(row: Row, *, key_of: KeyOf, at: datetime) -> TradeReport:
    """Name a fill by its order too: exchanges number their trades anew, each on its own."""
    order_id, trade_id = _required(row, "order_id"), _required(row, "trade_id")
    traded = words.moment(row.get("fill_timestamp")) or words.moment(row.get("exchange_timestamp"))
    return TradeReport(
        trade_id=f"{order_id}:{trade_id}",
        broker_order_id=order_id,
        instrument_key=_key(row, key_of),
        side=words.side_of(row),
        product=words.product_of(row),
        quantity=words.whole(words.told(row, "quantity")),
        price=words.number(words.told(row, "average_price")),
        traded_at=traded or at,
        exchange_trade_id=trade_id,
    )


def position_reports(data: object, *, key_of: KeyOf) -> list[PositionReport]:
    """Read the net positions; the day's own list beside them says nothing more."""
    return [_position(row, key_of) for row in rows_in(part_of(data, "net"))]


def _position(row: Row, key_of: KeyOf) -> PositionReport:
    quantity = words.whole(words.told(row, "quantity"))
    average = words.average(row.get("average_price"))
    return PositionReport(
        instrument_key=_key(row, key_of),
        product=words.product_of(row),
        quantity=quantity,
        average_price=average,
        buy_quantity=words.whole(row.get("buy_quantity")),
        sell_quantity=words.whole(row.get("sell_quantity")),
        realized_pnl=_realized(row, quantity=quantity, average=average),
    )


def _realized(row: Row, *, quantity: int, average: Decimal) -> Decimal:
    """Work out what closing has brought: Kite's own ``realised`` stays at nothing."""
    bought, sold = words.number(row.get("buy_value")), words.number(row.get("sell_value"))
    held = quantity * average * (words.number(row.get("multiplier")) or 1)
    return words.average(sold - bought + held)


def holding_reports(data: object, *, key_of: KeyOf) -> list[HoldingReport]:
    """Read what was owned at the start of the day: a sale of today is in the positions.

    Shares bought with the broker's money (``mtf``) are a loan's collateral and not among them.
    """
    return [_holding(row, key_of) for row in rows_in(data)]


def _holding(row: Row, key_of: KeyOf) -> HoldingReport:
    settled = row.get("realised_quantity")
    if settled is None:
        settled = words.number(words.told(row, "quantity")) + words.number(row.get("used_quantity"))
    return HoldingReport(
        instrument_key=_key(row, key_of),
        quantity=words.whole(settled),
        t1_quantity=words.whole(row.get("t1_quantity")),
        average_price=words.average(row.get("average_price")),
        collateral_quantity=words.whole(row.get("collateral_quantity")),
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
        opening_balance=words.money(available.get("opening_balance")),
        collateral=words.money(available.get("collateral")),
    )


def _total(part: object, name: str) -> Decimal:
    if not isinstance(part, dict):
        raise Unreadable(f"Kite's answer has no {name}")
    return words.money(words.told(part, name))


def margin_report(data: object) -> Margin:
    """Read the margin of the one order that was asked about."""
    rows = rows_in(data)
    if len(rows) != 1:
        raise Unreadable(f"Kite told {len(rows)} margins for one order")
    row = rows[0]
    return Margin(
        total=words.number(words.told(row, "total")),
        span=words.number(row.get("span")),
        exposure=words.number(row.get("exposure")),
        var=words.number(row.get("var")),
    )


def _key(row: Row, key_of: KeyOf) -> str:
    exchange = words.text(row.get("exchange"))
    number = words.text(row.get("instrument_token")) or words.text(row.get("tradingsymbol"))
    return key_of(exchange, number)


def _required(row: Row, name: str) -> str:
    value = words.text(row.get(name)).strip()
    if not value:
        raise Unreadable(f"Kite told a row without its {name}")
    return value


def _updated_at(row: Row) -> datetime | None:
    told = words.moment(row.get("exchange_update_timestamp"))
    return max([each for each in (told, *_order_times(row)) if each], default=None)


def _placed_at(row: Row) -> datetime | None:
    """Return the earliest time told: a change moves the order's own time to that of the change."""
    return min(_order_times(row), default=None)


def _order_times(row: Row) -> list[datetime]:
    told = [words.moment(row.get(name)) for name in ("order_timestamp", "exchange_timestamp")]
    return [each for each in told if each]
