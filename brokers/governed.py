"""What stands before every real broker's gateway: the order threshold and the address check.

Ways out, cancels, exits and changes of exits, may use the whole threshold and are never held back
for our address: the broker answers for itself there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from brokers.addresses import AddressDiffers, check_known_address
from brokers.answers import not_sent
from brokers.capabilities import Capabilities
from brokers.gateway import (
    CancelRequest,
    FundsReport,
    Gateway,
    HoldingReport,
    Margin,
    ModifyRequest,
    OrderReport,
    Outcome,
    PlaceRequest,
    PositionReport,
    Refused,
    TradeReport,
)
from brokers.governor import Governor, Purpose, calls_for
from brokers.terms import Segment
from brokers.transport import NotSent

Asked = TypeVar("Asked", PlaceRequest, ModifyRequest, CancelRequest)
_SLICED = "place_sliced"
_SENDING = (_SLICED, "place_trigger", "modify_trigger", "place_bracket", "convert")


@dataclass(frozen=True, slots=True)
class GovernedGateway:
    """A gateway whose order messages are counted and held back before they leave.

    Whatever else the broker can do is reached through it, so that its abilities are its own.
    """

    inner: Gateway
    governor: Governor
    clock: Callable[[], datetime]

    def place(self, request: PlaceRequest) -> Outcome:
        return self._send(self.inner.place, request, _purpose_of(request))

    def modify(self, request: ModifyRequest) -> Outcome:
        return self._send(self.inner.modify, request, _purpose_of(request))

    def cancel(self, request: CancelRequest) -> Outcome:
        return self._send(self.inner.cancel, request, Purpose.WAY_OUT)

    def orders(self) -> Sequence[OrderReport]:
        return self.inner.orders()

    def trades(self) -> Sequence[TradeReport]:
        return self.inner.trades()

    def positions(self) -> Sequence[PositionReport]:
        return self.inner.positions()

    def holdings(self) -> Sequence[HoldingReport]:
        return self.inner.holdings()

    def funds(self) -> FundsReport:
        return self.inner.funds()

    def margin(self, request: PlaceRequest) -> Margin:
        return self.inner.margin(request)

    def capabilities(self, segment: Segment) -> Capabilities | None:
        return self.inner.capabilities(segment)

    def __getattr__(self, name: str) -> Any:
        ability = getattr(self.inner, name)
        return self._guarded(ability) if name in _SENDING else ability

    def _guarded(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """Hold back an ability that sends orders, whose last argument is the request."""

        def guarded(*arguments: Any) -> Any:
            request = getattr(arguments[-1], "entry", arguments[-1])
            purpose = _purpose_of(request)
            refusal = self._objection(request.instrument.segment, purpose)
            if refusal is None:
                with calls_for(purpose):
                    return send(*arguments)
            return [refusal] if send.__name__ == _SLICED else refusal

        return guarded

    def _send(self, send: Callable[[Asked], Outcome], request: Asked, purpose: Purpose) -> Outcome:
        refusal = self._objection(request.instrument.segment, purpose)
        if refusal is not None:
            return refusal
        with calls_for(purpose):
            return send(request)

    def _objection(self, segment: Segment, purpose: Purpose) -> Refused | None:
        try:
            if purpose is not Purpose.WAY_OUT:
                check_known_address(self.governor.connection, now=self.clock())
            self.governor.enter_segment(segment, purpose)
        except (AddressDiffers, NotSent) as error:
            return not_sent(str(error))
        return None


def _purpose_of(request: object) -> Purpose:
    """Tell what an order is for; what does not say that it is an exit is none."""
    return Purpose.WAY_OUT if getattr(request, "is_exit", False) else Purpose.ENTRY
