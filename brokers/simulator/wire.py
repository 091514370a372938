"""What every wire app shares. A wire app is a Starlette app made by :func:`build_app`.

The faults that can befall any endpoint are applied outside its handlers, by ``transport``; a
:class:`Dialect` words them as its broker would. Websockets are served through a ``Hub``.
Handlers may be plain functions (they run in threads) or coroutines that call the broker directly.
"""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from brokers.simulator.control import control_routes
from brokers.simulator.dialect import Dialect
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.limits import Limit, RateCounter, Window
from brokers.simulator.recording import RecordedRequest, RequestLog
from brokers.simulator.streams import GOING_DOWN, Connection, Frame, Hub
from brokers.simulator.transport import FaultyTransport

__all__ = [
    "GOING_DOWN",
    "Connection",
    "Dialect",
    "Frame",
    "Hub",
    "Limit",
    "RateCounter",
    "RecordedRequest",
    "RequestLog",
    "Window",
    "build_app",
    "form_fields",
]


def build_app(
    *,
    routes: Sequence[BaseRoute],
    broker: SimulatedBroker,
    faults: Faults,
    dialect: Dialect,
) -> Starlette:
    """Return the broker's app: its routes, the control API, faults, limits and the request log.

    ``app.state`` carries ``broker``, ``faults``, ``requests`` (a :class:`RequestLog`) and
    ``dialect``; ``request.app.state`` reaches them from a handler.
    """
    log = RequestLog()
    counter = RateCounter(broker.clock)
    app = Starlette(
        routes=[*control_routes(), *routes],
        middleware=[
            Middleware(FaultyTransport, faults=faults, dialect=dialect, log=log, counter=counter)
        ],
    )
    app.state.broker = broker
    app.state.faults = faults
    app.state.requests = log
    app.state.dialect = dialect
    app.state.counter = counter
    return app


def form_fields(body: bytes) -> dict[str, str]:
    """Return an urlencoded body's fields, the last of each name."""
    return dict(parse_qsl(body.decode(), keep_blank_values=True))
