"""The page of days on which an exchange differs from its calendar."""

from datetime import date, time

import pytest
from django.test import Client

from brokers.venue import Phase
from market.calendar import IST, is_trading_day, session_hours
from market.models import ScheduleChange, ScheduleOverride
from tests.orders.desk import Desk
from tests.pages.desks import client_of

URL = "/calendar/"
DAY = date(2026, 6, 18)
ENTRY = {"day": "2026-06-18", "exchanges": ["NSE"], "kind": "open", "reason": "Circular 1"}


@pytest.fixture
def operator(desk: Desk) -> Client:
    desk.user.is_staff = True
    desk.user.save()
    return client_of(desk)


def hours_on(day: date, exchange: str = "NSE") -> str:
    hours = session_hours(exchange, "", day)
    return " ".join(
        f"{start.astimezone(IST):%H:%M}-{end.astimezone(IST):%H:%M}"
        for phase, start, end in (hours.spans if hours else ())
        if phase is Phase.OPEN
    )


def enter(client: Client, **changes: object) -> str:
    response = client.post(f"{URL}enter/", {**ENTRY, **changes}, follow=True)
    return response.content.decode()


class TestEntering:
    def test_is_refused_to_who_does_not_run_the_installation(self, desk: Desk) -> None:
        assert client_of(desk).post(f"{URL}enter/", ENTRY).status_code == 403
        assert "Enter a day" not in client_of(desk).get(URL).content.decode()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"day": "yesterday"}, "Enter a valid date"),
            ({"day": "1999-12-31"}, "Days from 2000"),
            ({"day": "2199-01-01"}, "Days from 2000"),
            ({"exchanges": []}, "This field is required"),
            ({"exchanges": ["MCX"]}, "MCX is not one of the available choices"),
            ({"reason": " "}, "This field is required"),
            ({"opens_at": "12:00", "closes_at": "11:00"}, "before it opens at 12:00"),
            ({"opens_at": "12:00", "closes_at": "12:00"}, "before it opens at 12:00"),
            ({"opens_at": "16:00"}, "would close at 15:30, before it opens at 16:00"),
            ({"second_opens_at": "16:00"}, "A second session has both hours"),
            (
                {"second_opens_at": "15:00", "second_closes_at": "16:00"},
                "before the first one ends at 15:30",
            ),
            ({"second_opens_at": "17:00", "second_closes_at": "16:30"}, "ends before it begins"),
            ({"kind": "closed", "opens_at": "10:00"}, "A day that is closed has no hours"),
        ],
    )
    def test_refuses_in_words_what_cannot_be(
        self, operator: Client, changes: dict[str, object], words: str
    ) -> None:
        assert words in enter(operator, **changes)
        assert not ScheduleOverride.objects.exists()
        assert not ScheduleChange.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "hours"),
        [
            ({"kind": "closed"}, ""),
            ({"opens_at": "10:15"}, "10:15-15:30"),
            ({"closes_at": "17:00"}, "09:15-17:00"),
            ({"opens_at": "18:00", "closes_at": "19:00"}, "18:00-19:00"),
            (
                {
                    "closes_at": "10:00",
                    "second_opens_at": "11:30",
                    "second_closes_at": "12:30",
                },
                "09:15-10:00 11:30-12:30",
            ),
        ],
    )
    def test_holds_at_once(self, operator: Client, changes: dict[str, object], hours: str) -> None:
        assert hours_on(DAY) == "09:15-15:30"
        page = enter(operator, **changes)
        assert "It holds at once" in page
        assert hours_on(DAY) == hours

    def test_is_for_every_exchange_chosen(self, operator: Client) -> None:
        enter(operator, exchanges=["NSE", "BSE"], kind="closed")
        assert [is_trading_day(name, DAY) for name in ("NSE", "NFO", "BSE", "BFO")] == [False] * 4

    def test_again_replaces_the_day(self, operator: Client) -> None:
        enter(operator, kind="closed")
        enter(operator, opens_at="10:00")
        assert ScheduleOverride.objects.get().opens_at == time(10)

    def test_is_written_down(self, operator: Client, desk: Desk) -> None:
        enter(operator, kind="closed")
        enter(operator, opens_at="10:00")
        change = ScheduleChange.objects.latest("pk")
        assert (change.by, change.before) == (desk.user, "Closed (Circular 1)")
        assert change.after == "10:00 to 15:30 (Circular 1)"

    def test_keeps_the_phases_of_an_end_that_is_as_usual(self, operator: Client) -> None:
        enter(operator, day="2026-08-06", opens_at="10:00")
        hours = session_hours("NSE", "", date(2026, 8, 6), has_closing_auction=True)
        assert hours is not None
        phases = [phase for phase, _, _ in hours.spans]
        assert Phase.CLOSING_AUCTION in phases
        assert Phase.PRE_OPEN not in phases


class TestDayWithoutHours:
    def test_is_shown_until_they_are_entered(self, operator: Client) -> None:
        words = "traded or will trade on 8 November 2026 (Muhurat)"
        page = operator.get(URL).content.decode()
        assert words in page
        assert "BSE and NSE" in page
        evening = {"day": "2026-11-08", "opens_at": "18:00", "closes_at": "19:00"}
        page = enter(operator, **evening, exchanges=["NSE", "BSE"])
        assert words not in page
        assert hours_on(date(2026, 11, 8), "NFO") == "18:00-19:00"

    def test_fills_the_form_that_it_leads_to(self, operator: Client) -> None:
        page = operator.get(f"{URL}?day=2026-11-08&reason=Muhurat").content.decode()
        assert 'value="2026-11-08"' in page


class TestRemoving:
    def test_is_refused_to_who_does_not_run_the_installation(
        self, desk: Desk, operator: Client
    ) -> None:
        enter(operator, kind="closed")
        desk.user.is_staff = False
        desk.user.save()
        override = ScheduleOverride.objects.get()
        assert operator.post(f"{URL}{override.pk}/remove/").status_code == 403
        assert ScheduleOverride.objects.exists()

    def test_lets_the_calendar_hold_again(self, operator: Client) -> None:
        enter(operator, kind="closed")
        override = ScheduleOverride.objects.get()
        page = operator.post(f"{URL}{override.pk}/remove/", follow=True).content.decode()
        assert "trades by its calendar on 18 Jun 2026 again" in page
        assert hours_on(DAY) == "09:15-15:30"
        assert ScheduleChange.objects.latest("pk").after == ""

    def test_of_what_is_gone_is_not_found(self, operator: Client) -> None:
        assert operator.post(f"{URL}1/remove/").status_code == 404
