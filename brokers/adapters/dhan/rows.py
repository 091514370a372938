"""Dhan's rows as the port's messages. A row that cannot be read raises :class:`Unreadable`, which
costs that row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

from brokers.adapters.dhan import words
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
from brokers.rows import Listed, Naming, read_rows
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
    shown,
    text,
)

Read = TypeVar("Read")
BROKER, NAME = "dhan", "Dhan"
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

    def units(self, name: str, *, least: int | None = None) -> int:
        told = count(self.row.get(name), name, least=least)
        return self.numbers.units(self.segment, self.number, told)


def read_object(body: object) -> Row:
    """:raises Unreadable: when the answer is no object."""
    if not isinstance(body, Mapping):
        raise Unreadable(f"Dhan answered no object: {shown(body)}")
    return body


def order_report(row: Row, numbers: Numbers) -> OrderReport:
    named = _named(row, numbers)
    order_type = words.order_type_told(row.get("orderType"))
    quantity = named.units("quantity", least=1)
    exchange_order_id = _id(row, "exchangeOrderId")
    is_waiting = row.get("afterMarketOrder") is True and not exchange_order_id

    def status_for(done: int) -> BrokerStatus:
        return words.status_told(
            row.get("orderStatus"),
            order_type=order_type,
            filled=done,
            quantity=quantity,
            is_waiting_amo=is_waiting,
        )

    # What has filled is counted as Dhan counts, in lots where it does.
    done = numbers.units(named.segment, named.number, _filled(row, status_for))
    status = status_for(done)
    placed_at, updated_at = words.moments_told(row.get("createTime"), row.get("updateTime"))
    return OrderReport(
        broker_order_id=required(row, "orderId"),
        tag=_tag(row),
        instrument_key=named.key,
        side=words.side_told(row.get("transactionType")),
        order_type=order_type,
        product=words.product_told(row.get("productType")),
        validity=words.validity_told(row.get("validity")),
        status=status,
        quantity=quantity,
        filled_quantity=done,
        updated_at=updated_at,
        average_price=price(row.get("averageTradedPrice"), "averageTradedPrice"),
        price=price(row.get("price"), "price"),
        trigger_price=price(row.get("triggerPrice"), "triggerPrice"),
        message=text(row.get("omsErrorDescription")) if status in _TELLS_WHY else "",
        exchange_order_id=exchange_order_id,
        placed_at=placed_at,
    )


def trade_report(row: Row, numbers: Numbers) -> TradeReport:
    """Read one fill. The exchange counts its trades anew each day, so the order's id is part of
    the name that must stay unique for good."""
    named = _named(row, numbers)
    order_id, trade_id = required(row, "orderId"), required(row, "exchangeTradeId")
    traded_at = words.time_told(row.get("exchangeTime")) or words.time_told(row.get("createTime"))
    traded_price = price(row.get("tradedPrice"), "tradedPrice")
    if traded_at is None or traded_price is None:
        raise Unreadable("the time or the price of the trade is not told")
    return TradeReport(
        trade_id=f"{order_id}-{trade_id}",
        broker_order_id=order_id,
        instrument_key=named.key,
        side=words.side_told(row.get("transactionType")),
        product=words.product_told(row.get("productType")),
        quantity=named.units("tradedQuantity", least=1),
        price=traded_price,
        traded_at=traded_at,
        exchange_trade_id=trade_id,
    )


def position_report(row: Row, numbers: Numbers) -> PositionReport:
    named = _named(row, numbers)
    net = named.units("netQty")
    side = "buyAvg" if net > 0 else "sellAvg"
    average = number(row.get(side), side, most=MOST_PRICE) if net else Decimal(0)
    return PositionReport(
        instrument_key=named.key,
        product=words.product_told(row.get("productType")),
        quantity=net,
        average_price=average,
        buy_quantity=named.units("buyQty", least=0),
        sell_quantity=named.units("sellQty", least=0),
        realized_pnl=number_or_zero(row.get("realizedProfit"), "realizedProfit"),
    )


def holding_report(row: Row, numbers: Numbers) -> HoldingReport:
    """Read shares of earlier days: what Dhan calls the total includes those not yet settled."""
    total = count(row.get("totalQty"), "totalQty", least=0)
    unsettled = count_or_zero(row.get("t1Qty"), "t1Qty", least=0)
    return HoldingReport(
        instrument_key=_holding_key(row, numbers),
        quantity=total - unsettled,
        t1_quantity=unsettled,
        average_price=price(row.get("avgCostPrice"), "avgCostPrice") or Decimal(0),
        collateral_quantity=count_or_zero(row.get("collateralQty"), "collateralQty", least=0),
    )


def funds_report(row: Row) -> FundsReport:
    """Read the money; Dhan misspells what is available, and may mend it one day."""
    misspelt = "availabelBalance" if "availabelBalance" in row else "availableBalance"
    opening = number(row.get("sodLimit"), "sodLimit")
    return FundsReport(
        cash=opening,
        margin_used=number(row.get("utilizedAmount"), "utilizedAmount"),
        available=number(row.get(misspelt), "the available balance"),
        opening_balance=opening,
        collateral=number_or_zero(row.get("collateralAmount"), "collateralAmount"),
        withdrawable=number_or_zero(row.get("withdrawableBalance"), "withdrawableBalance"),
    )


def margin_report(row: Row) -> Margin:
    return Margin(
        total=number(row.get("totalMargin"), "totalMargin"),
        span=number_or_zero(row.get("spanMargin"), "spanMargin"),
        exposure=number_or_zero(row.get("exposureMargin"), "exposureMargin"),
        var=number_or_zero(row.get("variableMargin"), "variableMargin"),
    )


def read_each(body: object, read: Callable[[Row, Numbers], Read]) -> Listed[Read]:
    """Read a list; null is not "none" at Dhan.

    :raises Unreadable: when the answer is no list.
    """
    numbers = Numbers()
    return read_rows(body, lambda row: read(row, numbers), naming=naming(numbers), broker=NAME)


def naming(numbers: Numbers) -> Naming:
    """How rows of every kind name what they are of; holdings name another kind of market."""
    return Naming(partial(_key_in, numbers=numbers), "tradingSymbol", "orderId", _tag)


def _key_in(row: Row, numbers: Numbers) -> str:
    return _named(row, numbers).key if "exchangeSegment" in row else _holding_key(row, numbers)


def _tag(row: Row) -> str:
    return text(row.get("correlationId"))


def _number(row: Row) -> str:
    """Return Dhan's number of the instrument, or its symbol where it tells no number."""
    is_told = not is_nothing(row.get("securityId"))
    return required(row, "securityId" if is_told else "tradingSymbol")


def _named(row: Row, numbers: Numbers) -> _Named:
    segment = required(row, "exchangeSegment")
    if segment not in words.SEGMENT_CODES:
        raise Unreadable(f"the market {shown(segment)} is not known here")
    return _Named(row, numbers, segment, _number(row))


def _filled(row: Row, status: Callable[[int], BrokerStatus]) -> int:
    return filled(
        row.get("filledQty"),
        quantity=count(row.get("quantity"), "quantity", least=1),
        status=status,
        remaining=row.get("remainingQuantity"),
    )


def _holding_key(row: Row, numbers: Numbers) -> str:
    """Dhan writes ALL for a share of both exchanges; its number is then NSE's, where NSE has it.

    Numbers of the two exchanges overlap, so the share's symbol must agree.
    """
    exchange, number = required(row, "exchange"), _number(row)
    board = f"{exchange}_EQ"
    if board in _EQUITY_BOARDS:
        return numbers.key(board, number)
    symbol = text(row.get("tradingSymbol"))
    for each in _EQUITY_BOARDS:
        key = numbers.key(each, number)
        ref = installed_directory().ref_of(BROKER, key)
        if ref is not None and symbol in (ref.broker_symbol, ref.trading_symbol):
            return key
    return f"{BROKER.upper()}?{exchange}:{number}"


def _id(row: Row, name: str) -> str:
    """Return an id of the exchange, "" for the words that brokers write where there is none."""
    value = text(row.get(name))
    return "" if value == "0" else value
