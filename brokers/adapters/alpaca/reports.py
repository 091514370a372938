"""Alpaca's rows as the port's messages. Pure: whose symbol it is is asked of ``key_of``.

A word or number that cannot be understood raises :class:`Unreadable`, which costs its row. A
fraction of a share is such a number, and what is no share is such a row.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

from brokers.abilities import Profile
from brokers.adapters.alpaca import words
from brokers.gateway import (
    BrokerStatus,
    FundsReport,
    OrderReport,
    TradeReport,
)
from brokers.rows import Naming
from brokers.terms import Product
from brokers.values import (
    MOST_PRICE,
    Row,
    Unreadable,
    filled,
    is_nothing,
    number,
    price,
    required,
    text,
)

KeyOf = Callable[[str], str]  # Alpaca's symbol to the house's key
Read = TypeVar("Read")
BROKER = "Alpaca"
SHARES, MULTI_LEG = "us_equity", "mleg"
PRODUCT = Product.CNC
_BLOCKS = ("trading_blocked", "account_blocked", "transfers_blocked", "trade_suspended_by_user")

_NO_REASON = "Alpaca rejected it and does not say why: look at the order in Alpaca's own app"


def naming(key_of: KeyOf, order_id: str = "id") -> Naming:
    """How rows name what they are of; an order of several legs names none of its own."""
    return Naming(partial(_key, key_of=key_of), "symbol", order_id, _tag)


def _key(row: Row, key_of: KeyOf) -> str:
    is_multi_leg = is_nothing(row.get("symbol")) and row.get("order_class") == MULTI_LEG
    return key_of(MULTI_LEG if is_multi_leg else required(row, "symbol"))


def _tag(row: Row) -> str:
    return text(row.get("client_order_id"))


def check_share(row: Row) -> None:
    """:raises Unreadable: for options, crypto and orders of several legs, in words."""
    kind = text(row.get("asset_class"))
    if row.get("order_class") == MULTI_LEG:
        raise Unreadable("an order of several legs: it is not traded from here")
    if kind not in ("", SHARES):
        raise Unreadable(f"{text(row.get('symbol'))} is {kind}, not a share: not traded from here")


def order_report(row: Row, *, key_of: KeyOf, at: datetime) -> OrderReport:
    """Read a folded row; ``at`` is when it was told, for one without any time of its own."""
    check_share(row)
    symbol = required(row, "symbol")
    order_type = words.order_type_of(row)
    if is_nothing(row.get("qty")):
        raise Unreadable(
            f"An order for an amount of {symbol} and not for shares is in the account: Pinnacle"
            " counts whole shares alone"
        )
    quantity = words.whole(row.get("qty"), of=symbol)

    def status(done: int) -> BrokerStatus:
        return words.status_of(row, order_type=order_type, filled=done)

    told = row.get("filled_qty")
    done = filled(
        None if is_nothing(told) else words.whole(told, of=symbol),
        quantity=quantity,
        status=status,
    )
    return OrderReport(
        broker_order_id=required(row, "id"),
        tag=_tag(row),
        instrument_key=key_of(symbol),
        side=words.side_of(row),
        order_type=order_type,
        product=PRODUCT,
        validity=words.validity_of(row),
        status=status(done),
        quantity=quantity,
        filled_quantity=done,
        updated_at=words.moment(row.get("updated_at")) or at,
        average_price=price(row.get("filled_avg_price"), "filled_avg_price"),
        price=price(row.get("limit_price"), "limit_price"),
        trigger_price=price(row.get("stop_price"), "stop_price"),
        message=_message(row),
        exchange_order_id=text(row.get("venue_id") or row.get("id")),
        placed_at=words.moment(row.get("submitted_at")) or words.moment(row.get("created_at")),
    )


def _message(row: Row) -> str:
    """Alpaca tells no reason in the row of an order it rejected later; what it adds is shown."""
    told = text(row.get("reject_reason") or row.get("failed_reason"))
    return told or (_NO_REASON if row.get("status") == "rejected" else "")


def trade_report(row: Row, *, root: str, key_of: KeyOf) -> TradeReport:
    """Read a fill; ``root`` is the order that the house knows the filled one by."""
    symbol = required(row, "symbol")
    traded_at = words.moment(row.get("transaction_time"))
    if traded_at is None:
        raise Unreadable("Alpaca told a fill without its time")
    return TradeReport(
        trade_id=required(row, "id"),
        broker_order_id=root,
        instrument_key=key_of(symbol),
        side=words.side_of(row),
        product=PRODUCT,
        quantity=words.whole(row.get("qty"), of=symbol),
        price=number(row.get("price"), "price", most=MOST_PRICE),
        traded_at=traded_at,
    )


def funds_report(row: Row) -> FundsReport:
    """Read the account's own money: what could be borrowed is not counted as available."""
    cash = number(row.get("cash"), "cash")
    own = "non_marginable_buying_power"
    name = "buying_power" if is_nothing(row.get(own)) else own
    free = number(row.get(name), name)
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
        client_code=required(row, "account_number"),
        name=text(row.get("account_number")),
        exchanges=("NASDAQ", "NYSE"),
        permissions=(text(row.get("status")), *blocks),
    )
