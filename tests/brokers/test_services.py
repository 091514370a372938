"""What a person does with brokers."""

from decimal import Decimal

import pytest

from accounts.models import User, Workspace
from brokers.models import (
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    PaperLedgerEntry,
    TradingAccount,
)
from brokers.registry import UnknownBroker, gateway_for
from brokers.services import (
    FundsInvalid,
    NameTaken,
    NewConnection,
    NotPaper,
    add_paper_funds,
    connect_broker,
    disconnect_broker,
    open_paper_account,
    replace_credentials,
)
from operations.models import Event
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def workspace(user: User) -> Workspace:
    return make_workspace(user)


def open_account(workspace: Workspace, cash: str = "50000") -> TradingAccount:
    return open_paper_account(
        workspace, user=workspace.owner, name="Practice", cash=Decimal(cash), now=NOW
    )


def connect(workspace: Workspace, **credentials: str) -> BrokerConnection:
    form = NewConnection("paper", alias="Mine", credentials=credentials)
    return connect_broker(workspace, user=workspace.owner, form=form, now=NOW)


class TestOpenPaperAccount:
    def test_refuses_a_name_that_is_taken(self, workspace: Workspace) -> None:
        open_account(workspace)
        with pytest.raises(NameTaken, match="Practice"):
            open_account(workspace)

    def test_refuses_less_than_no_money(self, workspace: Workspace) -> None:
        with pytest.raises(FundsInvalid):
            open_account(workspace, cash="-1")

    def test_is_ready_to_trade(self, workspace: Workspace) -> None:
        account = open_account(workspace)
        assert (account.is_paper, account.may_send, account.reconciled_at) == (True, True, NOW)

    def test_has_its_money_at_the_broker(self, workspace: Workspace) -> None:
        funds = gateway_for(open_account(workspace), clock=lambda: NOW).funds()
        assert {funds.cash, funds.available, funds.opening_balance} == {Decimal(50_000)}

    def test_can_begin_without_money(self, workspace: Workspace) -> None:
        funds = gateway_for(open_account(workspace, cash="0"), clock=lambda: NOW).funds()
        assert funds.cash == 0


class TestAddPaperFunds:
    def test_refuses_an_account_at_a_real_broker(self, workspace: Workspace) -> None:
        account = open_account(workspace)
        account.connection.broker_type = "angelone"
        with pytest.raises(NotPaper):
            add_paper_funds(account, amount=Decimal(1), now=NOW)

    def test_refuses_nothing(self, workspace: Workspace) -> None:
        with pytest.raises(FundsInvalid):
            add_paper_funds(open_account(workspace), amount=Decimal(0), now=NOW)

    def test_refuses_to_take_out_more_than_there_is(self, workspace: Workspace) -> None:
        with pytest.raises(FundsInvalid, match=r"Only ₹50,000\.00"):
            add_paper_funds(open_account(workspace), amount=Decimal("-50000.01"), now=NOW)

    def test_adds(self, workspace: Workspace) -> None:
        assert add_paper_funds(open_account(workspace), amount=Decimal(5), now=NOW) == 50_005

    def test_takes_out(self, workspace: Workspace) -> None:
        assert add_paper_funds(open_account(workspace), amount=Decimal(-50_000), now=NOW) == 0

    def test_writes_each_movement_down(self, workspace: Workspace) -> None:
        add_paper_funds(open_account(workspace), amount=Decimal(5), now=NOW)
        amounts = PaperLedgerEntry.objects.order_by("pk").values_list("amount", flat=True)
        assert list(amounts) == [Decimal(50_000), Decimal(5)]


class TestConnectBroker:
    def test_refuses_a_broker_nobody_knows(self, workspace: Workspace) -> None:
        with pytest.raises(UnknownBroker):
            connect_broker(
                workspace, user=workspace.owner, form=NewConnection("nobody", "Mine"), now=NOW
            )

    def test_refuses_an_alias_that_is_taken(self, workspace: Workspace) -> None:
        connect(workspace)
        with pytest.raises(NameTaken):
            connect(workspace)

    def test_seals_the_credentials(self, workspace: Workspace) -> None:
        connection = connect(workspace, pin="4321")
        connection.refresh_from_db()
        assert "4321" not in connection.credentials
        assert connection.read_credentials() == {"pin": "4321"}

    def test_tells_the_pages(self, workspace: Workspace) -> None:
        connection = connect(workspace)
        assert Event.objects.filter(kind="brokers", subject_id=str(connection.pk)).exists()


class TestDisconnectBroker:
    def test_ends_the_session(self, workspace: Workspace) -> None:
        connection = connect(workspace)
        AuthToken.objects.create(connection=connection)
        disconnect_broker(connection, now=NOW)
        connection.refresh_from_db()
        assert connection.status == ConnectionStatus.DISCONNECTED
        assert not AuthToken.objects.filter(is_active=True).exists()


class TestReplaceCredentials:
    def test_keeps_only_the_new_ones(self, workspace: Workspace) -> None:
        connection = connect(workspace, pin="1111")
        replace_credentials(connection, credentials={"pin": "2222"}, now=NOW)
        connection.refresh_from_db()
        assert connection.read_credentials() == {"pin": "2222"}

    def test_ends_the_session_of_the_old_ones(self, workspace: Workspace) -> None:
        connection = connect(workspace, pin="1111")
        AuthToken.objects.create(connection=connection)
        replace_credentials(connection, credentials={"pin": "2222"}, now=NOW)
        assert not AuthToken.objects.filter(is_active=True).exists()
