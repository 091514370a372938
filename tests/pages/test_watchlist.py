from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User, Workspace
from market.models import Instrument, Watchlist, WatchlistItem
from market.selectors import find_instruments
from market.watching import ITEMS_AT_MOST, LISTS_AT_MOST
from tests.builders import NOW, make_instrument, make_user, make_workspace

TODAY = NOW.date()
HTMX = {"HX-Request": "true"}


def make_option(strike: int, kind: str, *, days: int = 7) -> Instrument:
    expiry = TODAY + timedelta(days=days)
    return make_instrument(
        f"NFO:NIFTY{expiry:%y%b%d}{strike}{kind}".upper(),
        segment="NSE_FNO",
        instrument_type=kind,
        underlying="NIFTY",
        strike=Decimal(strike),
        expiry=expiry,
        lot_size=75,
    )


@pytest.fixture
def watchlist(user: User, workspace: Workspace) -> Watchlist:
    return Watchlist.objects.create(workspace=workspace, user=user, name="Morning")


class TestFindInstruments:
    def test_answers_nothing_for_nothing(self, db: None) -> None:
        make_instrument()
        assert find_instruments("  ", on=TODAY) == []

    def test_puts_the_very_symbol_first(self, db: None) -> None:
        make_instrument("NSE:RELINFRA")
        reliance = make_instrument("NSE:REL")
        assert find_instruments("rel", on=TODAY)[0] == reliance

    def test_finds_by_company_name(self, db: None) -> None:
        share = make_instrument("NSE:TCS", name="Tata Consultancy Services")
        assert find_instruments("consultancy", on=TODAY) == [share]

    def test_finds_a_contract_by_its_words(self, db: None) -> None:
        wanted = make_option(25000, "CE")
        make_option(25000, "PE")
        make_option(25100, "CE")
        assert find_instruments("nifty 25000 ce", on=TODAY) == [wanted]

    def test_puts_the_nearest_expiry_first(self, db: None) -> None:
        far, near = make_option(25000, "CE", days=35), make_option(25000, "CE", days=7)
        assert find_instruments("nifty 25000 ce", on=TODAY) == [near, far]

    def test_leaves_out_what_has_expired_or_is_delisted(self, db: None) -> None:
        make_option(25000, "CE", days=-1)
        make_instrument("NSE:NIFTYBEES", is_active=False)
        assert find_instruments("nifty", on=TODAY) == []


class TestSearch:
    def test_offers_to_buy_sell_and_watch(
        self, browser: Client, share: Instrument, watchlist: Watchlist
    ) -> None:
        page = browser.get("/market/search/", {"q": "rel"}, headers=HTMX).content.decode()
        assert "Buy RELIANCE" in page and "Sell RELIANCE" in page
        assert "Add RELIANCE to Morning" in page

    def test_writes_what_was_typed_harmlessly(self, browser: Client) -> None:
        page = browser.get("/market/search/", {"q": "<script>x"}).content.decode()
        assert "<script>x" not in page and "&lt;script&gt;x" in page

    def test_emptied_shows_the_list_again(
        self, browser: Client, share: Instrument, watchlist: Watchlist
    ) -> None:
        WatchlistItem.objects.create(watchlist=watchlist, instrument=share)
        page = browser.get("/market/search/", {"q": ""}, headers=HTMX).content.decode()
        assert "RELIANCE" in page


class TestWatchlist:
    def test_takes_an_instrument_once(
        self, browser: Client, share: Instrument, watchlist: Watchlist
    ) -> None:
        for _ in range(2):
            browser.post(f"/market/watchlists/{watchlist.pk}/add/", {"key": share.key})
        assert watchlist.items.count() == 1

    def test_that_is_full_says_so(
        self, browser: Client, share: Instrument, watchlist: Watchlist
    ) -> None:
        for number in range(ITEMS_AT_MOST):
            WatchlistItem.objects.create(
                watchlist=watchlist, instrument=make_instrument(f"NSE:S{number}")
            )
        address = f"/market/watchlists/{watchlist.pk}/add/"
        page = browser.post(address, {"key": share.key}, follow=True).content.decode()
        assert "and is full" in page and watchlist.items.count() == ITEMS_AT_MOST

    def test_of_another_person_is_not_found(self, browser: Client, share: Instrument) -> None:
        other = make_user("mira")
        theirs = Watchlist.objects.create(workspace=make_workspace(other), user=other, name="Hers")
        item = WatchlistItem.objects.create(watchlist=theirs, instrument=share)
        addresses = [f"/market/watchlists/{theirs.pk}/{act}/" for act in ("add", "delete")]
        addresses += [f"/market/watchlists/items/{item.pk}/remove/"]
        answers = [browser.post(each, {"key": share.key}).status_code for each in addresses]
        assert answers == [404, 404, 404]
        assert theirs.items.count() == 1

    def test_lets_an_instrument_go(
        self, browser: Client, share: Instrument, watchlist: Watchlist
    ) -> None:
        item = WatchlistItem.objects.create(watchlist=watchlist, instrument=share)
        page = browser.post(f"/market/watchlists/items/{item.pk}/remove/", headers=HTMX)
        assert "Morning is empty" in page.content.decode()

    def test_stays_chosen(self, browser: Client, user: User, workspace: Workspace) -> None:
        lists = [
            Watchlist.objects.create(workspace=workspace, user=user, name=name, position=place)
            for place, name in enumerate(("Morning", "Banks"))
        ]
        browser.get(f"/market/watchlists/{lists[1].pk}/")
        assert "Banks is empty" in browser.get("/").content.decode()


class TestManagingLists:
    def test_makes_a_list_and_opens_it(self, browser: Client) -> None:
        browser.post("/market/watchlists/new/", {"name": "Metals"})
        assert "Metals is empty" in browser.get("/").content.decode()

    @pytest.mark.parametrize("name", ["", "   ", "Morning"])
    def test_refuses_a_name_that_is_empty_or_taken(
        self, browser: Client, watchlist: Watchlist, name: str
    ) -> None:
        browser.post("/market/watchlists/new/", {"name": name})
        assert Watchlist.objects.count() == 1

    def test_refuses_more_lists_than_there_is_room_for(
        self, browser: Client, user: User, workspace: Workspace
    ) -> None:
        for number in range(LISTS_AT_MOST + 1):
            browser.post("/market/watchlists/new/", {"name": f"List {number}"})
        assert Watchlist.objects.count() == LISTS_AT_MOST

    def test_renames_a_list(self, browser: Client, watchlist: Watchlist) -> None:
        browser.post(f"/market/watchlists/{watchlist.pk}/rename/", {"name": "Evening"})
        watchlist.refresh_from_db()
        assert watchlist.name == "Evening"

    def test_asks_before_it_deletes(self, browser: Client, watchlist: Watchlist) -> None:
        address = f"/market/watchlists/{watchlist.pk}/delete/"
        assert f"Delete the watchlist {watchlist.name}?" in browser.get(address).content.decode()
        assert Watchlist.objects.exists()
        browser.post(address)
        assert not Watchlist.objects.exists()
