from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.models import Membership, Role, Workspace
from market.calendar import is_trading_day
from market.holidays import publish_year
from tests.builders import make_instrument, make_user, make_workspace
from trading_site.market_day import WARNED_DAYS, CalendarEnd, calendar_ends

pytestmark = pytest.mark.django_db

LAST_DAY = date(2026, 12, 31)
IN_TIME = datetime(2026, 11, 16, 6, tzinfo=UTC)
SOON = datetime(2026, 11, 17, 6, tzinfo=UTC)
WORDS = "The trading days of NSE are known only until 31 December 2026"


@pytest.fixture
def soon() -> Iterator[None]:
    with time_machine.travel(SOON, tick=False):
        yield


@pytest.fixture
def workspace(db: None) -> Workspace:
    make_instrument("NSE:NIFTY 50", instrument_type="INDEX")
    return make_workspace(make_user())


def page_for(workspace: Workspace, role: Role, address: str) -> str:
    user = make_user(role)
    Membership.objects.create(workspace=workspace, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client.get(address).content.decode()


class TestCalendarEnds:
    def test_are_none_while_enough_days_are_known(self) -> None:
        assert calendar_ends(["NSE"], now=IN_TIME) == []

    def test_name_the_last_known_day_and_the_command(self) -> None:
        assert LAST_DAY - SOON.date() < timedelta(days=WARNED_DAYS)
        (end,) = calendar_ends(["NSE"], now=SOON)
        assert end == CalendarEnd("NSE", LAST_DAY)
        assert end.command == (
            "python manage.py import_holidays holidays-2027.csv --exchange NSE --year 2027"
        )

    def test_name_each_exchange(self) -> None:
        ends = calendar_ends(["NSE", "BSE", "NSE"], now=SOON)
        assert [end.exchange for end in ends] == ["BSE", "NSE"]

    def test_are_none_for_the_simulated_exchange(self) -> None:
        assert calendar_ends(["SIM"], now=SOON) == []

    def test_are_none_once_the_next_year_is_published(self) -> None:
        publish_year("NSE", year=2027, holidays={date(2027, 1, 26): "Republic Day"})
        assert calendar_ends(["NSE"], now=SOON) == []
        assert not is_trading_day("NSE", date(2027, 1, 2))  # a Saturday

    def test_are_told_after_the_last_day_too(self) -> None:
        (end,) = calendar_ends(["NSE"], now=datetime(2027, 1, 4, 6, tzinfo=UTC))
        assert end.last_day < date(2027, 1, 4)


@pytest.mark.usefixtures("soon")
class TestNotice:
    @pytest.mark.parametrize("role", [Role.TRADER, Role.VIEWER])
    def test_is_not_for_who_cannot_run_the_command(self, workspace: Workspace, role: Role) -> None:
        assert WORDS not in page_for(workspace, role, "/")

    @pytest.mark.parametrize("address", ["/", "/risk/"])
    def test_tells_a_manager_in_words(self, workspace: Workspace, address: str) -> None:
        page = page_for(workspace, Role.ADMIN, address)
        assert WORDS in page and "/imports/" in page
        assert "manage.py" not in page

    def test_tells_the_operator_what_to_run(self, workspace: Workspace) -> None:
        workspace.owner.is_staff = True
        workspace.owner.save()
        client = Client()
        client.force_login(workspace.owner)
        page = client.get("/imports/").content.decode()
        assert "import_holidays holidays-2027.csv" in page

    def test_is_not_on_every_page(self, workspace: Workspace) -> None:
        assert WORDS not in page_for(workspace, Role.ADMIN, "/orders/")
