"""Dhan's words and ours, both ways. Pure: a word that is not known is refused, never guessed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from brokers.gateway import BrokerStatus, InstrumentRef
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side, Validity
from brokers.values import Unreadable, known, moment, text
from brokers.venue import IST

Word = TypeVar("Word")

MCX = "MCX_COMM"
SEGMENTS = {
    Segment.NSE_EQ: "NSE_EQ",
    Segment.NSE_FNO: "NSE_FNO",
    Segment.BSE_EQ: "BSE_EQ",
    Segment.BSE_FNO: "BSE_FNO",
    Segment.MCX_COMM: MCX,
    Segment.CDS_FUT: "NSE_CURRENCY",
    Segment.IDX: "IDX_I",
}
# The numbers that the market feed has for them.
SEGMENT_CODES = {
    "IDX_I": 0,
    "NSE_EQ": 1,
    "NSE_FNO": 2,
    "NSE_CURRENCY": 3,
    "BSE_EQ": 4,
    MCX: 5,
    "BSE_CURRENCY": 7,
    "BSE_FNO": 8,
}
ORDER_TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.SL: "STOP_LOSS",
    OrderType.SL_M: "STOP_LOSS_MARKET",
}
PRODUCTS = {
    Product.CNC: "CNC",
    Product.MIS: "INTRADAY",
    Product.NRML: "MARGIN",
    Product.MTF: "MTF",
}
_ORDER_TYPES_TOLD = {
    **{word: ours for ours, word in ORDER_TYPES.items()},
    "LMT": OrderType.LIMIT,
    "MKT": OrderType.MARKET,
    "SL": OrderType.SL,
    "SLM": OrderType.SL_M,
}
_PRODUCTS_TOLD = {
    **{word: ours for ours, word in PRODUCTS.items()},
    "CO": Product.CO,
    "BO": Product.BO,
    "C": Product.CNC,
    "I": Product.MIS,
    "M": Product.NRML,
    "F": Product.MTF,
    "V": Product.CO,
    "B": Product.BO,
}
_SIDES_TOLD = {"BUY": Side.BUY, "SELL": Side.SELL, "B": Side.BUY, "S": Side.SELL}
_STATUSES = {
    "TRANSIT": BrokerStatus.PLACED,
    "PENDING": BrokerStatus.OPEN,
    "CONFIRM": BrokerStatus.OPEN,
    "PART_TRADED": BrokerStatus.PARTIALLY_FILLED,
    "TRADED": BrokerStatus.FILLED,
    "CLOSED": BrokerStatus.FILLED,
    "TRIGGERED": BrokerStatus.FILLED,
    "CANCELLED": BrokerStatus.CANCELLED,
    "REJECTED": BrokerStatus.REJECTED,
    "EXPIRED": BrokerStatus.EXPIRED,
}
_TIME_SHAPES = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")


class Unsendable(Exception):
    """The request cannot be put into Dhan's words; nothing was sent."""


def segment_of(instrument: InstrumentRef) -> str:
    """Return Dhan's name for where the instrument is traded.

    :raises Unsendable: for a market Dhan does not have.
    """
    if instrument.broker_exchange in SEGMENT_CODES:
        return instrument.broker_exchange
    if instrument.segment not in SEGMENTS:
        raise Unsendable(f"Dhan does not trade on {instrument.segment}")
    return SEGMENTS[instrument.segment]


def number_of(instrument: InstrumentRef) -> str:
    """:raises Unsendable: when Dhan's number for the instrument has not been imported."""
    if not instrument.token.isdigit():
        raise Unsendable(
            f"Dhan's number for {instrument.trading_symbol} is not known:"
            " import Dhan's instrument list"
        )
    return instrument.token


def quantity_to_send(instrument: InstrumentRef, quantity: int) -> int:
    """Return the quantity in what Dhan counts in: lots on MCX, units everywhere else.

    :raises Unsendable: when it is no whole number of lots.
    """
    if segment_of(instrument) != MCX:
        return quantity
    lots, rest = divmod(quantity, max(instrument.lot_size, 1))
    if rest:
        raise Unsendable(
            f"{instrument.trading_symbol} is traded in lots of {instrument.lot_size},"
            f" and {quantity} is not a whole number of them"
        )
    return lots


def price_to_send(price: Decimal | None) -> float:
    """Return the price as the SDK wants it, 0 for none.

    :raises Unsendable: when a float would be another number.
    """
    if price is None:
        return 0.0
    sent = float(price)
    if Decimal(repr(sent)) != price:
        raise Unsendable(f"The price {price} has more digits than can be sent")
    return sent


def side_told(word: object) -> Side:
    return _word(_SIDES_TOLD, word, "side")


def order_type_told(word: object) -> OrderType:
    return _word(_ORDER_TYPES_TOLD, word, "order type")


def product_told(word: object) -> Product:
    return _word(_PRODUCTS_TOLD, word, "product")


def validity_told(word: object) -> Validity:
    return _word({"DAY": Validity.DAY, "IOC": Validity.IOC}, word, "validity")


def status_told(
    word: object, *, order_type: OrderType, filled: int, quantity: int, is_waiting_amo: bool
) -> BrokerStatus:
    """Translate an order's status; PENDING says little, the rest of the row says which."""
    status = _word(_STATUSES, word, "order status")
    is_partial = 0 < filled < quantity
    if is_partial and status in (BrokerStatus.OPEN, BrokerStatus.FILLED):
        return BrokerStatus.PARTIALLY_FILLED
    if status is BrokerStatus.OPEN and is_waiting_amo:
        return BrokerStatus.QUEUED_AMO
    if status is BrokerStatus.OPEN and order_type.needs_trigger:
        return BrokerStatus.TRIGGER_PENDING
    return status


def time_told(value: object) -> datetime | None:
    """Read a time, India's where Dhan writes it without its zone; None where it has none."""
    return moment(value, zone=IST, formats=_TIME_SHAPES)


def moments_told(created: object, updated: object) -> tuple[datetime | None, datetime]:
    """Return when an order was made and when it last changed.

    :raises Unreadable: when neither is told, since then its reports could not be put in order.
    """
    made_at = time_told(created)
    changed_at = time_told(updated) or made_at
    if changed_at is None:
        raise Unreadable("Dhan told an order without its time")
    return made_at, changed_at


def time_of_feed(stamp: int) -> datetime:
    """Read the feed's epoch, which counts India's wall clock as if it were UTC."""
    return datetime.fromtimestamp(stamp, IST) - timedelta(hours=5, minutes=30)


def instrument_word(instrument: InstrumentRef) -> str:
    """Return what the charts want to be told of the kind: EQUITY, INDEX, OPTIDX, FUTSTK, ..."""
    kind = instrument.instrument_type
    if not kind.is_derivative:
        return "INDEX" if kind is InstrumentType.INDEX else "EQUITY"
    if segment_of(instrument) == MCX:
        return "FUTCOM" if kind is InstrumentType.FUT else "OPTFUT"
    if instrument.segment is Segment.CDS_FUT:
        return "FUTCUR" if kind is InstrumentType.FUT else "OPTCUR"
    name = (instrument.broker_symbol or instrument.trading_symbol).upper()
    owner = "IDX" if name.startswith(_INDEX_NAMES) else "STK"
    return f"{'FUT' if kind is InstrumentType.FUT else 'OPT'}{owner}"


_INDEX_NAMES = ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX")


def _word(words: Mapping[str, Word], word: object, what: str) -> Word:
    return known(words, text(word).upper(), what)
