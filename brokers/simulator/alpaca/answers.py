"""Alpaca's answers: bare data, or an error with its code and words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from starlette.responses import JSONResponse

from brokers.simulator.records import Refusal

RATE_LIMIT = 200


class AlpacaError(Exception):
    """A request that Alpaca refuses: HTTP status, its own code (0 for none) and words."""

    def __init__(self, status: int, code: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.code = code
        self.words = words

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status)

    def body(self) -> dict[str, object]:
        code = {"code": self.code} if self.code else {}
        return {**code, "message": self.words}


def unprocessable(words: str) -> AlpacaError:
    return AlpacaError(422, 42210000, words)


def bad_form(words: str) -> AlpacaError:
    return AlpacaError(422, 40010001, words)


def no_order(order_id: str) -> AlpacaError:
    return AlpacaError(404, 40410000, f"order not found for {order_id}")


def unauthorized() -> AlpacaError:
    return AlpacaError(401, 40110000, "request is not authorized")


def no_route() -> AlpacaError:
    return AlpacaError(404, 0, "Not Found")


def too_many() -> JSONResponse:
    limit = {"X-Ratelimit-Limit": str(RATE_LIMIT), "X-Ratelimit-Remaining": "0"}
    return JSONResponse({"message": "rate limit exceeded"}, 429, headers=limit)


def refused(refusal: Refusal) -> AlpacaError:
    """Word the broker's refusal as Alpaca does."""
    if refusal.needed is not None and refusal.available is not None:
        return AlpacaError(403, 40310000, "insufficient buying power")
    if refusal.code == "RMS:HOLDINGS":
        return AlpacaError(403, 40310000, f"insufficient qty available for order: {refusal.words}")
    if refusal.code == "SIM:DUPLICATE_TAG":
        return bad_form("client_order_id must be unique")
    if refusal.code == "OMS:NO_ORDER":
        return AlpacaError(404, 40410000, refusal.words)
    return unprocessable(refusal.words)


def stamp(at: datetime | None) -> str | None:
    """Write a time as Alpaca does: UTC, to the nanosecond."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def text(value: Decimal | int | None) -> str | None:
    """Write a number as Alpaca's account and orders do: as a text without padding."""
    if value is None:
        return None
    return f"{Decimal(value).normalize():f}"


def plain(value: object) -> object:
    """Turn Decimals into JSON numbers, as market data writes them."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
