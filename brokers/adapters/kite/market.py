"""Kite's prices, candles, triggers and profile as the house's messages. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from brokers.abilities import (
    BrokerCandle,
    CandleRequest,
    DepthLevel,
    Profile,
    QuoteReport,
    SaleAuthorisation,
    TriggerLeg,
    TriggerReport,
)
from brokers.adapters.kite import words
from brokers.adapters.kite.reports import BROKER, key_of_row, part_of
from brokers.capabilities import TriggerKind
from brokers.gateway import InstrumentRef
from brokers.rows import KeyOf, Listed, Naming, read_rows, rows_of
from brokers.values import (
    MOST_PRICE,
    Row,
    Unreadable,
    count,
    count_or_none,
    count_or_zero,
    known,
    number,
    number_or_zero,
    price,
    required,
    text,
)

MOST_QUOTES = 500
_MINUTE_NAMES = {
    "1m": ("minute", 60),
    "3m": ("3minute", 100),
    "5m": ("5minute", 100),
    "10m": ("10minute", 100),
    "15m": ("15minute", 200),
    "30m": ("30minute", 200),
    "1h": ("60minute", 400),
    "1d": ("day", 2000),
}
_KINDS = {"single": TriggerKind.SINGLE, "two-leg": TriggerKind.OCO}
_DEMAT_CONSENT_ON_PAPER = "physical"


def symbol_of(instrument: InstrumentRef) -> str:
    """Return an instrument as quotes name it, for example NSE:INFY."""
    exchange = instrument.broker_exchange or instrument.exchange
    return f"{exchange}:{instrument.broker_symbol or instrument.trading_symbol}"


def quote_reports(data: object, *, keys: Mapping[str, str], at: datetime) -> dict[str, QuoteReport]:
    """Return quotes by the house's key; what is unknown to Kite, or never traded, is absent.

    :raises Unreadable: when the answer is no object of quotes.
    """
    if not isinstance(data, dict):
        raise Unreadable("Kite did not answer with quotes")
    told = {symbol: row for symbol, row in data.items() if isinstance(row, dict)}
    return {
        keys[symbol]: quote_report(row, key=keys[symbol], at=at)
        for symbol, row in told.items()
        if symbol in keys and price(row.get("last_price"), "last_price")
    }


def quote_report(row: Row, *, key: str, at: datetime) -> QuoteReport:
    """Read a full quote, an OHLC or a bare last price; ``at`` is when it was asked."""
    ohlc = row.get("ohlc")
    prices: Row = ohlc if isinstance(ohlc, dict) else {}
    depth = row.get("depth")
    sides: Row = depth if isinstance(depth, dict) else {}
    told_at = words.moment(row.get("timestamp")) or words.moment(row.get("last_trade_time"))
    return QuoteReport(
        key=key,
        ltp=number(part_of(row, "last_price"), "last_price", most=MOST_PRICE),
        at=told_at or at,
        open=price(prices.get("open"), "open"),
        high=price(prices.get("high"), "high"),
        low=price(prices.get("low"), "low"),
        previous_close=price(prices.get("close"), "close"),
        volume=_count(row, "volume"),
        average_price=price(row.get("average_price"), "average_price"),
        open_interest=_count(row, "oi"),
        lower_circuit=price(row.get("lower_circuit_limit"), "lower_circuit_limit"),
        upper_circuit=price(row.get("upper_circuit_limit"), "upper_circuit_limit"),
        bids=depth_levels(sides.get("buy")),
        asks=depth_levels(sides.get("sell")),
    )


def depth_levels(rows: object) -> tuple[DepthLevel, ...]:
    """Return the levels that hold anything: Kite fills up to five with nothing."""
    levels = [
        DepthLevel(
            number_or_zero(row.get("price"), "the depth's price"),
            count_or_zero(row.get("quantity"), "the depth's quantity"),
            count_or_zero(row.get("orders"), "the depth's orders"),
        )
        for row in (rows_of(rows, "depth") if rows else ())
    ]
    return tuple(level for level in levels if level.price > 0 and level.quantity > 0)


def candle_spans(request: CandleRequest) -> Iterator[tuple[str, datetime, datetime]]:
    """Cut a request into the longest spans that Kite answers: its interval's name, from, to.

    :raises Unreadable: when Kite has no candles of that length.
    """
    if request.interval not in _MINUTE_NAMES:
        raise Unreadable(f"Kite has no candles of {request.interval}")
    name, days = _MINUTE_NAMES[request.interval]
    start = request.start
    while start <= request.end:
        end = min(start + timedelta(days=days) - timedelta(seconds=1), request.end)
        yield name, start, end
        start = end + timedelta(seconds=1)


def candles(data: object) -> list[BrokerCandle]:
    """:raises Unreadable: when a row is not a candle."""
    if not isinstance(data, list):
        raise Unreadable("Kite did not answer with candles")
    return [_candle(row) for row in data]


def _candle(row: object) -> BrokerCandle:
    if not isinstance(row, list) or len(row) < 6:
        raise Unreadable("Kite told a candle with parts missing")
    at = words.moment(row[0])
    if at is None:
        raise Unreadable("Kite told a candle without its time")
    opening, high, low, close = (number(each, "a price", most=MOST_PRICE) for each in row[1:5])
    return BrokerCandle(
        at=at,
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=int(number_or_zero(row[5], "the volume")),
        open_interest=count_or_none(row[6], "the open interest") if len(row) > 6 else None,
    )


def trigger_reports(data: object, *, key_of: KeyOf) -> Listed[TriggerReport]:
    naming = Naming(
        lambda row: key_of_row(part_of(row, "condition"), key_of), "tradingsymbol", "id"
    )
    read = partial(trigger_report, key_of=key_of)
    return read_rows(data, read, naming=naming, broker=BROKER)


def trigger_report(row: Row, *, key_of: KeyOf) -> TriggerReport:
    condition, orders = part_of(row, "condition"), rows_of(part_of(row, "orders"), "orders")
    prices = part_of(condition, "trigger_values")
    if not isinstance(prices, list) or not orders:
        raise Unreadable("Kite told a trigger without its prices or orders")
    results = [order.get("result") for order in orders]
    return TriggerReport(
        trigger_id=required(row, "id"),
        instrument_key=key_of_row(condition, key_of),
        side=words.side_of(orders[0]),
        product=words.product_of(orders[0]),
        kind=known(_KINDS, text(row.get("type")), "kind of trigger"),
        status=words.trigger_status_of(row),
        legs=tuple(_leg(price, order) for price, order in zip(prices, orders, strict=False)),
        updated_at=words.moment(row.get("updated_at")),
        order_ids=tuple(_told_of(results, "order_id")),
        message="; ".join(_told_of(results, "rejection_reason")),
    )


def _leg(trigger_price: object, order: Row) -> TriggerLeg:
    return TriggerLeg(
        number(trigger_price, "the trigger price", most=MOST_PRICE),
        number_or_zero(order.get("price"), "price"),
        count(order.get("quantity"), "quantity", least=1),
    )


def _told_of(results: Sequence[object], name: str) -> Iterator[str]:
    for result in results:
        sent = result.get("order_result") if isinstance(result, dict) else None
        if isinstance(sent, dict) and sent.get(name):
            yield text(sent[name])


def profile_report(data: object) -> Profile:
    row = data if isinstance(data, dict) else {}
    return Profile(
        client_code=text(part_of(data, "user_id")),
        name=text(row.get("user_name")),
        email=text(row.get("email")),
        exchanges=_names(row.get("exchanges")),
        permissions=_names(row.get("products")),
    )


def sales_to_approve(holdings: object, *, profile: object) -> list[SaleAuthorisation]:
    """Return the holdings of which not everything may be sold yet.

    Whoever gave the broker a power of attorney (on paper) has nothing to approve.
    """
    meta = profile.get("meta") if isinstance(profile, dict) else None
    if isinstance(meta, dict) and meta.get("demat_consent") == _DEMAT_CONSENT_ON_PAPER:
        return []
    sales = [
        SaleAuthorisation(
            isin=text(row.get("isin")),
            quantity=count_or_zero(row.get("quantity"), "quantity"),
            approved_quantity=count_or_zero(row.get("authorised_quantity"), "authorised_quantity"),
            words=text(row.get("tradingsymbol")),
        )
        for row in rows_of(holdings, "holdings")
    ]
    return [sale for sale in sales if sale.quantity > sale.approved_quantity]


def _names(value: object) -> tuple[str, ...]:
    return tuple(text(each) for each in value) if isinstance(value, list) else ()


def _count(row: Mapping[str, object], name: str) -> int | None:
    return count_or_none(row.get(name), name)
