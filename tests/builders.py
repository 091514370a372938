"""Builders of the smallest real thing a test needs, with defaults; name what matters."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from django.contrib.auth.hashers import make_password

from accounts.models import Membership, Role, User, Workspace
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.terms import InstrumentType, Segment
from market.models import Instrument

PASSWORD = "long enough 1"
NOW = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)  # a Wednesday, 10:30 in Kolkata, market open


def make_user(username: str = "asha", **fields: object) -> User:
    return User.objects.create(
        username=username,
        **{"email": f"{username}@example.com", "password": _password_hash(), **fields},
    )


@cache
def _password_hash() -> str:
    # A password is meant to be slow to hash: once for all tests is enough.
    return make_password(PASSWORD)


def make_workspace(owner: User, name: str = "Desk") -> Workspace:
    workspace = Workspace.objects.create(name=name, owner=owner)
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    return workspace


def make_account(workspace: Workspace, name: str = "Practice", **fields: object) -> TradingAccount:
    """An account at the paper broker, reconciled and ready to trade; without money."""
    connection = BrokerConnection.objects.create(
        workspace=workspace,
        user=workspace.owner,
        broker_type="paper",
        alias=name,
        status=ConnectionStatus.CONNECTED,
    )
    return TradingAccount.objects.create(
        workspace=workspace, connection=connection, name=name, **{"reconciled_at": NOW, **fields}
    )


def make_account_at(broker: str, workspace: Workspace) -> TradingAccount:
    """An account at a real broker, logged in there; live trading is off."""
    account = make_account(workspace, f"At {broker}")
    connection = account.connection
    connection.broker_type, connection.paper_trading = broker, False
    connection.save(update_fields=["broker_type", "paper_trading"])
    return account


def make_instrument(key: str = "NSE:RELIANCE", **fields: object) -> Instrument:
    exchange, _, symbol = key.partition(":")
    return Instrument.objects.create(
        **{
            "key": key,
            "exchange": exchange,
            "trading_symbol": symbol,
            "segment": Segment.NSE_EQ,
            "instrument_type": InstrumentType.EQ,
            "tick_size": Decimal("0.05"),
            **fields,
        }
    )
