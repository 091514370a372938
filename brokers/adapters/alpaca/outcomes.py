"""What an answer of Alpaca proves about a write.

Only documented refusals are proofs. Everything that is neither such a proof nor an order by our
own name may be live: gateways answer before or after the order desk. A name that was used before
is no refusal: the order exists, and is looked up.
"""

import re
from datetime import datetime

from brokers.answers import answer_in, unexplained
from brokers.gateway import Accepted, Outcome, Refused, Unknown
from brokers.transport import Exchange

# HTTP status and Alpaca's own code: bad form, keys, money or rules, not there, cannot be done.
REFUSALS = frozenset(
    {
        (400, 40010000),
        (400, 40010001),
        (401, 40110000),
        (403, 40310000),
        # A protection of the account: too many day trades, or its margin.
        (403, 40310100),
        (404, 40410000),
        (422, 40010001),
        (422, 42210000),
    }
)
# The keys' refusals carry no code, only one of these words with a full stop or without.
_KEYS_WORDS = {401: "unauthorized", 403: "forbidden"}
_NO_KEYS = 40110000
_NOT_FOUND = 40410000
_NAME_TAKEN = re.compile(r"client.?order.?id\b.*\b(unique|duplicate|exist|taken|used)", re.I)
_OK, _NO_CONTENT, _MISSING, _UNPROCESSABLE = 200, 204, 404, 422


def judge_order(exchange: Exchange | None, *, tag: str, at: datetime) -> Outcome | None:
    """Return what came of a new order; None when its tag was used before: look it up."""
    if exchange is not None and is_name_taken(exchange):
        return None
    if exchange is None or exchange.status != _OK:
        return _judge_rest(exchange)
    answer = answer_in(exchange)
    name = answer.get("id")
    if isinstance(name, str) and name and answer.get("client_order_id") == tag:
        return Accepted(name, at)
    return unexplained(exchange)


def judge_change(exchange: Exchange | None, *, root: str, at: datetime) -> Outcome:
    """Return what came of a change; the order keeps the id that the house knows it by."""
    if exchange is None or exchange.status != _OK:
        return _judge_rest(exchange)
    answer = answer_in(exchange)
    is_order = isinstance(answer.get("id"), str) and bool(answer.get("replaces"))
    return Accepted(root, at) if is_order else unexplained(exchange)


def judge_cancel(exchange: Exchange | None, *, root: str, at: datetime) -> Outcome:
    """Return what came of asking for a cancel, which Alpaca answers without words."""
    if exchange is not None and exchange.status == _NO_CONTENT:
        return Accepted(root, at)
    return _judge_rest(exchange)


def is_name_taken(exchange: Exchange) -> bool:
    """Tell whether an order with this client order id is there already."""
    said = answer_in(exchange).get("message")
    is_about_name = isinstance(said, str) and _NAME_TAKEN.search(said) is not None
    return exchange.status == _UNPROCESSABLE and is_about_name


def is_not_found(exchange: Exchange | None) -> bool:
    """Tell whether Alpaca itself said that there is no such order."""
    if exchange is None or exchange.status != _MISSING:
        return False
    return answer_in(exchange).get("code") == _NOT_FOUND


def is_session_over(exchange: Exchange | None) -> bool:
    """Tell whether Alpaca itself said that it does not know our keys."""
    if exchange is None or exchange.status not in _KEYS_WORDS:
        return False
    answer = answer_in(exchange)
    said = str(answer.get("message") or "").rstrip(".").lower()
    is_wordless = "code" not in answer and said == _KEYS_WORDS[exchange.status]
    return is_wordless or (exchange.status == 401 and answer.get("code") == _NO_KEYS)


def words_in(exchange: Exchange) -> str:
    """Return Alpaca's own words, or what stood in their place."""
    said = answer_in(exchange).get("message")
    if isinstance(said, str) and said:
        return said
    return f"HTTP {exchange.status}: {exchange.text}" if exchange.status else exchange.error


def _judge_rest(exchange: Exchange | None) -> Outcome:
    if exchange is None:
        return Unknown("Nothing is known of the call")
    if exchange.status is None:
        return Unknown(f"No answer: {exchange.error}")
    code = answer_in(exchange).get("code")
    if (exchange.status, code) in REFUSALS and not is_name_taken(exchange):
        return Refused(words_in(exchange), f"HTTP {exchange.status} {code}")
    if is_session_over(exchange):
        return Refused(f"Alpaca refused the keys: {words_in(exchange)}", f"HTTP {exchange.status}")
    return unexplained(exchange)
