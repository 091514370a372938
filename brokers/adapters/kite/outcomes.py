"""What an answer of Kite proves about a write. The SDK's exceptions do not count: it has no class
for MarginException or HoldingException and reads a proxy's error page as Kite's own.

Kite's word is that a 400 of its order checks was not placed. Everything that is neither such a
proof nor an order id may be live: rate limits and gateways answer before or after the order desk.
"""

from collections.abc import Sequence
from datetime import datetime

from brokers.answers import answer_in, unexplained
from brokers.gateway import Accepted, Outcome, Refused, Unknown
from brokers.transport import Exchange

REFUSALS = frozenset({"InputException", "MarginException", "OrderException", "HoldingException"})
TOKEN = "TokenException"  # noqa: S105 - the name of an error
_BAD_REQUEST, _FORBIDDEN, _OK = 400, 403, 200


def judge(exchange: Exchange | None, *, at: datetime, named: str = "order_id") -> Outcome:
    """Return what came of a write. ``named`` is the field that names what was made.

    With an empty ``named`` the answer's data must be true, and what is accepted has no name.
    """
    if exchange is None:
        return Unknown("Nothing is known of the call")
    if exchange.status is None:
        return Unknown(f"No answer: {exchange.error}")
    answer = answer_in(exchange)
    if exchange.status == _OK and answer.get("status") == "success":
        return _taken(answer.get("data"), at=at, named=named) or unexplained(exchange)
    return _refusal(exchange.status, answer) or unexplained(exchange)


def judge_slices(exchange: Exchange | None, *, at: datetime) -> Sequence[Outcome]:
    """Return one outcome for each slice; ``children`` names them, and the parent when none is."""
    children = _children_in(exchange)
    if isinstance(children, list):
        return [_slice(child, at=at) for child in children]
    if children is not None and exchange is not None:
        return [unexplained(exchange)]
    return [judge(exchange, at=at)]


def _children_in(exchange: Exchange | None) -> object:
    """Return what a good answer tells of slices, None where there are none."""
    answer = answer_in(exchange) if exchange is not None and exchange.status == _OK else {}
    data = answer.get("data")
    is_good = answer.get("status") == "success" and isinstance(data, dict)
    return (data.get("children") or None) if is_good and isinstance(data, dict) else None


def is_session_over(exchange: Exchange | None) -> bool:
    """Tell whether Kite itself said that it no longer knows our session."""
    if exchange is None or exchange.status != _FORBIDDEN:
        return False
    return answer_in(exchange).get("error_type") == TOKEN


def words_in(exchange: Exchange) -> str:
    """Return Kite's own words, or what came instead of any."""
    said = answer_in(exchange).get("message")
    if isinstance(said, str) and said:
        return said
    return f"HTTP {exchange.status}" if exchange.status else exchange.error


def _taken(data: object, *, at: datetime, named: str) -> Accepted | None:
    if not named:
        return Accepted("", at) if data is True else None
    name = data.get(named) if isinstance(data, dict) else None
    is_name = isinstance(name, str | int) and not isinstance(name, bool) and str(name).strip()
    return Accepted(str(name).strip(), at) if is_name else None


def _refusal(status: int, answer: dict[str, object]) -> Refused | None:
    kind = answer.get("error_type")
    is_proof = (status == _BAD_REQUEST and kind in REFUSALS) or (
        status == _FORBIDDEN and kind == TOKEN
    )
    if not is_proof or answer.get("status") != "error":
        return None
    return Refused(str(answer.get("message") or kind), f"HTTP {status} {kind}")


def _slice(child: object, *, at: datetime) -> Outcome:
    if not isinstance(child, dict):
        return Unknown(f"A slice of which Kite says: {child}")
    error = child.get("error")
    if isinstance(error, dict):
        answer = {"status": "error", **error}
        code = error.get("code")
        refusal = _refusal(code, answer) if isinstance(code, int) else None
        return refusal or Unknown(f"A slice failed: {error.get('message')}")
    return _taken(child, at=at, named="order_id") or Unknown(f"A slice without an id: {child}")
