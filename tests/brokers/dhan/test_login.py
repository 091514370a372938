"""Three ways into Dhan: a pasted token, PIN and TOTP, and Dhan's own page."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from brokers.adapters.dhan.login import LOGIN
from brokers.gateway import GatewayUnavailable, Refused
from brokers.logins import Grant, LoginFailed, LoginStyle
from brokers.models import ConnectionStatus
from brokers.registry import guide_of, login_of
from brokers.sessions import SessionMissing, open_session, session_secrets
from brokers.simulator.dhan.tokens import API_KEY, API_SECRET, CLIENT, PIN
from tests.brokers.contract import buy, placed
from tests.brokers.dhan.market import CREDENTIALS, TOKEN, DhanMarket, DhanStand

APP = {"client_id": CLIENT, "api_key": API_KEY, "api_secret": API_SECRET}


def log_in(dhan: DhanStand, credentials: dict[str, str], **answer: str) -> Grant:
    return LOGIN.open(credentials, answer=answer, now=dhan.clock())


def token_id_of(page: str) -> str:
    """Sign in on Dhan's page, as a person would."""
    back = requests.get(page, allow_redirects=False, timeout=5).headers["location"]
    return parse_qs(urlsplit(back).query)["tokenId"][0]


class TestAnyLogin:
    @pytest.mark.parametrize(
        "credentials", [{}, {"client_id": CLIENT}, {"client_id": CLIENT, "pin": PIN}], ids=str
    )
    def test_without_enough_is_refused(self, dhan: DhanStand, credentials: dict[str, str]) -> None:
        with pytest.raises(LoginFailed):
            log_in(dhan, credentials)
        assert dhan.requests() == []

    def test_explains_itself(self) -> None:
        guide = guide_of("dhan")
        assert login_of("dhan").guide is guide
        assert not guide.returns_state
        assert guide.style is LoginStyle.TOTP
        assert {each.name for each in guide.fields if not each.is_secret} == {"client_id"}
        assert any("Static IP" in step for step in guide.steps)

    def test_has_nothing_to_close(self, dhan: DhanStand) -> None:
        LOGIN.close(CREDENTIALS, {"access_token": TOKEN})
        assert dhan.requests() == []


class TestPinAndCode:
    def test_of_a_false_pin_is_refused(self, dhan: DhanStand) -> None:
        with pytest.raises(LoginFailed, match="Invalid Pin") as failed:
            log_in(dhan, {**CREDENTIALS, "pin": "000000"})
        assert "000000" not in str(failed.value)

    def test_of_a_false_secret_is_refused(self, dhan: DhanStand) -> None:
        with pytest.raises(LoginFailed, match="Invalid TOTP"):
            log_in(dhan, {**CREDENTIALS, "totp_secret": "JBSWY3DPEHPK3PXQ"})

    def test_of_a_secret_that_is_none_is_refused(self, dhan: DhanStand) -> None:
        with pytest.raises(LoginFailed, match="setup key") as failed:
            log_in(dhan, {**CREDENTIALS, "totp_secret": "not base 32 at all!"})
        assert "base 32" not in str(failed.value)

    @pytest.mark.parametrize("fault", ["html_200", "truncated_json", "drop_reply"])
    def test_not_answered_well_is_refused(self, dhan: DhanStand, fault: str) -> None:
        dhan.faults.arm(fault, match="/app/*")
        with pytest.raises(LoginFailed):
            log_in(dhan, CREDENTIALS)

    def test_need_no_page(self, dhan: DhanStand) -> None:
        assert LOGIN.page({**CREDENTIALS, **APP}, state="s") is None

    def test_give_a_day(self, dhan: DhanStand) -> None:
        grant = log_in(dhan, CREDENTIALS)
        assert grant.expires_at == dhan.clock() + timedelta(hours=24)
        assert (grant.client_code, grant.details["name"]) == (CLIENT, "DEMO TRADER")
        assert set(grant.secrets) == {"client_id", "access_token"}


class TestDhansPage:
    def test_is_refused_to_a_false_app(self, dhan: DhanStand) -> None:
        with pytest.raises(LoginFailed, match="Invalid app"):
            LOGIN.page({**APP, "api_secret": "wrong"}, state="s")

    def test_gives_a_token_once(self, dhan: DhanStand) -> None:
        page = LOGIN.page(APP, state="s")
        assert page is not None
        token_id = token_id_of(page)
        assert log_in(dhan, APP, tokenId=token_id).client_code == CLIENT
        with pytest.raises(LoginFailed):
            log_in(dhan, APP, tokenId=token_id)

    def test_of_somebody_else_is_refused(self, dhan: DhanStand) -> None:
        page = LOGIN.page({**APP, "client_id": "1100000002"}, state="s")
        assert page is not None
        with pytest.raises(LoginFailed, match="another client"):
            log_in(dhan, APP, tokenId=token_id_of(page))


class TestAPastedToken:
    def test_that_is_none_is_refused(self, dhan: DhanStand) -> None:
        with pytest.raises(LoginFailed) as failed:
            log_in(dhan, CREDENTIALS, access_token="nonsense")
        assert "nonsense" not in str(failed.value)

    def test_of_somebody_else_is_refused(self, dhan: DhanStand) -> None:
        with pytest.raises(LoginFailed, match="another client"):
            log_in(dhan, {"client_id": "1100000002"}, access_token=TOKEN)

    def test_is_good_as_long_as_dhan_says(self, dhan: DhanStand) -> None:
        grant = log_in(dhan, {"client_id": CLIENT}, access_token=f" {TOKEN}\n")
        assert grant.expires_at == dhan.clock() + timedelta(hours=24)
        assert grant.secrets["access_token"] == TOKEN

    def test_may_stand_among_the_credentials(self, dhan: DhanStand) -> None:
        assert log_in(dhan, {"client_id": CLIENT, "access_token": TOKEN}).client_code == CLIENT


class TestASession:
    def test_that_ran_out_sends_nothing(self, market: DhanMarket) -> None:
        market.stand.clock.move(25 * 3600)
        outcome = market.own.place(buy(market.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"
        with pytest.raises(SessionMissing):
            market.own.orders()

    def test_that_dhan_ended_is_known_as_ended(self, market: DhanMarket) -> None:
        market.stand.house.tokens.expire(None)
        outcome = market.own.place(buy(market.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "DH-901"
        connection = market.account.connection
        connection.refresh_from_db()
        assert connection.status == ConnectionStatus.EXPIRED
        with pytest.raises(SessionMissing):
            session_secrets(connection, now=market.now())

    def test_outlives_a_refused_read(self, market: DhanMarket) -> None:
        market.stand.faults.arm("rate_limited", match="*fundlimit")
        with pytest.raises(GatewayUnavailable, match="DH-904"):
            market.own.funds()
        assert market.own.funds().available > 0

    def test_is_replaced_by_the_next_without_a_new_gateway(self, market: DhanMarket) -> None:
        gateway = market.own
        market.stand.house.tokens.expire(None)
        gateway.place(buy(market.share))
        open_session(market.account.connection, answer={}, now=market.now())
        assert placed(gateway.place(buy(market.share)))
