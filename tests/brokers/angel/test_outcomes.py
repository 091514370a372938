"""Every code and every shape of answer, and what it proves about a write."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.adapters.angel.outcomes import (
    ADDRESS_CODES,
    RATE_LIMIT,
    REFUSALS,
    SESSION_CODES,
    Write,
    is_session_over,
    judge,
)
from brokers.gateway import Accepted, Refused, Unknown
from brokers.transport import Exchange
from tests.builders import NOW

# Every code that SmartAPI documents, and those that prove a refused order.
DOCUMENTED = (
    *("AG8001", "AG8002", "AG8003", "AG7002", "AB8050", "AB8051"),
    *(f"AB10{number:02d}" for number in range(19)),
    *("AB1031", "AB1032", "AB1050", "AB2000", "AB2001", "AB2002", "AB4008", "AB4018"),
    *(f"AB90{number:02d}" for number in range(19)),
)
PROOFS = {
    *("AG8001", "AG8002", "AG8003", "AG7002", "AB8050", "AB8051", "AB1010", "AB1011", "AB1050"),
    *("AB1005", "AB1006", "AB1008", "AB1009", "AB1012", "AB1018", "AB2002", "AB4008", "AB4018"),
}
CHANGE_PROOFS = PROOFS | {"AB1013"}
CONVERT_PROOFS = PROOFS | {"AB1016", "AB1017"}
TRIGGER_PROOFS = PROOFS | {f"AB90{number:02d}" for number in range(1, 19)}


def answer(body: object, status: int | None = 200, error: str = "") -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange("POST", "h", "/p", status, 5, raw, "application/json", error)


def lower(code: str, message: str = "words") -> dict[str, object]:
    return {"status": False, "message": message, "errorcode": code, "data": None}


def camel(code: str, message: str = "words") -> dict[str, object]:
    return {"success": False, "message": message, "errorCode": code, "data": ""}


def taken(**data: object) -> dict[str, object]:
    return {"status": True, "message": "SUCCESS", "errorcode": "", "data": data}


class TestCodes:
    @pytest.mark.parametrize("shape", [lower, camel])
    @pytest.mark.parametrize("code", DOCUMENTED)
    @pytest.mark.parametrize(
        ("write", "proofs"),
        [
            (Write.PLACE, PROOFS),
            (Write.CHANGE, CHANGE_PROOFS),
            (Write.CONVERT, CONVERT_PROOFS),
            (Write.TRIGGER, TRIGGER_PROOFS),
        ],
    )
    def test_prove_a_refusal_where_they_are_listed_alone(self, shape, code, write, proofs) -> None:
        outcome = judge(answer(shape(code)), write=write, at=NOW)
        if code in proofs:
            assert outcome == Refused(f"words ({code})", code)
        else:
            assert isinstance(outcome, Unknown)

    def test_that_nobody_documented_prove_nothing(self) -> None:
        assert isinstance(judge(answer(lower("AB7777")), write=Write.PLACE, at=NOW), Unknown)

    def test_listed_are_documented(self) -> None:
        assert set().union(*REFUSALS.values()) <= set(DOCUMENTED)

    def test_prove_nothing_beside_a_server_error(self) -> None:
        outcome = judge(answer(lower("AB1009"), status=500), write=Write.PLACE, at=NOW)
        assert isinstance(outcome, Unknown)

    @pytest.mark.parametrize("code", sorted(SESSION_CODES))
    def test_of_the_session_say_so(self, code: str) -> None:
        assert is_session_over(judge(answer(camel(code)), write=Write.PLACE, at=NOW))

    @pytest.mark.parametrize("code", [*sorted(ADDRESS_CODES), "AB1009"])
    def test_of_anything_else_do_not(self, code: str) -> None:
        assert not is_session_over(judge(answer(camel(code)), write=Write.PLACE, at=NOW))


class TestTooManyCalls:
    @pytest.mark.parametrize("words", ["access rate", "rate limit"])
    def test_prove_that_nothing_was_taken(self, words: str) -> None:
        rate = answer(f"Access denied because of exceeding {words}".encode(), status=403)
        outcome = judge(rate, write=Write.PLACE, at=NOW)
        assert isinstance(outcome, Refused)
        assert outcome.proof == RATE_LIMIT

    @pytest.mark.parametrize("status", [200, 429, 502])
    def test_are_told_with_403_alone(self, status: int) -> None:
        rate = answer(b"Access denied because of exceeding access rate", status=status)
        assert isinstance(judge(rate, write=Write.PLACE, at=NOW), Unknown)

    def test_another_403_proves_nothing(self) -> None:
        page = answer(b"<html>Forbidden</html>", status=403)
        assert isinstance(judge(page, write=Write.PLACE, at=NOW), Unknown)


class TestShapes:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 200),
            (b"<html>Welcome</html>", 200),
            (b'{"status":true,"data":{"orderid":"12', 200),
            (b"[]", 200),
            (b"null", 200),
            (b'"SUCCESS"', 200),
            (b'{"status":404,"error":"Not Found"}', 404),
            (b'{"message":"no status"}', 200),
            (b"<html>Bad Gateway</html>", 502),
            (b'{"status":true,"message":"SUCCESS","data":{"orderid":"1"}}', 502),
            (b'{"status":true,"message":"SUCCESS","data":{"orderid":"1"}}', 302),
            (b'{"status":true,"errorcode":"AB2001","data":{"orderid":"1"}}', 200),
            (b'{"status":true,"data":{"price":NaN}}', 200),
        ],
    )
    def test_that_are_not_angel_s_prove_nothing(self, body: bytes, status: int) -> None:
        assert isinstance(judge(answer(body, status), write=Write.PLACE, at=NOW), Unknown)

    @given(st.binary(max_size=300), st.integers(100, 599))
    def test_of_any_bytes_never_raise_and_never_accept(self, body: bytes, status: int) -> None:
        outcome = judge(answer(body, status), write=Write.PLACE, at=NOW)
        assert isinstance(outcome, Unknown)

    def test_no_answer_proves_nothing(self) -> None:
        outcome = judge(answer(b"", None, "ReadTimeout"), write=Write.PLACE, at=NOW)
        assert outcome == Unknown("ReadTimeout")

    @pytest.mark.parametrize("data", [None, {}, [], "", {"orderid": None}, {"orderid": ""}])
    def test_success_without_a_number_proves_nothing(self, data: object) -> None:
        body = {"status": True, "message": "SUCCESS", "errorcode": "", "data": data}
        assert isinstance(judge(answer(body), write=Write.PLACE, at=NOW), Unknown)

    @pytest.mark.parametrize("status", [True, "true", "True"])
    def test_success_names_the_order(self, status: object) -> None:
        body = taken(orderid="200910000000111") | {"status": status}
        outcome = judge(answer(body), write=Write.PLACE, at=NOW)
        assert outcome == Accepted("200910000000111", NOW)

    def test_refusals_are_read_from_words_too(self) -> None:
        body = lower("AB1009") | {"status": "false", "data": "null"}
        assert isinstance(judge(answer(body), write=Write.PLACE, at=NOW), Refused)

    def test_a_rule_is_named_by_its_number(self) -> None:
        outcome = judge(answer(taken(id=1857148)), write=Write.TRIGGER, at=NOW)
        assert outcome == Accepted("1857148", NOW)

    def test_an_answer_about_another_order_proves_nothing(self) -> None:
        outcome = judge(answer(taken(orderid="2")), write=Write.CHANGE, at=NOW, about="1")
        assert isinstance(outcome, Unknown)

    def test_a_conversion_is_done_without_a_number(self) -> None:
        body = {"status": True, "message": "SUCCESS", "errorcode": "", "data": None}
        outcome = judge(answer(body), write=Write.CONVERT, at=NOW, about="3045")
        assert outcome == Accepted("3045", NOW)
