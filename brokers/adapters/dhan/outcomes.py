"""What an answer to a write proves. Pure.

Only what is on the list below proves that Dhan did not take it: one of its documented codes in
its documented shape, with a status of the 4xx family. A timeout, a page of HTML, a 5xx, half a
body, a 200 without an id, a code that nobody documented: all of that is Unknown.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from brokers.adapters.dhan.answers import Answer, BrokerError, read_answer
from brokers.gateway import Accepted, Outcome, Refused, Unknown
from brokers.transport import Exchange
from operations.redaction import redact_text

NO_HOLDINGS = "DH-1111"
_ORDER_ERROR = "DH-906"

# https://dhanhq.co/docs/v2/annexure. DH-907 to DH-910 (data, internal, network, others) are not
# here: behind each of them an order may stand.
_REFUSALS = {
    "DH-901": "Dhan no longer knows this login: log in again",
    "DH-902": "This Dhan account has no access to the trading API",
    "DH-903": "Something is wrong with this Dhan account: check that the segment is activated",
    "DH-904": "Dhan was asked too often: wait a moment",
    "DH-905": "Dhan could not read the order",
    "DH-906": "Dhan refused the order",
}
_SESSION_ENDED = frozenset({"DH-901", "807", "808", "809"})
# Said under codes of other errors too, such as DH-906: the words then tell.
_TOKEN_WORDS = re.compile(
    r"\b(invalid|expired?|unauthori[sz]ed)\b.{0,20}\b(access )?token\b"
    r"|\btoken\b.{0,20}\b(invalid|expired?)\b",
    re.IGNORECASE,
)
_INVALID_IP = (
    "Dhan does not take orders from this machine's address: register it at web.dhan.co under"
    " DhanHQ Trading APIs, Static IP"
)
_ADVICE = {
    "806": "This Dhan account has no subscription to the data API",
    "807": "The login at Dhan has run out: log in again",
    "808": "Dhan does not accept this login: log in again",
    "809": "Dhan does not accept this token: log in again",
}


def ends_session(error: BrokerError | None) -> bool:
    """Tell whether Dhan itself said that it no longer knows our session."""
    if error is None:
        return False
    return error.code in _SESSION_ENDED or _TOKEN_WORDS.search(error.words) is not None


def words_of(error: BrokerError) -> str:
    """Return the error in words that a trader can act on, with Dhan's own behind them."""
    if error.code == "DH-905" and "invalid ip" in error.words.lower():
        return f"{_INVALID_IP} (DH-905 {error.words})"
    advice = _REFUSALS.get("DH-901" if ends_session(error) else error.code)
    advice = _ADVICE.get(error.code) or advice
    told = redact_text(f"{error.code} {error.words}".strip())
    return f"{advice} ({told})" if advice else f"Dhan said: {told}"


def judge(exchange: Exchange, *, at: datetime, order_id: str = "") -> Outcome:
    """Judge the answer to a place, a change or a cancel; the last two name their order.

    A change or a cancel may be answered with an empty 202: asked for, told later by the book.
    """
    answer = read_answer(exchange)
    if exchange.is_ok:
        return _taken(answer, at=at, order_id=order_id)
    return _refused(answer) or _unknown(answer)


def judge_slices(exchange: Exchange, *, at: datetime) -> list[Outcome]:
    """Judge each slice of an order; an answer that is no list is one answer for all of them.

    Dhan's refusal of an order may then be that of a later slice: it proves nothing of the first.
    """
    answer = read_answer(exchange)
    if exchange.is_ok and isinstance(answer.body, list) and answer.body:
        return [_slice(answer, each, at=at) for each in answer.body]
    outcome = judge(exchange, at=at)
    is_proof = not isinstance(outcome, Refused) or outcome.proof != _ORDER_ERROR
    return [outcome if is_proof else _unknown(answer)]


def judge_conversion(exchange: Exchange, *, at: datetime) -> Outcome:
    """Judge the answer to a conversion: an empty 202, or one word; it names nothing."""
    answer = read_answer(exchange)
    if exchange.is_ok and (answer.is_empty or _says_success(answer)):
        return Accepted("", at)
    if exchange.is_ok:
        return _unknown(answer)
    return _refused(answer) or _unknown(answer)


def _says_success(answer: Answer) -> bool:
    """Tell ``{"status": "success"}``, in which no error is named."""
    if not isinstance(answer.body, Mapping) or answer.error is not None:
        return False
    return str(answer.body.get("status", "")).strip().lower() == "success"


def _taken(answer: Answer, *, at: datetime, order_id: str) -> Outcome:
    if answer.is_empty and answer.exchange.status == 202 and order_id:
        return Accepted(order_id, at)
    named = _id_in(answer.body)
    if not named or (order_id and named != order_id):
        return _unknown(answer)
    return Accepted(named, at)


def _slice(answer: Answer, told: object, *, at: datetime) -> Outcome:
    if named := _id_in(told):
        return Accepted(named, at)
    error = Answer(answer.exchange, told, is_json=True).error
    if error is not None and error.code in _REFUSALS:
        return Refused(words_of(error), error.code)
    return _unknown(answer)


def _id_in(body: object) -> str:
    """Return the order's id, "" where the body names an error or no id."""
    if not isinstance(body, Mapping) or body.get("errorCode"):
        return ""
    named = body.get("orderId")
    if isinstance(named, bool) or not isinstance(named, int | str):
        return ""
    return str(named).strip()


def _refused(answer: Answer) -> Refused | None:
    status, error = answer.exchange.status or 0, answer.error
    if error is None or error.code not in _REFUSALS or not 400 <= status < 500:
        return None
    return Refused(words_of(error), error.code)


def _unknown(answer: Answer) -> Unknown:
    exchange = answer.exchange
    if exchange.status is None:
        return Unknown(f"Dhan did not answer: {exchange.error}")
    told = redact_text(exchange.text) or "an empty body"
    return Unknown(f"Dhan answered HTTP {exchange.status} with {told}")
