"""Alpaca's JSON bodies as orders of the simulated broker, checked as Alpaca checks them."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from brokers.simulator.alpaca.answers import bad_form, unprocessable
from brokers.simulator.alpaca.chains import Link, Terms
from brokers.simulator.alpaca.desk import AlpacaDesk
from brokers.simulator.alpaca.rows import TYPES
from brokers.simulator.records import Session, SimChanges, SimOrder, SimOrderRequest
from brokers.terms import Product, Side, Validity

Body = Mapping[str, object]
MOST_NAME = 128
_TYPES = {word: kind for kind, word in TYPES.items()}
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_VALIDITIES = {"day": Validity.DAY, "gtc": Validity.DAY, "ioc": Validity.IOC, "fok": Validity.IOC}
_PENNY = Decimal("0.01")


def order_of(desk: AlpacaDesk, body: Body) -> SimOrderRequest:
    """:raises AlpacaError: when a field is missing or makes no sense."""
    symbol = str(body.get("symbol", ""))
    instrument = desk.by_symbol.get(symbol)
    if instrument is None:
        raise unprocessable(f'asset "{symbol}" not found')
    kind = _TYPES.get(str(body.get("type", "")))
    side = _SIDES.get(str(body.get("side", "")))
    if kind is None or side is None:
        raise bad_form("type and side are required")
    if body.get("notional") is not None:
        raise unprocessable("notional orders are not simulated")
    return SimOrderRequest(
        tag=_name(body),
        instrument_token=instrument.token,
        side=side,
        quantity=_quantity(body.get("qty")),
        order_type=kind,
        product=Product.CNC,
        validity=_validity(body),
        price=_needed(body, "limit_price") if kind.needs_price else None,
        trigger_price=_needed(body, "stop_price") if kind.needs_trigger else None,
        # Alpaca takes orders at any hour; what comes after the close waits for the open.
        is_amo=desk.broker.session is Session.CLOSED,
    )


def change_of(body: Body, order: SimOrder, link: Link) -> tuple[SimChanges, Terms]:
    """Return what to change inside, and what the new order on the wire asks for.

    The whole quantity is asked for anew: what has filled of the old order is not taken off.
    """
    quantity = link.terms.quantity if body.get("qty") is None else _quantity(body["qty"])
    price = _price(body.get("limit_price"), "limit_price")
    trigger = _price(body.get("stop_price"), "stop_price")
    validity = _validity(body) if body.get("time_in_force") else link.terms.validity
    terms = Terms(
        quantity,
        link.terms.price if price is None else price,
        link.terms.trigger_price if trigger is None else trigger,
        validity,
    )
    changes = SimChanges(
        quantity=order.filled_quantity + quantity,
        validity=validity,
        price=price if order.order_type.needs_price else None,
        trigger_price=trigger if order.order_type.needs_trigger else None,
    )
    return changes, terms


def name_in(body: Body) -> str:
    return _name(body)


def _name(body: Body) -> str:
    name = str(body.get("client_order_id") or "")
    if len(name) > MOST_NAME:
        raise bad_form(f"client_order_id must be no more than {MOST_NAME} characters")
    return name


def _validity(body: Body) -> Validity:
    word = str(body.get("time_in_force", ""))
    if word not in _VALIDITIES:
        raise bad_form("invalid time_in_force")
    return _VALIDITIES[word]


def _quantity(value: object) -> int:
    quantity = _decimal(value, "qty")
    if quantity <= 0:
        raise bad_form("qty must be > 0")
    if quantity != quantity.to_integral_value():
        raise unprocessable("fractional orders are not simulated")
    return int(quantity)


def _needed(body: Body, name: str) -> Decimal:
    price = _price(body.get(name), name)
    if price is None:
        raise unprocessable(f"{name} is required for this order type")
    return price


def _price(value: object, name: str) -> Decimal | None:
    if value is None:
        return None
    price = _decimal(value, name)
    if price >= 1 and price % _PENNY:
        raise unprocessable(
            f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
        )
    return price


def _decimal(value: object, name: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise bad_form(f"{name} is not a number") from None
