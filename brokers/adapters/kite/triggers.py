"""Good-till-triggered orders (GTT) at Kite.

Kite takes no tag for them: a trigger whose reply was lost is found by what it says, in the list.
"""

from collections.abc import Sequence

from brokers.abilities import TriggerReport, TriggerRequest
from brokers.adapters.kite import market, sending
from brokers.adapters.kite.client import KiteClient
from brokers.adapters.kite.line import Line
from brokers.answers import not_sent
from brokers.gateway import InstrumentRef, Outcome

_NAMED = "trigger_id"


class Triggers:
    """The part of the gateway that keeps triggers."""

    _line: Line

    def place_trigger(self, request: TriggerRequest) -> Outcome:
        if words_against := sending.trigger_objection(request):
            return not_sent(words_against)
        fields = sending.trigger_fields(request)
        return self._line.write(lambda kite: kite.place_gtt(**fields), named=_NAMED)

    def modify_trigger(self, trigger_id: str, request: TriggerRequest) -> Outcome:
        if words_against := sending.trigger_objection(request):
            return not_sent(words_against)
        fields = sending.trigger_fields(request)
        return self._line.write(lambda kite: kite.modify_gtt(trigger_id, **fields), named=_NAMED)

    def cancel_trigger(self, trigger_id: str, instrument: InstrumentRef) -> Outcome:
        return self._line.write(lambda kite: kite.delete_gtt(trigger_id), named=_NAMED)

    def triggers(self) -> Sequence[TriggerReport]:
        return self._line.read(
            KiteClient.get_gtts,
            lambda data: market.trigger_reports(data, key_of=self._line.key_of),
        )
