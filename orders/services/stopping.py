"""Cancel the open entries that a stop forbids, whatever has stopped them.

A rule, a state, a kill switch and live trading switched off say so themselves; an account switched
off and a person who may not trade any more are found by the sweep, as is news that was lost.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import Workspace
from brokers.terms import Product, Side
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify_workspace
from operations.errors import contained
from operations.figures import rupees
from orders.lifecycle import IllegalTransition
from orders.models import EventSource, Order, OrderQuerySet, OrderSource
from orders.permitted import entry_stopped
from orders.services.cancelling import DatabaseRestored, cancel_order, just_refused
from orders.services.commanding import send_cancel
from orders.services.sending import STOPPED, deny_unsent, locked_order
from orders.services.surplus import beyond_what_is_open
from orders.services.transitions import Note, add_event
from orders.states import OrderStatus
from portfolio.services import lock_account
from risk.models import Reservation
from risk.selectors import Book
from risk.stopping import FAILED, CancelledEntries, EntriesStopped

KEPT = "KEPT_AS_EXIT"
_REASON = "trading was stopped"


_UNSURE = "may or may not be at the broker: it is cancelled once that is known"
_REFUSED = "could not be cancelled: the broker refused it, and is asked again"
_OUTSIDE = "was placed in the broker's own app, and is left to whoever placed it"


def hear_entries_stopped(*, stop: EntriesStopped, **_: object) -> CancelledEntries:
    """Cancel what a stop forbids within its reach, and tell its people how many and how many not.

    A replay stops itself, under its own account's name; no other stop reaches into its past.
    """
    within = Q(account__own_clock=False)
    if stop.account_id is not None:
        within = Q(account=stop.account_id)
    elif stop.workspace_id is not None:
        within &= Q(workspace=stop.workspace_id)
    stopped = Order.objects.filter(within, entry_stopped(stop.now), is_exit=False)
    found = CancelledEntries()
    for workspace in Workspace.objects.filter(pk__in=stopped.alive().values("workspace")):
        here = stopped.filter(workspace=workspace)
        waiting = here.entries().cancellable()
        done = _cancel(waiting, workspace, now=stop.now)
        left = [f"Other open entry orders of {workspace} may be left: an error is recorded"]
        with contained("naming stopped entries that are left"):
            left = _left(here)
        done += CancelledEntries(left=tuple(left))
        _tell(workspace, done, stop.reason, now=stop.now)
        found += done
    return found


def sweep_stopped_entries(*, now: datetime) -> int:
    """Cancel the open entries that something forbids by now, and answer how many.

    It also finds what could not be cancelled when the stop came, such as an order whose answer was
    lost. What the broker has just refused waits a little.
    """
    entries = (
        Order.objects.entries()
        .cancellable()
        .filter(
            entry_stopped(now),
            ~just_refused(now),
            account__own_clock=False,
        )
    )
    count = 0
    for workspace in Workspace.objects.filter(pk__in=entries.values("workspace")):
        done = _cancel(entries.filter(workspace=workspace), workspace, now=now)
        _tell(workspace, CancelledEntries(done.count), STOPPED, now=now)
        count += done.count
    return count


def _cancel(entries: OrderQuerySet, workspace: Workspace, *, now: datetime) -> CancelledEntries:
    """Cancel these entries, book by book; one that fails does not hold back the others."""
    books: list[list[Order]] = []
    done = CancelledEntries(left=(f"Open entry orders of {workspace} {FAILED}",))
    with contained("finding stopped entries"):
        books, done = _by_book(entries.select_related("instrument")), CancelledEntries()
    for book in books:
        outcome = CancelledEntries(left=tuple(f"{_named(each)} {FAILED}" for each in book))
        with contained("cancelling stopped entries", order_id=book[0].pk):
            outcome = _cancel_book(book, now=now)
        done += outcome
    return done


def _cancel_book(book: list[Order], *, now: datetime) -> CancelledEntries:
    cancelled, left = _ask_of_book([each.pk for each in book], now=now)
    refused = [order for order in cancelled if not _is_taken(order, now=now)]
    left += [f"{_named(each)} {_REFUSED}" for each in refused]
    return CancelledEntries(len(cancelled) - len(refused), tuple(left))


def _by_book(orders: Iterable[Order]) -> list[list[Order]]:
    books: dict[tuple[object, ...], list[Order]] = {}
    for each in orders:
        key = (each.account_id, each.instrument_id, each.product, each.side)
        books.setdefault(key, []).append(each)
    return list(books.values())


def _is_taken(order: Order, *, now: datetime) -> bool:
    """Send a cancel at once that goes to the paper broker, and tell whether it was not refused.

    That broker is in this very database: a worker could only be later than the next price.
    """
    if order.account.is_paper:
        with contained("sending a cancel", order_id=order.pk):
            send_cancel(order.pk, clock=lambda: now)
    order.refresh_from_db(fields=["status"])
    return order.state.is_final or order.state is OrderStatus.CANCEL_PENDING


@transaction.atomic
def _ask_of_book(order_ids: list[UUID], *, now: datetime) -> tuple[list[Order], list[str]]:
    """Ask for the end of each entry of one book that would do more than close what is open."""
    related = ("account__connection", "instrument", "workspace")
    asked = Order.objects.select_related(*related).filter(pk__in=order_ids)
    lock_account(asked[0].account)
    waiting = asked.cancellable().filter(is_exit=False).order_by("created_at", "pk")
    beyond = _beyond(list(waiting))
    cancelled, left = [], []
    for order in waiting:
        if order not in beyond:
            _keep_as_exit(order, now=now)
        elif complaint := _end(order, now=now):
            left.append(complaint)
        else:
            cancelled.append(order)
    return cancelled, left


def _beyond(orders: list[Order]) -> list[Order]:
    """Of orders of one book and side, those that would do more than close what is open."""
    if not orders:
        return []
    first = orders[0]
    book = Book(first.account, first.instrument, Product(first.product))
    return [order for order, _ in beyond_what_is_open(book, Side(first.side), orders)]


def _end(order: Order, *, now: datetime) -> str:
    """Refuse what has not left, cancel what has; say why it could not be done."""
    try:
        if order.state is OrderStatus.PENDING:
            deny_unsent(locked_order(order.pk), STOPPED, now=now)
        else:
            cancel_order(order, by=None, now=now, reason=_REASON)
    except DatabaseRestored as error:
        return f"{_named(order)} is left: {error}"
    except IllegalTransition as error:
        return f"{order.instrument.trading_symbol}: {error}"
    return ""


def _keep_as_exit(order: Order, *, now: datetime) -> None:
    """Let an order stay that by now only closes what is open, as a stop placed before its entry
    was filled: from here on it is an exit like any other.
    """
    held = locked_order(order.pk)
    held.is_exit = True
    Reservation.objects.filter(order_id=held.pk).update(is_exit=True)
    words = "Trading was stopped. It stays, for it only closes what is open"
    note = Note(KEPT, EventSource.SYSTEM, now, words)
    add_event(held, note=note, from_status=held.status, now=now)
    held.save(update_fields=["is_exit", "event_count", "updated_at"])


def _left(stopped: OrderQuerySet) -> list[str]:
    """Name the entries that cannot be cancelled now, and why."""
    named = stopped.select_related("account", "instrument").order_by("created_at", "pk")
    unsure = named.entries().filter(status__in=(OrderStatus.SUBMITTING, OrderStatus.UNKNOWN))
    outside = named.working().filter(source=OrderSource.EXTERNAL)
    opening = [order for book in _by_book(outside) for order in _beyond(book)]
    return [*(f"{_named(each)} {_UNSURE}" for each in unsure),
            *(f"{_named(each)} {_OUTSIDE}" for each in opening)]  # fmt: skip


def _named(order: Order) -> str:
    side, symbol = order.side, order.instrument.trading_symbol
    return f"{side.title()} {rupees(order.remaining_quantity, 0)} {symbol}"


def _tell(workspace: Workspace, done: CancelledEntries, reason: str, *, now: datetime) -> None:
    if not done.words:
        return
    with contained("telling of stopped entries"):
        notify_workspace(
            workspace,
            kind=NotificationType.RISK_ALERT,
            level=AlertLevel.CRITICAL if done.left else AlertLevel.WARNING,
            title=f"Entries are stopped: {done.words}",
            message=reason,
            now=now,
        )
