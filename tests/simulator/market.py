"""A small simulated broker under a clock that only moves by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from brokers.simulator.exchange import (
    Refusal,
    SimOrder,
    SimOrderRequest,
    SimulatedBroker,
)
from brokers.simulator.instruments import indian_market
from brokers.simulator.records import OrderEvent, SimEvent, SimQuote, TickEvent
from brokers.simulator.serving import SimulatorServer
from brokers.simulator.wire import Dialect, build_app
from brokers.terms import OrderType, Product, Side, Validity

CLIENT = "C1"
RELIANCE = "2885"
NIFTY = "99926000"
FUTURE = "40000"
OPTION = "40005"
FRIDAY = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


class HandClock:
    def __init__(self) -> None:
        self.now = FRIDAY

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def new_broker(clock: HandClock | None = None, *, takes: float = 0, cash: int = 1_000_000):
    return SimulatedBroker(
        7,
        clock or HandClock(),
        indian_market(FRIDAY.date()),
        Decimal(cash),
        acknowledges_after=timedelta(seconds=takes),
    )


def an_order(side: Side = Side.BUY, quantity: int = 10, **terms) -> SimOrderRequest:
    given = {
        "tag": "",
        "instrument_token": RELIANCE,
        "order_type": OrderType.LIMIT if "price" in terms else OrderType.MARKET,
        "product": Product.MIS,
        "validity": Validity.DAY,
    }
    return SimOrderRequest(side=side, quantity=quantity, **{**given, **terms})


def placed(broker: SimulatedBroker, request: SimOrderRequest, **how) -> SimOrder:
    order = broker.place(CLIENT, request, **how)
    assert isinstance(order, SimOrder), order
    return order


def refused(broker: SimulatedBroker, request: SimOrderRequest, **how) -> Refusal:
    refusal = broker.place(CLIENT, request, **how)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def states(broker: SimulatedBroker, order: SimOrder) -> list[str]:
    return [str(each.state) for each in broker.history(CLIENT, order.order_id)]


def listening(broker: SimulatedBroker) -> list[SimEvent]:
    heard: list[SimEvent] = []
    broker.subscribe(heard.append)
    return heard


def orders_in(heard: Sequence[SimEvent]) -> list[SimOrder]:
    return [each.order for each in heard if isinstance(each, OrderEvent)]


def quotes_in(heard: Sequence[SimEvent]) -> list[SimQuote]:
    return [each.quote for each in heard if isinstance(each, TickEvent)]


def _place(request: Request) -> Response:
    order = request.app.state.broker.place(CLIENT, an_order(price=Decimal(1390)))
    return JSONResponse({"order": order.order_id})


def _book(request: Request) -> Response:
    return JSONResponse({"orders": [each.order_id for each in broker_of(request).orders(CLIENT)]})


def broker_of(request: Request) -> SimulatedBroker:
    broker: SimulatedBroker = request.app.state.broker
    return broker


PLAIN_ROUTES = (Route("/orders", _place, methods=["POST"]), Route("/orders", _book))


def serving(
    broker: SimulatedBroker,
    *,
    dialect: Dialect | None = None,
    routes: Sequence[BaseRoute] = PLAIN_ROUTES,
) -> SimulatorServer:
    """Return the server of a broker with two endpoints and no wire protocol in particular."""
    app = build_app(
        routes=routes, broker=broker, faults=broker.faults, dialect=dialect or Dialect()
    )
    return SimulatorServer(app)
