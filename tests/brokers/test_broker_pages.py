"""Each broker's page: its tables are held against the adapter, and so is what it must say.

Set ``WRITE_BROKER_PAGES=1`` to rewrite the tables from what the adapters declare.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from brokers.capabilities import Capabilities, MarketHandling, TriggerKind
from brokers.limits import Limit, in_force
from brokers.registry import broker_capabilities, brokers
from brokers.terms import OrderType, Product, Validity

PAGES = Path(__file__).resolve().parents[2] / "docs" / "brokers"
REAL = sorted(each.name for each in brokers() if not each.is_paper)
MARKET = {
    MarketHandling.RAW: "sent as it is",
    MarketHandling.PROTECTED: "as a limit at a protected price",
    MarketHandling.REFUSED: "refused",
}
TRIGGERS = {TriggerKind.SINGLE: "one leg", TriggerKind.OCO: "two legs (OCO)"}
HEADINGS = ("connect", "day", "can do", "limits", "fails")


SPANS = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}


def page_of(broker: str) -> str:
    return (PAGES / f"{broker}.md").read_text()


def abilities_of(broker: str) -> list[list[str]]:
    """Return the table that the adapter's capabilities make: a column for segments alike."""
    alike = defaultdict(list)
    for segment, capabilities in broker_capabilities(broker).items():
        alike[capabilities].append(str(segment.label))
    columns = [cells(capabilities) for capabilities in alike]
    return [
        ["", *(", ".join(labels) for labels in alike.values())],
        *([name, *(column[name] for column in columns)] for name in columns[0]),
    ]


def limits_of(broker: str) -> list[list[str]]:
    """Return the newest of the adapter's published figures, as the connection's page names them."""
    limits: Sequence[Limit] = import_module(f"brokers.adapters.{broker}.limits").LIMITS
    figures = {
        endpoint: {each.seconds: f"{each.count:,}" for each in newest(limits, endpoint)}
        for endpoint in dict.fromkeys(each.endpoint for each in limits)
    }
    spans = sorted({seconds for counts in figures.values() for seconds in counts})
    return [
        ["calls", *(SPANS.get(seconds, f"in {seconds} s") for seconds in spans)],
        *([name, *(counts.get(each, "") for each in spans)] for name, counts in figures.items()),
    ]


def newest(limits: Sequence[Limit], endpoint: str) -> Sequence[Limit]:
    return in_force(limits, endpoint=endpoint, on=date.max)


TABLES = {"capabilities": abilities_of, "limits": limits_of}


def written(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cells(told: Capabilities) -> dict[str, str]:
    limit = "" if told.modify_limit is None else f", {told.modify_limit} times"
    return {
        "products": listed(told.products, Product),
        "order types": listed(told.order_types, OrderType),
        "a market order leaves": MARKET[told.market],
        "validity": listed(told.validities, Validity),
        "after-market orders (AMO)": yes(told.amo),
        "standing triggers (GTT)": ", ".join(
            TRIGGERS[each] for each in TRIGGERS if each in told.triggers
        )
        or "no",
        "cover (CO) and bracket (BO) orders": listed(told.brackets, Product),
        "slices above the freeze quantity": yes(told.slices),
        "disclosed quantity": yes(told.disclosed_quantity),
        "changing an order": yes(told.modifies) + limit,
    }


def listed(told: Collection[str], kind: type[Product] | type[OrderType] | type[Validity]) -> str:
    return ", ".join(str(each) for each in kind if each in told) or "no"


def yes(is_offered: bool) -> str:
    return "yes" if is_offered else "no"


@pytest.mark.parametrize("broker", REAL)
class TestPage:
    @pytest.mark.parametrize("name", TABLES)
    def test_has_the_figures_that_the_adapter_declares(self, broker: str, name: str) -> None:
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
        head, _, rest = page_of(broker).partition(begin)
        table, _, tail = rest.partition(end)
        true = written(TABLES[name](broker))
        if os.environ.get("WRITE_BROKER_PAGES") == "1":
            (PAGES / f"{broker}.md").write_text(f"{head}{begin}{true}{end}{tail}")
        else:
            assert table == true

    def test_says_what_a_trader_asks(self, broker: str) -> None:
        lines = page_of(broker).lower().splitlines()
        headings = " ".join(line for line in lines if line.startswith("## "))
        assert [each for each in HEADINGS if each not in headings] == []

    def test_leads_to_what_happens_on_a_bad_day(self, broker: str) -> None:
        assert "(../reliability.md)" in page_of(broker)
