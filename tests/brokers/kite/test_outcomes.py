"""What each answer of Kite proves about a write: the whole table."""

import json
from datetime import UTC, datetime

import pytest

from brokers.adapters.kite.outcomes import (
    REFUSALS,
    is_session_over,
    judge,
    judge_slices,
)
from brokers.answers import not_sent
from brokers.gateway import Accepted, Refused, Unknown
from brokers.transport import Exchange

AT = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
EVERY_ERROR = (
    "TokenException", "UserException", "OrderException", "InputException", "MarginException",
    "HoldingException", "NetworkException", "DataException", "GeneralException",
    "PermissionException", "TwoFAException", "SomethingNewException",
)  # fmt: skip
EVERY_STATUS = (400, 401, 403, 404, 405, 410, 429, 500, 502, 503, 504)
PROOFS = {(400, kind) for kind in REFUSALS} | {(403, "TokenException")}


def answer(body: object, status: int = 200) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange("POST", "api.kite.trade", "/orders/regular", status, 9, raw, "application/json")


def error(kind: str | None, words: str = "No") -> dict[str, object]:
    body: dict[str, object] = {"status": "error", "message": words, "data": None}
    return body if kind is None else {**body, "error_type": kind}


class TestRefusals:
    @pytest.mark.parametrize("status", EVERY_STATUS)
    @pytest.mark.parametrize("kind", EVERY_ERROR)
    def test_only_the_listed_pairs_are_proof(self, status: int, kind: str) -> None:
        outcome = judge(answer(error(kind), status), at=AT)
        assert isinstance(outcome, Refused) is ((status, kind) in PROOFS)
        assert isinstance(outcome, Unknown) is ((status, kind) not in PROOFS)

    def test_a_refusal_has_kite_s_words_and_its_proof(self) -> None:
        outcome = judge(answer(error("MarginException", "Insufficient funds."), 400), at=AT)
        assert outcome == Refused("Insufficient funds.", "HTTP 400 MarginException")

    def test_an_error_type_within_a_success_is_no_proof(self) -> None:
        assert isinstance(judge(answer(error("InputException"), 200), at=AT), Unknown)

    def test_what_never_left_is_refused_by_ourselves(self) -> None:
        assert not_sent("No session").proof == "NOT_SENT"


class TestUnknown:
    @pytest.mark.parametrize("status", [200, *EVERY_STATUS])
    @pytest.mark.parametrize(
        "body",
        [
            HTML,
            b"",
            b'{"status": "success", "data": {"order_',
            b"null",
            b"[]",
            b'"ok"',
            b"\xff\xfe",
            b"[" * 100_000,
            json.dumps(error(None)).encode(),
            b'{"status": "success"}',
            b'{"status": "success", "data": null}',
            b'{"status": "success", "data": {}}',
            b'{"status": "success", "data": {"order_id": ""}}',
            b'{"status": "success", "data": {"order_id": null}}',
            b'{"status": "success", "data": {"order_id": true}}',
            b'{"status": "success", "data": ["1"]}',
        ],
    )
    def test_what_proves_nothing(self, status: int, body: bytes) -> None:
        assert isinstance(judge(answer(body, status), at=AT), Unknown)

    @pytest.mark.parametrize("status", [201, 202, 302, 307])
    def test_an_id_under_another_status_is_not_taken_for_an_order(self, status: int) -> None:
        body = {"status": "success", "data": {"order_id": "1"}}
        assert isinstance(judge(answer(body, status), at=AT), Unknown)

    def test_an_answer_that_never_came(self) -> None:
        silent = Exchange("POST", "h", "/orders/regular", None, 9, error="ReadTimeout")
        outcome = judge(silent, at=AT)
        assert isinstance(outcome, Unknown)
        assert "ReadTimeout" in outcome.evidence

    def test_a_call_of_which_nothing_is_known(self) -> None:
        assert isinstance(judge(None, at=AT), Unknown)


class TestAccepted:
    def test_an_order_with_its_id(self) -> None:
        body = {"status": "success", "data": {"order_id": "151220000000000"}}
        assert judge(answer(body), at=AT) == Accepted("151220000000000", AT)

    def test_a_conversion_has_no_name(self) -> None:
        assert judge(answer({"status": "success", "data": True}), at=AT, named="") == Accepted(
            "", AT
        )

    @pytest.mark.parametrize("data", [False, None, {}, "true"])
    def test_a_conversion_that_is_not_true_is_unknown(self, data: object) -> None:
        body = {"status": "success", "data": data}
        assert isinstance(judge(answer(body), at=AT, named=""), Unknown)


class TestSlices:
    def slices(self, *children: object) -> list[object]:
        body = {"status": "success", "data": {"order_id": "P", "children": list(children)}}
        return [type(each) for each in judge_slices(answer(body), at=AT)]

    def test_each_is_judged_alone(self) -> None:
        refused = {"error": {"code": 400, "error_type": "MarginException", "message": "No"}}
        lost = {"error": {"code": 502, "error_type": "DataException", "message": "?"}}
        told = self.slices({"order_id": "1"}, refused, lost, {}, None)
        assert told == [Accepted, Refused, Unknown, Unknown, Unknown]

    def test_without_children_the_parent_is_the_order(self) -> None:
        assert self.slices() == [Accepted]

    def test_named_without_their_parent_are_taken(self) -> None:
        body = {"status": "success", "data": {"children": [{"order_id": "1"}, {"order_id": "2"}]}}
        assert [type(each) for each in judge_slices(answer(body), at=AT)] == [Accepted, Accepted]

    @pytest.mark.parametrize("children", [{"order_id": "1"}, "1", 7])
    def test_told_in_a_shape_nobody_knows_may_be_live(self, children: object) -> None:
        body = {"status": "success", "data": {"order_id": "1", "children": children}}
        assert [type(each) for each in judge_slices(answer(body), at=AT)] == [Unknown]

    def test_a_refused_whole_is_one_refusal(self) -> None:
        told = judge_slices(answer(error("InputException"), 400), at=AT)
        assert [type(each) for each in told] == [Refused]

    def test_a_lost_answer_is_unknown_as_a_whole(self) -> None:
        assert [type(each) for each in judge_slices(None, at=AT)] == [Unknown]


class TestSession:
    def test_it_is_over_when_kite_says_so(self) -> None:
        assert is_session_over(answer(error("TokenException"), 403))

    @pytest.mark.parametrize(("status", "kind"), [(403, "PermissionException"), (401, None)])
    def test_other_refusals_leave_it_open(self, status: int, kind: str | None) -> None:
        assert not is_session_over(answer(error(kind), status))
