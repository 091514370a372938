"""Real money for an account: two steps on, one click off, and everything that forbids it."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Membership, Role
from brokers.addresses import configure_address
from brokers.models import ConnectionStatus, TradingAccount
from notifications.models import Notification
from operations.models import RequestLog, SystemLog
from risk.models import RiskRule, RuleType
from tests.brokers.connecting import connect_angel
from tests.builders import PASSWORD, make_user
from tests.orders.desk import Desk
from tests.pages.desks import client_of, client_of_stranger, client_with_role


@pytest.fixture(autouse=True)
def _live_house(settings: Settings) -> None:
    settings.LIVE_TRADING = True


@pytest.fixture
def account(desk: Desk) -> TradingAccount:
    """At Angel One, with all that live trading takes but a person's word."""
    connection = connect_angel(desk.account.workspace)
    connection.status = ConnectionStatus.CONNECTED
    connection.save()
    connection.accounts.update(reconciled_at=desk.now)
    RiskRule.objects.create(
        workspace=desk.account.workspace,
        user=desk.user,
        rule_type=RuleType.MAX_DAILY_LOSS,
        rule_value=5000,
    )
    return connection.accounts.get()


def url(account: TradingAccount, part: str = "") -> str:
    return f"/risk/live/{account.pk}/{part}"


def is_live(account: TradingAccount) -> bool:
    return TradingAccount.objects.get(pk=account.pk).live_enabled


def take_both_steps(client: Client, account: TradingAccount, password: str = PASSWORD) -> object:
    client.post(url(account), {"name": account.name})
    return client.post(url(account, "confirm/"), {"password": password}, follow=True)


class TestTurningOn:
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER])
    def test_is_refused_to_who_does_not_manage(
        self, desk: Desk, account: TradingAccount, role: Role
    ) -> None:
        client = client_with_role(desk.account.workspace, role)
        for part in ("", "confirm/", "off/"):
            assert client.post(url(account, part)).status_code == 403

    def test_is_not_there_for_a_stranger(self, desk: Desk, account: TradingAccount) -> None:
        stranger = client_of_stranger()
        for part in ("", "confirm/", "off/"):
            assert stranger.post(url(account, part)).status_code == 404

    def test_is_not_there_for_a_paper_account(self, desk: Desk) -> None:
        assert client_of(desk).get(url(desk.account)).status_code == 404

    @pytest.mark.parametrize("name", ["", "angel", "Practice"])
    def test_is_refused_without_the_name(
        self, desk: Desk, account: TradingAccount, name: str
    ) -> None:
        client = client_of(desk)
        client.post(url(account), {"name": name})
        client.post(url(account, "confirm/"), {"password": PASSWORD})
        assert not is_live(account)

    def test_is_refused_without_the_first_step(self, desk: Desk, account: TradingAccount) -> None:
        answer = client_of(desk).post(url(account, "confirm/"), {"password": PASSWORD})
        assert answer["Location"] == url(account)
        assert not is_live(account)

    @pytest.mark.parametrize("password", ["", "wrong"])
    def test_is_refused_with_a_wrong_password(
        self, desk: Desk, account: TradingAccount, password: str
    ) -> None:
        take_both_steps(client_of(desk), account, password)
        assert not is_live(account)

    def test_is_refused_after_too_many_wrong_passwords(
        self, desk: Desk, account: TradingAccount
    ) -> None:
        client = client_of(desk)
        for _ in range(11):
            take_both_steps(client, account, "wrong")
        take_both_steps(client, account)
        assert not is_live(account)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ("house", "LIVE_TRADING=on"),
            ("session", "Log in at Angel One first"),
            ("address", "Orders must come from 203.0.113.44"),
            ("reconciled", "press Compare now"),
            ("limit", "Largest loss in a day"),
        ],
    )
    def test_is_refused_while_something_is_missing(
        self, desk: Desk, account: TradingAccount, settings: Settings, change: str, words: str
    ) -> None:
        self.take_away(change, account, settings, desk)
        client = client_of(desk)
        assert words in client.get(url(account)).content.decode()
        take_both_steps(client, account)
        assert not is_live(account)

    def test_is_refused_when_something_goes_missing_in_between(
        self, desk: Desk, account: TradingAccount
    ) -> None:
        client = client_of(desk)
        client.post(url(account), {"name": account.name})
        RiskRule.objects.all().delete()
        client.post(url(account, "confirm/"), {"password": PASSWORD})
        assert not is_live(account)

    def test_takes_a_limit_of_its_own_currency_and_not_of_a_strategy(
        self, desk: Desk, account: TradingAccount
    ) -> None:
        RiskRule.objects.update(currency="USD")
        take_both_steps(client_of(desk), account)
        assert not is_live(account)

    def test_takes_the_name_and_the_password(self, desk: Desk, account: TradingAccount) -> None:
        take_both_steps(client_of(desk), account)
        assert is_live(account)

    @pytest.mark.parametrize(
        ("told", "is_real"),
        [({}, True), ({"environment": "live"}, True), ({"environment": "paper"}, False)],
    )
    def test_speaks_of_real_money_only_where_it_is(
        self, desk: Desk, account: TradingAccount, told: dict[str, str], is_real: bool
    ) -> None:
        account.connection.connection_metadata = {"login": told}
        account.connection.save()
        client = client_of(desk)
        first = client.get(url(account)).content.decode()
        assert ("with real money" in first, "the money is not real" in first) == (
            is_real, not is_real,
        )  # fmt: skip
        client.post(url(account), {"name": account.name})
        second = client.get(url(account, "confirm/")).content.decode()
        assert ("Real money for" in second) is is_real

    def test_speaks_of_no_real_money_where_the_broker_is_simulated(
        self, desk: Desk, account: TradingAccount, settings: Settings
    ) -> None:
        settings.BROKER_ENDPOINTS = {"angel": "http://127.0.0.1:9"}
        client = client_of(desk)
        first = client.get(url(account)).content.decode()
        assert "real money" not in first and "the money is not real" in first
        client.post(url(account), {"name": account.name})
        second = client.get(url(account, "confirm/")).content.decode()
        assert "Real money" not in second and "at a simulator" in second

    @pytest.mark.parametrize("address", ["", "203.0.113.44"])
    def test_claims_no_registered_address_where_there_is_none(
        self, desk: Desk, account: TradingAccount, address: str
    ) -> None:
        configure_address(account.connection, static_ip=address, egress="", now=desk.now)
        page = client_of(desk).get(url(account)).content.decode()
        assert ("no address is registered" in page) is (not address)

    def test_takes_both_steps_each_time(self, desk: Desk, account: TradingAccount) -> None:
        client = client_of(desk)
        take_both_steps(client, account)
        client.post(url(account, "off/"))
        client.post(url(account, "confirm/"), {"password": PASSWORD})
        assert not is_live(account)

    def test_is_on_record_and_told_to_every_manager(
        self, desk: Desk, account: TradingAccount
    ) -> None:
        admin = make_user("ravi")
        Membership.objects.create(workspace=desk.account.workspace, user=admin, role=Role.ADMIN)
        take_both_steps(client_of(desk), account)
        told = Notification.objects.filter(title__contains="Live trading was turned on")
        assert {each.user for each in told} == {desk.user, admin}
        assert SystemLog.objects.filter(message__contains="turned on for Angel by").exists()
        assert RequestLog.objects.filter(path=url(account, "confirm/")).exists()

    def take_away(self, what: str, account: TradingAccount, settings: Settings, desk: Desk) -> None:
        connection = account.connection
        if what == "house":
            settings.LIVE_TRADING = False
        elif what == "session":
            connection.status = ConnectionStatus.EXPIRED
            connection.save()
        elif what == "address":
            configure_address(connection, static_ip="203.0.113.44", egress="", now=desk.now)
        elif what == "reconciled":
            connection.accounts.update(reconciled_at=None)
        else:
            RiskRule.objects.all().delete()


class TestTurningOff:
    def test_takes_one_click(self, desk: Desk, account: TradingAccount) -> None:
        client = client_of(desk)
        take_both_steps(client, account)
        client.post(url(account, "off/"))
        assert not is_live(account)

    def test_is_told_once(self, desk: Desk, account: TradingAccount) -> None:
        client = client_of(desk)
        take_both_steps(client, account)
        for _ in range(2):
            client.post(url(account, "off/"))
        assert Notification.objects.filter(title__contains="turned off").count() == 1
