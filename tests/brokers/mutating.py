"""Good rows of every broker and kind, what may stand in a field of theirs, and who reads them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from brokers.adapters.alpaca import reports as alpaca
from brokers.adapters.alpaca import shares
from brokers.adapters.angel import rows as angel
from brokers.adapters.dhan import rows as dhan
from brokers.adapters.kite import reports as kite
from brokers.rows import Listed, read_rows

AT = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
Row = dict[str, Any]
ABSENT = object()
ODD: tuple[Any, ...] = (
    ABSENT, None, "", " ", "--", "null", "NA", "None", "ten", [], {}, [None], True, Decimal("0.1"),
    -(2**31), str(-(2**31)), Decimal("-3.4028234663852886E+38"), 3.4e38, "9999999999999", "1E+99",
    Decimal("NaN"), Decimal("1e400000"), 10**400, "\ud800", "a\x00b", "0001-01-01 00:00:00",
)  # fmt: skip


def key_of(*names: str) -> str:
    return ":".join(names)


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of a kind at a broker: a good one, by which fields it names itself, who reads them."""

    label: str
    row: Row
    named_by: tuple[str, ...]
    read: Callable[[Sequence[Row]], Listed[Any]]

    def other(self) -> Row:
        """Return another good row, of another order and instrument."""
        changes = {name: f"{self.row[name]}9" for name in self.named_by}
        return {**self.row, **changes}


def changed(row: Mapping[str, Any], field: str, odd: object) -> Row:
    kept = {name: value for name, value in row.items() if name != field}
    return kept if odd is ABSENT else {**kept, field: odd}


def mutations(row: Row) -> Iterator[tuple[str, Row]]:
    for field in row:
        for odd in ODD:
            yield field, changed(row, field, odd)


def _angel(read: Callable[[Row], Any]) -> Callable[[Sequence[Row]], Listed[Any]]:
    naming = angel.naming(key_of)
    return lambda rows: read_rows(list(rows), read, naming=naming, broker="Angel One")  # type: ignore[arg-type]  # a test's row is a dict


def _alpaca(read: Callable[..., Any]) -> Callable[[Sequence[Row]], Listed[Any]]:
    return lambda rows: read_rows(list(rows), read, naming=alpaca.naming(key_of), broker="Alpaca")


ANGEL = {"exchange": "NSE", "tradingsymbol": "DEMO-EQ", "symboltoken": "9999"}
KITE = {"exchange": "NSE", "tradingsymbol": "INFY", "instrument_token": 408065}
DHAN = {"exchangeSegment": "NSE_EQ", "securityId": "1594", "tradingSymbol": "INFY"}
_ANGEL_NAMES = ("tradingsymbol", "symboltoken")
_KITE_NAMES = ("tradingsymbol", "instrument_token")
_DHAN_NAMES = ("securityId", "tradingSymbol")

KINDS = [
    Kind(
        "angel order",
        {
            **ANGEL, "variety": "NORMAL", "ordertype": "LIMIT", "producttype": "DELIVERY",
            "duration": "DAY", "price": Decimal("10.55"), "triggerprice": 0, "quantity": "100",
            "transactiontype": "BUY", "ordertag": "TAG1", "averageprice": Decimal("10.5"),
            "filledshares": "40", "unfilledshares": "60", "orderid": "231229000008865",
            "text": "", "status": "open", "orderstatus": "open",
            "updatetime": "29-Dec-2023 09:01:02", "exchtime": "", "exchorderupdatetime": "",
            "exchangeorderid": "1100",
        },
        ("orderid", "ordertag", *_ANGEL_NAMES),
        _angel(lambda row: angel.order_report(row, key_of, now=AT)),
    ),
    Kind(
        "angel trade",
        {
            **ANGEL, "producttype": "DELIVERY", "transactiontype": "BUY", "fillprice": "10.5",
            "fillsize": "40", "orderid": "231229000008865", "fillid": "50", "filltime": "09:27:53",
        },
        ("orderid", *_ANGEL_NAMES),
        _angel(lambda row: angel.trade_report(row, angel.key_of_row(row, key_of), now=AT)),
    ),
    Kind(
        "angel position",
        {
            **ANGEL, "producttype": "INTRADAY", "netqty": "40", "buyqty": "40", "sellqty": "0",
            "cfbuyqty": "0", "cfsellqty": "0", "totalbuyavgprice": "10.5", "buyavgprice": "10.5",
            "totalsellavgprice": "0", "sellavgprice": "0", "realised": "0", "netvalue": "- 420",
        },
        _ANGEL_NAMES,
        _angel(lambda row: angel.position_report(row, key_of)),
    ),
    Kind(
        "angel holding",
        {
            **ANGEL, "isin": "INE1", "t1quantity": 0, "realisedquantity": 40, "quantity": 40,
            "authorisedquantity": 0, "collateralquantity": None, "averageprice": Decimal("111.87"),
        },
        _ANGEL_NAMES,
        _angel(lambda row: angel.holding_report(row, key_of)),
    ),
    Kind(
        "kite order",
        {
            **KITE, "order_id": "1", "exchange_order_id": "2", "status": "OPEN",
            "status_message": None, "order_timestamp": "2026-06-17 10:30:00",
            "exchange_timestamp": "2026-06-17 10:30:00", "order_type": "LIMIT",
            "exchange_update_timestamp": "2026-06-17 10:30:00", "transaction_type": "BUY",
            "validity": "DAY", "product": "CNC", "quantity": 100, "price": 72, "trigger_price": 0,
            "average_price": 71, "filled_quantity": 40, "pending_quantity": 60, "tag": "T",
            "tags": ["T"], "meta": {},
        },
        ("order_id", "tag", *_KITE_NAMES),
        partial(kite.order_reports, key_of=key_of, at=AT),
    ),
    Kind(
        "kite trade",
        {
            **KITE, "trade_id": "1", "order_id": "1", "product": "CNC", "average_price": 1,
            "quantity": 40, "transaction_type": "BUY", "fill_timestamp": "2026-06-17 10:30:00",
            "exchange_timestamp": "2026-06-17 10:30:00",
        },
        ("order_id", *_KITE_NAMES),
        partial(kite.trade_reports, key_of=key_of, at=AT),
    ),
    Kind(
        "kite position",
        {
            **KITE, "product": "CNC", "quantity": 40, "average_price": 1, "multiplier": 1,
            "buy_quantity": 40, "sell_quantity": 0, "buy_value": 40, "sell_value": 0,
        },
        _KITE_NAMES,
        lambda rows: kite.position_reports({"net": rows}, key_of=key_of),
    ),
    Kind(
        "kite holding",
        {
            **KITE, "isin": "I", "quantity": 40, "used_quantity": 0, "t1_quantity": 0,
            "average_price": 1, "collateral_quantity": 0, "authorised_quantity": 0,
        },
        _KITE_NAMES,
        partial(kite.holding_reports, key_of=key_of),
    ),
    Kind(
        "dhan order",
        {
            **DHAN, "orderId": "112111182198", "exchangeOrderId": "11", "correlationId": "TAG1",
            "orderStatus": "PART_TRADED", "transactionType": "BUY", "productType": "INTRADAY",
            "orderType": "LIMIT", "validity": "DAY", "quantity": 100, "price": Decimal("100.05"),
            "triggerPrice": 0, "afterMarketOrder": False, "createTime": "2026-06-17 10:30:00",
            "updateTime": "2026-06-17 10:30:01", "omsErrorDescription": "",
            "averageTradedPrice": Decimal(100), "filledQty": 40, "remainingQuantity": 60,
        },
        ("orderId", "correlationId", *_DHAN_NAMES),
        lambda rows: dhan.read_each(list(rows), dhan.order_report),
    ),
    Kind(
        "dhan trade",
        {
            **DHAN, "orderId": "112111182198", "exchangeTradeId": "7", "transactionType": "BUY",
            "productType": "INTRADAY", "tradedQuantity": 40, "tradedPrice": Decimal("100.05"),
            "createTime": "2026-06-17 10:30:00", "exchangeTime": "2026-06-17 10:30:01",
        },
        ("orderId", *_DHAN_NAMES),
        lambda rows: dhan.read_each(list(rows), dhan.trade_report),
    ),
    Kind(
        "dhan position",
        {
            **DHAN, "productType": "CNC", "buyAvg": Decimal(100), "sellAvg": Decimal(0),
            "buyQty": 40, "sellQty": 0, "netQty": 40, "realizedProfit": Decimal(0),
        },
        _DHAN_NAMES,
        lambda rows: dhan.read_each(list(rows), dhan.position_report),
    ),
    Kind(
        "dhan holding",
        {
            "exchange": "NSE", "securityId": "1594", "tradingSymbol": "INFY", "isin": "I",
            "totalQty": 40, "t1Qty": 0, "avgCostPrice": Decimal(1), "collateralQty": 0,
        },
        _DHAN_NAMES,
        lambda rows: dhan.read_each(list(rows), dhan.holding_report),
    ),
    Kind(
        "alpaca order",
        {
            "id": "0f0f0f0f-0000-4000-8000-000000000001", "client_order_id": "TAG1",
            "submitted_at": "2026-06-17T14:30:00Z", "updated_at": "2026-06-17T14:30:01Z",
            "symbol": "AAPL", "asset_class": "us_equity", "order_class": "", "qty": "100",
            "filled_qty": "40", "filled_avg_price": "99", "type": "limit", "side": "buy",
            "time_in_force": "day", "limit_price": "100", "stop_price": None,
            "status": "partially_filled",
        },
        ("id", "client_order_id", "symbol"),
        _alpaca(lambda row: alpaca.order_report(row, key_of=key_of, at=AT)),
    ),
    Kind(
        "alpaca trade",
        {
            "id": "20260617::1", "order_id": "1", "symbol": "AAPL", "side": "buy", "qty": "40",
            "price": "100", "transaction_time": "2026-06-17T14:30:00Z",
        },
        ("id", "symbol"),
        _alpaca(lambda row: alpaca.trade_report(row, root="1", key_of=key_of)),
    ),
    Kind(
        "alpaca position",
        {
            "id": "1", "symbol": "AAPL", "side": "buy", "qty": "40", "price": "100",
            "transaction_time": "2026-06-17T14:30:00Z",
        },
        ("symbol",),
        lambda rows: shares.position_reports([], rows, key_of=key_of),
    ),
    Kind(
        "alpaca holding",
        {"symbol": "AAPL", "asset_class": "us_equity", "qty": "40", "avg_entry_price": "100"},
        ("symbol",),
        lambda rows: shares.holding_reports(rows, [], key_of=key_of),
    ),
]  # fmt: skip
