"""The simulated brokers as this trial meets them: whom to connect, and how many orders fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlsplit

import requests

from brokers.simulator.alpaca.desk import API_KEY as ALPACA_KEY
from brokers.simulator.alpaca.desk import API_SECRET as ALPACA_SECRET
from brokers.simulator.angel import sessions as angel
from brokers.simulator.dhan import tokens as dhan
from brokers.simulator.instruments import SimInstrument, indian_market, us_market
from brokers.simulator.kite import sessions as kite
from brokers.terms import InstrumentType, Product

SHARES = 10
Answer = Mapping[str, str]


def _no_answer(simulator: str, client: str) -> Answer:
    """The login needs no person."""
    return {}


def _sign_in_at_kite(simulator: str, client: str) -> Answer:
    """Do what a person does on Kite's page, and read what it sends them back with."""
    page = f"{simulator}/connect/login"
    form = {"user_id": client, "action": "login"}
    sent_back = requests.post(page, data=form, timeout=10, allow_redirects=False)
    return dict(parse_qsl(urlsplit(sent_back.headers["location"]).query))


@dataclass(frozen=True, slots=True)
class Stand:
    """One broker. The load is spread over so many clients that their hourly limits hold it.

    ``placing`` is the method and path of a new order, with wildcards.
    """

    placing: str
    clients: tuple[str, ...]
    credentials: Callable[[str], Mapping[str, str]]
    answer: Callable[[str, str], Answer] = _no_answer
    rate: float = 5.0
    exchanges: tuple[str, ...] = ("NSE", "BSE")
    product: Product = Product.MIS

    def shares(self, today: date) -> list[SimInstrument]:
        market = us_market() if self.product is Product.CNC else indian_market(today)
        mine = [each for each in market if each.kind is InstrumentType.EQ]
        return mine[:SHARES]


def _angel(client: str) -> Mapping[str, str]:
    return {
        "api_key": angel.API_KEY,
        "client_code": client,
        "pin": angel.PIN,
        "totp_secret": angel.TOTP_SECRET,
    }


def _kite(client: str) -> Mapping[str, str]:
    return {"api_key": kite.API_KEY, "api_secret": kite.API_SECRET}


def _dhan(client: str) -> Mapping[str, str]:
    return {"client_id": client, "pin": dhan.PIN, "totp_secret": dhan.TOTP_SECRET}


def _alpaca(client: str) -> Mapping[str, str]:
    return {"api_key": ALPACA_KEY, "api_secret": ALPACA_SECRET, "environment": "paper"}


STANDS = {
    "angel": Stand("POST */placeOrder", ("D100", "D101", "D102", "D103"), _angel),
    "kite": Stand("POST /orders/*", ("SIM001", "SIM002", "SIM003"), _kite, _sign_in_at_kite),
    "dhan": Stand(
        "POST /v2/orders", ("1100000001", "1100000002", "1100000003", "1100000004"), _dhan
    ),
    # Its one demo client takes 200 calls a minute, reads included.
    "alpaca": Stand(
        "POST /v2/orders",
        ("alpaca",),
        _alpaca,
        rate=1.5,
        exchanges=("NASDAQ", "NYSE"),
        product=Product.CNC,
    ),
}


def today() -> date:
    return datetime.now(UTC).date()
