"""Changing an order that may fill meanwhile: a change is a new order for the whole quantity again.

What fills of the old order between our look at it and the change stays with the old one, so the
new one would buy too much by as much. The old order is looked at once more when the change was
taken; the new one is then replaced by the rest, or cancelled where nothing is left to buy.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from brokers.adapters.alpaca import outcomes, sending
from brokers.adapters.alpaca.client import AlpacaClient
from brokers.adapters.alpaca.line import Line
from brokers.adapters.alpaca.words import REPLACED, row_in, whole
from brokers.gateway import Accepted, GatewayUnavailable, ModifyRequest, Outcome, Unknown
from brokers.values import Row, required, text

_ON_ITS_WAY = "pending_replace"
# Alpaca tells within some tens of milliseconds that a change has taken effect.
_LOOKS = 3
_MOST_CHANGES = 5
_TOO_MUCH = "A part filled while it was changed, and too much may be traded: look at the order"


def change(line: Line, request: ModifyRequest, chain: Sequence[Row]) -> Outcome:
    """Replace the order that counts now, of a chain of which nothing has filled so far."""
    root, newest = str(chain[0]["id"]), str(chain[-1]["id"])
    rest = request.quantity
    for number in range(len(chain), len(chain) + _MOST_CHANGES):
        outcome = _replace(line, replace(request, quantity=rest), root, (newest, number))
        if not isinstance(outcome, Accepted):
            return outcome if rest == request.quantity else Unknown(f"{_TOO_MUCH}. {outcome}")
        try:
            filled, following = line.read(partial(_look, old=newest))
        except GatewayUnavailable as error:
            return Unknown(f"It was changed, and what filled meanwhile is not known: {error}")
        if not filled:
            return outcome
        if following is None:
            return Unknown(_TOO_MUCH)
        rest, newest = rest - filled, following
        if rest <= 0:
            return _cancel(line, newest, root)
    return Unknown(_TOO_MUCH)


def _look(alpaca: AlpacaClient, old: str) -> tuple[int, str | None]:
    """Return what has filled of an order that was changed, and the order in its place.

    Where the change lost against the order's end there is nothing in its place, and no surplus.

    :raises Unreadable: when the order cannot be understood.
    """
    row = row_in(alpaca.get_order_by_id(old))
    for _ in range(_LOOKS - 1):
        if row.get("status") != _ON_ITS_WAY:
            break
        row = row_in(alpaca.get_order_by_id(old))
    filled = whole(row.get("filled_qty"), of=text(row.get("symbol")))
    if row.get("status") == REPLACED:
        return filled, required(row, "replaced_by")
    return (filled if row.get("status") == _ON_ITS_WAY else 0), None


def _replace(line: Line, request: ModifyRequest, root: str, place: tuple[str, int]) -> Outcome:
    newest, number = place
    fields = sending.change_fields(request, root=root, number=number)
    return line.write(
        lambda alpaca: alpaca.replace_order_by_id(newest, fields),
        lambda last: outcomes.judge_change(last, root=root, at=line.clock()),
    )


def _cancel(line: Line, order_id: str, root: str) -> Outcome:
    outcome = line.write(
        lambda alpaca: alpaca.cancel_order_by_id(order_id),
        lambda last: outcomes.judge_cancel(last, root=root, at=line.clock()),
    )
    return outcome if isinstance(outcome, Accepted) else Unknown(f"{_TOO_MUCH}. {outcome}")
