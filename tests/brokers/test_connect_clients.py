"""Whose login a connection is: one client's, whatever is typed or signed in as later."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import Workspace
from brokers.connecting import leave_broker, renew_credentials
from brokers.models import (
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    LoginStatus,
    TradingAccount,
)
from brokers.sessions import open_session
from brokers.terms import Product, Side
from notifications.models import Notification
from portfolio.models import Holding, Position, PositionSide
from tests.brokers.alpaca.market import AlpacaStand
from tests.brokers.angel.market import CREDENTIALS, AngelStand
from tests.brokers.connecting import connect_angel, simulated_angel, work_off
from tests.builders import NOW, make_instrument, make_user, make_workspace
from tests.portfolio.fills import make_order

pytestmark = pytest.mark.django_db
OTHER = {**CREDENTIALS, "client_code": "D200"}


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


@pytest.fixture
def angel(desk: Workspace) -> BrokerConnection:
    """Logged in as D100, its account compared with the broker and live."""
    connection = connect_angel(desk)
    work_off(connection)
    connection.accounts.update(live_enabled=True, reconciled_at=NOW)
    return connection


def renew(connection: BrokerConnection, credentials: dict[str, str]) -> None:
    owner = connection.workspace.owner
    renew_credentials(connection, by=owner, credentials=credentials, now=NOW)


def write_into_books(account: TradingAccount, what: str) -> None:
    instrument = make_instrument()
    owner = {"workspace": account.workspace, "account": account, "instrument": instrument}
    if what == "order":
        make_order(account, instrument, Side.BUY, 10)
    elif what == "position":
        Position.objects.create(
            **owner,
            user=account.workspace.owner,
            product=Product.MIS,
            session_date=NOW.date(),
            side=PositionSide.LONG,
            quantity=10,
            opened_at=NOW,
        )
    else:
        Holding.objects.create(**owner, as_of=NOW)


class TestALoginAsAnotherClient:
    @pytest.fixture
    def of_another(self, angel: BrokerConnection) -> BrokerConnection:
        """As if a person signs in on the broker's page as somebody else than ever before."""
        BrokerConnection.objects.filter(pk=angel.pk).update(client_code="D900")
        AuthToken.objects.update(is_active=False)
        return angel

    def test_is_refused_in_words_to_act_on(self, of_another: BrokerConnection) -> None:
        renewed = of_another.login_attempts.create(by=of_another.user, created_at=NOW, moved_at=NOW)
        assert work_off(of_another).pk == renewed.pk
        renewed.refresh_from_db()
        assert "the login of D100, but Angel belongs to D900" in renewed.words
        assert "as a new connection" in renewed.words

    def test_changes_nothing(self, of_another: BrokerConnection) -> None:
        of_another.login_attempts.create(by=of_another.user, created_at=NOW, moved_at=NOW)
        work_off(of_another)
        assert of_another.client_code == "D900"
        assert not AuthToken.objects.filter(is_active=True).exists()

    def test_is_none_for_another_way_to_write_the_code(self, angel: BrokerConnection) -> None:
        BrokerConnection.objects.filter(pk=angel.pk).update(client_code="d100")
        assert open_session(angel, answer={}, now=NOW).is_active


class TestATwin:
    def test_that_is_refused_does_not_stand_in_the_first_ones_way(
        self, angel: BrokerConnection, desk: Workspace
    ) -> None:
        twin = connect_angel(desk, alias="Twin")
        assert work_off(twin).status == LoginStatus.FAILED
        assert twin.client_code == ""
        assert open_session(angel, answer={}, now=NOW).is_active

    def test_that_was_disconnected_does_not_come_back_into_its_way(
        self, angel: BrokerConnection, desk: Workspace
    ) -> None:
        leave_broker(angel, by=desk.owner, now=NOW)
        second = connect_angel(desk, alias="Second")
        assert work_off(second).status == LoginStatus.DONE
        angel.login_attempts.create(by=desk.owner, created_at=NOW, moved_at=NOW)
        assert "connected already, as Second" in work_off(angel).words
        assert angel.status == ConnectionStatus.DISCONNECTED
        assert open_session(second, answer={}, now=NOW).is_active


class TestNewCredentials:
    def test_turn_live_trading_off_and_tell_it(self, angel: BrokerConnection) -> None:
        renew(angel, CREDENTIALS)
        assert not angel.accounts.filter(live_enabled=True).exists()
        told = Notification.objects.get(title="Live trading was turned off for Angel")
        assert "the credentials were replaced" in told.message

    def test_of_another_client_are_taken_while_the_books_are_empty(
        self, angel: BrokerConnection
    ) -> None:
        renew(angel, OTHER)
        assert work_off(angel).status == LoginStatus.DONE
        assert angel.client_code == "D200"

    def test_make_the_account_be_compared_anew(self, angel: BrokerConnection) -> None:
        renew(angel, OTHER)
        assert angel.accounts.get().reconciled_at is None

    @pytest.mark.parametrize("what", ["order", "position", "holding"])
    def test_of_another_client_are_refused_once_the_books_hold_something(
        self, angel: BrokerConnection, what: str
    ) -> None:
        write_into_books(angel.accounts.get(), what)
        renew(angel, OTHER)
        assert "the login of D200, but Angel belongs to D100" in work_off(angel).words
        assert not AuthToken.objects.filter(is_active=True).exists()

    def test_of_the_same_client_go_on_with_its_books(self, angel: BrokerConnection) -> None:
        write_into_books(angel.accounts.get(), "order")
        renew(angel, CREDENTIALS)
        assert work_off(angel).status == LoginStatus.DONE
        assert angel.accounts.get().reconciled_at == NOW

    def test_let_go_of_what_the_old_login_told(self, settings: Settings) -> None:
        with AlpacaStand() as alpaca, alpaca.in_place(settings):
            connection = alpaca.connected().connection
            connection.refresh_from_db()
            assert connection.connection_metadata["login"] == {"environment": "paper"}
            renew(connection, {**alpaca.credentials, "environment": "live"})
            connection.refresh_from_db()
            assert connection.connection_metadata["login"] == {}
