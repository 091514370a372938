"""What a page test starts from: a desk with a paper account, money and a quoted share."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User, Workspace
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from market.models import Instrument
from market.quotes import QuoteView, put_quotes
from tests.builders import NOW, make_instrument, make_user, make_workspace
from tests.orders.desk import Desk, make_desk


@pytest.fixture
def now() -> Iterator[datetime]:
    """Stop the clock at a Wednesday, 10:30 in Kolkata."""
    with time_machine.travel(NOW, tick=False):
        yield timezone.now()


@pytest.fixture
def desk(db: None, now: datetime) -> Desk:
    """A trader with money at the paper broker and RELIANCE at 100.00, in an open market."""
    return make_desk()


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def workspace(user: User) -> Workspace:
    return make_workspace(user)


@pytest.fixture
def account(workspace: Workspace, now: datetime) -> TradingAccount:
    return open_paper_account(
        workspace, user=workspace.owner, name="Practice", cash=Decimal(100000), now=now
    )


@pytest.fixture
def share(db: None, now: datetime) -> Instrument:
    """RELIANCE on the simulated exchange at 1,400.00, up 1 % on the day."""
    instrument = make_instrument("SIM:RELIANCE", name="Reliance Industries")
    put_quotes([quote_at(instrument, "1400.00", at=now)])
    return instrument


@pytest.fixture
def browser(client: Client, user: User, workspace: Workspace, now: datetime) -> Client:
    """A signed-in trader's client, at the desk."""
    client.force_login(user)
    return client


def quote_at(instrument: Instrument, ltp: str, *, at: datetime) -> QuoteView:
    price = Decimal(ltp)
    return QuoteView(
        key=instrument.key,
        ltp=price,
        bid=price - instrument.tick_size,
        ask=price + instrument.tick_size,
        open=price,
        high=price,
        low=price,
        previous_close=price / Decimal("1.01"),
        volume=1000,
        as_of=at,
        session_date=(at + timedelta(hours=5, minutes=30)).date(),
    )
