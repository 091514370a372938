"""What is offered: by no broker what Pinnacle cannot trade properly yet."""

from pathlib import Path

import pytest

from brokers.capabilities import NOT_OFFERED, why_not
from brokers.registry import broker_capabilities, brokers
from brokers.terms import Segment

PAGES = Path(__file__).resolve().parents[2] / "docs" / "brokers"
NAMES = sorted(each.name for each in brokers())


@pytest.mark.parametrize("name", NAMES)
def test_no_broker_offers_commodities_or_currencies(name: str) -> None:
    assert not NOT_OFFERED & broker_capabilities(name).keys()


@pytest.mark.parametrize("name", ["angel", "dhan", "kite"])
def test_the_broker_s_page_says_so(name: str) -> None:
    assert (
        "Commodities (MCX) and currency derivatives are not offered"
        in (PAGES / f"{name}.md").read_text()
    )


@pytest.mark.parametrize("segment", sorted(NOT_OFFERED))
def test_a_refusal_says_so(segment: Segment) -> None:
    assert "not offered in Pinnacle yet" in why_not(segment, broker="Kite")


def test_a_refusal_names_the_broker_where_another_may_take_it() -> None:
    assert why_not(Segment.US_EQ, broker="Kite") == "Kite does not trade US equity"
