"""The four simulated brokers as the reliability tests meet them: what to connect with, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.applications import Starlette

from brokers.simulator.alpaca import app as alpaca
from brokers.simulator.alpaca.desk import API_KEY as ALPACA_KEY
from brokers.simulator.alpaca.desk import API_SECRET as ALPACA_SECRET
from brokers.simulator.alpaca.desk import CLIENT as ALPACA_CLIENT
from brokers.simulator.angel import app as angel
from brokers.simulator.angel.sessions import API_KEY as ANGEL_KEY
from brokers.simulator.angel.sessions import PIN as ANGEL_PIN
from brokers.simulator.angel.sessions import TOTP_SECRET as ANGEL_TOTP
from brokers.simulator.dhan import app as dhan
from brokers.simulator.dhan.tokens import CLIENT as DHAN_CLIENT
from brokers.simulator.dhan.tokens import PIN as DHAN_PIN
from brokers.simulator.dhan.tokens import TOTP_SECRET as DHAN_TOTP
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.instruments import SimInstrument, indian_market, us_market
from brokers.simulator.kite import app as kite
from brokers.simulator.kite.sessions import API_KEY as KITE_KEY
from brokers.simulator.kite.sessions import API_SECRET as KITE_SECRET
from brokers.simulator.kite.sessions import CLIENT as KITE_CLIENT
from tests.builders import NOW

US_NOW = datetime(2026, 6, 17, 15, 0, tzinfo=UTC)  # a Wednesday, 11:00 in New York


def nothing_to_answer(app: Starlette) -> Mapping[str, str]:
    """The login needs no person."""
    return {}


def kite_answer(app: Starlette) -> Mapping[str, str]:
    """What Kite's page sends back once its client has signed in."""
    return {"status": "success", "request_token": app.state.kite.sessions.sign_in(KITE_CLIENT)}


def is_admitted(app: Starlette) -> bool:
    """Who is connected is logged in."""
    return True


def is_admitted_at_dhan(app: Starlette) -> bool:
    """Dhan's order socket logs in by a message; what is told before that nobody hears."""
    lines = app.state.dhan.feeds.orders.connections()
    return any(each.state.get("client") for each in lines)


@dataclass(frozen=True)
class Stand:
    """One broker: ``share`` is the simulator's number of what is traded, ``key`` the house's."""

    name: str
    make_app: Callable[[SimulatedBroker, Faults], Starlette]
    credentials: Mapping[str, str]
    client: str
    placing: str  # the method and path of a new order, with wildcards
    share: str = "1594"
    key: str = "NSE:INFY"
    answer: Callable[[Starlette], Mapping[str, str]] = nothing_to_answer
    hears_orders: Callable[[Starlette], bool] = is_admitted
    market: tuple[SimInstrument, ...] = indian_market(NOW.date())
    now: datetime = NOW
    currency: str = "INR"
    fills: int = 2_000  # that one order is told to have
    refusal: str = "RMS:Blocked for this client by risk management"  # as the order's page has it


STANDS = {
    stand.name: stand
    for stand in (
        Stand(
            "alpaca",
            alpaca.make_app,
            {"api_key": ALPACA_KEY, "api_secret": ALPACA_SECRET, "environment": "paper"},
            ALPACA_CLIENT,
            "POST /v2/orders",
            share="US1",
            key="NASDAQ:AAPL",
            market=us_market(),
            now=US_NOW,
            currency="USD",
            fills=500,  # a hundred a page, and two hundred calls a minute
            refusal="Alpaca rejected it and does not say why",
        ),
        Stand(
            "angel",
            lambda broker, faults: angel.make_app(broker, faults, is_limited=False),
            {
                "api_key": ANGEL_KEY,
                "client_code": "D100",
                "pin": ANGEL_PIN,
                "totp_secret": ANGEL_TOTP,
            },
            "D100",
            "POST */placeOrder",
        ),
        Stand(
            "kite",
            kite.make_app,
            {"api_key": KITE_KEY, "api_secret": KITE_SECRET},
            KITE_CLIENT,
            "POST /orders/*",
            answer=kite_answer,
        ),
        Stand(
            "dhan",
            dhan.make_app,
            {"client_id": DHAN_CLIENT, "pin": DHAN_PIN, "totp_secret": DHAN_TOTP},
            DHAN_CLIENT,
            "POST /v2/orders",
            hears_orders=is_admitted_at_dhan,
        ),
    )
}
