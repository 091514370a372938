"""A quantity or a total that a broker leaves out is no answer: it is never read as flat."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.adapters.alpaca import reports as alpaca
from brokers.adapters.alpaca import shares
from brokers.adapters.angel import rows as angel
from brokers.adapters.dhan import rows as dhan
from brokers.adapters.kite import reports as kite
from brokers.rows import unreadable_in
from brokers.values import Unreadable

AT = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
Row = dict[str, Any]
KITE: Row = {"exchange": "NSE", "tradingsymbol": "INFY", "instrument_token": 408065}
KITE_POSITION: Row = {
    **KITE, "product": "CNC", "quantity": 50, "average_price": 1, "buy_quantity": 50,
    "sell_quantity": 0, "buy_value": 50, "sell_value": 0,
}  # fmt: skip
KITE_HOLDING: Row = {**KITE, "quantity": 50, "used_quantity": 0, "average_price": 1}
KITE_TRADE: Row = {
    **KITE, "trade_id": "1", "order_id": "1", "product": "CNC", "average_price": 1,
    "quantity": 1, "transaction_type": "BUY", "fill_timestamp": "2026-06-17 10:30:00",
}  # fmt: skip
KITE_MONEY: Row = {"net": 1, "available": {"cash": 1}, "utilised": {"debits": 0}}
ALPACA_HELD: Row = {"symbol": "AAPL", "qty": "50", "avg_entry_price": "1"}
ALPACA_FILL: Row = {
    "id": "1", "symbol": "AAPL", "side": "buy", "qty": "50", "price": "1",
    "transaction_time": "2026-06-17T14:30:00Z",
}  # fmt: skip
ALPACA_MONEY: Row = {"cash": "1", "buying_power": "1"}
ANGEL: Row = {"exchange": "NSE", "symboltoken": "1594", "producttype": "DELIVERY"}
ANGEL_POSITION: Row = {**ANGEL, "netqty": "50", "buyqty": "50", "sellqty": "0"}
ANGEL_HOLDING: Row = {**ANGEL, "realisedquantity": "50", "t1quantity": "0"}
ANGEL_MONEY: Row = {"net": "1", "availablecash": "1"}
DHAN_POSITION: Row = {
    "exchangeSegment": "NSE_EQ", "securityId": "1594", "productType": "CNC", "netQty": 50,
    "buyQty": 50, "sellQty": 0, "buyAvg": Decimal(1), "sellAvg": Decimal(0),
}  # fmt: skip
DHAN_HOLDING: Row = {
    "exchange": "NSE", "securityId": "1594", "totalQty": 50, "t1Qty": 0, "avgCostPrice": Decimal(1),
}  # fmt: skip
DHAN_MONEY: Row = {
    "sodLimit": Decimal(1),
    "utilizedAmount": Decimal(0),
    "availabelBalance": Decimal(1),
}


def key_of(*names: str) -> str:
    return ":".join(names)


def kite_position(row: Row) -> object:
    return kite.position_reports({"net": [row]}, key_of=key_of)


def kite_holding(row: Row) -> object:
    return kite.holding_reports([row], key_of=key_of)


def kite_trade(row: Row) -> object:
    return kite.trade_reports([row], key_of=key_of, at=AT)


def kite_margin(row: Row) -> object:
    return kite.margin_report([row])


def alpaca_held(row: Row) -> object:
    return shares.holding_reports([row], [], key_of=key_of)


def alpaca_day(row: Row) -> object:
    return shares.position_reports([], [row], key_of=key_of)


def alpaca_trade(row: Row) -> object:
    return alpaca.trade_report(row, root="1", key_of=key_of)


def angel_position(row: Row) -> object:
    return angel.position_report(row, key_of)


def angel_holding(row: Row) -> object:
    return angel.holding_report(row, key_of)


def dhan_position(row: Row) -> object:
    return dhan.position_report(row, dhan.Numbers())


def dhan_holding(row: Row) -> object:
    return dhan.holding_report(row, dhan.Numbers())


READERS: list[tuple[Callable[[Row], Any], Row, str]] = [
    (kite_position, KITE_POSITION, "quantity"),
    (kite_holding, KITE_HOLDING, "quantity"),
    (kite_trade, KITE_TRADE, "quantity"),
    (kite_trade, KITE_TRADE, "average_price"),
    (kite.funds_report, {"equity": KITE_MONEY}, "equity.net"),
    (kite.funds_report, {"equity": KITE_MONEY}, "equity.available.cash"),
    (kite.funds_report, {"equity": KITE_MONEY}, "equity.utilised.debits"),
    (kite_margin, {"total": 1}, "total"),
    (alpaca_held, ALPACA_HELD, "qty"),
    (alpaca_day, ALPACA_FILL, "qty"),
    (alpaca_trade, ALPACA_FILL, "qty"),
    (alpaca_trade, ALPACA_FILL, "price"),
    (alpaca.funds_report, ALPACA_MONEY, "cash"),
    (alpaca.funds_report, ALPACA_MONEY, "buying_power"),
    (angel_position, ANGEL_POSITION, "netqty"),
    (angel_holding, ANGEL_HOLDING, "realisedquantity"),
    (angel.funds_report, ANGEL_MONEY, "net"),
    (angel.funds_report, ANGEL_MONEY, "availablecash"),
    (angel.margin_report, {"totalMarginRequired": 1}, "totalMarginRequired"),
    (dhan_position, DHAN_POSITION, "netQty"),
    (dhan_holding, DHAN_HOLDING, "totalQty"),
    (dhan.funds_report, DHAN_MONEY, "sodLimit"),
    (dhan.funds_report, DHAN_MONEY, "availabelBalance"),
    (dhan.margin_report, {"totalMargin": Decimal(1)}, "totalMargin"),
]
_ABSENT = object()


def changed(row: Row, path: str, value: object) -> Row:
    name, _, rest = path.partition(".")
    if rest:
        return {**row, name: changed(row[name], rest, value)}
    kept = {key: each for key, each in row.items() if key != name}
    return kept if value is _ABSENT else {**kept, name: value}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("read", "row", "field"),
    [pytest.param(*each, id=f"{each[0].__name__}-{each[2]}") for each in READERS],
)
class TestAQuantity:
    def test_that_is_told_is_read(self, read: Callable[[Row], Any], row: Row, field: str) -> None:
        assert read(row)

    @pytest.mark.parametrize("value", [None, "", _ABSENT], ids=["null", "empty", "absent"])
    def test_that_is_missing_is_no_answer(
        self, read: Callable[[Row], Any], row: Row, field: str, value: object
    ) -> None:
        try:
            told = read(changed(row, field, value))
        except Unreadable:
            return
        assert told == []
        assert unreadable_in(told)
