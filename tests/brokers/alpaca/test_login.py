"""Connecting to Alpaca: standing keys, of paper or of real money, and never a secret in words."""

import pytest
from pytest_django import Settings

from brokers.adapters.alpaca.login import LOGIN
from brokers.gateway import GatewayUnavailable, Refused
from brokers.logins import LoginFailed
from brokers.models import BrokerConnection, ConnectionStatus
from brokers.registry import brokers, capabilities_of, login_of, streams_of
from brokers.simulator.alpaca.desk import API_SECRET, CLIENT
from brokers.simulator.faults import FaultName
from brokers.terms import Segment
from tests.brokers.alpaca.market import CREDENTIALS, AlpacaMarket, AlpacaStand
from tests.brokers.contract import buy
from tests.builders import NOW


def failure(**changes: str) -> str:
    with pytest.raises(LoginFailed) as caught:
        LOGIN.open({**CREDENTIALS, **changes}, answer={}, now=NOW)
    assert API_SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


class TestLogin:
    @pytest.mark.parametrize("name", ["api_key", "api_secret", "environment"])
    def test_a_missing_field_is_named(self, name: str) -> None:
        assert "is missing" in failure(**{name: " "})

    def test_an_environment_is_never_guessed(self) -> None:
        assert "paper or live" in failure(environment="real")

    def test_a_feed_that_there_is_not_is_refused(self) -> None:
        assert "iex or sip" in failure(feed="all")

    def test_a_strange_character_is_refused(self) -> None:
        assert "never uses" in failure(api_secret="päss")

    def test_wrong_keys_are_refused_in_words(self, stand: AlpacaStand) -> None:
        assert "paper account" in failure(api_secret="wrong")

    @pytest.mark.parametrize(
        ("fault", "words"),
        [(FaultName.DROP_REPLY, "did not answer"), (FaultName.HTML_200, "not be understood"),
         (FaultName.TRUNCATED_JSON, "not be understood"),
         (FaultName.SERVER_ERROR_BEFORE, "HTTP 502"), (FaultName.RATE_LIMITED, "rate limit")],
    )  # fmt: skip
    def test_a_bad_answer_is_no_login(
        self, stand: AlpacaStand, fault: FaultName, words: str
    ) -> None:
        stand.faults.arm(fault)
        assert words in failure()

    def test_an_unreachable_broker_is_said_to_be(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {"alpaca": "http://127.0.0.1:9"}
        assert "could not be reached" in failure()

    def test_good_keys_never_run_out(self, stand: AlpacaStand) -> None:
        grant = LOGIN.open(CREDENTIALS, answer={}, now=NOW)
        assert (grant.expires_at, grant.client_code) == (None, CLIENT)
        assert (grant.secrets["environment"], grant.secrets["feed"]) == ("paper", "iex")

    def test_nobody_is_sent_to_a_page(self) -> None:
        assert LOGIN.page(CREDENTIALS, state="state") is None


class TestRegistered:
    def test_alpaca_is_one_of_the_brokers(self) -> None:
        assert "alpaca" in {each.name for each in brokers()}
        assert login_of("alpaca") is LOGIN
        assert callable(streams_of("alpaca"))

    def test_what_it_can_do_is_known_without_asking_it(self, alpaca: AlpacaMarket) -> None:
        told = capabilities_of(alpaca.account, Segment.US_EQ, clock=alpaca.now)
        assert told is not None
        assert capabilities_of(alpaca.account, Segment.NSE_EQ, clock=alpaca.now) is None


class TestSession:
    def test_without_one_nothing_is_sent(self, alpaca: AlpacaMarket) -> None:
        alpaca.account.connection.auth_tokens.all().delete()
        outcome = alpaca.gateway.place(buy(alpaca.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"
        assert alpaca.sent("*orders*") == []

    def test_refused_keys_end_it(self, alpaca: AlpacaMarket) -> None:
        alpaca.stand.desk.is_keyed = False
        with pytest.raises(GatewayUnavailable, match="not authorized"):
            alpaca.gateway.funds()
        connection = BrokerConnection.objects.get()
        assert (connection.status, connection.auth_tokens.filter(is_active=True).count()) == (
            ConnectionStatus.EXPIRED, 0,
        )  # fmt: skip
