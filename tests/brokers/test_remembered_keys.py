"""Which instrument a broker's number means, remembered for as long as a socket lives."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from brokers.directory import RememberedKeys, install_directory, installed_directory
from brokers.gateway import InstrumentRef


@dataclass
class Listing:
    """A directory that fills as lists are imported, and counts what it is asked."""

    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: int = 0

    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        self.asked += 1
        return self.keys.get((exchange, token))

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        return None


@pytest.fixture
def listing() -> Iterator[Listing]:
    before, listing = installed_directory(), Listing()
    install_directory(listing)
    yield listing
    install_directory(before)


class TestRememberedKeys:
    def test_name_what_is_unknown_here(self, listing: Listing) -> None:
        assert RememberedKeys("kite")("NSE", "1594") == "KITE?NSE:1594"

    def test_ask_again_for_what_was_unknown(self, listing: Listing) -> None:
        key_of = RememberedKeys("kite")
        key_of("NSE", "1594")
        listing.keys["NSE", "1594"] = "NSE:INFY"
        assert key_of("NSE", "1594") == "NSE:INFY"

    def test_ask_once_for_what_is_known(self, listing: Listing) -> None:
        listing.keys["NSE", "1594"] = "NSE:INFY"
        key_of = RememberedKeys("kite")
        assert {key_of("NSE", "1594") for _ in range(3)} == {"NSE:INFY"}
        assert listing.asked == 1
