"""Keep watchlists: make, rename, delete, add to and take from."""

from django.db import IntegrityError, transaction

from accounts.models import User, Workspace
from market.models import Instrument, Watchlist, WatchlistItem

LISTS_AT_MOST = 10
FIRST_LIST = "Watchlist"
ITEMS_AT_MOST = 100


class WatchlistRefused(Exception):
    """The list cannot be changed that way; the message says why."""


def create_watchlist(workspace: Workspace, *, user: User, name: str) -> Watchlist:
    """Make an empty list at the end of the person's lists.

    :raises WatchlistRefused: when the name is empty or taken, or there are too many lists.
    """
    if not name.strip():
        raise WatchlistRefused("Give the list a name")
    count = Watchlist.objects.filter(workspace=workspace, user=user).count()
    if count >= LISTS_AT_MOST:
        raise WatchlistRefused(f"There are {LISTS_AT_MOST} lists already, and no room for more")
    try:
        with transaction.atomic():
            return Watchlist.objects.create(
                workspace=workspace, user=user, name=name.strip()[:40], position=count
            )
    except IntegrityError as error:
        raise WatchlistRefused(f"You have a list called {name.strip()[:40]} already") from error


def first_watchlist(workspace: Workspace, *, user: User) -> Watchlist:
    """Return the person's first list; one is made where there is none, however often one asks."""
    lists = Watchlist.objects.filter(workspace=workspace, user=user)
    first = lists.order_by("position", "name").first()
    if first is None:
        first, _ = lists.get_or_create(
            name=FIRST_LIST, defaults={"workspace": workspace, "user": user}
        )
    return first


def rename_watchlist(watchlist: Watchlist, *, name: str) -> None:
    """Give the list another name.

    :raises WatchlistRefused: when the name is empty or taken.
    """
    if not name.strip():
        raise WatchlistRefused("Give the list a name")
    watchlist.name = name.strip()[:40]
    try:
        with transaction.atomic():
            watchlist.save(update_fields=["name"])
    except IntegrityError as error:
        raise WatchlistRefused(f"You have a list called {watchlist.name} already") from error


def add_to_watchlist(watchlist: Watchlist, *, instrument: Instrument) -> WatchlistItem:
    """Put an instrument at the end of the list; one that is there already stays where it is.

    :raises WatchlistRefused: when the list is full.
    """
    count = watchlist.items.count()
    if count >= ITEMS_AT_MOST:
        raise WatchlistRefused(f"{watchlist.name} has {ITEMS_AT_MOST} instruments and is full")
    item, _ = WatchlistItem.objects.get_or_create(
        watchlist=watchlist, instrument=instrument, defaults={"position": count}
    )
    return item
