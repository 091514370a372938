"""One order of the house is a chain at Alpaca: every change makes a new order with a new id.

The house knows such an order by its first id for ever. Here a chain is folded into one row: the
first order's id and tag, the terms and the state of the one that counts now, the fills of all. A
replacement counts from when the old order says ``replaced``; until then, and where the exchange
refused the change, the old one counts.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from brokers.adapters.alpaca.words import REPLACED, moment
from brokers.values import Row, Unreadable, is_nothing, number, number_or_zero, required, text

LONGEST = 1000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_AVERAGE_UNIT = Decimal("0.000001")
_TERMS_OF_THE_FIRST = ("client_order_id", "created_at", "submitted_at")


def replacement_name(root: str, number: int) -> str:
    """Return the client order id of a change: it says whose change it is, and is used once."""
    return f"{root}.{number}"


class Chains:
    """The orders of an account by their ids, and what is missing to understand them."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: dict[str, Row] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        self._rows[required(row, "id")] = row

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._rows

    def missing(self) -> set[str]:
        """Return the ids that known orders refer to and that are not known themselves."""
        wanted = set()
        for row in self._rows.values():
            wanted.add(text(row.get("replaces")))
            if row.get("status") == REPLACED:
                wanted.add(text(row.get("replaced_by")))
        return {each for each in wanted if each and each not in self._rows}

    def root_of(self, order_id: str) -> str:
        """Return the first id of the chain that the order belongs to.

        :raises Unreadable: when the chain is broken or turns in a circle.
        """
        for _ in range(LONGEST):
            before = text(self._row(order_id).get("replaces"))
            if not before:
                return order_id
            order_id = before
        raise Unreadable("Alpaca told of orders that replace one another in a circle")

    def chain(self, root: str) -> list[Row]:
        """Return the orders that have counted, first to last; the last one counts now."""
        found = [self._row(root)]
        while found[-1].get("status") == REPLACED:
            if len(found) == LONGEST:
                raise Unreadable("Alpaca told of orders that replace one another in a circle")
            found.append(self._row(required(found[-1], "replaced_by")))
        return found

    def heads(self) -> list[Row]:
        """Return the first order of each chain, and what belongs to none, in the order of the
        book."""
        return [row for key, row in self._rows.items() if not self._is_followed(key)]

    def folded(self, row: Row) -> Row:
        """Return the chain that begins with a row as one order.

        :raises Unreadable: when it refers to an order that is not there.
        """
        return fold(self.chain(self.root_of(required(row, "id"))))

    def _is_followed(self, order_id: str) -> bool:
        """Tell whether an order belongs to the chain of another one."""
        try:
            return self.root_of(order_id) != order_id
        except Unreadable:
            return False

    def _row(self, order_id: str) -> Row:
        if order_id not in self._rows:
            raise Unreadable(f"Alpaca's answer lacks the order {order_id[:40]}")
        return self._rows[order_id]


def fold(chain: list[Row]) -> Row:
    """Return a chain as one order; ``venue_id`` is the id that counts at Alpaca now."""
    first, last = chain[0], chain[-1]
    if len(chain) == 1:
        return {**first, "venue_id": first.get("id")}
    before = sum((_filled(row) for row in chain[:-1]), Decimal(0))
    return {
        **last,
        **{name: first.get(name) for name in _TERMS_OF_THE_FIRST},
        "id": first.get("id"),
        "venue_id": last.get("id"),
        "qty": None if is_nothing(last.get("qty")) else before + number(last.get("qty"), "qty"),
        "filled_qty": before + _filled(last),
        "filled_avg_price": _average(chain),
        "updated_at": max(chain, key=changed_at).get("updated_at"),
    }


def changed_at(row: Row) -> datetime:
    """Return when an order was last changed; as texts, times of one second do not compare."""
    return moment(row.get("updated_at")) or _LONG_AGO


def _filled(row: Row) -> Decimal:
    return number(row.get("filled_qty"), "filled_qty")


def _average(chain: list[Row]) -> Decimal | None:
    filled = sum((_filled(row) for row in chain), Decimal(0))
    worth = sum((_filled(row) * _average_of(row) for row in chain), Decimal(0))
    return (worth / filled).quantize(_AVERAGE_UNIT) if filled else None


def _average_of(row: Row) -> Decimal:
    return number_or_zero(row.get("filled_avg_price"), "filled_avg_price")
