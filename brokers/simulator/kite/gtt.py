"""Kite's good-till-triggered orders: kept here, sent when the price gets there."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from starlette.routing import Route

from brokers.simulator.exchange import Refusal, SimEvent, TickEvent
from brokers.simulator.kite.answers import KiteError, bad_input
from brokers.simulator.kite.desk import Asked, KiteDesk, endpoint
from brokers.simulator.kite.intake import order_in
from brokers.simulator.kite.listing import kite_token
from brokers.simulator.kite.rows import Row, stamp

_LIVES = timedelta(days=365)
_LEGS = {"single": 1, "two-leg": 2}


@dataclass(slots=True)
class _Trigger:
    number: int
    client: str
    kind: str
    condition: Row
    orders: list[Row]
    token: str
    prices: list[Decimal]
    last: Decimal
    created_at: datetime
    updated_at: datetime
    status: str = "active"
    results: list[Row | None] = field(default_factory=list)

    def reached(self, price: Decimal) -> int | None:
        """Return which leg the price has reached, None while it has reached none."""
        if self.kind == "two-leg":
            low, high = self.prices
            return 0 if price <= low else 1 if price >= high else None
        (trigger,) = self.prices
        is_above = trigger > self.last
        return 0 if (price >= trigger if is_above else price <= trigger) else None

    def row(self) -> Row:
        results = self.results or [None] * len(self.orders)
        return {
            "id": self.number,
            "user_id": self.client,
            "parent_trigger": None,
            "type": self.kind,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
            "expires_at": stamp(self.created_at + _LIVES),
            "status": self.status,
            "condition": self.condition,
            "orders": [
                {**order, "result": result}
                for order, result in zip(self.orders, results, strict=True)
            ],
            "meta": {},
        }


class Triggers:
    """Any thread may call; the exchange's ticks fire what they reach."""

    def __init__(self, desk: KiteDesk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._kept: dict[int, _Trigger] = {}
        desk.broker.subscribe(self._hear)
        desk.forgetting.append(self._kept.clear)

    def routes(self) -> list[Route]:
        def route(path: str, answer: Callable[[Asked], object], method: str) -> Route:
            serve = endpoint(self._desk, lambda _, asked: answer(asked))
            return Route(path, serve, methods=[method])

        return [
            route("/gtt/triggers", self._all, "GET"),
            route("/gtt/triggers", self._place, "POST"),
            route("/gtt/triggers/{number:int}", self._one, "GET"),
            route("/gtt/triggers/{number:int}", self._modify, "PUT"),
            route("/gtt/triggers/{number:int}", self._delete, "DELETE"),
        ]

    def _all(self, asked: Asked) -> object:
        with self._lock:
            return [each.row() for each in self._kept.values() if each.client == asked.client]

    def _one(self, asked: Asked) -> object:
        with self._lock:
            return self._own(asked).row()

    def _place(self, asked: Asked) -> object:
        with self._lock:
            number = 100_001 + len(self._kept)
            self._kept[number] = self._read(asked, number)
            return {"trigger_id": number}

    def _modify(self, asked: Asked) -> object:
        with self._lock:
            old = self._working(asked)
            new = self._read(asked, old.number)
            new.created_at = old.created_at
            self._kept[old.number] = new
            return {"trigger_id": old.number}

    def _delete(self, asked: Asked) -> object:
        with self._lock:
            trigger = self._working(asked)
            trigger.status, trigger.updated_at = "deleted", self._desk.broker.clock()
            return {"trigger_id": trigger.number}

    def _own(self, asked: Asked) -> _Trigger:
        trigger = self._kept.get(int(asked.part("number")))
        if trigger is None or trigger.client != asked.client:
            raise KiteError(404, "GeneralException", "Trigger not found.")
        return trigger

    def _working(self, asked: Asked) -> _Trigger:
        trigger = self._own(asked)
        if trigger.status != "active":
            raise bad_input(f"The trigger is {trigger.status} already.")
        return trigger

    def _read(self, asked: Asked, number: int) -> _Trigger:
        kind = asked.needed("type")
        try:
            condition, orders = (
                json.loads(asked.needed("condition")),
                json.loads(asked.needed("orders")),
            )
            prices = [Decimal(str(each)) for each in condition["trigger_values"]]
            last = Decimal(str(condition["last_price"]))
        except (ValueError, KeyError, TypeError, ArithmeticError):
            raise bad_input("Invalid `condition` or `orders`.") from None
        if not len(prices) == len(orders) == _LEGS.get(kind, 0):
            raise bad_input("Invalid `trigger_values` for the type.")
        instrument = self._desk.broker.instrument(order_in(self._desk, orders[0]).instrument_token)
        now = self._desk.broker.clock()
        condition["instrument_token"] = kite_token(instrument)
        return _Trigger(
            number, asked.client, kind, condition, orders, instrument.token, prices, last, now, now
        )

    def _hear(self, event: SimEvent) -> None:
        if not isinstance(event, TickEvent):
            return
        with self._lock:
            due = [
                (each, leg)
                for each in self._kept.values()
                if each.status == "active" and each.token == event.quote.instrument.token
                if (leg := each.reached(event.quote.last_price)) is not None
            ]
            for trigger, _ in due:
                trigger.status = "triggered"
        for trigger, leg in due:
            self._send(trigger, leg, event.quote.last_price)

    def _send(self, trigger: _Trigger, leg: int, price: Decimal) -> None:
        now = self._desk.broker.clock()
        sent = self._desk.broker.place(trigger.client, order_in(self._desk, trigger.orders[leg]))
        is_refused = isinstance(sent, Refusal)
        told = {
            "status": "failed" if is_refused else "success",
            "order_id": "" if isinstance(sent, Refusal) else sent.order_id,
            "rejection_reason": sent.words if isinstance(sent, Refusal) else "",
        }
        result: Row = {
            "account_id": trigger.client,
            **trigger.orders[leg],
            "validity": "DAY",
            "timestamp": stamp(now),
            "triggered_at": price,
            "order_result": told,
        }
        with self._lock:
            trigger.updated_at = now
            trigger.results = [result if i == leg else None for i in range(len(trigger.orders))]
