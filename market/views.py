"""The watchlist drawer and the search box. The drawer itself reads the shell of the page."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from market.models import Instrument, Watchlist, WatchlistItem
from market.quotes import quotes_of
from market.selectors import WatchRow, find_instruments, watchlists_of
from market.watching import (
    WatchlistRefused,
    add_to_watchlist,
    create_watchlist,
    first_watchlist,
    rename_watchlist,
)
from operations.asking import ask
from operations.figures import IST

WATCHLIST_KEY = "watchlist"


@require_GET
def search(request: UserRequest) -> HttpResponse:
    """Find instruments: into the drawer as one types, as a page without script."""
    words = request.GET.get("q", "").strip()[:60]
    if request.headers.get("HX-Request") and not words:
        return render(request, "market/_watch_body.html")
    found = find_instruments(words, on=timezone.now().astimezone(IST).date())
    quotes = quotes_of([instrument.key for instrument in found])
    rows = [WatchRow(instrument, quotes.get(instrument.key)) for instrument in found]
    template = "market/_found.html" if request.headers.get("HX-Request") else "market/search.html"
    return render(request, template, {"rows": rows, "words": words})


@require_GET
def lists(request: UserRequest) -> HttpResponse:
    return render(request, "market/lists.html")


@require_POST
def create(request: UserRequest) -> HttpResponse:
    try:
        made = create_watchlist(
            request.workspace, user=request.user, name=request.POST.get("name", "")
        )
    except WatchlistRefused as error:
        messages.error(request, str(error))
    else:
        request.session[WATCHLIST_KEY] = str(made.pk)
    return redirect("market:lists")


@require_POST
def rename(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    try:
        rename_watchlist(_own(request, pk), name=request.POST.get("name", ""))
    except WatchlistRefused as error:
        messages.error(request, str(error))
    return redirect("market:lists")


@require_http_methods(["GET", "POST"])
def delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Say what the list holds; sent, delete it."""
    watchlist = _own(request, pk)
    if request.method == "GET":
        context = {"list": watchlist, "count": watchlist.items.count()}
        return ask(request, "market/delete.html", context)
    watchlist.delete()
    messages.success(request, f"The list {watchlist.name} is gone")
    return redirect("market:lists")


@require_GET
def watchlist(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Choose a list; answer the drawer, or go home without script."""
    request.session[WATCHLIST_KEY] = str(_own(request, pk).pk)
    return _drawer(request)


@require_POST
def add(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    return _add(request, _asked(request), to=_own(request, pk))


@require_POST
def add_first(request: UserRequest) -> HttpResponse:
    """Add to the person's first list; who has none gets one by it."""
    instrument = _asked(request)
    mine = first_watchlist(request.workspace, user=request.user)
    return _add(request, instrument, to=mine)


@require_POST
def remove(request: UserRequest, pk: int) -> HttpResponse:
    mine = WatchlistItem.objects.filter(
        watchlist__in=watchlists_of(request.user, request.workspace)
    )
    get_object_or_404(mine, pk=pk).delete()
    return _drawer(request)


def _own(request: UserRequest, pk: uuid.UUID) -> Watchlist:
    return get_object_or_404(watchlists_of(request.user, request.workspace), pk=pk)


def _asked(request: UserRequest) -> Instrument:
    return get_object_or_404(Instrument.objects.active(), key=request.POST.get("key", ""))


def _add(request: UserRequest, instrument: Instrument, *, to: Watchlist) -> HttpResponse:
    try:
        add_to_watchlist(to, instrument=instrument)
    except WatchlistRefused as error:
        messages.error(request, str(error))
    return _drawer(request)


def _drawer(request: UserRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "market/_drawer.html")
    return redirect("/#watchlist")
