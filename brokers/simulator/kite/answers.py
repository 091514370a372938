"""Kite's envelopes: data inside a success, or an error with its type."""

from collections.abc import Mapping
from decimal import Decimal

from starlette.responses import JSONResponse


class KiteError(Exception):
    """A request that Kite refuses: HTTP status, error type and words."""

    def __init__(self, status: int, kind: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.kind = kind
        self.words = words

    def response(self) -> JSONResponse:
        body = {"status": "error", "message": self.words, "data": None, "error_type": self.kind}
        return JSONResponse(body, self.status)


def bad_input(words: str) -> KiteError:
    return KiteError(400, "InputException", words)


def bad_order(words: str) -> KiteError:
    return KiteError(400, "OrderException", words)


def no_token() -> KiteError:
    return KiteError(403, "TokenException", "Incorrect `api_key` or `access_token`.")


def no_route() -> KiteError:
    return KiteError(404, "GeneralException", "Route not found")


def too_many() -> KiteError:
    return KiteError(429, "NetworkException", "Too many requests")


def wrong_address() -> KiteError:
    words = "Orders from this IP address are not allowed: update the IP whitelist of your app."
    return KiteError(403, "PermissionException", words)


def success(data: object) -> JSONResponse:
    return JSONResponse({"status": "success", "data": plain(data)})


def plain(value: object) -> object:
    """Turn Decimals into JSON numbers as Kite writes them: 300, 109.4."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
