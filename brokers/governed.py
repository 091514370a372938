"""What stands before every real broker's gateway: the order threshold and the address check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from brokers.governor import Governor
from brokers.terms import Segment
from brokers.transport import NotSent

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
        refusal = self._objection(request.instrument.segment, is_cancel=False)
        return refusal or self.inner.place(request)

    def modify(self, request: ModifyRequest) -> Outcome:
        refusal = self._objection(request.instrument.segment, is_cancel=False)
        return refusal or self.inner.modify(request)

    def cancel(self, request: CancelRequest) -> Outcome:
        refusal = self._objection(request.instrument.segment, is_cancel=True)
        return refusal or self.inner.cancel(request)

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
            request = arguments[-1]
            instrument = getattr(request, "entry", request).instrument
            refusal = self._objection(instrument.segment, is_cancel=False)
            if refusal is None:
                return send(*arguments)
            return [refusal] if send.__name__ == _SLICED else refusal

        return guarded

    def _objection(self, segment: Segment, *, is_cancel: bool) -> Refused | None:
        try:
            check_known_address(self.governor.connection, now=self.clock())
            self.governor.enter_segment(segment, is_cancel=is_cancel)
        except (AddressDiffers, NotSent) as error:
            return not_sent(str(error))
        return None
