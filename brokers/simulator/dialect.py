"""How one broker words what can befall any of its endpoints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from brokers.simulator.limits import Limit


def _nothing_expires(_: str | None) -> None:
    return None


def _nothing_to_forget() -> None:
    return None


@dataclass(frozen=True)
class Dialect:
    """A wire app fills this in; every part has a plain default.

    ``limits`` names the limits a request counts against (method, path); ``client_of`` whose they
    are. ``is_order_write`` tells the requests that must come from a registered address: only
    these meet ``wrong_ip``. ``is_authenticated`` tells those that need a token: only these meet
    ``expired_token``. ``expire_tokens`` ends the sessions of a client, or of all of them;
    ``forget`` drops whatever the wire app keeps beside the exchange's books, and hangs up.
    """

    rate_limited: Callable[[Request], Response] = lambda _: PlainTextResponse(
        "Too many requests", 429
    )
    expired_token: Callable[[Request], Response] = lambda _: PlainTextResponse(
        "Token is invalid or has expired", 403
    )
    wrong_ip: Callable[[Request], Response] = lambda _: PlainTextResponse("Invalid IP", 403)
    limits: Callable[[str, str], Sequence[Limit]] = lambda _method, _path: ()
    client_of: Callable[[Request], str] = lambda _: ""
    is_order_write: Callable[[str, str], bool] = lambda method, _path: method != "GET"
    is_authenticated: Callable[[str, str], bool] = lambda _method, _path: True
    expire_tokens: Callable[[str | None], None] = _nothing_expires
    forget: Callable[[], None] = _nothing_to_forget
