"""Kite's portfolio, money and account endpoints."""

import json
from collections.abc import Iterable
from dataclasses import replace
from secrets import token_urlsafe

from starlette.routing import Route

from brokers.simulator.kite.answers import bad_input
from brokers.simulator.kite.desk import Asked, Conversion, KiteDesk, endpoint, refused
from brokers.simulator.kite.intake import order_in
from brokers.simulator.kite.rows import holding_row, money_rows, position_row
from brokers.simulator.records import Refusal, SimPosition
from brokers.terms import Product

EXCHANGES = ["NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "MF"]
PRODUCTS = ["CNC", "NRML", "MIS", "CO"]
ORDER_TYPES = ["MARKET", "LIMIT", "SL", "SL-M"]


def portfolio_routes(desk: KiteDesk) -> list[Route]:
    return [
        Route("/user/profile", endpoint(desk, _profile), methods=["GET"]),
        Route("/user/margins", endpoint(desk, _margins), methods=["GET"]),
        Route("/user/margins/{segment}", endpoint(desk, _segment), methods=["GET"]),
        Route("/portfolio/positions", endpoint(desk, _positions), methods=["GET"]),
        Route("/portfolio/positions", endpoint(desk, _convert), methods=["PUT"]),
        Route("/portfolio/holdings", endpoint(desk, _holdings), methods=["GET"]),
        Route("/portfolio/holdings/authorise", endpoint(desk, _authorise), methods=["POST"]),
        Route("/margins/orders", endpoint(desk, _order_margins), methods=["POST"]),
    ]


def profile_of(client: str) -> dict[str, object]:
    return {
        "user_id": client,
        "user_type": "individual",
        "email": f"{client.lower()}@example.com",
        "user_name": f"Demo Client {client}",
        "user_shortname": "Demo",
        "broker": "ZERODHA",
        "exchanges": EXCHANGES,
        "products": PRODUCTS,
        "order_types": ORDER_TYPES,
        "avatar_url": None,
        "meta": {"demat_consent": ""},
    }


def _profile(desk: KiteDesk, asked: Asked) -> object:
    return profile_of(asked.client)


def _margins(desk: KiteDesk, asked: Asked) -> object:
    return money_rows(desk.broker.funds(asked.client))


def _segment(desk: KiteDesk, asked: Asked) -> object:
    rows = money_rows(desk.broker.funds(asked.client))
    if asked.part("segment") not in rows:
        raise bad_input("Invalid `segment`.")
    return rows[asked.part("segment")]


def _holdings(desk: KiteDesk, asked: Asked) -> object:
    is_empty_by_error = desk.is_empty_by_error("holdings")
    rows = [holding_row(each) for each in desk.broker.holdings(asked.client)]
    return None if is_empty_by_error else rows


def _authorise(desk: KiteDesk, asked: Asked) -> object:
    return {"request_id": token_urlsafe(24)}


def _positions(desk: KiteDesk, asked: Asked) -> object:
    is_empty_by_error = desk.is_empty_by_error("positions")
    held = _converted(desk.broker.positions(asked.client), desk.conversions, asked.client)
    net = [position_row(each) for each in held]
    day = [position_row(replace(each, carried_quantity=0)) for each in held]
    return {"net": None, "day": None} if is_empty_by_error else {"net": net, "day": day}


def _convert(desk: KiteDesk, asked: Asked) -> object:
    """Move part of a position; this exchange's margins stay those of the old product."""
    instrument = desk.listing.named(asked.needed("exchange"), asked.needed("tradingsymbol"))
    quantity = asked.needed("quantity")
    if instrument is None or not quantity.isdecimal():
        raise bad_input("Invalid `quantity` or `tradingsymbol`.")
    old, new = asked.needed("old_product"), asked.needed("new_product")
    sign = 1 if asked.needed("transaction_type") == "BUY" else -1
    held = _converted(desk.broker.positions(asked.client), desk.conversions, asked.client)
    mine = [each for each in held if (each.instrument, each.product) == (instrument, old)]
    if not mine or mine[0].quantity * sign < int(quantity):
        raise bad_input("There is no such position to convert.")
    moved = Conversion(asked.client, instrument.token, old, new, sign * int(quantity))
    desk.conversions.append(moved)
    return True


def _converted(
    positions: Iterable[SimPosition], conversions: Iterable[Conversion], client: str
) -> list[SimPosition]:
    held = {(each.instrument.token, str(each.product)): each for each in positions}
    for moved in conversions:
        source = held.get((moved.token, moved.old))
        if moved.client != client or source is None:
            continue
        target = held.get((moved.token, moved.new), _nothing_of(source, moved.new))
        value = moved.quantity * source.average_price
        held[moved.token, moved.old] = replace(source, quantity=source.quantity - moved.quantity)
        total = target.quantity + moved.quantity
        average = (target.quantity * target.average_price + value) / total if total else value
        held[moved.token, moved.new] = replace(target, quantity=total, average_price=average)
    return list(held.values())


def _nothing_of(position: SimPosition, product: str) -> SimPosition:
    return replace(
        position,
        product=Product(product),
        quantity=0,
        buy_quantity=0,
        sell_quantity=0,
        buy_value=position.buy_value * 0,
        sell_value=position.sell_value * 0,
        carried_quantity=0,
        realized=position.realized * 0,
    )


def _order_margins(desk: KiteDesk, asked: Asked) -> object:
    try:
        rows = json.loads(asked.body)
    except ValueError:
        raise bad_input("Invalid JSON.") from None
    if not isinstance(rows, list) or not rows:
        raise bad_input("No orders were given.")
    return [_margin(desk, asked.client, row) for row in rows]


def _margin(desk: KiteDesk, client: str, row: dict[str, object]) -> object:
    request = order_in(desk, row)
    told = desk.broker.margin(client, request)
    if isinstance(told, Refusal):
        if told.needed is None:
            raise refused(told)
        told = told.needed
    is_share = desk.broker.instrument(request.instrument_token).expiry is None
    return {
        "type": "equity",
        "tradingsymbol": row["tradingsymbol"],
        "exchange": row["exchange"],
        "span": 0 if is_share else told,
        "exposure": 0,
        "option_premium": 0,
        "additional": 0,
        "bo": 0,
        "cash": 0,
        "var": told if is_share else 0,
        "pnl": {"realised": 0, "unrealised": 0},
        "leverage": 1,
        "charges": {"total": 0},
        "total": told,
    }
