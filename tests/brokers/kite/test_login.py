"""Logging in at Kite, what comes back, and how a session ends."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from pytest_django import Settings

from brokers.adapters.kite.login import LOGIN, session_end
from brokers.gateway import GatewayUnavailable, Refused
from brokers.logins import LoginFailed, LoginStyle, LogoutFailed
from brokers.models import ConnectionStatus
from brokers.registry import login_of
from brokers.sessions import open_session
from brokers.simulator.kite.sessions import CLIENT
from tests.brokers.contract import buy, cancel_of
from tests.brokers.kite.canned import canned_server
from tests.brokers.kite.market import CREDENTIALS, KiteMarket, KiteStand

NOW = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)


def answer(**fields: str) -> dict[str, str]:
    return {"action": "login", "type": "login", "status": "success", **fields}


class TestRefusedLogin:
    @pytest.mark.parametrize(
        "told",
        [
            {},
            {"status": "success"},
            {"status": "cancelled", "request_token": "x"},
            {"request_token": ""},
        ],
    )
    def test_without_a_person_there_is_no_login(self, told: dict[str, str]) -> None:
        with pytest.raises(LoginFailed, match="Nobody signed in"):
            LOGIN.open(CREDENTIALS, answer=told, now=NOW)

    def test_an_old_or_invented_token_is_refused_in_zerodha_s_words(self, stand: KiteStand) -> None:
        with pytest.raises(LoginFailed, match="invalid or has expired"):
            LOGIN.open(CREDENTIALS, answer=answer(request_token="invented"), now=NOW)

    def test_a_token_is_good_for_one_use(self, stand: KiteStand) -> None:
        told = answer(request_token=stand.desk.sessions.sign_in(CLIENT))
        LOGIN.open(CREDENTIALS, answer=told, now=NOW)
        with pytest.raises(LoginFailed):
            LOGIN.open(CREDENTIALS, answer=told, now=NOW)

    def test_a_false_secret_is_refused_and_never_repeated(self, stand: KiteStand) -> None:
        told = answer(request_token=stand.desk.sessions.sign_in(CLIENT))
        with pytest.raises(LoginFailed, match="checksum") as caught:
            LOGIN.open({**CREDENTIALS, "api_secret": "open sesame"}, answer=told, now=NOW)
        assert "sesame" not in str(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("missing", ["api_key", "api_secret"])
    def test_missing_credentials_are_named(self, stand: KiteStand, missing: str) -> None:
        told = answer(request_token=stand.desk.sessions.sign_in(CLIENT))
        with pytest.raises(LoginFailed, match=missing.replace("_", " ")):
            LOGIN.open({**CREDENTIALS, missing: ""}, answer=told, now=NOW)

    @pytest.mark.parametrize(
        "body", ["<html>", '{"status": "success", "data": {}}', '{"status":"success","data":null}']
    )
    def test_nonsense_is_no_session(self, settings: Settings, body: str) -> None:
        with canned_server() as canned:
            settings.BROKER_ENDPOINTS = {"kite": canned.url}
            canned.answer(body)
            with pytest.raises(LoginFailed):
                LOGIN.open(CREDENTIALS, answer=answer(request_token="t"), now=NOW)

    def test_a_broker_out_of_reach_is_told_as_such(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {"kite": "http://127.0.0.1:9"}
        with pytest.raises(LoginFailed, match="could not be reached"):
            LOGIN.open(CREDENTIALS, answer=answer(request_token="t"), now=NOW)


class TestLogin:
    def test_it_needs_a_person_on_zerodha_s_page(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {}
        page = urlsplit(LOGIN.page(CREDENTIALS, state="abc") or "")
        assert (page.netloc, page.path) == ("kite.zerodha.com", "/connect/login")
        query = {"v": ["3"], "api_key": ["kitedemo"], "redirect_params": ["state=abc"]}
        assert parse_qs(page.query) == query
        assert LOGIN.guide.style is LoginStyle.REDIRECT

    def test_the_page_sends_the_person_back_with_what_opens_the_session(
        self, stand: KiteStand
    ) -> None:
        page = LOGIN.page(CREDENTIALS, state="abc") or ""
        assert "Client ID" in requests.get(page, timeout=5).text
        sent_back = requests.post(page, {"user_id": "XY1"}, allow_redirects=False, timeout=5)
        query = parse_qs(urlsplit(sent_back.headers["location"]).query)
        told = {name: values[0] for name, values in query.items()}
        assert told["state"] == "abc"
        assert LOGIN.open(CREDENTIALS, answer=told, now=NOW).client_code == "XY1"

    def test_the_session_carries_what_calls_need(self, stand: KiteStand) -> None:
        told = answer(request_token=stand.desk.sessions.sign_in(CLIENT))
        grant = LOGIN.open(CREDENTIALS, answer=told, now=NOW)
        assert set(grant.secrets) == {"api_key", "access_token"}
        assert (grant.client_code, grant.expires_at) == (CLIENT, session_end(NOW))

    def test_the_registry_knows_it(self) -> None:
        assert login_of("kite") is LOGIN

    @pytest.mark.parametrize(
        ("now", "end"),
        [("2026-06-17 05:00", "2026-06-18 00:30"), ("2026-06-17 00:29", "2026-06-17 00:30")],
    )
    def test_it_ends_at_six_in_the_morning_in_india(self, now: str, end: str) -> None:
        at = datetime.fromisoformat(now).replace(tzinfo=UTC)
        assert session_end(at) == datetime.fromisoformat(end).replace(tzinfo=UTC)


class TestEndOfASession:
    def test_logging_out_ends_it_at_the_broker(self, kite: KiteMarket) -> None:
        (token,) = kite.stand.desk.sessions._access
        LOGIN.close(CREDENTIALS, {"api_key": "kitedemo", "access_token": token})
        assert kite.stand.desk.sessions._access == {}

    def test_a_logout_that_reached_nobody_says_so(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {"kite": "http://127.0.0.1:9"}
        with pytest.raises(LogoutFailed, match="does not answer") as failed:
            LOGIN.close(CREDENTIALS, {"api_key": "kitedemo", "access_token": "day-token"})
        assert "day-token" not in str(failed.value)

    def test_without_a_session_nothing_is_sent(self, kite: KiteMarket) -> None:
        kite.account.connection.auth_tokens.all().delete()
        kite.stand.app.state.requests.clear()
        outcome = kite.gateway.place(buy(kite.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"
        assert kite.sent() == []

    def test_a_session_that_has_run_out_is_not_used(self, kite: KiteMarket) -> None:
        kite.stand.clock.move(timedelta(days=1).total_seconds())
        with pytest.raises(GatewayUnavailable, match="run out"):
            kite.gateway.orders()
        kite.stand.clock.move(-timedelta(days=1).total_seconds())

    def test_a_token_that_kite_has_ended_proves_that_nothing_was_placed(
        self, kite: KiteMarket
    ) -> None:
        kite.stand.desk.sessions.expire()
        outcome = kite.gateway.place(buy(kite.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "HTTP 403 TokenException"
        kite.account.connection.refresh_from_db()
        assert kite.account.connection.status == ConnectionStatus.EXPIRED

    @pytest.mark.parametrize("read", ["orders", "positions", "funds"])
    def test_a_read_tells_it_too(self, kite: KiteMarket, read: str) -> None:
        kite.stand.desk.sessions.expire()
        with pytest.raises(GatewayUnavailable):
            getattr(kite.gateway, read)()
        kite.account.connection.refresh_from_db()
        assert kite.account.connection.status == ConnectionStatus.EXPIRED

    def test_after_a_new_login_the_same_gateway_goes_on(self, kite: KiteMarket) -> None:
        kite.stand.desk.sessions.expire()
        kite.gateway.place(buy(kite.share))
        kite.stand.log_in(kite.account)
        assert kite.gateway.orders() == []

    def test_a_second_login_ends_the_first(self, kite: KiteMarket) -> None:
        told = answer(request_token=kite.stand.desk.sessions.sign_in(CLIENT))
        first = LOGIN.open(CREDENTIALS, answer=told, now=kite.now())
        again = answer(request_token=kite.stand.desk.sessions.sign_in(CLIENT))
        open_session(kite.account.connection, answer=again, now=kite.now())
        assert first.secrets["access_token"] not in kite.stand.desk.sessions._access
        assert isinstance(kite.gateway.cancel(cancel_of("1", kite.share)), Refused)
