"""What each documented answer of Alpaca proves; everything else proves nothing."""

import json

import pytest

from brokers.adapters.alpaca.outcomes import (
    REFUSALS,
    is_name_taken,
    is_not_found,
    is_session_over,
    judge_cancel,
    judge_change,
    judge_order,
    words_in,
)
from brokers.gateway import Accepted, Refused, Unknown
from brokers.transport import Exchange
from tests.builders import NOW

TAKEN = {"id": "abc", "client_order_id": "TAG1", "status": "accepted"}
CHANGED = {**TAKEN, "replaces": "root"}


def exchange(status: int | None, body: object = b"", error: str = "") -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange("POST", "host", "/v2/orders", status, 1, raw, "application/json", error)


def error(code: int, message: str = "words") -> dict[str, object]:
    return {"code": code, "message": message}


PROOFS = [
    (400, error(40010000)),
    (400, error(40010001, "request body format is invalid")),
    (401, error(40110000, "request is not authorized")),
    (401, {"message": "unauthorized."}),
    (403, {"message": "forbidden."}),
    (403, error(40310000, "insufficient buying power")),
    (403, error(40310100, "trade denied due to pattern day trading protection")),
    (404, error(40410000, "order not found")),
    (422, error(40010001, "qty must be > 0")),
    (422, error(42210000, "invalid limit_price")),
]
NO_PROOFS = [
    (None, b""),
    (200, b""),
    (200, b"<html>Welcome</html>"),
    (200, b'{"id": "ab'),
    (200, []),
    (200, None),
    (200, {}),
    (200, {"id": "", "client_order_id": "TAG1"}),
    (200, {"id": 7, "client_order_id": "TAG1"}),
    (200, {"id": "abc", "client_order_id": "ANOTHER"}),
    (201, TAKEN),
    (204, b""),
    (207, [{"id": "abc", "status": 200}]),
    (302, b""),
    (400, b"<html>Bad Request</html>"),
    (400, error(42210000)),
    (401, b"<html>proxy login</html>"),
    (403, error(40310001)),
    (403, {"message": "Invalid IP"}),
    (404, {"message": "Not Found"}),
    (408, b""),
    (422, {"message": "no code"}),
    (422, error(99999999)),
    (422, {"code": "42210000", "message": "a code that is a text"}),
    (429, {"message": "rate limit exceeded"}),
    (429, error(42910000, "rate limit exceeded")),
    (500, error(50010000, "internal server error")),
    (502, b"<html>Bad Gateway</html>"),
    (503, b""),
    (504, error(42210000)),
]


class TestAnyWrite:
    @pytest.mark.parametrize(("status", "body"), PROOFS)
    def test_a_documented_refusal_is_one(self, status: int, body: object) -> None:
        told = exchange(status, body)
        for outcome in (
            judge_order(told, tag="TAG1", at=NOW),
            judge_change(told, root="root", at=NOW),
            judge_cancel(told, root="root", at=NOW),
        ):
            assert isinstance(outcome, Refused)
            assert outcome.proof.startswith(f"HTTP {status}")

    def test_the_table_holds_every_code_that_is_believed(self) -> None:
        told = {(status, body["code"]) for status, body in PROOFS if "code" in body}  # type: ignore[operator,index]
        assert told == REFUSALS

    def test_no_exchange_is_unknown(self) -> None:
        assert isinstance(judge_order(None, tag="TAG1", at=NOW), Unknown)


class TestOrder:
    @pytest.mark.parametrize(("status", "body"), NO_PROOFS)
    def test_anything_else_is_unknown(self, status: int | None, body: object) -> None:
        told = exchange(status, body, error="" if status else "the answer was lost")
        assert isinstance(judge_order(told, tag="TAG1", at=NOW), Unknown)

    @pytest.mark.parametrize("code", [40010001, 42210000])
    @pytest.mark.parametrize(
        "words", ["client_order_id must be unique", "client order id must be unique"]
    )
    def test_a_name_that_was_used_is_looked_up(self, code: int, words: str) -> None:
        assert judge_order(exchange(422, error(code, words)), tag="TAG1", at=NOW) is None

    def test_one_by_our_name_is_taken(self) -> None:
        assert judge_order(exchange(200, TAKEN), tag="TAG1", at=NOW) == Accepted("abc", NOW)


class TestChange:
    @pytest.mark.parametrize(("status", "body"), [*NO_PROOFS, (200, TAKEN)])
    def test_anything_else_is_unknown(self, status: int | None, body: object) -> None:
        assert isinstance(judge_change(exchange(status, body), root="root", at=NOW), Unknown)

    def test_a_name_that_was_used_is_no_refusal(self) -> None:
        told = exchange(422, error(40010001, "client_order_id must be unique"))
        assert isinstance(judge_change(told, root="root", at=NOW), Unknown)

    def test_one_that_replaces_is_taken(self) -> None:
        outcome = judge_change(exchange(200, CHANGED), root="root", at=NOW)
        assert outcome == Accepted("root", NOW)


class TestCancel:
    @pytest.mark.parametrize(
        ("status", "body"), [each for each in NO_PROOFS if each[0] != 204] + [(200, TAKEN)]
    )
    def test_anything_else_is_unknown(self, status: int | None, body: object) -> None:
        assert isinstance(judge_cancel(exchange(status, body), root="root", at=NOW), Unknown)

    def test_one_answered_without_words_is_taken(self) -> None:
        assert judge_cancel(exchange(204), root="root", at=NOW) == Accepted("root", NOW)


class TestWhatIsAsked:
    @pytest.mark.parametrize(
        ("status", "body"),
        [(401, {"message": "unauthorized."}), (403, {"message": "forbidden."}),
         (401, error(40110000))],
    )  # fmt: skip
    def test_refused_keys_are_known(self, status: int, body: object) -> None:
        assert is_session_over(exchange(status, body))

    @pytest.mark.parametrize(
        ("status", "body"),
        [(403, error(40310000)), (401, b"<html>"), (403, {"message": "Invalid IP"}),
         (500, {"message": "unauthorized"})],
    )  # fmt: skip
    def test_nothing_else_ends_the_session(self, status: int, body: object) -> None:
        assert not is_session_over(exchange(status, body))

    def test_only_alpaca_s_own_code_says_that_there_is_none(self) -> None:
        assert is_not_found(exchange(404, error(40410000)))
        assert not is_not_found(exchange(404, {"message": "Not Found"}))

    def test_a_length_is_not_a_name_that_was_used(self) -> None:
        words = "client_order_id must be no more than 128 characters"
        assert not is_name_taken(exchange(422, error(40010001, words)))

    def test_a_page_s_words_are_shown(self) -> None:
        assert words_in(exchange(502, b"<h1>Bad</h1>")) == "HTTP 502: <h1>Bad</h1>"
