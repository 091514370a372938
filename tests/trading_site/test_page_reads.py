"""What a page asks of the database: few questions, and none of them about somebody else."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.middleware import WORKSPACE_KEY
from accounts.models import Membership, Role, UserSession, Workspace
from market.models import Watchlist, WatchlistItem
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from portfolio.services.practice import open_practice_account
from risk.models import RuleType
from risk.services import add_rule
from risk.services.limits import RuleTerms
from tests.builders import NOW, make_instrument, make_user, make_workspace
from tests.orders.desk import Desk, make_desk

MOST_OF_HOME = 15
MOST_OF_ORDERS = 13


@pytest.fixture
def now() -> Iterator[datetime]:
    with time_machine.travel(NOW, tick=False):
        yield timezone.now()


@pytest.fixture
def desk(db: None, now: datetime) -> Desk:
    return make_desk()


def signed_in(desk: Desk) -> Client:
    client = Client()
    client.force_login(desk.user)
    return client


def queries(client: Client, address: str) -> int:
    client.get(address)  # the first request of a session writes to it
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def make_lively(desk: Desk) -> None:
    """Two accounts, one of them idle, a position, an alert, a watchlist, an index and limits."""
    workspace = desk.account.workspace
    make_instrument("NSE:NIFTY 50", instrument_type="INDEX")
    open_practice_account(
        workspace, user=desk.user, name="Second", cash=Decimal(50000), now=desk.now
    )
    watched = Watchlist.objects.create(workspace=workspace, user=desk.user, name="Morning")
    WatchlistItem.objects.create(watchlist=watched, instrument=desk.instrument)
    add_rule(workspace, RuleTerms(RuleType.MAX_DAILY_LOSS, Decimal(900)), by=desk.user, now=NOW)
    own = RuleTerms(RuleType.MAX_DAILY_LOSS, Decimal(800), account=desk.account)
    add_rule(workspace, own, by=desk.user, now=NOW)
    desk.buy()
    desk.place(limit="95.00")


class TestHome:
    def test_of_a_lively_desk_costs_few_queries(self, desk: Desk) -> None:
        make_lively(desk)
        assert queries(signed_in(desk), "/") <= MOST_OF_HOME

    def test_tells_the_money_of_an_idle_account_too(self, desk: Desk) -> None:
        make_lively(desk)
        home = signed_in(desk).get("/").context["home"]
        assert (home.money.accounts, home.money.available) == (1, 50000)
        assert home.summary.capital_at_start == 50000

    def test_shows_no_limit_where_there_is_none(self, desk: Desk) -> None:
        assert signed_in(desk).get("/").context["home"].loss_limit is None


class TestOrders:
    def test_of_a_lively_desk_cost_few_queries(self, desk: Desk) -> None:
        make_lively(desk)
        assert queries(signed_in(desk), "/orders/") <= MOST_OF_ORDERS


class TestSignIn:
    def test_ended_on_one_device_stands_on_the_other(self, desk: Desk) -> None:
        laptop, phone = signed_in(desk), signed_in(desk)
        UserSession.objects.filter(pk=laptop.session["user_session_id"]).update(ended_at=NOW)
        assert laptop.get("/")["Location"] == "/accounts/login/"
        assert phone.get("/").status_code == 200

    def test_does_not_stand_on_the_row_of_another_person(self, desk: Desk) -> None:
        other = make_user("mira")
        make_workspace(other, "Other")
        theirs = Client()
        theirs.force_login(other)
        mine = signed_in(desk)
        session = mine.session
        session["user_session_id"] = theirs.session["user_session_id"]
        session.save()
        assert mine.get("/")["Location"] == "/accounts/login/"

    def test_without_a_desk_is_refused_in_words(self, desk: Desk) -> None:
        Membership.objects.all().delete()
        answer = signed_in(desk).get("/")
        assert answer.status_code == 403 and b"You belong to no desk" in answer.content

    def test_enters_the_first_desk_when_the_chosen_one_is_left(self, desk: Desk) -> None:
        second = make_workspace(make_user("mira"), "Second")
        Membership.objects.create(workspace=second, user=desk.user, role=Role.VIEWER)
        client = signed_in(desk)
        session = client.session
        session[WORKSPACE_KEY] = str(second.pk)
        session.save()
        assert client.get("/").context["shell"].workspace == second
        Membership.objects.filter(workspace=second, user=desk.user).delete()
        assert client.get("/").context["shell"].workspace == desk.account.workspace


class TestIndexLine:
    def test_is_asked_of_the_database_once(self, desk: Desk) -> None:
        make_instrument("NSE:NIFTY 50", instrument_type="INDEX")
        client = signed_in(desk)
        client.get("/")
        make_instrument("NSE:BANKNIFTY", instrument_type="INDEX")
        page = client.get("/").content
        assert b"NIFTY 50" in page and b"BANKNIFTY" not in page

    def test_shows_the_first_index_at_once(self, desk: Desk) -> None:
        client = signed_in(desk)
        client.get("/")
        make_instrument("NSE:NIFTY 50", instrument_type="INDEX")
        assert b"NIFTY 50" in client.get("/").content


class TestAlertsOfTwoDesks:
    def test_are_shown_and_counted_at_their_own(self, desk: Desk) -> None:
        here, there = desk.account.workspace, make_workspace(desk.user, "Second")
        for workspace, title in ((here, "Ours"), (there, "Theirs"), (there, "Theirs too")):
            self.tell(desk, title, workspace)
        client = signed_in(desk)
        page = client.get("/")
        assert [alert.title for alert in page.context["home"].alerts] == ["Ours"]
        assert b"Notifications, 1 unread" in page.content
        self.enter(client, there)
        page = client.get("/")
        assert [alert.title for alert in page.context["home"].alerts] == ["Theirs too", "Theirs"]
        assert b"Notifications, 2 unread" in page.content

    def test_are_read_at_their_own_alone(self, desk: Desk) -> None:
        here, there = desk.account.workspace, make_workspace(desk.user, "Second")
        for workspace in (here, there):
            self.tell(desk, "Look", workspace)
        client = signed_in(desk)
        client.post("/notifications/read/")
        assert b"Notifications, 0 unread" in client.get("/shell/bell/").content
        self.enter(client, there)
        assert b"Notifications, 1 unread" in client.get("/shell/bell/").content

    def test_of_no_desk_are_at_both(self, desk: Desk) -> None:
        there = make_workspace(desk.user, "Second")
        self.tell(desk, "For all", None)
        client = signed_in(desk)
        assert b"Notifications, 1 unread" in client.get("/shell/bell/").content
        self.enter(client, there)
        assert b"Notifications, 1 unread" in client.get("/shell/bell/").content

    def tell(self, desk: Desk, title: str, workspace: Workspace | None) -> None:
        notify(
            desk.user,
            kind=NotificationType.RISK_ALERT,
            level=AlertLevel.INFO,
            title=title,
            message="",
            now=desk.now,
            workspace=workspace,
        )

    def enter(self, client: Client, workspace: Workspace) -> None:
        session = client.session
        session[WORKSPACE_KEY] = str(workspace.pk)
        session.save()
