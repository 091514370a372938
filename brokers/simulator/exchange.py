"""A broker that exists only in memory: accounts, orders, matching, money. The wire apps' ground.

Matching, refusals and margins are the paper broker's own pure rules. Nothing happens by itself:
time passes with :meth:`SimulatedBroker.advance` (every other call does it too), prices move with
:meth:`SimulatedBroker.tick`. Every method may be called from any thread.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Unpack

from brokers.simulator.faults import FaultName
from brokers.simulator.market import TickDetails
from brokers.simulator.reads import Readable, UnknownInstrument
from brokers.simulator.records import (
    OrderEvent,
    OrderState,
    Refusal,
    Session,
    SimCandle,
    SimChanges,
    SimEvent,
    SimFunds,
    SimHolding,
    SimOrder,
    SimOrderRequest,
    SimPosition,
    SimQuote,
    SimTrade,
    TickEvent,
    TradeEvent,
)
from brokers.simulator.telling import Listener

__all__ = [
    "OrderEvent",
    "OrderState",
    "Refusal",
    "Session",
    "SimCandle",
    "SimChanges",
    "SimEvent",
    "SimFunds",
    "SimHolding",
    "SimOrder",
    "SimOrderRequest",
    "SimPosition",
    "SimQuote",
    "SimTrade",
    "SimulatedBroker",
    "TickEvent",
    "TradeEvent",
    "UnknownInstrument",
]


class SimulatedBroker(Readable):
    """One broker with all its clients; a client account is made when it is first named.

    ``acknowledges_after`` is how long an order, a change and a cancel take to the exchange; at
    nothing they arrive within the call. ``faults`` must be the ones the wire app is given too.
    """

    # Orders

    def place(
        self,
        client: str,
        request: SimOrderRequest,
        *,
        reject_in_book: bool = False,
        unique_tags: bool = False,
    ) -> SimOrder | Refusal:
        """Take an order or say why not; the order is returned as it is when the call ends.

        With ``reject_in_book`` whatever the exchange or risk management holds against it gives
        an order in state REJECTED, with the words in its message, instead of a refusal; what the
        desk itself cannot read is always a refusal. With ``unique_tags`` a tag used before is
        refused as ``SIM:DUPLICATE_TAG``.
        """
        with self._turn() as at:
            account = self._account(client)
            if unique_tags and (refusal := self._intake.objection_to_tag(account, request)):
                return refusal
            return self._intake.place(account, request, at=at, reject_in_book=reject_in_book)

    def place_external(self, client: str, request: SimOrderRequest) -> SimOrder | Refusal:
        """Place an order as the broker's own app would: it reports no tag, and is external."""
        untagged = replace(request, tag="")
        with self._turn() as at:
            return self._intake.place(self._account(client), untagged, at=at, is_external=True)

    def modify(self, client: str, order_id: str, changes: SimChanges) -> SimOrder | Refusal:
        """Change a working order; it may still be MODIFY_PENDING when this returns."""
        with self._turn() as at:
            return self._intake.modify(self._account(client), order_id, changes, at=at)

    def cancel(self, client: str, order_id: str) -> SimOrder | Refusal:
        """Take the asking for a cancel; the order returned may be CANCEL_PENDING still.

        An order may fill after that: a fill beats a cancel that is under way.
        """
        with self._turn() as at:
            return self._intake.cancel(self._account(client), order_id, at=at)

    # What drives it

    def tick(self, token: str, price: Decimal, **details: Unpack[TickDetails]) -> None:
        """Let an instrument trade at a price, and with it the orders it reaches.

        Without ``bid`` and ``ask`` orders trade at the price itself, up to a quarter of
        ``volume``, which is 100,000 unless told.

        :raises UnknownInstrument: when no instrument has the token.
        """
        self.instrument(token)
        with self._turn() as at:
            stale = self._stale_quote(token)
            tick = self._market.tick(token, price, details, at=at)
            self._teller.queue.append(TickEvent(stale or self._market.quote(token)))
            self._desk.match(tick)

    def advance(self, now: datetime | None = None) -> None:
        """Let everything arrive that is due by ``now``, or by the clock's time."""
        with self._turn(now):
            pass

    def give_holding(self, client: str, token: str, quantity: int, average: Decimal) -> None:
        """Put settled shares into an account, as if bought long ago.

        :raises UnknownInstrument: when no instrument has the token.
        """
        instrument = self.instrument(token)
        with self._lock:
            self._account(client).give(instrument, quantity=quantity, average=average)

    def give_cash(self, client: str, amount: Decimal) -> None:
        """Pay money into an account."""
        with self._lock:
            self._account(client).cash += amount

    def set_session(self, session: Session) -> None:
        """Open or close the exchange; orders queued for the open go to it when it opens."""
        with self._turn() as at:
            self._desk.switch(session, at=at)

    def next_day(self) -> None:
        """End the day: orders expire, books empty, bought shares become holdings (T+1)."""
        with self._turn() as at:
            self._desk.end_day(at=at)
            for account in self._accounts.values():
                account.next_day()
            self._market.next_day()

    def reset(self) -> None:
        """Begin again with no accounts, the first prices and an open session."""
        with self._lock:
            self._teller.queue.clear()
            self._begin()

    def use_order_ids(self, make: Callable[[int], str]) -> None:
        """Let a wire app name orders its broker's way, from the order's number (1, 2, ...)."""
        self._name_order = make
        self._intake.name_order = make

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell the listener everything from now on; call what is returned to stop.

        It is called outside the lock, one event at a time, in the order things happened, before
        the call that caused it returns; it may call the broker, and must not wait for a thread
        that does.
        """
        return self._teller.subscribe(listener)

    def _stale_quote(self, token: str) -> SimQuote | None:
        """Return what a stale feed repeats: the quote from before it went stale."""
        if not self.faults.is_on(FaultName.STALE_FEED, "tick"):
            self._stale.pop(token, None)
            return None
        return self._stale.setdefault(token, self._market.quote(token))
