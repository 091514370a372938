"""Dhan's rows as the port's messages. A row that cannot be read spoils the whole answer: a book
with one order missing would look like a complete one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from brokers.adapters.dhan import words
from brokers.adapters.dhan.words import Row, Unreadable
from brokers.directory import RememberedKeys, installed_directory
from brokers.gateway import (
    BrokerStatus,
    FundsReport,
    HoldingReport,
    Margin,
    OrderReport,
    PositionReport,
    TradeReport,
)

BROKER = "dhan"
_TELLS_WHY = (BrokerStatus.REJECTED, BrokerStatus.CANCELLED, BrokerStatus.EXPIRED)
_EQUITY_BOARDS = ("NSE_EQ", "BSE_EQ")


@dataclass(slots=True)
class Numbers:
    """The house's keys and lot sizes for Dhan's numbers, each asked for once."""

    _key_of: RememberedKeys = field(default_factory=lambda: RememberedKeys(BROKER))
    _lots: dict[str, int] = field(default_factory=dict)

    def key(self, segment: str, number: str) -> str:
        return self._key_of(segment, number)

    def units(self, segment: str, number: str, quantity: int) -> int:
        """Return units for what Dhan counts in lots. An instrument that is not known here has no
        lot size either; its report is adopted by nobody until the instrument is imported."""
        if segment != words.MCX:
            return quantity
        key = self.key(segment, number)
        if key not in self._lots:
            ref = installed_directory().ref_of(BROKER, key)
            self._lots[key] = max(ref.lot_size, 1) if ref else 1
        return quantity * self._lots[key]


@dataclass(frozen=True, slots=True)
class _Named:
    """A row of an instrument: where it is, and its quantities in units."""

    row: Row
    numbers: Numbers
    segment: str
    number: str

    @property
    def key(self) -> str:
        return self.numbers.key(self.segment, self.number)

    def units(self, name: str) -> int:
        told = words.count_told(self.row.get(name), name)
        return self.numbers.units(self.segment, self.number, told)


def read_rows(body: object) -> list[Row]:
    """Return an answer's rows.

    :raises Unreadable: when it is no list of objects; null is not "none" at Dhan.
    """
    if not isinstance(body, list):
        raise Unreadable(f"Dhan answered no list but {type(body).__name__}")
    for each in body:
        if not isinstance(each, Mapping):
            raise Unreadable(f"Dhan listed no object but {type(each).__name__}")
    return body


def read_object(body: object) -> Row:
    """:raises Unreadable: when the answer is no object."""
    if not isinstance(body, Mapping):
        raise Unreadable(f"Dhan answered no object but {type(body).__name__}")
    return body


def order_report(row: Row, numbers: Numbers) -> OrderReport:
    named = _named(row, numbers)
    order_type = words.order_type_told(row.get("orderType"))
    quantity, filled = named.units("quantity"), _filled(named)
    exchange_order_id = _id(row, "exchangeOrderId")
    status = words.status_told(
        row.get("orderStatus"),
        order_type=order_type,
        filled=filled,
        quantity=quantity,
        is_waiting_amo=row.get("afterMarketOrder") is True and not exchange_order_id,
    )
    placed_at, updated_at = words.moments_told(row.get("createTime"), row.get("updateTime"))
    return OrderReport(
        broker_order_id=_needed(row, "orderId"),
        tag=_text(row, "correlationId"),
        instrument_key=named.key,
        side=words.side_told(row.get("transactionType")),
        order_type=order_type,
        product=words.product_told(row.get("productType")),
        validity=words.validity_told(row.get("validity")),
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        updated_at=updated_at,
        average_price=words.price_told(row.get("averageTradedPrice"), "the average price"),
        price=words.price_told(row.get("price"), "the price"),
        trigger_price=words.price_told(row.get("triggerPrice"), "the trigger price"),
        message=_text(row, "omsErrorDescription") if status in _TELLS_WHY else "",
        exchange_order_id=exchange_order_id,
        placed_at=placed_at,
    )


def trade_report(row: Row, numbers: Numbers) -> TradeReport:
    """Read one fill. The exchange counts its trades anew each day, so the order's id is part of
    the name that must stay unique for good."""
    named = _named(row, numbers)
    order_id, trade_id = _needed(row, "orderId"), _needed(row, "exchangeTradeId")
    traded_at = words.time_told(row.get("exchangeTime")) or words.time_told(row.get("createTime"))
    price = words.price_told(row.get("tradedPrice"), "the traded price")
    if traded_at is None or price is None:
        raise Unreadable(f"Dhan told trade {trade_id} without its time or price")
    return TradeReport(
        trade_id=f"{order_id}-{trade_id}",
        broker_order_id=order_id,
        instrument_key=named.key,
        side=words.side_told(row.get("transactionType")),
        product=words.product_told(row.get("productType")),
        quantity=named.units("tradedQuantity"),
        price=price,
        traded_at=traded_at,
        exchange_trade_id=trade_id,
    )


def position_report(row: Row, numbers: Numbers) -> PositionReport:
    named = _named(row, numbers)
    net = named.units("netQty")
    side = "buyAvg" if net > 0 else "sellAvg"
    average = words.decimal_told(row.get(side), side) if net else Decimal(0)
    return PositionReport(
        instrument_key=named.key,
        product=words.product_told(row.get("productType")),
        quantity=net,
        average_price=average,
        buy_quantity=named.units("buyQty"),
        sell_quantity=named.units("sellQty"),
        realized_pnl=_money(row, "realizedProfit"),
    )


def holding_report(row: Row, numbers: Numbers) -> HoldingReport:
    """Read shares of earlier days: what Dhan calls the total includes those not yet settled."""
    total = words.count_told(row.get("totalQty"), "totalQty")
    unsettled = words.count_told(row.get("t1Qty") or 0, "t1Qty")
    return HoldingReport(
        instrument_key=_holding_key(row, numbers),
        quantity=total - unsettled,
        t1_quantity=unsettled,
        average_price=words.decimal_told(row.get("avgCostPrice"), "the average cost"),
        collateral_quantity=words.count_told(row.get("collateralQty") or 0, "collateralQty"),
    )


def funds_report(row: Row) -> FundsReport:
    """Read the money; Dhan misspells what is available, and may mend it one day."""
    misspelt = "availabelBalance" if "availabelBalance" in row else "availableBalance"
    opening = words.decimal_told(row.get("sodLimit"), "the opening balance")
    return FundsReport(
        cash=opening,
        margin_used=words.decimal_told(row.get("utilizedAmount"), "the used amount"),
        available=words.decimal_told(row.get(misspelt), "the available balance"),
        opening_balance=opening,
        collateral=_money(row, "collateralAmount"),
        withdrawable=_money(row, "withdrawableBalance"),
    )


def margin_report(row: Row) -> Margin:
    return Margin(
        total=words.decimal_told(row.get("totalMargin"), "the margin"),
        span=_money(row, "spanMargin"),
        exposure=_money(row, "exposureMargin"),
        var=_money(row, "variableMargin"),
    )


def read_each(body: object, read: Callable[[Row, Numbers], words.Word]) -> list[words.Word]:
    """:raises Unreadable: when any row cannot be read."""
    numbers = Numbers()
    return [read(row, numbers) for row in read_rows(body)]


def _named(row: Row, numbers: Numbers) -> _Named:
    segment = _needed(row, "exchangeSegment")
    if segment not in words.SEGMENT_CODES:
        raise Unreadable(f"Dhan told a market that is not known here: {segment}"[:200])
    return _Named(row, numbers, segment, _needed(row, "securityId"))


def _filled(named: _Named) -> int:
    if named.row.get("filledQty") is not None:
        return named.units("filledQty")
    return named.units("quantity") - named.units("remainingQuantity")


def _holding_key(row: Row, numbers: Numbers) -> str:
    """Dhan writes ALL for a share of both exchanges; its number is then NSE's, where NSE has it.

    Numbers of the two exchanges overlap, so the share's symbol must agree.
    """
    exchange, number = _needed(row, "exchange"), _needed(row, "securityId")
    board = f"{exchange}_EQ"
    if board in _EQUITY_BOARDS:
        return numbers.key(board, number)
    symbol = _text(row, "tradingSymbol")
    for each in _EQUITY_BOARDS:
        key = numbers.key(each, number)
        ref = installed_directory().ref_of(BROKER, key)
        if ref is not None and symbol in (ref.broker_symbol, ref.trading_symbol):
            return key
    return f"{BROKER.upper()}?{exchange}:{number}"


def _money(row: Row, name: str) -> Decimal:
    value = row.get(name)
    return Decimal(0) if value in (None, "") else words.decimal_told(value, name)


def _needed(row: Row, name: str) -> str:
    value = _text(row, name)
    if not value:
        raise Unreadable(f"Dhan left {name} out")
    return value


def _id(row: Row, name: str) -> str:
    """Return an id of the exchange, "" for the words that brokers write where there is none."""
    value = _text(row, name)
    return "" if value.upper() in ("0", "NA", "N/A") else value


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
