"""Connecting a real broker: its account, its secrets, the first login."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import Settings

from accounts.models import Membership, Role, Workspace
from brokers.connecting import (
    connect_real_broker,
    currency_of,
    leave_broker,
    logs_in_alone,
    renew_credentials,
)
from brokers.models import (
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    LoginAttempt,
    LoginStatus,
    PostbackConfig,
    TradingAccount,
)
from brokers.registry import UnknownBroker, guide_of
from brokers.services import NameTaken, NewConnection
from tests.brokers.angel.market import CREDENTIALS, AngelStand
from tests.brokers.connecting import connect_angel, simulated_angel, work_off
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db
# In a process of its own: in this one the tests have loaded them all.
NO_SDK = """
import os, sys, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_site.settings")
django.setup()
import trading_site.urls
from brokers.registry import broker_capabilities, brokers, guide_of
for name in [each.name for each in brokers() if not each.is_paper]:
    guide_of(name), broker_capabilities(name)
print(sorted({"SmartApi", "kiteconnect", "dhanhq", "alpaca"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[AngelStand]:
    with simulated_angel() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _pointed_at_it(simulator: AngelStand, settings: Settings) -> None:
    simulator.renew()
    settings.BROKER_ENDPOINTS = {"angel": simulator.server.url}


@pytest.fixture
def desk() -> Workspace:
    return make_workspace(make_user())


class TestConnectRealBroker:
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER])
    def test_is_refused_to_who_does_not_manage_the_desk(self, desk: Workspace, role: Role) -> None:
        person = make_user("ravi")
        Membership.objects.create(workspace=desk, user=person, role=role)
        form = NewConnection("angel", "Mine", credentials=CREDENTIALS)
        with pytest.raises(PermissionDenied):
            connect_real_broker(desk, user=person, form=form, now=NOW)

    @pytest.mark.parametrize("broker", ["paper", "nobody"])
    def test_refuses_what_needs_no_login(self, desk: Workspace, broker: str) -> None:
        form = NewConnection(broker, "Mine", credentials={})
        with pytest.raises(UnknownBroker):
            connect_real_broker(desk, user=desk.owner, form=form, now=NOW)

    def test_refuses_a_name_twice(self, desk: Workspace) -> None:
        connect_angel(desk)
        with pytest.raises(NameTaken):
            connect_angel(desk)
        assert BrokerConnection.objects.count() == 1

    def test_refuses_the_name_of_another_persons_account(self, desk: Workspace) -> None:
        connect_angel(desk)
        other = make_user("ravi")
        Membership.objects.create(workspace=desk, user=other, role=Role.ADMIN)
        form = NewConnection("angel", "Angel", credentials=CREDENTIALS)
        with pytest.raises(NameTaken, match="account"):
            connect_real_broker(desk, user=other, form=form, now=NOW)

    def test_opens_an_account_that_sends_nothing(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        account = TradingAccount.objects.get(connection=connection)
        assert (account.live_enabled, account.may_send, account.reconciled_at) == (
            False, False, None,
        )  # fmt: skip
        assert (account.currency, connection.status) == ("INR", ConnectionStatus.DISCONNECTED)

    def test_keeps_the_secrets_sealed(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        stored = str(BrokerConnection.objects.filter(pk=connection.pk).values().get())
        assert CREDENTIALS["totp_secret"] not in stored
        assert CREDENTIALS["api_key"] not in stored

    def test_makes_an_address_for_postbacks(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        assert PostbackConfig.objects.get(connection=connection).webhook_url

    def test_asks_a_worker_to_log_in(self, desk: Workspace) -> None:
        attempt = work_off(connect_angel(desk))
        assert (attempt.status, attempt.words) == (LoginStatus.DONE, "")

    def test_allows_several_connections_of_one_person(self, desk: Workspace) -> None:
        connect_angel(desk)
        second = connect_angel(desk, alias="Second", client_code="D200")
        assert work_off(second).status == LoginStatus.DONE


class TestFirstLogin:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [({"pin": "9999"}, "PIN is wrong"), ({"totp_secret": "K" * 32}, "check the TOTP secret")],
    )
    def test_with_wrong_credentials_stores_nothing_as_connected(
        self, desk: Workspace, changes: dict[str, str], words: str
    ) -> None:
        connection = connect_angel(desk, **changes)
        attempt = work_off(connection)
        assert words in attempt.words
        assert connection.status == ConnectionStatus.ERROR
        assert not AuthToken.objects.exists()

    def test_of_a_client_that_is_connected_already_is_refused(self, desk: Workspace) -> None:
        work_off(connect_angel(desk))
        twin = connect_angel(desk, alias="Twin")
        attempt = work_off(twin)
        assert "connected already, as Angel" in attempt.words
        assert twin.status == ConnectionStatus.ERROR
        assert not AuthToken.objects.filter(connection=twin, is_active=True).exists()

    def test_leaves_no_secret_in_what_is_kept_of_it(self, desk: Workspace) -> None:
        work_off(connect_angel(desk, pin="9876"))
        kept = str(list(LoginAttempt.objects.values()))
        assert "9876" not in kept
        assert CREDENTIALS["totp_secret"] not in kept


class TestRenewCredentials:
    def test_is_refused_to_who_does_not_manage_the_desk(self, desk: Workspace) -> None:
        with pytest.raises(PermissionDenied):
            renew_credentials(
                connect_angel(desk), by=make_user("ravi"), credentials=CREDENTIALS, now=NOW
            )

    def test_logs_in_with_the_new_ones(self, desk: Workspace) -> None:
        connection = connect_angel(desk, pin="9999")
        work_off(connection)
        renew_credentials(connection, by=desk.owner, credentials=CREDENTIALS, now=NOW)
        assert work_off(connection).status == LoginStatus.DONE
        assert connection.status == ConnectionStatus.CONNECTED


class TestLeaveBroker:
    def test_turns_live_trading_off(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        connection.accounts.update(live_enabled=True)
        leave_broker(connection, by=desk.owner, now=NOW)
        assert not connection.accounts.filter(live_enabled=True).exists()


class TestPages:
    def test_need_no_brokers_library(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", NO_SDK], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"


class TestDailyWay:
    @pytest.mark.parametrize(
        ("broker", "credentials", "alone"),
        [
            ("angel", CREDENTIALS, True),
            ("kite", {"api_key": "k", "api_secret": "s"}, False),
            ("dhan", {"client_id": "1", "pin": "1", "totp_secret": "A"}, True),
            ("dhan", {"client_id": "1", "access_token": "t"}, False),
            ("alpaca", {"api_key": "k", "api_secret": "s"}, True),
        ],
    )
    def test_depends_on_what_was_typed(
        self, broker: str, credentials: dict[str, str], alone: bool
    ) -> None:
        assert logs_in_alone(guide_of(broker), credentials) is alone

    def test_money_is_that_of_the_market(self) -> None:
        assert [currency_of(each) for each in ("angel", "kite", "alpaca")] == ["INR", "INR", "USD"]
