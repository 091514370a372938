"""The reading half of the simulated broker, and the lock and the moment every call needs."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from brokers.simulator.accounts import Account
from brokers.simulator.candles import candles_between
from brokers.simulator.desk import Desk
from brokers.simulator.faults import FaultName, Faults
from brokers.simulator.instruments import SimInstrument, by_token
from brokers.simulator.intake import Intake
from brokers.simulator.market import Market
from brokers.simulator.records import (
    Refusal,
    Session,
    SimCandle,
    SimFunds,
    SimHolding,
    SimOrder,
    SimOrderRequest,
    SimPosition,
    SimQuote,
    SimTrade,
)
from brokers.simulator.telling import Teller

_T = TypeVar("_T")


class UnknownInstrument(Exception):
    """The simulated exchange has no instrument with that token."""


class Readable:
    """What can be asked of a simulated broker; see ``SimulatedBroker``."""

    def __init__(
        self,
        seed: int,
        clock: Callable[[], datetime],
        instruments: Sequence[SimInstrument],
        cash: Decimal = Decimal(1_000_000),
        *,
        faults: Faults | None = None,
        acknowledges_after: timedelta = timedelta(0),
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.faults = faults if faults is not None else Faults()
        self._instruments = by_token(instruments)
        self._cash = cash
        self._takes = acknowledges_after
        self._name_order: Callable[[int], str] | None = None
        self._teller = Teller()
        self._lock = threading.RLock()
        self._begin()

    def _begin(self) -> None:
        self._market = Market(self._instruments, at=self.clock())
        self._desk = Desk(self._market, takes=self._takes, outbox=self._teller.queue)
        self._intake = Intake(self._desk, self._market, self.faults, takes=self._takes)
        if self._name_order is not None:
            self._intake.name_order = self._name_order
        self._accounts: dict[str, Account] = {}
        self._stale: dict[str, SimQuote] = {}

    # Reads; the book-wide ones obey the faults empty_book and partial_book.

    def orders(self, client: str) -> tuple[SimOrder, ...]:
        """Return the client's orders of today, oldest first."""
        with self._turn() as at:
            return self._spoilt("orders", self._visible(client, at))

    def order(self, client: str, order_id: str) -> SimOrder | None:
        with self._turn() as at:
            order = self._account(client).orders.get(order_id)
            return order.snapshot() if order is not None and order.visible_at <= at else None

    def orders_tagged(self, client: str, tag: str) -> tuple[SimOrder, ...]:
        """Return the orders that carry the tag; of the faults only surfaces_late hides them."""
        with self._turn() as at:
            return self._visible(client, at, tag=tag)

    def history(self, client: str, order_id: str) -> tuple[SimOrder, ...]:
        """Return the order as it was after each change, oldest first; () where there is none."""
        with self._turn() as at:
            order = self._account(client).orders.get(order_id)
            return tuple(order.history) if order and order.visible_at <= at else ()

    def trades(self, client: str, order_id: str | None = None) -> tuple[SimTrade, ...]:
        """Return today's fills, oldest first, of one order or of all."""
        with self._turn() as at:
            account = self._account(client)
            made = tuple(
                each
                for each in account.trades
                if order_id in (None, each.order_id)
                and account.orders[each.order_id].visible_at <= at
            )
            return self._spoilt("trades", made)

    def positions(self, client: str) -> tuple[SimPosition, ...]:
        """Return today's positions, closed ones too."""
        with self._turn():
            return self._spoilt("positions", self._account(client).positions(self._market))

    def holdings(self, client: str) -> tuple[SimHolding, ...]:
        """Return the shares owned when the day began; today's trades are positions."""
        with self._turn():
            return self._spoilt("holdings", self._account(client).holdings(self._market))

    def funds(self, client: str) -> SimFunds:
        with self._turn():
            return self._account(client).funds(self._market)

    def margin(self, client: str, request: SimOrderRequest) -> Decimal | Refusal:
        """Return what the order would block for this client now, without placing it."""
        with self._turn() as at:
            return self._intake.need(self._account(client), request, at=at)

    def clients(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._accounts)

    def snapshot(self, client: str) -> dict[str, object]:
        """Return everything of one account, by name, whatever faults are armed."""
        with self._turn():
            account = self._account(client)
            return {
                "orders": tuple(each.snapshot() for each in account.orders.values()),
                "trades": tuple(account.trades),
                "positions": account.positions(self._market),
                "holdings": account.holdings(self._market),
                "funds": account.funds(self._market),
            }

    # The market

    @property
    def session(self) -> Session:
        return self._desk.session

    def instruments(self) -> tuple[SimInstrument, ...]:
        return tuple(self._instruments.values())

    def instrument(self, token: str) -> SimInstrument:
        """:raises UnknownInstrument: when no instrument has the token."""
        if token not in self._instruments:
            raise UnknownInstrument(f"There is no instrument with the token {token}")
        return self._instruments[token]

    def quote(self, token: str) -> SimQuote:
        """:raises UnknownInstrument: when no instrument has the token."""
        self.instrument(token)
        with self._lock:
            return self._market.quote(token)

    def candles(
        self, token: str, interval: timedelta, frm: datetime, to: datetime
    ) -> tuple[SimCandle, ...]:
        """Return the candles that start in [frm, to], the same ones for the same seed always.

        :raises UnknownInstrument: when no instrument has the token.
        :raises TooManyCandles: above what any broker gives at once.
        """
        instrument = self.instrument(token)
        return candles_between(instrument, seed=self.seed, interval=interval, frm=frm, to=to)

    @contextmanager
    def _turn(self, now: datetime | None = None) -> Iterator[datetime]:
        """Hold the lock at one moment; tell what happened once it is let go."""
        try:
            with self._lock:
                at = self.clock() if now is None else now
                self._desk.pass_time(at)
                yield at
        finally:
            self._teller.tell()

    def _account(self, client: str) -> Account:
        return self._accounts.setdefault(client, Account(client, self._cash))

    def _visible(
        self, client: str, at: datetime, *, tag: str | None = None
    ) -> tuple[SimOrder, ...]:
        return tuple(
            each.snapshot()
            for each in self._account(client).orders.values()
            if each.visible_at <= at and tag in (None, each.request.tag)
        )

    def _spoilt(self, book: str, rows: tuple[_T, ...]) -> tuple[_T, ...]:
        if rows and self.faults.take(FaultName.EMPTY_BOOK, book):
            return ()
        if len(rows) > 1 and self.faults.take(FaultName.PARTIAL_BOOK, book):
            return rows[: len(rows) // 2]
        return rows
