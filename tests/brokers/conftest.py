from collections.abc import Iterator

import pytest

from brokers.venue import install_venue, installed_venue
from tests.brokers.paper import PaperMarket, make_paper_account
from tests.venues import WeekdayVenue


@pytest.fixture
def venue() -> Iterator[WeekdayVenue]:
    """A venue of the test's own, in the place of the house's."""
    before = installed_venue()
    venue = WeekdayVenue()
    install_venue(venue)
    yield venue
    install_venue(before)


@pytest.fixture
def market(db: None, venue: WeekdayVenue) -> PaperMarket:
    return PaperMarket(account=make_paper_account(), venue=venue)
