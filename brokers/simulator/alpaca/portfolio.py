"""Alpaca's account, positions, fills, assets, clock and calendar."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from brokers.simulator.alpaca.answers import AlpacaError, stamp, unprocessable
from brokers.simulator.alpaca.desk import AlpacaDesk, Asked, endpoint
from brokers.simulator.alpaca.rows import (
    Row,
    account_row,
    activity_row,
    asset_row,
    position_row,
)
from brokers.simulator.exchange import Session
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.records import Refusal, SimOrderRequest
from brokers.terms import OrderType, Product, Side

MOST_FILLS = 100
_NEW_YORK = ZoneInfo("America/New_York")
_UNIT = Decimal("0.0001")


def portfolio_routes(desk: AlpacaDesk) -> list[Route]:
    return [
        Route("/v2/account", endpoint(desk, _account), methods=["GET"]),
        Route("/v2/account/activities/FILL", endpoint(desk, _fills), methods=["GET"]),
        Route("/v2/positions", endpoint(desk, _positions), methods=["GET"]),
        Route("/v2/positions", endpoint(desk, _close_all), methods=["DELETE"]),
        Route("/v2/positions/{symbol}", endpoint(desk, _position), methods=["GET"]),
        Route("/v2/assets", endpoint(desk, _assets), methods=["GET"]),
        Route("/v2/assets/{symbol}", endpoint(desk, _asset), methods=["GET"]),
        Route("/v2/clock", endpoint(desk, _clock), methods=["GET"]),
        Route("/v2/calendar", endpoint(desk, _calendar), methods=["GET"]),
    ]


def _account(desk: AlpacaDesk, asked: Asked) -> Row:
    worth = sum(
        (desk.broker.quote(each.token).last_price * each_held for each, each_held, _ in
         _held(desk, asked.client)),
        Decimal(0),
    )  # fmt: skip
    funds = desk.broker.funds(asked.client)
    return account_row(funds, client=asked.client, worth=worth, at=desk.broker.clock())


def _positions(desk: AlpacaDesk, asked: Asked) -> list[Row]:
    return [_row(desk, *each) for each in _held(desk, asked.client)]


def _position(desk: AlpacaDesk, asked: Asked) -> Row:
    for instrument, quantity, average in _held(desk, asked.client):
        if instrument.symbol == asked.part("symbol"):
            return _row(desk, instrument, quantity, average)
    raise AlpacaError(404, 40410000, "position does not exist")


def _close_all(desk: AlpacaDesk, asked: Asked) -> Response:
    """Sell everything at the market; each position has a status of its own in the answer."""
    told: list[Row] = []
    for instrument, quantity, _ in list(_held(desk, asked.client)):
        request = SimOrderRequest(
            "", instrument.token, Side.SELL, quantity, OrderType.MARKET, Product.CNC
        )
        outcome = desk.broker.place(asked.client, request)
        status = 422 if isinstance(outcome, Refusal) else 200
        told.append({"symbol": instrument.symbol, "status": status, "body": {}})
    return JSONResponse(told, 207)


def _row(desk: AlpacaDesk, instrument: SimInstrument, quantity: int, average: Decimal) -> Row:
    quote = desk.broker.quote(instrument.token)
    return position_row(
        instrument, quantity=quantity, average=average, last=quote.last_price, close=quote.close
    )


def _held(desk: AlpacaDesk, client: str) -> Iterator[tuple[SimInstrument, int, Decimal]]:
    """Give what is held now: shares of earlier days and what today's trades came to."""
    quantities: defaultdict[str, int] = defaultdict(int)
    costs: defaultdict[str, Decimal] = defaultdict(Decimal)
    for holding in desk.broker.holdings(client):
        owned = holding.quantity + holding.t1_quantity
        quantities[holding.instrument.token] += owned
        costs[holding.instrument.token] += holding.average_price * owned
    for position in desk.broker.positions(client):
        quantities[position.instrument.token] += position.quantity
        costs[position.instrument.token] += position.average_price * position.quantity
    for token, quantity in quantities.items():
        if quantity:
            average = (costs[token] / quantity).quantize(_UNIT)
            yield desk.broker.instrument(token), quantity, average


def _fills(desk: AlpacaDesk, asked: Asked) -> list[Row]:
    size = int(asked.query("page_size") or MOST_FILLS)
    if not 1 <= size <= MOST_FILLS:
        raise unprocessable("invalid page_size")
    after = asked.query("after")
    since = datetime.fromisoformat(after) if after else None
    made = [
        each for each in desk.broker.trades(asked.client) if since is None or each.traded_at > since
    ]
    is_newest_first = asked.query("direction", "desc") == "desc"
    if is_newest_first:
        made.reverse()
    last = desk.chains.trade_number(asked.query("page_token"))
    if last is not None:
        sign = -1 if is_newest_first else 1
        made = [each for each in made if (int(each.trade_id) - last) * sign > 0]
    return [activity_row(desk.chains.filled(each)) for each in made[:size]]


def _assets(desk: AlpacaDesk, asked: Asked) -> list[Row]:
    return [asset_row(each) for each in desk.broker.instruments()]


def _asset(desk: AlpacaDesk, asked: Asked) -> Row:
    instrument = desk.by_symbol.get(asked.part("symbol"))
    if instrument is None:
        raise AlpacaError(404, 40410000, f"asset not found for {asked.part('symbol')}")
    return asset_row(instrument)


def _clock(desk: AlpacaDesk, asked: Asked) -> Row:
    now = desk.broker.clock()
    local = now.astimezone(_NEW_YORK)
    opens = local.replace(hour=9, minute=30, second=0, microsecond=0)
    following = opens if local < opens else opens + timedelta(days=1)
    closes = following.replace(hour=16, minute=0)
    return {
        "timestamp": stamp(now),
        "is_open": desk.broker.session is Session.OPEN,
        "next_open": following.isoformat(),
        "next_close": closes.isoformat(),
    }


def _calendar(desk: AlpacaDesk, asked: Asked) -> list[Row]:
    today = desk.broker.clock().astimezone(_NEW_YORK).date()
    days = (today + timedelta(days=number) for number in range(10))
    return [
        {"date": day.isoformat(), "open": "09:30", "close": "16:00"}
        for day in days
        if day.weekday() < 5
    ]
