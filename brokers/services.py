"""What a person does with brokers: connect, disconnect, open a practice account, fund it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from kombu.exceptions import OperationalError

from accounts.models import User, Workspace
from brokers.clients import forget_client
from brokers.logging_in import give_up_logins
from brokers.models import (
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    EntryKind,
    PaperAccount,
    PaperLedgerEntry,
    TradingAccount,
)
from brokers.registry import UnknownBroker, brokers
from brokers.venue import IST
from operations.events import publish

PAPER = "paper"
logger = logging.getLogger(__name__)


class NameTaken(Exception):
    """The person has a connection, or the workspace an account, of that name already."""


class NotPaper(Exception):
    """The account is not at the paper broker: no money can be made up for it."""


class FundsInvalid(Exception):
    """The amount is not positive, or more than what may be taken out."""


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What a person fills in to connect a broker; the credentials are sealed at once."""

    broker_type: str
    alias: str
    client_code: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def connect_broker(
    workspace: Workspace, *, user: User, form: NewConnection, now: datetime
) -> BrokerConnection:
    """Write a way to a broker. Nothing is sent: the first login happens where orders are sent.

    :raises UnknownBroker: when no adapter has that name.
    :raises NameTaken: when the person uses the alias already.
    """
    broker = next((each for each in brokers() if each.name == form.broker_type), None)
    if broker is None:
        raise UnknownBroker(f"No broker is called {form.broker_type}")
    connection = BrokerConnection(
        workspace=workspace,
        user=user,
        broker_type=broker.name,
        alias=form.alias,
        client_code=form.client_code,
        paper_trading=broker.is_paper,
    )
    if form.credentials:
        connection.seal_credentials(dict(form.credentials))
    if broker.is_paper:
        connection.status = ConnectionStatus.CONNECTED
    _save_new(connection, taken=f"You have a connection called {form.alias} already")
    publish("brokers", workspace_id=workspace.pk, subject_id=connection.pk, now=now)
    return connection


@transaction.atomic
def disconnect_broker(connection: BrokerConnection, *, now: datetime) -> None:
    """End the broker session, and every login under way; a worker then logs out at the broker.

    Orders and accounts stay; nothing more is sent until somebody logs in again.
    """
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    good = held.auth_tokens.filter(Q(expires_at=None) | Q(expires_at__gt=now), is_active=True)
    for token_id in good.values_list("pk", flat=True):
        transaction.on_commit(partial(_log_out_soon, str(token_id)))
    _end_session(held, words="Given up: the broker was disconnected", now=now)


@transaction.atomic
def replace_credentials(
    connection: BrokerConnection, *, credentials: Mapping[str, str], now: datetime
) -> None:
    """Seal new credentials. Sessions and logins of the old ones end, and so does what was known
    of their client, unless something stands in the accounts' books: see ``forget_client``.
    """
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    held.seal_credentials(dict(credentials))
    forget_client(held)
    held.save(update_fields=["credentials", "client_code", "connection_metadata", "updated_at"])
    _end_session(held, words="Given up: the credentials were replaced", now=now)


@transaction.atomic
def open_paper_account(
    workspace: Workspace, *, user: User, name: str, cash: Decimal, now: datetime
) -> TradingAccount:
    """Open an account at the paper broker with that much made-up money, ready to trade.

    :raises NameTaken: when the workspace has an account of that name.
    :raises FundsInvalid: when the cash is negative.
    """
    if cash < 0:
        raise FundsInvalid("An account cannot open with less than nothing")
    connection = connect_broker(
        workspace, user=user, form=NewConnection(PAPER, alias=name), now=now
    )
    account = TradingAccount(
        workspace=workspace, connection=connection, name=name, margin=cash, reconciled_at=now
    )
    _save_new(account, taken=f"The workspace has an account called {name} already")
    book = PaperAccount.objects.create(
        account=account, cash=cash, opening_cash=cash, opened_on=now.astimezone(IST).date()
    )
    if cash:
        PaperLedgerEntry.objects.create(book=book, kind=EntryKind.TRANSFER, amount=cash, at=now)
    return account


@transaction.atomic
def add_paper_funds(account: TradingAccount, *, amount: Decimal, now: datetime) -> Decimal:
    """Put made-up money into a paper account, or take it out (negative); return its cash.

    :raises NotPaper: when the account is at a real broker.
    :raises FundsInvalid: when nothing would move, or more would leave than is there.
    """
    if account.connection.broker_type != PAPER:
        raise NotPaper(f"{account.name} is not a paper account")
    if not amount:
        raise FundsInvalid("The amount must not be zero")
    book, _ = PaperAccount.objects.get_or_create(account=account)
    enough = PaperAccount.objects.filter(pk=book.pk, cash__gte=max(-amount, Decimal(0)))
    if not enough.update(cash=F("cash") + amount):
        raise FundsInvalid(f"Only ₹{book.cash:,.2f} can be taken out")
    PaperLedgerEntry.objects.create(book=book, kind=EntryKind.TRANSFER, amount=amount, at=now)
    publish("funds", workspace_id=account.workspace_id, subject_id=account.pk, now=now)
    book.refresh_from_db()
    return book.cash


def _end_session(held: BrokerConnection, *, words: str, now: datetime) -> None:
    held.status = ConnectionStatus.DISCONNECTED
    held.save(update_fields=["status", "updated_at"])
    AuthToken.objects.filter(connection=held, is_active=True).update(is_active=False)
    give_up_logins(held, words=words, now=now)
    publish("brokers", workspace_id=held.workspace_id, subject_id=held.pk, now=now)


def _log_out_soon(token_id: str) -> None:
    try:
        current_app.send_task(
            "brokers.tasks.log_out", kwargs={"token_id": token_id}, queue="sync", retry=False
        )
    except OperationalError:
        logger.warning("no worker could be asked to log out at the broker")


def _save_new(row: BrokerConnection | TradingAccount, *, taken: str) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(taken) from error
