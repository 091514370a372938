"""What Dhan answered, read without guessing: the true status, the body, the error it names.

Two shapes of error are documented: ``{"errorType", "errorCode", "errorMessage"}`` of the trading
API and ``{"status": "failed", "data": {"806": "words"}}`` of the data API.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from brokers.transport import Exchange


@dataclass(frozen=True, slots=True)
class BrokerError:
    """An error that Dhan itself named, by its own code."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One exchange and its body. ``body`` is None too where there was no JSON: ask ``is_json``."""

    exchange: Exchange
    body: object
    is_json: bool

    @property
    def is_empty(self) -> bool:
        return not self.exchange.body.strip()

    @property
    def error(self) -> BrokerError | None:
        """Return the error the body names, whatever the status; None where it names none."""
        if not isinstance(self.body, Mapping):
            return None
        code = self.body.get("errorCode")
        if code:
            return BrokerError(str(code), str(self.body.get("errorMessage") or code))
        return _data_error(self.body)


def read_answer(exchange: Exchange) -> Answer:
    """Parse the body, numbers as Decimals; what is no JSON is told as such, never raised."""
    try:
        text = exchange.body.decode("utf-8")
        body = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return Answer(exchange, None, is_json=False)
    return Answer(exchange, body, is_json=True)


def _data_error(body: Mapping[str, object]) -> BrokerError | None:
    told = body.get("data")
    if str(body.get("status", "")).lower() not in ("failed", "failure", "error"):
        return None
    if isinstance(told, Mapping):
        for code, words in told.items():
            if str(code).isdigit():
                return BrokerError(str(code), str(words))
    words = body.get("message") or body.get("remarks") or "the answer says that it failed"
    return BrokerError("", str(words))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
