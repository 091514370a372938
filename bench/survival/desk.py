"""A desk with one live account for each of a broker's clients, connected as a person does."""

import io
import time as pause
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import requests
from django.core.files import File
from django.utils import timezone

from accounts.models import User, Workspace
from accounts.services import create_workspace
from bench.survival.stands import Stand
from brokers.connecting import currency_of
from brokers.models import TradingAccount
from brokers.registry import master_of
from brokers.services import NewConnection, connect_broker
from brokers.sessions import open_session, session_secrets
from brokers.simulator.instruments import SimInstrument
from market.calendar import forget_overrides, local_day
from market.models import ImportKind, Instrument, ScheduleOverride
from market.services import Starter, run_import, start_import
from market.watching import add_to_watchlist, create_watchlist
from operations.models import ErrorLog
from orders.services.reconciling import reconcile_account
from risk.models import RuleType
from risk.services import add_rule
from risk.services.going_live import turn_live_on
from risk.services.limits import RuleTerms

USERNAME, PASSWORD = "survivor", "long enough 1"  # of a database that lives some minutes
_LARGEST_LOSS = Decimal(900_000)
_BETWEEN_LOGINS = 1.1  # Angel One takes one a second


@dataclass(frozen=True, slots=True)
class DeskShare:
    """One share as the simulator lists it and as this house knows it."""

    listed: SimInstrument
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Desk:
    user: User
    accounts: tuple[TradingAccount, ...]
    shares: tuple[DeskShare, ...]


class NotReady(Exception):
    """The desk could not be set up; then there is nothing to kill."""


def open_desk(broker: str, stand: Stand, simulator: str) -> Desk:
    """Connect every client, import the broker's list, agree with it and turn live trading on.

    :raises NotReady: when the list is refused, or an account does not agree.
    """
    _open_exchanges(stand)
    user = User.objects.create_user(USERNAME, f"{USERNAME}@example.com", PASSWORD)
    workspace = create_workspace(user, name="Survivors")
    accounts = [_connect(workspace, user, (broker, stand, simulator), c) for c in stand.clients]
    _import_list(accounts[0])
    desk = Desk(user, tuple(accounts), tuple(_shares(stand)))
    watchlist = create_watchlist(workspace, user=user, name="All")
    for share in desk.shares:  # so that the broker's stream carries them from the start
        add_to_watchlist(watchlist, instrument=share.instrument)
    terms = RuleTerms(RuleType.MAX_DAILY_LOSS, _LARGEST_LOSS, currency=currency_of(broker))
    add_rule(workspace, terms, by=user, now=timezone.now())
    for account in desk.accounts:
        _go_live(account, user)
    return desk


def _connect(
    workspace: Workspace, user: User, where: tuple[str, Stand, str], client: str
) -> TradingAccount:
    broker, stand, simulator = where
    form = NewConnection(broker, alias=client, credentials=stand.credentials(client))
    connection = connect_broker(workspace, user=user, form=form, now=timezone.now())
    open_session(connection, answer=stand.answer(simulator, client), now=timezone.now())
    pause.sleep(_BETWEEN_LOGINS)
    return TradingAccount.objects.create(
        workspace=workspace, connection=connection, name=client, currency=currency_of(broker)
    )


def _shares(stand: Stand) -> Iterator[DeskShare]:
    for listed in stand.shares(local_day(stand.exchanges[0], timezone.now())):
        yield DeskShare(listed, Instrument.objects.get(key=listed.ref.key))


def _go_live(account: TradingAccount, user: User) -> None:
    """:raises NotReady: when the account does not agree with its broker."""
    found = reconcile_account(account, clock=timezone.now)
    if not found.agrees:
        told = ErrorLog.objects.filter(related_account_id=account.pk).values_list(
            "message", flat=True
        )
        raise NotReady(f"{account.name} does not agree: {found.differences or list(told)}")
    account.refresh_from_db()
    turn_live_on(account, by=user, now=timezone.now())


def _open_exchanges(stand: Stand) -> None:
    """Let the exchanges trade all day and tomorrow, so that this can be tried at any hour."""
    for exchange in stand.exchanges:
        today = local_day(exchange, timezone.now())
        for day in (today, today + timedelta(days=1)):
            ScheduleOverride.objects.create(
                exchange=exchange,
                day=day,
                is_open=True,
                opens_at=time.min,
                closes_at=time.max,
                reason="A trial of survival",
            )
    forget_overrides()


def _import_list(account: TradingAccount) -> None:
    """:raises NotReady: when the broker's list cannot be fetched or is refused."""
    master = master_of(account.connection.broker_type)
    secrets = session_secrets(account.connection, now=timezone.now())
    address = master.address(secrets)
    answer = requests.get(address, headers=master.headers(secrets), timeout=30)
    answer.raise_for_status()
    name = urlsplit(address).path.rpartition("/")[2]
    kept = File(io.BytesIO(answer.content), name=name)
    run = start_import(kept, kind=ImportKind(master.KIND), by=Starter(), now=timezone.now())
    done = run_import(run.pk, clock=timezone.now)
    if done.status != "COMPLETED":
        raise NotReady(f"The instrument list: {done.error_message}")
