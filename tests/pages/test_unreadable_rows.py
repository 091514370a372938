"""What a broker lists and nobody can read is said wherever it is said whether both sides agree."""

import pytest
import time_machine
from django.urls import reverse
from pytest_django import Settings

from brokers.models import BrokerConnection
from brokers.rows import Listed, UnreadableRow
from tests.orders.desk import Desk
from tests.orders.live_desk import make_live_desk, reconcile, saying
from tests.pages.desks import client_of, client_of_stranger, queries_of

pytestmark = pytest.mark.django_db
ROW = UnreadableRow("netqty is no number: --", 1, instrument_key="NSE:RELIANCE", symbol="RELIANCE")


@pytest.fixture
def unread(settings: Settings) -> Desk:
    desk = make_live_desk(settings)
    desk.buy(10)
    with saying(Listed([], unreadable=[ROW])):
        reconcile(desk, after=30)
    return desk


def read(desk: Desk, path: str) -> str:
    with time_machine.travel(desk.now, tick=False):
        return client_of(desk).get(path).content.decode()


class TestARowThatCannotBeRead:
    @pytest.mark.parametrize("path", ["/", "/brokers/", "/brokers/part/"])
    def test_is_said_in_place_of_an_agreement(self, unread: Desk, path: str) -> None:
        page = read(unread, path)
        assert "cannot be read" in page
        assert reverse("portfolio:differences") in page

    def test_is_said_on_the_connection_s_page(self, unread: Desk) -> None:
        BrokerConnection.objects.update(broker_type="kite")  # only a real broker's has a page
        page = read(unread, reverse("brokers:detail", args=[unread.account.connection_id]))
        assert "1 row cannot be read" in page

    def test_is_named_with_what_it_holds_back(self, unread: Desk) -> None:
        page = read(unread, reverse("portfolio:differences"))
        assert "netqty is no number: --" in page
        assert "NSE:RELIANCE takes exits only" in page
        assert "No differences" not in page

    def test_of_another_desk_is_not_shown(self, unread: Desk) -> None:
        page = client_of_stranger().get(reverse("portfolio:differences")).content.decode()
        assert "netqty" not in page

    def test_costs_few_queries(self, unread: Desk) -> None:
        assert queries_of(client_of(unread), reverse("portfolio:differences_part")) <= 7

    def test_goes_with_the_row(self, unread: Desk) -> None:
        reconcile(unread, after=30)
        assert "cannot be read" not in read(unread, "/brokers/")
