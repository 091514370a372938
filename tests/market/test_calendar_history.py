"""Every day and hour since 2008, compared with facts that nobody here compiled into the product."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from brokers.venue import CalendarUnknown, Phase
from market.calendar import IST, is_trading_day, session_hours

pytestmark = pytest.mark.django_db

SHARED = Path(os.environ.get("SHARED_DATA", settings.BASE_DIR.parent / "shared" / "data"))
RULES, DAILY, MINUTES = SHARED / "market_rules", SHARED / "prices_daily", SHARED / "prices_1min"
FIRST, LAST = date(2008, 1, 1), date(2026, 12, 31)
HOURS_MISSING = date(2026, 11, 8)
# Traded, and missing in the compared rows, which do not claim to be complete.
UNLISTED = {
    date(2012, 11, 13): "15:45-17:00",
    date(2016, 10, 30): "18:30-19:30",
    date(2024, 1, 20): "09:15-15:30",
    date(2024, 11, 1): "18:00-19:00",
}
Row = dict[str, Any]

needs_rules = pytest.mark.skipif(not RULES.exists(), reason=f"{RULES} is not here")


def every_day() -> Iterator[date]:
    for number in range((LAST - FIRST).days + 1):
        yield FIRST + timedelta(days=number)


def trading_hours(exchange: str, segment: str, day: date) -> str:
    """The product's hours of continuous trading in words: 09:15-10:00 11:30-12:30."""
    hours = session_hours(exchange, segment, day)
    spans = hours.spans if hours else ()
    return " ".join(
        f"{start.astimezone(IST):%H:%M}-{end.astimezone(IST):%H:%M}"
        for phase, start, end in spans
        if phase is Phase.OPEN
    )


class ListedRules:
    """The compared rows, asked in the plainest way."""

    def __init__(self, exchange: str, segment: str) -> None:
        rows = json.loads((RULES / "sessions.json").read_text())
        names = {segment, "cash_no_derivatives"} if segment == "cash" else {segment}
        mine = [r for r in rows if r["exchange"] == exchange and r["segment"] in names]
        self.regular = [r for r in mine if r["kind"] == "regular" and r["phase"] == "continuous"]
        self.special: dict[str, list[Row]] = defaultdict(list)
        for row in mine:
            if row["kind"] == "special":
                self.special[row["from"]].append(row)
        self.shut = {
            row["date"]
            for row in json.loads((RULES / "holidays.json").read_text())
            if row["exchange"] == exchange and row["state"] in ("closed", "special_only")
        }

    def hours(self, day: date) -> str:
        special = self.special[day.isoformat()]
        trading = [row for row in special if row["phase"].startswith("continuous")]
        if not trading:
            if day.weekday() > 4 or day.isoformat() in self.shut:
                return ""
            trading = [r for r in self.regular if r["from"] <= day.isoformat() <= (r["to"] or "9")]
        halts = [row for row in special if row["phase"] == "halt" and row["start"]]
        pieces = [(row["start"], row["end"]) for row in trading]
        for halt in halts:
            pieces = [part for piece in pieces for part in self._around(piece, halt)]
        return " ".join(f"{start}-{end}" for start, end in sorted(pieces))

    @staticmethod
    def _around(piece: tuple[str, str], halt: Row) -> list[tuple[str, str]]:
        if halt["end"] <= piece[0] or piece[1] <= halt["start"]:
            return [piece]
        parts = [(piece[0], halt["start"]), (halt["end"], piece[1])]
        return [part for part in parts if part[0] < part[1]]


@needs_rules
class TestListedDays:
    @pytest.mark.parametrize(
        ("exchange", "listed", "segment"),
        [
            ("NSE", "NSE", "cash"),
            ("BSE", "BSE", "cash"),
            ("NFO", "NSE", "fno"),
            ("BFO", "BSE", "fno"),
        ],
    )
    def test_have_the_listed_hours(self, exchange: str, listed: str, segment: str) -> None:
        rules = ListedRules(listed, segment)
        different = {
            day: (ours, theirs)
            for day in every_day()
            if day != HOURS_MISSING
            and (ours := trading_hours(exchange, "", day))
            != (theirs := UNLISTED.get(day) or rules.hours(day))
        }
        assert different == {}

    def test_were_many(self) -> None:
        traded = sum(is_trading_day("NSE", day) for day in every_day())
        assert traded > 4_600


@pytest.mark.skipif(not DAILY.exists(), reason=f"{DAILY} is not here")
class TestTradedDays:
    def test_are_the_days_of_real_prices(self) -> None:
        traded = {
            datetime.strptime(line.split(",")[0].strip('"'), "%d%m%y").replace(tzinfo=IST).date()
            for path in DAILY.glob("*.csv")
            for line in path.read_text().splitlines()
        }
        known = {
            day
            for day in every_day()
            if day.year in range(2017, 2021) and is_trading_day("NSE", day)
        }
        # The files have no rows of one day on which others traded.
        assert known - traded == {date(2018, 1, 2)}
        assert traded <= known


class TestSpecialDays:
    @pytest.mark.parametrize(
        ("day", "hours"),
        [
            ("2009-06-01", "09:55-15:30"),
            ("2010-01-04", "09:00-15:30"),
            ("2010-10-18", "09:15-15:30"),
            ("2008-10-28", "18:15-19:15"),
            ("2011-10-26", "16:45-18:00"),
            ("2012-11-13", "15:45-17:00"),
            ("2013-11-14", "09:15-15:30"),
            ("2013-11-15", ""),
            ("2014-03-22", "11:15-12:45"),
            ("2017-07-10", "09:15-09:30 12:30-15:30"),
            ("2020-03-13", "09:15-09:20 10:20-15:30"),
            ("2021-02-24", "09:15-11:40 15:45-17:00"),
            ("2024-01-20", "09:15-15:30"),
            ("2024-01-22", ""),
            ("2024-05-18", "09:15-10:00 11:30-12:30"),
            ("2026-01-15", ""),
        ],
    )
    def test_have_their_hours(self, day: str, hours: str) -> None:
        assert trading_hours("NSE", "NSE_EQ", date.fromisoformat(day)) == hours

    def test_differ_between_the_exchanges(self) -> None:
        assert trading_hours("BSE", "BSE_EQ", date(2010, 11, 1)) == "09:15-12:00 14:30-15:30"
        assert trading_hours("NSE", "NSE_EQ", date(2010, 11, 1)) == "09:15-15:30"
        assert trading_hours("BSE", "BSE_EQ", date(2021, 2, 24)) == "09:15-17:00"

    def test_have_their_pre_open(self) -> None:
        hours = session_hours("NSE", "NSE_EQ", date(2024, 5, 18))
        assert hours is not None
        moment = datetime.combine(date(2024, 5, 18), time(11, 20), IST)
        assert hours.phase_at(moment) is Phase.PRE_OPEN

    @pytest.mark.parametrize("exchange", ["NSE", "BSE", "NFO", "BFO"])
    def test_without_hours_are_trading_days_all_the_same(self, exchange: str) -> None:
        assert is_trading_day(exchange, HOURS_MISSING)
        with pytest.raises(CalendarUnknown, match=r"8 Nov 2026 \(Muhurat\).*hours are not known"):
            session_hours(exchange, "", HOURS_MISSING)
