"""The client's side of the paper broker: the gateway every broker of this house offers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import DatabaseError, transaction
from django.db.models import Q

from brokers.adapters.paper import book as books
from brokers.adapters.paper.acceptance import Proof
from brokers.adapters.paper.capability import capabilities_on
from brokers.adapters.paper.desk import Desk
from brokers.adapters.paper.margins import MarginUnknown, order_margin
from brokers.adapters.paper.reports import order_report, trade_report
from brokers.adapters.paper.sessions import indian_date, start_of_day
from brokers.adapters.paper.settlement import is_due, turn_day
from brokers.capabilities import Capabilities
from brokers.gateway import (
    CancelRequest,
    FundsReport,
    GatewayUnavailable,
    HoldingReport,
    Margin,
    ModifyRequest,
    OrderReport,
    Outcome,
    PlaceRequest,
    PositionReport,
    Refused,
    TradeReport,
    Unknown,
)
from brokers.models import PaperAccount, PaperOrder, PaperTrade, TradingAccount
from brokers.registry import Clock
from brokers.terms import Segment
from brokers.venue import CalendarUnknown, ChargesUnknown, Venue, installed_venue

Answer = TypeVar("Answer")


def open_gateway(account: TradingAccount, clock: Clock) -> "PaperGateway":
    """Open the paper broker for one account.

    :raises VenueMissing: when the site installed none.
    """
    return PaperGateway(account, clock, installed_venue())


class PaperGateway:
    """One account at the paper broker. It has a database and no network at all."""

    def __init__(self, account: TradingAccount, clock: Clock, venue: Venue) -> None:
        self._account = account
        self._clock = clock
        self._venue = venue

    def place(self, request: PlaceRequest) -> Outcome:
        return self._write(lambda desk: desk.place(request))

    def modify(self, request: ModifyRequest) -> Outcome:
        return self._write(lambda desk: desk.modify(request))

    def cancel(self, request: CancelRequest) -> Outcome:
        return self._write(lambda desk: desk.cancel(request.broker_order_id))

    def orders(self) -> Sequence[OrderReport]:
        return self._read(_todays_orders)

    def trades(self) -> Sequence[TradeReport]:
        return self._read(_todays_trades)

    def positions(self) -> Sequence[PositionReport]:
        return self._read(lambda book, _: books.position_reports(book))

    def holdings(self) -> Sequence[HoldingReport]:
        return self._read(lambda book, at: books.holding_reports(book, at=at))

    def funds(self) -> FundsReport:
        return self._read(lambda book, _: books.funds_report(book))

    def margin(self, request: PlaceRequest) -> Margin:
        """Return what the order would block if nothing else were open.

        :raises GatewayUnavailable: when no price is known to work it out with.
        """
        try:
            margin = order_margin(request, last=self._venue.last_price(request.instrument))
        except MarginUnknown as error:
            raise GatewayUnavailable(str(error)) from error
        if margin is None:
            raise GatewayUnavailable(f"No price of {request.instrument.trading_symbol} is known")
        return margin

    def capabilities(self, segment: Segment) -> Capabilities | None:
        return capabilities_on(segment)

    def _read(self, answer: Callable[[PaperAccount, datetime], Answer]) -> Answer:
        """Bring the book to today and read it.

        :raises GatewayUnavailable: when the database or the calendar cannot tell.
        """
        at = self._clock()
        try:
            book, _ = PaperAccount.objects.get_or_create(account=self._account)
            if is_due(book, at=at):
                book = self._turn_day(at)
            return answer(book, at)
        except (DatabaseError, CalendarUnknown) as error:
            raise GatewayUnavailable(f"The paper book cannot be read: {error}") from error

    def _turn_day(self, at: datetime) -> PaperAccount:
        with transaction.atomic():
            book = books.locked_book(self._account)
            turn_day(book, at=at, venue=self._venue)
        return book

    def _write(self, act: Callable[[Desk], Outcome]) -> Outcome:
        """Do one write in one transaction.

        What fails before the commit was rolled back, which proves that nothing was taken; what
        fails in the commit itself proves nothing.
        """
        is_committing = False
        try:
            with transaction.atomic():
                at = self._clock()
                book = books.locked_book(self._account)
                turn_day(book, at=at, venue=self._venue)
                outcome = act(Desk(book, self._venue, at))
                is_committing = True
            return outcome
        except CalendarUnknown as error:
            return Refused(f"No calendar tells this session: {error}", Proof.CALENDAR)
        except ChargesUnknown as error:
            return Refused(f"No charges are known: {error}", Proof.CHARGES)
        except MarginUnknown as error:
            return Refused(str(error), Proof.MARGIN)
        except DatabaseError as error:
            if is_committing:
                return Unknown(f"The paper book failed to commit: {error}")
            return Refused(f"The paper book could not be written: {error}", Proof.ROLLED_BACK)


def _todays_orders(book: PaperAccount, at: datetime) -> list[OrderReport]:
    today = Q(session_date__gte=indian_date(at)) | Q(updated_at__gte=start_of_day(at))
    orders = PaperOrder.objects.filter(Q(book=book) & (today | Q(is_live=True)))
    return [order_report(each) for each in orders.select_related("contract").order_by("number")]


def _todays_trades(book: PaperAccount, at: datetime) -> list[TradeReport]:
    today = Q(session_date__gte=indian_date(at)) | Q(traded_at__gte=start_of_day(at))
    trades = PaperTrade.objects.filter(Q(book=book) & today)
    return [trade_report(each) for each in trades.select_related("order__contract").order_by("pk")]
