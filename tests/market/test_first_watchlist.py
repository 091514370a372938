"""The + beside a found instrument, for a person who may not have a list yet."""

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Role, User, Workspace
from market.models import Watchlist, WatchlistItem
from market.watching import FIRST_LIST, ITEMS_AT_MOST
from tests.builders import NOW, make_instrument, make_user, make_workspace

ADDRESS = "/market/watchlists/add/"


@pytest.fixture(autouse=True)
def now() -> Iterator[datetime]:
    with time_machine.travel(NOW, tick=False):
        yield timezone.now()


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def workspace(user: User) -> Workspace:
    return make_workspace(user)


@pytest.fixture
def browser(client: Client, user: User, workspace: Workspace) -> Client:
    client.force_login(user)
    return client


class TestAddFirstRefuses:
    def test_a_stranger(self, client: Client, db: None) -> None:
        make_instrument("NSE:TCS")
        answer = client.post(ADDRESS, {"key": "NSE:TCS"})
        assert answer["Location"].startswith("/accounts/login/")
        assert not Watchlist.objects.exists()

    def test_a_person_without_a_desk(self, client: Client, user: User) -> None:
        make_instrument("NSE:TCS")
        client.force_login(user)
        assert client.post(ADDRESS, {"key": "NSE:TCS"}).status_code == 403
        assert not Watchlist.objects.exists()

    def test_to_write_on_get(self, browser: Client) -> None:
        assert browser.get(ADDRESS, {"key": "NSE:TCS"}).status_code == 405

    @pytest.mark.parametrize("key", ["", "NSE:NOTHING", "NSE:OLD"])
    def test_an_instrument_that_is_none_and_makes_no_list(self, browser: Client, key: str) -> None:
        make_instrument("NSE:OLD", is_active=False)
        assert browser.post(ADDRESS, {"key": key}).status_code == 404
        assert not Watchlist.objects.exists()

    def test_more_than_the_list_holds_in_words(
        self, browser: Client, user: User, workspace: Workspace
    ) -> None:
        full = Watchlist.objects.create(workspace=workspace, user=user, name="Full")
        for number in range(ITEMS_AT_MOST):
            share = make_instrument(f"NSE:S{number}")
            WatchlistItem.objects.create(watchlist=full, instrument=share)
        make_instrument("NSE:TCS")
        page = browser.post(ADDRESS, {"key": "NSE:TCS"}, follow=True).content.decode()
        assert "Full has 100 instruments and is full" in page


class TestAddFirst:
    def test_makes_the_first_list(self, browser: Client, user: User) -> None:
        make_instrument("NSE:TCS")
        browser.post(ADDRESS, {"key": "NSE:TCS"})
        made = Watchlist.objects.get()
        assert (made.user, made.name) == (user, FIRST_LIST)
        assert made.items.get().instrument.key == "NSE:TCS"

    def test_takes_the_list_that_is_there(
        self, browser: Client, user: User, workspace: Workspace
    ) -> None:
        mine = Watchlist.objects.create(workspace=workspace, user=user, name="Morning")
        make_instrument("NSE:TCS")
        browser.post(ADDRESS, {"key": "NSE:TCS"})
        assert mine.items.count() == Watchlist.objects.count() == 1

    def test_never_takes_the_list_of_another_member(
        self, browser: Client, workspace: Workspace
    ) -> None:
        other = make_user("mira")
        Membership.objects.create(workspace=workspace, user=other, role=Role.TRADER)
        hers = Watchlist.objects.create(workspace=workspace, user=other, name="Hers")
        make_instrument("NSE:TCS")
        browser.post(ADDRESS, {"key": "NSE:TCS"})
        assert not hers.items.exists()

    def test_is_open_to_a_viewer_whose_list_is_their_own(
        self, client: Client, workspace: Workspace
    ) -> None:
        viewer = make_user("vik")
        Membership.objects.create(workspace=workspace, user=viewer, role=Role.VIEWER)
        make_instrument("NSE:TCS")
        client.force_login(viewer)
        client.post(ADDRESS, {"key": "NSE:TCS"})
        assert Watchlist.objects.get().user == viewer

    def test_is_where_the_search_points_without_a_list(self, browser: Client) -> None:
        make_instrument("NSE:TCS")
        page = browser.get("/market/search/", {"q": "tcs"}).content.decode()
        assert reverse("market:add_first") == ADDRESS and f'action="{ADDRESS}"' in page
        assert "Add TCS to your watchlist" in page
