"""The places of the rail, in the order a trader visits them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Place:
    """``key`` follows G on the keyboard; ``is_foot`` stands at the foot of the rail."""

    url_name: str
    label: str
    icon: str
    key: str = ""
    is_foot: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    label: str
    icon: str
    key: str
    is_foot: bool
    is_current: bool


PLACES = (
    Place("home", "Home", "home", "h"),
    Place("orders:list", "Orders", "orders", "o"),
    Place("orders:trades", "Trades", "trades", "t"),
    Place("portfolio:positions", "Positions", "positions", "p"),
    Place("strategies:list", "Strategies", "strategy", "s"),
    Place("risk:overview", "Risk", "risk", "r"),
    Place("notifications:inbox", "Alerts", "bell", "n"),
    Place("brokers:list", "Brokers", "plug", "b", is_foot=True),
    Place("imports:list", "Import", "import", "i"),
    Place("calendar:list", "Calendar", "clock", "c"),
)
TABS = (PLACES[0], PLACES[1], PLACES[3], Place("more", "More", "more"))


def links(places: Iterable[Place], *, path: str) -> list[Link]:
    """Turn places into links; the one whose address is the longest start of ``path`` is current."""
    found = [(place, reverse(place.url_name)) for place in places]
    starts = [url for _, url in found if path == url or (url != "/" and path.startswith(url))]
    current = max(starts, key=len, default="")
    return [
        Link(url, place.label, place.icon, place.key, place.is_foot, url == current)
        for place, url in found
    ]
