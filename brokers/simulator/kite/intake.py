"""Kite's form fields as an order of the simulated broker, checked as Kite checks them."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from typing import TypeVar

from brokers.simulator.instruments import SimInstrument
from brokers.simulator.kite.answers import bad_input
from brokers.simulator.kite.desk import Asked, Fields, KiteDesk
from brokers.simulator.records import SimChanges, SimOrderRequest
from brokers.terms import OrderType, Product, Side, Validity

VARIETIES = ("regular", "amo", "co", "iceberg", "auction")
_Word = TypeVar("_Word", bound=Enum)
_MOST_TAG = 20
_PROTECTION = Decimal("0.02")
_NO_PROTECTION = "Market orders without market protection are not allowed via API."
_UNKNOWN_INSTRUMENT = (
    "The instrument you are placing an order for has either expired or does not exist."
)


def order_of(desk: KiteDesk, asked: Asked, variety: str) -> SimOrderRequest:
    """:raises KiteError: when a field is missing or makes no sense."""
    form = asked.form
    if variety not in VARIETIES:
        raise bad_input("Invalid `variety`.")
    instrument = desk.listing.named(asked.needed("exchange"), asked.needed("tradingsymbol"))
    if instrument is None:
        raise bad_input(_UNKNOWN_INSTRUMENT)
    kind = _word(OrderType, asked.needed("order_type"), "order_type")
    side = _word(Side, asked.needed("transaction_type"), "transaction_type")
    validity = _validity(form)
    if instrument.exchange == "MCX" and validity is Validity.IOC:
        raise bad_input("IOC orders are not allowed on MCX via API.")
    _check_protection(form, kind)
    return SimOrderRequest(
        tag=_tag(form),
        instrument_token=instrument.token,
        side=side,
        quantity=_count(form, "quantity"),
        order_type=kind,
        product=_word(Product, asked.needed("product"), "product"),
        validity=validity,
        price=_price(form, "price") if kind.needs_price else None,
        trigger_price=_price(form, "trigger_price") if kind.needs_trigger else None,
        disclosed=_count(form, "disclosed_quantity"),
        is_amo=variety == "amo",
        variety=variety,
        extra=_extra(desk, instrument, side=side, kind=kind),
    )


def changes_of(asked: Asked) -> SimChanges:
    """:raises KiteError: when a field makes no sense."""
    form = asked.form
    kind = _word(OrderType, form["order_type"], "order_type") if "order_type" in form else None
    if kind is not None:
        _check_protection(form, kind)
    return SimChanges(
        quantity=_count(form, "quantity") if "quantity" in form else None,
        order_type=kind,
        validity=_validity(form) if "validity" in form else None,
        price=_price(form, "price"),
        trigger_price=_price(form, "trigger_price"),
        disclosed=_count(form, "disclosed_quantity") if "disclosed_quantity" in form else None,
    )


def order_in(desk: KiteDesk, row: Mapping[str, object]) -> SimOrderRequest:
    """Read an order from JSON, as the margin calculator and triggers take them.

    :raises KiteError: when a field is missing or makes no sense.
    """
    told = {name: "" if value is None else str(value) for name, value in row.items()}
    instrument = desk.listing.named(told.get("exchange", ""), told.get("tradingsymbol", ""))
    if instrument is None:
        raise bad_input(_UNKNOWN_INSTRUMENT)
    kind = _word(OrderType, told.get("order_type", ""), "order_type")
    return SimOrderRequest(
        tag="",
        instrument_token=instrument.token,
        side=_word(Side, told.get("transaction_type", ""), "transaction_type"),
        quantity=_count(told, "quantity"),
        order_type=kind,
        product=_word(Product, told.get("product", ""), "product"),
        price=_price(told, "price") if kind.needs_price else None,
        trigger_price=_price(told, "trigger_price") if kind.needs_trigger else None,
    )


def _check_protection(form: Fields, kind: OrderType) -> None:
    if kind.needs_price:
        return
    protection = _decimal(form.get("market_protection") or "0", "market_protection")
    if protection != -1 and not 0 < protection <= 100:
        raise bad_input(_NO_PROTECTION)


def _extra(
    desk: KiteDesk, instrument: SimInstrument, *, side: Side, kind: OrderType
) -> dict[str, str]:
    """Return what the protection of a market order made of it: a limit, and two marks."""
    if kind is not OrderType.MARKET:
        return {}
    last = desk.broker.quote(instrument.token).last_price
    steps = (last * (1 + side.sign * _PROTECTION) / instrument.tick).quantize(
        Decimal(1), ROUND_HALF_UP
    )
    return {"protected_price": str(steps * instrument.tick), "marks": "mktp mktp:2.00"}


def _tag(form: Fields) -> str:
    tag = form.get("tag", "")
    if tag and not (tag.isascii() and tag.isalnum() and len(tag) <= _MOST_TAG):
        raise bad_input("Invalid `tag`. It should be alphanumeric and at most 20 characters.")
    return tag


def _validity(form: Fields) -> Validity:
    told = form.get("validity") or "DAY"
    return Validity.DAY if told == "TTL" else _word(Validity, told, "validity")


def _word(kind: Callable[[str], _Word], value: str, name: str) -> _Word:
    try:
        return kind(value)
    except ValueError:
        raise bad_input(f"Invalid `{name}`.") from None


def _count(form: Fields, name: str) -> int:
    value = form.get(name) or "0"
    if not value.isdecimal():
        raise bad_input(f"Invalid `{name}`.")
    return int(value)


def _price(form: Fields, name: str) -> Decimal | None:
    value = form.get(name)
    return _decimal(value, name) if value else None


def _decimal(value: str, name: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise bad_input(f"Invalid `{name}`.") from None
