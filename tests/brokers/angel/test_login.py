"""Logging in at Angel One and out again."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from brokers.adapters.angel.login import LOGIN, next_midnight
from brokers.gateway import GatewayUnavailable
from brokers.logins import LoginFailed, LoginStyle, LogoutFailed
from brokers.models import ConnectionStatus
from brokers.registry import login_of
from brokers.sessions import SessionMissing, open_session, session_secrets
from brokers.simulator.faults import FaultName
from tests.brokers.angel.market import CLIENT, CREDENTIALS, AngelMarket, AngelStand


def log_in(simulator: AngelStand, **changes: str) -> Mapping[str, str]:
    credentials = {**CREDENTIALS, **changes}
    return LOGIN.open(credentials, answer={}, now=simulator.clock()).secrets


class TestLogin:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"pin": "0000"}, "client code or the PIN is wrong"),
            ({"totp_secret": "K" * 32}, "check the TOTP secret"),
            ({"totp_secret": "not base32!"}, "beneath the QR code"),
            ({"totp_secret": "123456"}, "beneath the QR code"),
            ({"pin": " "}, "PIN is missing"),
            ({"api_key": "k\u2019y"}, "a character that Angel One never uses"),
        ],
    )
    def test_is_refused_in_words(
        self, angel: AngelStand, changes: dict[str, str], words: str
    ) -> None:
        with pytest.raises(LoginFailed, match=words) as failed:
            log_in(angel, **changes)
        assert CREDENTIALS["totp_secret"] not in str(failed.value)
        assert failed.value.__cause__ is None

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            (FaultName.RATE_LIMITED, "one login a second"),
            (FaultName.HTML_200, "does not answer properly"),
            (FaultName.SERVER_ERROR_BEFORE, "does not answer properly"),
            (FaultName.DROP_REPLY, "could not be reached"),
        ],
    )
    def test_says_what_went_wrong(self, angel: AngelStand, fault: str, words: str) -> None:
        angel.faults.arm(fault)
        with pytest.raises(LoginFailed, match=words):
            log_in(angel)

    def test_gives_three_tokens(self, angel: AngelStand) -> None:
        assert set(log_in(angel)) == {"jwt", "refresh", "feed"}

    def test_takes_a_secret_with_blanks(self, angel: AngelStand) -> None:
        secret = CREDENTIALS["totp_secret"]
        assert log_in(angel, totp_secret=f" {secret[:4].lower()} {secret[4:]}")

    def test_is_good_until_midnight_in_india(self) -> None:
        evening = datetime(2026, 6, 17, 18, 29, tzinfo=UTC)  # 23:59
        assert next_midnight(evening) == datetime(2026, 6, 17, 18, 30, tzinfo=UTC)
        assert next_midnight(evening + timedelta(minutes=2)) == datetime(
            2026, 6, 18, 18, 30, tzinfo=UTC
        )

    def test_needs_nobody(self) -> None:
        assert login_of("angel") is LOGIN
        assert LOGIN.guide.style is LoginStyle.TOTP
        assert LOGIN.page(CREDENTIALS, state="s") is None

    def test_hides_all_but_the_client_code(self) -> None:
        shown = [each.name for each in LOGIN.guide.fields if not each.is_secret]
        assert shown == ["client_code"]


class TestSession:
    def test_is_kept_sealed(self, market: AngelMarket) -> None:
        connection = market.account.connection
        connection.refresh_from_db()
        token = connection.auth_tokens.get()
        assert "jwt-" not in token.access_token
        assert connection.status == ConnectionStatus.CONNECTED
        assert connection.client_code == CLIENT

    def test_runs_out_and_is_opened_anew(self, market: AngelMarket) -> None:
        market.stand.clock.move(hours=24)
        connection, now = market.account.connection, market.now()
        with pytest.raises(SessionMissing):
            session_secrets(connection, now=now)
        open_session(connection, answer={}, now=now)
        assert market.gateway.orders() == []

    def test_that_was_closed_is_no_longer_known(self, market: AngelMarket) -> None:
        connection = market.account.connection
        secrets = session_secrets(connection, now=market.now())
        LOGIN.close(CREDENTIALS, secrets)
        with pytest.raises(GatewayUnavailable, match="AG8002"):
            market.gateway.funds()
        with pytest.raises(SessionMissing):
            market.gateway.funds()

    def test_says_that_nobody_was_there_to_close_it(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {"angel": "http://127.0.0.1:9"}
        with pytest.raises(LogoutFailed, match="does not answer"):
            LOGIN.close(CREDENTIALS, {"jwt": "x"})

    def test_says_that_the_broker_refused_to_close_it(self, angel: AngelStand) -> None:
        with pytest.raises(LogoutFailed, match="refused"):
            LOGIN.close(CREDENTIALS, {"jwt": "nobodys"})
