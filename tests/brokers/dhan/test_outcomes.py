"""The lock table: every documented answer to a write, and what it proves."""

import json
from datetime import UTC, datetime

import pytest

from brokers.adapters.dhan.answers import read_answer
from brokers.adapters.dhan.outcomes import ends_session, judge, judge_conversion, judge_slices
from brokers.gateway import Accepted, Outcome, Refused, Unknown
from brokers.transport import Exchange

AT = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


def heard(status: int | None, body: object = b"", *, error: str = "") -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange("POST", "api.dhan.co", "/v2/orders", status, 5, raw, error=error)


def failure(code: str, words: str = "words") -> dict[str, str]:
    return {"errorType": "X", "errorCode": code, "errorMessage": words}


HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
UNKNOWN = (
    (heard(None, error="ReadTimeout"), "no answer"),
    (heard(500, HTML), "a page of HTML"),
    (heard(502, HTML), "a bad gateway"),
    (heard(504), "a gateway's time-out"),
    (heard(200, HTML), "a page of HTML with 200"),
    (heard(200), "an empty 200"),
    (heard(202), "an empty 202 for a new order"),
    (heard(200, b'{"orderId":"11226'), "half a body"),
    (heard(200, {}), "a 200 without an id"),
    (heard(200, {"orderId": ""}), "an empty id"),
    (heard(200, {"orderId": None, "orderStatus": "TRANSIT"}), "a null id"),
    (heard(200, {"orderId": True}), "an id that is none"),
    (heard(200, []), "a list"),
    (heard(200, b"null"), "null"),
    (heard(200, {"orderId": "1", "errorCode": "DH-906"}), "an id beside an error"),
    (heard(200, failure("DH-906")), "an error with 200"),
    (heard(302, {"orderId": "1"}), "a redirect"),
    (heard(400, {"orderId": "1"}), "an id with 400"),
    (heard(400, HTML), "HTML with 400"),
    (heard(400, {}), "a 400 that names nothing"),
    (heard(429, b"Too many requests"), "a 429 of somebody before Dhan"),
    (heard(500, failure("DH-906")), "a known code with a 5xx"),
    (heard(502, failure("DH-905")), "a known code from a bad gateway"),
    (heard(400, failure("DH-907")), "DH-907 data"),
    (heard(400, failure("DH-908")), "DH-908 internal"),
    (heard(400, failure("DH-909")), "DH-909 network"),
    (heard(400, failure("DH-910")), "DH-910 others"),
    (heard(400, failure("DH-999")), "a code that nobody documented"),
    (heard(400, {"status": "failed", "data": {"805": "Too many requests"}}), "a data error"),
)
REFUSED = (
    (401, "DH-901", "Client ID or user generated access token is invalid or expired."),
    (403, "DH-902", "No access"),
    (400, "DH-903", "Segment not activated"),
    (429, "DH-904", "Too many requests on server from single user"),
    (400, "DH-905", "Invalid SecurityId"),
    (400, "DH-905", "Invalid IP"),
    (400, "DH-906", "Transactions blocked by RMS"),
)


class TestPlacing:
    @pytest.mark.parametrize("case", UNKNOWN, ids=lambda case: case[1])
    def test_is_unknown_unless_proven(self, case: tuple[Exchange, str]) -> None:
        assert isinstance(judge(case[0], at=AT), Unknown)

    @pytest.mark.parametrize(("status", "code", "words"), REFUSED)
    def test_is_refused_by_a_documented_code(self, status: int, code: str, words: str) -> None:
        outcome = judge(heard(status, failure(code, words)), at=AT)
        assert isinstance(outcome, Refused)
        assert outcome.proof == code
        assert words in outcome.reason

    def test_tells_what_to_do_about_an_address(self) -> None:
        outcome = judge(heard(400, failure("DH-905", "Invalid IP")), at=AT)
        assert isinstance(outcome, Refused)
        assert "web.dhan.co" in outcome.reason

    @pytest.mark.parametrize("status", ["PENDING", "TRANSIT", "REJECTED", "TRADED"])
    def test_is_accepted_with_an_id_whatever_its_status(self, status: str) -> None:
        outcome = judge(heard(200, {"orderId": "112", "orderStatus": status}), at=AT)
        assert outcome == Accepted("112", AT)

    def test_takes_an_id_that_is_a_number(self) -> None:
        assert judge(heard(200, {"orderId": 112}), at=AT) == Accepted("112", AT)

    def test_shows_no_token_that_an_answer_repeats(self) -> None:
        outcome = judge(heard(500, b'{"accessToken": "eyJhbGciOi.abc.def"}'), at=AT)
        assert isinstance(outcome, Unknown)
        assert "eyJ" not in outcome.evidence


class TestChangingAndCancelling:
    def test_of_another_order_proves_nothing(self) -> None:
        assert isinstance(judge(heard(200, {"orderId": "113"}), at=AT, order_id="112"), Unknown)

    def test_may_be_answered_with_nothing(self) -> None:
        assert judge(heard(202), at=AT, order_id="112") == Accepted("112", AT)

    def test_with_nothing_and_200_is_unknown(self) -> None:
        assert isinstance(judge(heard(200), at=AT, order_id="112"), Unknown)

    def test_is_refused_once_the_order_has_traded(self) -> None:
        outcome = judge(heard(400, failure("DH-906", "Traded")), at=AT, order_id="112")
        assert isinstance(outcome, Refused)


class TestConverting:
    @pytest.mark.parametrize(
        ("exchange", "kind"),
        [
            (heard(202), Accepted),
            (heard(200, b"  "), Accepted),
            (heard(200, HTML), Unknown),
            (heard(400, failure("DH-906")), Refused),
            (heard(200, {"status": "success"}), Accepted),
            (heard(200, {"status": "SUCCESS", "remarks": ""}), Accepted),
            (heard(200, {"status": "success", "errorCode": "DH-908"}), Unknown),
            (heard(200, {"status": "failure"}), Unknown),
            (heard(500, {"status": "success"}), Unknown),
            (heard(500, HTML), Unknown),
        ],
    )
    def test_is_judged(self, exchange: Exchange, kind: type[Outcome]) -> None:
        assert isinstance(judge_conversion(exchange, at=AT), kind)


class TestSlicing:
    def test_judges_each_slice(self) -> None:
        told = [{"orderId": "1"}, failure("DH-906"), failure("DH-908"), {}, None]
        kinds = [type(each) for each in judge_slices(heard(200, told), at=AT)]
        assert kinds == [Accepted, Refused, Unknown, Unknown, Unknown]

    @pytest.mark.parametrize("body", [[], {}, b"", HTML])
    def test_without_slices_is_one_unknown(self, body: object) -> None:
        assert [type(each) for each in judge_slices(heard(200, body), at=AT)] == [Unknown]

    def test_refused_as_a_whole_is_one_refusal(self) -> None:
        told = judge_slices(heard(400, failure("DH-905")), at=AT)
        assert [type(each) for each in told] == [Refused]

    def test_refused_by_the_order_desk_is_unknown(self) -> None:
        """It may have refused the second slice, and taken the first."""
        told = judge_slices(heard(400, failure("DH-906")), at=AT)
        assert [type(each) for each in told] == [Unknown]


class TestTheSession:
    @pytest.mark.parametrize("code", ["DH-901", "807", "808", "809"])
    def test_ends_by_the_brokers_own_code(self, code: str) -> None:
        body = failure(code) if code.startswith("DH") else {"status": "failed", "data": {code: ""}}
        assert ends_session(read_answer(heard(401, body)).error)

    @pytest.mark.parametrize(
        "words", ["Invalid Token", "Token expired", "Invalid access token", "Unauthorised token"]
    )
    def test_is_over_by_its_words_under_another_code(self, words: str) -> None:
        exchange = heard(400, failure("DH-906", words))
        assert ends_session(read_answer(exchange).error)
        outcome = judge(exchange, at=AT)
        assert isinstance(outcome, Refused)
        assert "log in again" in outcome.reason

    @pytest.mark.parametrize("words", ["Invalid IP", "Invalid security id", "Order expired"])
    def test_is_not_over_by_other_words(self, words: str) -> None:
        assert not ends_session(read_answer(heard(400, failure("DH-906", words))).error)

    @pytest.mark.parametrize("code", ["DH-902", "DH-904", "DH-906", "DH-908"])
    def test_outlives_other_errors(self, code: str) -> None:
        assert not ends_session(read_answer(heard(400, failure(code))).error)

    def test_outlives_a_401_that_names_nothing(self) -> None:
        assert not ends_session(read_answer(heard(401, HTML)).error)
