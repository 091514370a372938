"""Whatever stands in a field of Kite's, an answer is read or refused in words, nothing else."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.adapters.kite import market, reports
from brokers.adapters.kite.streams import KiteStream
from brokers.streaming.protocol import StreamKind
from brokers.values import Unreadable

AT = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
ODD: tuple[Any, ...] = (
    None, "", "x", [], {}, [None], True, -1, 0, Decimal("0.1"), Decimal("1e400000"), 10**400,
    "9999-12-31T23:59:59-23:59", "0001-01-01 00:00:00", "\ud800",
)  # fmt: skip
INSTRUMENT = {"exchange": "NSE", "tradingsymbol": "INFY", "instrument_token": 408065}
ORDER = {
    **INSTRUMENT,
    "order_id": "1", "exchange_order_id": "2", "status": "OPEN", "status_message": None,
    "order_timestamp": "2026-06-17 10:30:00", "exchange_timestamp": "2026-06-17 10:30:00",
    "exchange_update_timestamp": "2026-06-17 10:30:00", "order_type": "LIMIT",
    "transaction_type": "BUY", "validity": "DAY", "product": "CNC", "quantity": 1, "price": 72,
    "trigger_price": 0, "average_price": 0, "filled_quantity": 0, "tag": "T", "tags": ["T"],
    "meta": {},
}  # fmt: skip
TRADE = {
    **INSTRUMENT,
    "trade_id": "1", "order_id": "1", "product": "CNC", "average_price": 1, "quantity": 1,
    "transaction_type": "BUY", "fill_timestamp": "2026-06-17 10:30:00",
    "exchange_timestamp": "2026-06-17 10:30:00",
}  # fmt: skip
POSITION = {
    **INSTRUMENT,
    "product": "CNC", "quantity": 1, "average_price": 1, "multiplier": 1, "buy_quantity": 1,
    "sell_quantity": 0, "buy_value": 1, "sell_value": 0,
}  # fmt: skip
HOLDING = {
    **INSTRUMENT,
    "isin": "I", "quantity": 1, "realised_quantity": 1, "used_quantity": 0, "t1_quantity": 0,
    "average_price": 1, "collateral_quantity": 0, "authorised_quantity": 0,
}  # fmt: skip
MONEY = {
    "enabled": True,
    "net": 1,
    "available": {"cash": 1, "opening_balance": 1, "collateral": 0},
    "utilised": {"debits": 0},
}
MARGIN = {"total": 1, "span": 0, "exposure": 0, "var": 1}
TRIGGER = {
    "id": 1, "type": "single", "status": "active", "updated_at": "2026-06-17 10:30:00",
    "condition": {**INSTRUMENT, "trigger_values": [1]},
    "orders": [
        {
            "transaction_type": "BUY", "product": "CNC", "quantity": 1, "price": 1,
            "result": {"order_result": {"order_id": "1", "rejection_reason": ""}},
        }
    ],
}  # fmt: skip
QUOTE = {
    "last_price": 1, "timestamp": "2026-06-17 10:30:00", "volume": 1, "oi": 0,
    "average_price": 1, "lower_circuit_limit": 1, "upper_circuit_limit": 1,
    "last_trade_time": "2026-06-17 10:30:00",
    "ohlc": {"open": 1, "high": 1, "low": 1, "close": 1},
    "depth": {"buy": [{"price": 1, "quantity": 1, "orders": 1}], "sell": []},
}  # fmt: skip
CANDLE = {"candles": [["2026-06-17T10:30:00+0530", 1, 1, 1, 1, 1, 0]]}
PROFILE = {"user_id": "A", "user_name": "B", "email": "C", "exchanges": ["NSE"], "products": []}


def key_of(exchange: str, token: str) -> str:
    return f"{exchange}:{token}"


def read_orders(row: Any) -> object:
    return reports.order_reports([row], key_of=key_of, at=AT)


def read_trades(row: Any) -> object:
    return reports.trade_reports([row], key_of=key_of, at=AT)


def read_positions(row: Any) -> object:
    return reports.position_reports({"net": [row], "day": []}, key_of=key_of)


def read_holdings(row: Any) -> object:
    return reports.holding_reports([row], key_of=key_of)


def read_funds(row: Any) -> object:
    return reports.funds_report({"equity": row})


def read_margin(row: Any) -> object:
    return reports.margin_report([row])


def read_triggers(row: Any) -> object:
    return market.trigger_reports([row], key_of=key_of)


def read_quotes(row: Any) -> object:
    return market.quote_reports({"NSE:INFY": row}, keys={"NSE:INFY": "K"}, at=AT)


def read_candles(row: Any) -> object:
    return market.candles(reports.part_of(row, "candles"))


def read_sales(row: Any) -> object:
    return market.sales_to_approve([row], profile=PROFILE)


READERS: list[tuple[Callable[[Any], object], Any]] = [
    (read_orders, ORDER),
    (read_trades, TRADE),
    (read_positions, POSITION),
    (read_holdings, HOLDING),
    (read_funds, MONEY),
    (read_margin, MARGIN),
    (read_triggers, TRIGGER),
    (read_quotes, QUOTE),
    (read_candles, CANDLE),
    (read_sales, HOLDING),
    (market.profile_report, PROFILE),
]


def places_in(row: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Name every place of a row, however deep."""
    yield path
    parts = row.items() if isinstance(row, dict) else enumerate(row) if type(row) is list else ()
    for name, part in parts:
        yield from places_in(part, (*path, name))


def with_odd(row: Any, path: tuple[Any, ...], odd: object) -> Any:
    if not path:
        return odd
    changed = copy.deepcopy(row)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = odd
    return changed


def without(row: Any, path: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(row)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return changed


@pytest.mark.parametrize(("read", "row"), READERS)
class TestFields:
    def test_odd_values_anywhere(self, read: Callable[[Any], object], row: Any) -> None:
        for path in places_in(row):
            for odd in ODD:
                try:
                    read(with_odd(row, path, odd))
                except Unreadable:
                    continue

    def test_any_place_missing(self, read: Callable[[Any], object], row: Any) -> None:
        for path in places_in(row):
            if not path:
                continue
            try:
                read(without(row, path))
            except Unreadable:
                continue

    def test_fields_nobody_knows_yet(self, read: Callable[[Any], object], row: Any) -> None:
        assert read({**row, "brand_new": {"a": [1]}}) == read(row)


class TestFrames:
    def test_an_order_frame_never_raises(self) -> None:
        stream = KiteStream(StreamKind.ORDERS, secrets={}, key_of=key_of, clock=lambda: AT)
        for path in places_in(ORDER):
            for odd in ODD:
                row = with_odd(ORDER, path, odd)
                if isinstance(row, dict):
                    assert len(stream._read_order(row)) == 1
