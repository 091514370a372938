"""Collect what happens to orders, then write all of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from brokers.adapters.paper.book import contract_for
from brokers.adapters.paper.latency import acknowledgement_delay
from brokers.adapters.paper.posting import post_trade, settle_position
from brokers.adapters.paper.reports import order_report, trade_report
from brokers.adapters.paper.settlement import turn_day
from brokers.gateway import AccountUpdate, BrokerStatus, PlaceRequest
from brokers.models import (
    PaperAccount,
    PaperLedgerEntry,
    PaperOrder,
    PaperPosition,
    PaperTrade,
)
from brokers.terms import Product, Side
from brokers.venue import Settlement, Venue

_ORDER_FIELDS = (
    "status",
    "filled_quantity",
    "turnover",
    "charges",
    "cap",
    "is_resting",
    "triggered_at",
    "message",
    "sequence",
    "is_untold",
    "updated_at",
)
_POSITION_FIELDS = (
    "session_date",
    "quantity",
    "cost",
    "buy_quantity",
    "sell_quantity",
    "realized_pnl",
)


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order that the broker sends itself."""

    book: PaperAccount
    request: PlaceRequest
    session_date: date
    why: str


@dataclass(slots=True)
class Keeper:
    """The pen: a draft until :meth:`write`, which needs the books of its orders locked."""

    venue: Venue
    changed: dict[int, PaperOrder] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    trades: list[PaperTrade] = field(default_factory=list)
    opened: list[OwnOrder] = field(default_factory=list)
    settled: list[tuple[PaperPosition, Settlement]] = field(default_factory=list)

    @property
    def book_ids(self) -> set[int]:
        """The books that the draft would write to."""
        return {
            *(order.book_id for order in self.changed.values()),
            *(own.book.pk for own in self.opened),
            *(position.book_id for position, _ in self.settled),
        }

    def change(self, order: PaperOrder, status: BrokerStatus, *, at: datetime, why: str) -> None:
        """Move the order to another state, with words for whoever asks why."""
        order.status = status
        order.message = why
        self.tell(order, at=at)

    def tell(self, order: PaperOrder, *, at: datetime) -> None:
        """Count one more change of the order and report it."""
        order.sequence += 1
        order.updated_at = at
        self.report(order)

    def report(self, order: PaperOrder) -> None:
        """Report the order as it stands."""
        order.is_untold = False
        self.note(order)
        self.told.add(order.pk)

    def note(self, order: PaperOrder) -> None:
        """Keep a change that nobody outside needs to hear of."""
        self.changed[order.pk] = order

    def fill(self, order: PaperOrder, *, quantity: int, price: Decimal, at: datetime) -> None:
        """Trade part of the order; charges are what its whole turnover now adds."""
        order.filled_quantity += quantity
        order.turnover += price * quantity
        total = self.venue.charges(
            order.contract.ref(),
            side=Side(order.side),
            product=Product(order.product),
            quantity=order.filled_quantity,
            turnover=order.turnover,
            on=order.session_date,
        )
        trade = PaperTrade(
            book_id=order.book_id,
            order=order,
            number=0,
            quantity=quantity,
            price=price,
            charges=total - order.charges,
            session_date=order.session_date,
            traded_at=at,
        )
        order.charges = total
        self.trades.append(trade)
        self.note(order)

    def open_order(self, own: OwnOrder) -> None:
        """Send an order of the broker's own, such as a square-off."""
        self.opened.append(own)

    def settle(self, position: PaperPosition, settlement: Settlement) -> None:
        """End a position of an expired contract: no order, no trade, as at any broker."""
        self.settled.append((position, settlement))

    def write(self, books: dict[int, PaperAccount], *, at: datetime) -> None:
        for book in books.values():
            turn_day(book, at=at, venue=self.venue)
        for own in self.opened:
            self._place_own(books[own.book.pk], own, at=at)
        PaperOrder.objects.bulk_update(self.changed.values(), _ORDER_FIELDS)
        self._write_trades(books)
        self._write_settled(books, at=at)
        PaperAccount.objects.bulk_update(books.values(), ["cash", "order_count"])

    def updates(self) -> list[AccountUpdate]:
        """Return what to tell each account, its orders as they stand and all its new trades."""
        orders = [order for pk, order in self.changed.items() if pk in self.told]
        accounts = {order.book.account_id: order.book_id for order in orders}
        return [
            AccountUpdate(
                account_id=account_id,
                orders=tuple(order_report(order) for order in orders if order.book_id == book_id),
                trades=tuple(trade_report(each) for each in self.trades if each.book_id == book_id),
            )
            for account_id, book_id in accounts.items()
        ]

    def _place_own(self, book: PaperAccount, own: OwnOrder, *, at: datetime) -> None:
        order = new_order(book, own.request, at=at)
        order.contract = contract_for(own.request.instrument)
        order.session_date = own.session_date
        order.is_square_off = True
        order.message = own.why
        order.save()
        self.note(order)
        self.told.add(order.pk)

    def _write_settled(self, books: dict[int, PaperAccount], *, at: datetime) -> None:
        entries: list[PaperLedgerEntry] = []
        for planned, settlement in self.settled:
            # Read again: the turn of the day may have changed it.
            position = PaperPosition.objects.select_related("contract").get(pk=planned.pk)
            entries += settle_position(books[position.book_id], position, settlement, at=at)
            position.save(update_fields=_POSITION_FIELDS)
        PaperLedgerEntry.objects.bulk_create(entries)

    def _write_trades(self, books: dict[int, PaperAccount]) -> None:
        if not self.trades:
            return
        self._number_trades()
        PaperTrade.objects.bulk_create(self.trades)
        positions = self._positions()
        entries: list[PaperLedgerEntry] = []
        for trade in self.trades:
            order = trade.order
            position = positions[(order.book_id, order.contract_id, order.product)]
            entries += post_trade(books[order.book_id], position, trade)
        PaperLedgerEntry.objects.bulk_create(entries)
        PaperPosition.objects.bulk_update(positions.values(), _POSITION_FIELDS)

    def _number_trades(self) -> None:
        last: dict[int, int] = {}
        orders = {trade.order_id for trade in self.trades}
        for order_id in PaperTrade.objects.filter(order__in=orders).values_list(
            "order_id", flat=True
        ):
            last[order_id] = last.get(order_id, 0) + 1
        for trade in self.trades:
            last[trade.order_id] = last.get(trade.order_id, 0) + 1
            trade.number = last[trade.order_id]

    def _positions(self) -> dict[tuple[int, int, str], PaperPosition]:
        orders = [trade.order for trade in self.trades]
        known = _by_key(
            PaperPosition.objects.filter(
                book__in={order.book_id for order in orders},
                contract__in={order.contract_id for order in orders},
            )
        )
        for order in orders:
            key = (order.book_id, order.contract_id, order.product)
            if key not in known:
                known[key] = PaperPosition.objects.create(
                    book_id=order.book_id,
                    contract_id=order.contract_id,
                    product=order.product,
                    session_date=order.session_date,
                )
        return known


def new_order(book: PaperAccount, request: PlaceRequest, *, at: datetime) -> PaperOrder:
    """Number an order in a locked book; the caller names its contract and saves both."""
    book.order_count += 1
    number = book.order_count
    return PaperOrder(
        book=book,
        number=number,
        broker_order_id=f"PB{book.pk:05d}{number:08d}",
        tag=request.tag,
        side=request.side,
        order_type=request.order_type,
        product=request.product,
        validity=request.validity,
        quantity=request.quantity,
        price=request.price if request.order_type.needs_price else None,
        trigger_price=request.trigger_price if request.order_type.needs_trigger else None,
        disclosed_quantity=request.disclosed_quantity,
        status=BrokerStatus.QUEUED_AMO if request.is_amo else BrokerStatus.PLACED,
        placed_at=at,
        live_at=at + acknowledgement_delay(number),
        updated_at=at,
    )


def _by_key(positions: Iterable[PaperPosition]) -> dict[tuple[int, int, str], PaperPosition]:
    return {(each.book_id, each.contract_id, each.product): each for each in positions}
