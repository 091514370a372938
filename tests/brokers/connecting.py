"""A house pointed at a simulated Angel One, for tests of connecting it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from accounts.models import Workspace
from brokers.connecting import connect_real_broker
from brokers.models import BrokerConnection, LoginAttempt
from brokers.services import NewConnection
from brokers.tasks import run_login
from tests.brokers.angel.market import CREDENTIALS, AngelStand
from tests.builders import NOW

KITE = {"api_key": "kitedemo", "api_secret": "kite-demo-secret"}


@contextmanager
def simulated_angel() -> Iterator[AngelStand]:
    simulator = AngelStand()
    with simulator.server:
        yield simulator


def connect_angel(
    workspace: Workspace, *, alias: str = "Angel", **changes: str
) -> BrokerConnection:
    """Connect without logging in: that is a worker's part."""
    form = NewConnection("angel", alias, credentials={**CREDENTIALS, **changes})
    return connect_real_broker(workspace, user=workspace.owner, form=form, now=NOW)


def connect_kite(workspace: Workspace) -> BrokerConnection:
    form = NewConnection("kite", "Zerodha", credentials=KITE)
    return connect_real_broker(workspace, user=workspace.owner, form=form, now=NOW)


def work_off(connection: BrokerConnection, *, at: datetime = NOW) -> LoginAttempt:
    """Do what a worker would do with the connection's newest attempt; return how it ended."""
    attempt = newest_attempt(connection)
    run_login(attempt.pk, now=at)
    connection.refresh_from_db()
    attempt.refresh_from_db()
    return attempt


def newest_attempt(connection: BrokerConnection) -> LoginAttempt:
    return LoginAttempt.objects.filter(connection=connection).latest("created_at", "pk")
