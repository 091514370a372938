"""Alpaca's lists, read to their ends: pages, chains that reach out of them, a steady moment."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from brokers.adapters.alpaca.chains import Chains
from brokers.adapters.alpaca.client import AlpacaClient, Fields
from brokers.adapters.alpaca.words import NEW_YORK, moment, moment_words, row_in
from brokers.values import Row, Unreadable, required, text

ORDERS_A_PAGE, FILLS_A_PAGE = 500, 100
# An order of Friday evening may fill on Tuesday, after a holiday.
BOOK_REACHES = timedelta(days=4)
_MOST_PAGES, _MOST_FETCHES, _MOST_TRIES = 200, 50, 3
_STEP = timedelta(microseconds=1)
_NAMELESS = "?"


def day_start(now: datetime) -> datetime:
    """Return when the day began where Alpaca trades."""
    return datetime.combine(now.astimezone(NEW_YORK).date(), time.min, NEW_YORK)


def orders(client: AlpacaClient, *, now: datetime) -> tuple[Chains, list[object]]:
    """Read what is open, however old, and what was sent within the last days.

    What names no order stands apart: it belongs to no chain.
    """
    found: dict[str, object] = {}
    # The newer reading is the second one, and overwrites the first.
    for status, after in (("open", None), ("all", day_start(now) - BOOK_REACHES)):
        found |= _listed(client, status=status, after=after)
    named = [row for key, row in found.items() if not key.startswith(_NAMELESS)]
    nameless = [row for key, row in found.items() if key.startswith(_NAMELESS)]
    return complete(client, Chains(row_in(row) for row in named)), nameless


def chain_of(client: AlpacaClient, order_id: str) -> list[Row]:
    """Return one order with what has replaced it, first to last."""
    chains = complete(client, Chains([row_in(client.get_order_by_id(order_id))]))
    return chains.chain(chains.root_of(order_id))


def complete(client: AlpacaClient, chains: Chains) -> Chains:
    """Fetch the orders that those at hand refer to."""
    for _ in range(_MOST_FETCHES):
        missing = chains.missing()
        if not missing:
            return chains
        chains.add(row_in(client.get_order_by_id(min(missing))))
    raise Unreadable("Alpaca's orders refer to more orders than can be fetched")


def fills(client: AlpacaClient, *, since: datetime) -> list[object]:
    """Read every fill from a moment on, oldest first."""
    found: dict[str, object] = {}
    asked: dict[str, object] = {
        "after": moment_words(since - _STEP),
        "direction": "asc",
        "page_size": FILLS_A_PAGE,
    }
    for _ in range(_MOST_PAGES):
        page = _page(client.get("/account/activities/FILL", dict(asked)))
        before = len(found)
        found |= _by_name(page)
        if len(page) < FILLS_A_PAGE:
            return list(found.values())
        if len(found) == before:
            break
        asked["page_token"] = required(row_in(page[-1]), "id")
    raise Unreadable("Alpaca's fills go on without end")


def held_and_traded(client: AlpacaClient, *, now: datetime) -> tuple[list[object], list[object]]:
    """Read positions and the day's fills of one moment: no fill came between.

    :raises Unreadable: when fills keep coming.
    """
    since = day_start(now)
    before = fills(client, since=since)
    for _ in range(_MOST_TRIES):
        held = _page(client.get_all_positions())
        after = fills(client, since=since)
        if len(after) == len(before):
            return held, after
        before = after
    raise Unreadable("Fills came faster than the positions could be read")


def _listed(client: AlpacaClient, *, status: str, after: datetime | None) -> dict[str, object]:
    found: dict[str, object] = {}
    for _ in range(_MOST_PAGES):
        page = _page(client.get_orders(Fields(_asked(status, after))))
        before = len(found)
        found |= _by_name(page)
        if len(page) < ORDERS_A_PAGE:
            return found
        if len(found) == before:
            break
        # ``after`` is strict, and several orders may share a moment.
        last = moment(row_in(page[-1]).get("submitted_at"))
        after = after if last is None else last - _STEP
    raise Unreadable("Alpaca's orders go on without end")


def _page(data: object) -> list[object]:
    """Return a page's rows. Alpaca writes an empty list for none; null is no answer.

    :raises Unreadable: when it is no list.
    """
    if not isinstance(data, list):
        raise Unreadable("Alpaca did not answer with a list")
    return data


def _by_name(page: list[object]) -> dict[str, object]:
    """Return rows by their ids; what has none keeps its place."""
    return {_name(row) or f"{_NAMELESS}{place}": row for place, row in enumerate(page)}


def _name(row: object) -> str:
    return text(row.get("id")) if isinstance(row, Mapping) else ""


def _asked(status: str, after: datetime | None) -> Mapping[str, object]:
    asked: dict[str, object] = {
        "status": status,
        "limit": ORDERS_A_PAGE,
        "direction": "asc",
        "nested": "false",
    }
    return asked if after is None else {**asked, "after": moment_words(after)}
