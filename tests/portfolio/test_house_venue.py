from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from brokers.gateway import QuoteTick
from brokers.terms import InstrumentType, Product, Segment, Side
from brokers.venue import CalendarUnknown, ChargesUnknown, Phase, PriceBand, installed_venue
from market.auction import forget_auction_shares
from market.models import Instrument, PriceBandRow, ScheduleOverride, SquareOffRule
from market.quotes import write_quotes
from portfolio.models import SquareOffGroup, SquareOffTime
from portfolio.square_off import square_off_time_on
from portfolio.venue import HouseVenue
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import TODAY

pytestmark = pytest.mark.django_db

VENUE = HouseVenue()
BEFORE_THE_AUCTION, SINCE_THE_AUCTION = date(2026, 7, 31), date(2026, 8, 3)


@pytest.fixture(autouse=True)
def _auction_shares_are_read_anew() -> None:
    forget_auction_shares()


def make_future(underlying: str) -> Instrument:
    return make_instrument(
        f"NFO:{underlying}26DECFUT",
        segment=Segment.NSE_FNO,
        instrument_type=InstrumentType.FUT,
        underlying=underlying,
        expiry=date(2026, 12, 29),
    )


class TestHouseVenue:
    def test_is_the_one_the_site_installs(self) -> None:
        assert isinstance(installed_venue(), HouseVenue)

    def test_refuses_a_moment_beyond_the_calendar(self) -> None:
        share = make_instrument().ref()

        with pytest.raises(CalendarUnknown):
            VENUE.phase(share, datetime(2060, 1, 5, 5, 0, tzinfo=UTC))

    def test_knows_where_the_day_stands(self) -> None:
        share = make_instrument().ref()

        assert VENUE.phase(share, NOW) is Phase.OPEN
        assert VENUE.phase(share, NOW.replace(hour=18)) is Phase.CLOSED

    def test_knows_the_trading_day(self) -> None:
        share = make_instrument().ref()

        assert VENUE.session_date(share, NOW) == TODAY
        assert VENUE.session_date(share, datetime(2026, 6, 20, 5, 0, tzinfo=UTC)) == date(
            2026, 6, 22
        )

    def test_settles_on_the_next_trading_day(self) -> None:
        share = make_instrument().ref()

        assert VENUE.settles_on(share, date(2026, 6, 19)) == date(2026, 6, 22)

    def test_knows_the_last_price(self) -> None:
        share = make_instrument().ref()
        write_quotes([QuoteTick(share.key, Decimal("101.5"), NOW)])

        assert VENUE.last_price(share) == Decimal("101.5")

    def test_has_no_price_before_the_first(self) -> None:
        assert VENUE.last_price(make_instrument().ref()) is None


class TestPriceBand:
    def test_is_that_of_the_day(self) -> None:
        share = make_instrument()
        PriceBandRow.objects.create(
            instrument=share, trading_day=TODAY, lower=Decimal(90), upper=Decimal(110)
        )

        assert VENUE.price_band(share.ref(), TODAY) == PriceBand(Decimal(90), Decimal(110))

    def test_is_none_on_a_day_without_one(self) -> None:
        assert VENUE.price_band(make_instrument().ref(), TODAY) is None


class TestSquareOffTime:
    def test_of_shares_is_before_the_close(self) -> None:
        share = make_instrument().ref()

        assert VENUE.square_off_time(share, SINCE_THE_AUCTION) == time(15, 15)

    def test_of_shares_with_an_auction_is_before_it(self) -> None:
        share = make_instrument().ref()
        make_future("RELIANCE")

        assert VENUE.square_off_time(share, SINCE_THE_AUCTION) == time(14, 55)

    def test_of_shares_with_futures_was_later_before_the_auction_came(self) -> None:
        share = make_instrument().ref()
        make_future("RELIANCE")

        assert VENUE.square_off_time(share, BEFORE_THE_AUCTION) == time(15, 15)

    def test_of_derivatives_is_that_of_their_exchange(self) -> None:
        assert VENUE.square_off_time(make_future("NIFTY").ref(), TODAY) == time(15, 15)

    def test_of_the_simulated_exchange_is_at_the_end_of_its_day(self) -> None:
        assert VENUE.square_off_time(make_instrument("SIM:ALPHA").ref(), TODAY) == time(23, 50)

    def test_is_none_where_none_is_on_file(self) -> None:
        share = make_instrument("NASDAQ:AAPL", segment=Segment.US_EQ).ref()

        assert VENUE.square_off_time(share, TODAY) is None

    def test_is_the_one_in_force_that_day(self) -> None:
        share = make_instrument().ref()
        VENUE.square_off_time(share, TODAY)
        SquareOffTime.objects.create(
            exchange="NSE",
            group=SquareOffGroup.SHARES,
            at=time(15, 0),
            effective_from=TODAY,
            source="A circular",
        )

        assert VENUE.square_off_time(share, TODAY) == time(15, 0)
        assert VENUE.square_off_time(share, date(2026, 6, 16)) == time(15, 15)


class TestCharges:
    def test_are_refused_where_no_rate_is_on_file(self) -> None:
        share = make_instrument("NASDAQ:AAPL", segment=Segment.US_EQ).ref()

        with pytest.raises(ChargesUnknown):
            VENUE.charges(
                share,
                side=Side.BUY,
                product=Product.CNC,
                quantity=1,
                turnover=Decimal(200),
                on=TODAY,
            )

    def test_are_those_of_the_whole_turnover(self) -> None:
        charges = VENUE.charges(
            make_instrument().ref(),
            side=Side.BUY,
            product=Product.CNC,
            quantity=100,
            turnover=Decimal(100_000),
            on=TODAY,
        )

        assert charges == Decimal("118.74")


class TestSquareOffOfASpecialDay:
    @pytest.mark.parametrize(
        ("day", "expected"),
        [
            (date(2025, 10, 21), time(14, 30)),  # Muhurat, 13:45 to 14:45
            (date(2023, 11, 12), time(19, 0)),  # Muhurat, 18:15 to 19:15
            (date(2024, 5, 18), time(12, 15)),  # two sessions, until 12:30
            (date(2025, 2, 1), time(15, 15)),  # budget Saturday, a whole day
            (date(2021, 2, 24), time(15, 15)),  # until 17:00: never later than usual
        ],
    )
    def test_is_as_long_before_its_own_close(self, day: date, expected: time) -> None:
        assert VENUE.square_off_time(make_instrument().ref(), day) == expected

    def test_follows_an_override_of_shares_that_close_by_auction(self) -> None:
        make_future("RELIANCE")
        ScheduleOverride.objects.create(
            exchange="NSE",
            day=SINCE_THE_AUCTION,
            is_open=True,
            opens_at=time(9, 15),
            closes_at=time(13),
            reason="Closed early",
        )
        share = make_instrument().ref()

        assert VENUE.square_off_time(share, SINCE_THE_AUCTION) == time(12, 40)

    def test_stays_as_usual_where_the_hours_are_not_known(self) -> None:
        share = make_instrument().ref()
        assert VENUE.square_off_time(share, date(2026, 11, 8)) is not None

    @pytest.mark.parametrize("group", [SquareOffGroup.AUCTION_SHARES, SquareOffGroup.DERIVATIVES])
    def test_of_ordinary_days_comes_before_every_brokers_own(self, group: SquareOffGroup) -> None:
        segment = {"CAS": "cash_closing_auction", "FNO": "fno"}[group]
        published = SquareOffRule.objects.filter(
            segment=segment, effective_to=None, effective_from__isnull=False
        )
        theirs = [each for each in published.values_list("at", flat=True) if each is not None]
        ours = square_off_time_on("NSE", group, date(2026, 12, 1))
        assert ours is not None
        assert theirs
        assert ours < min(theirs)
