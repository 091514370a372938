"""What an answer to a write proves. Pure.

Only what SmartAPI documents as a check before the order reaches the exchange's systems proves
that nothing was taken. Its generic codes (AB1004 something went wrong, AB1007 AMX error, AB2000
and AB2001 internal error, AB9000) can follow an order that was taken, and prove nothing.
"""

from datetime import datetime
from enum import StrEnum

from brokers.adapters.angel.envelope import (
    Envelope,
    EnvelopeUnreadable,
    is_rate_limited,
    read_envelope,
)
from brokers.gateway import Accepted, Outcome, Refused, Unknown
from brokers.transport import Exchange

OTHER_VARIETY = "AB1008"
RATE_LIMIT = "403 exceeding access rate"
_SERVER_ERRORS = 500
_SUCCESS = range(200, 300)

# Invalid, expired or missing token, refresh token, session or code.
SESSION_CODES = frozenset(
    {"AG8001", "AG8002", "AG8003", "AB8050", "AB8051", "AB1010", "AB1011", "AB1050"}
)
# The call came from an address that is not registered for the API key.
ADDRESS_CODES = frozenset({"AG7002"})
# User type, blocked client, variety, symbol, product, symbol details, ROBO, tag, empty token.
_ORDER_CODES = frozenset(
    {
        "AB1005",
        "AB1006",
        "AB1008",
        "AB1009",
        "AB1012",
        "AB1018",
        "AB2002",
        "AB4008",
        "AB4018",
    }
)
_COMMON = SESSION_CODES | ADDRESS_CODES | _ORDER_CODES


class Write(StrEnum):
    """What was asked, since a code proves only what it is about."""

    PLACE = "PLACE"
    CHANGE = "CHANGE"  # a modification or a cancel
    CONVERT = "CONVERT"
    TRIGGER = "TRIGGER"


REFUSALS = {
    Write.PLACE: _COMMON,
    Write.CHANGE: _COMMON | {"AB1013"},
    Write.CONVERT: _COMMON | {"AB1016", "AB1017"},
    Write.TRIGGER: _COMMON | {f"AB90{number:02d}" for number in range(1, 19)},
}
_ID_FIELDS = {Write.TRIGGER: "id"}


def judge(exchange: Exchange, *, write: Write, at: datetime, about: str = "") -> Outcome:
    """Say what came of a write. ``about`` is the order or rule it named, if there was one."""
    if exchange.status is None:
        return Unknown(exchange.error or "No answer came")
    if is_rate_limited(exchange):
        return Refused(
            "Angel One takes no more calls this moment: wait and send it anew", RATE_LIMIT
        )
    if exchange.status >= _SERVER_ERRORS:
        return Unknown(f"Angel One answered {exchange.status}: {exchange.text}")
    try:
        envelope = read_envelope(exchange.body)
    except EnvelopeUnreadable as error:
        return Unknown(f"{error} (HTTP {exchange.status}): {exchange.text}")
    if envelope.is_ok:
        return _taken(exchange, envelope, write=write, at=at, about=about)
    words = f"{envelope.message or 'Angel One refused'} ({envelope.code or 'no code'})"
    if envelope.code in REFUSALS[write]:
        return Refused(words, envelope.code)
    return Unknown(f"Angel One answered {words}, which does not prove that nothing was done")


def is_session_over(outcome: Outcome) -> bool:
    """Tell a refusal that proves that the broker no longer knows our session."""
    return isinstance(outcome, Refused) and outcome.proof in SESSION_CODES


def _taken(
    exchange: Exchange, envelope: Envelope, *, write: Write, at: datetime, about: str
) -> Outcome:
    if exchange.status not in _SUCCESS:
        return Unknown(f"Angel One answered {exchange.status} and success at once")
    if write is Write.CONVERT:
        return Accepted(about, at)
    data = envelope.data if isinstance(envelope.data, dict) else {}
    named = str(data.get(_ID_FIELDS.get(write, "orderid")) or "").strip()
    if not named:
        return Unknown("Angel One answered success without an order number")
    if about and named != about:
        return Unknown(f"Angel One answered for order {named}, not for {about}")
    return Accepted(named, at)
