"""Standing triggers: Angel One's GTT rules, one leg each, for shares."""

from collections.abc import Sequence

from brokers.abilities import TriggerLeg, TriggerReport, TriggerRequest, TriggerStatus
from brokers.adapters.angel.line import AngelLine
from brokers.adapters.angel.outcomes import Write
from brokers.adapters.angel.rows import KeyOf, Row, rows_of
from brokers.adapters.angel.sending import exchange_of, rule_objection, rule_params
from brokers.adapters.angel.words import WordUnknown, count_of, decimal_of, product_of, side_of
from brokers.capabilities import TriggerKind
from brokers.gateway import GatewayUnavailable, InstrumentRef, Outcome

# The only page size that is documented: a larger one may be cut without a word.
RULES_A_PAGE = 10
_MOST_PAGES = 100
_ALL = ["FORALL"]
_STATUSES = {
    "NEW": TriggerStatus.ACTIVE,
    "ACTIVE": TriggerStatus.ACTIVE,
    "SENTTOEXCHANGE": TriggerStatus.TRIGGERED,
    "CANCELLED": TriggerStatus.CANCELLED,
    "REJECTED": TriggerStatus.REJECTED,
    "EXPIRED": TriggerStatus.EXPIRED,
}


class KeepsRules:
    """The GTT calls. A rule has no tag: an unknown outcome is settled by comparing the list."""

    line: AngelLine
    key_of: KeyOf

    def place_trigger(self, request: TriggerRequest) -> Outcome:
        refusal = rule_objection(request)
        if refusal is not None:
            return refusal
        params = rule_params(request)
        return self.line.write(Write.TRIGGER, lambda client: client.create_rule(params))

    def modify_trigger(self, trigger_id: str, request: TriggerRequest) -> Outcome:
        refusal = rule_objection(request)
        if refusal is not None:
            return refusal
        params = rule_params(request) | {"id": trigger_id}
        return self.line.write(
            Write.TRIGGER, lambda client: client.modify_rule(params), about=trigger_id
        )

    def cancel_trigger(self, trigger_id: str, instrument: InstrumentRef) -> Outcome:
        params = {
            "id": trigger_id,
            "symboltoken": instrument.token,
            "exchange": exchange_of(instrument),
        }
        return self.line.write(
            Write.TRIGGER, lambda client: client.gttCancelRule(params), about=trigger_id
        )

    def triggers(self) -> Sequence[TriggerReport]:
        """:raises GatewayUnavailable: also when the list does not end."""
        found: list[TriggerReport] = []
        for page in range(1, _MOST_PAGES + 1):
            told = self._page(page)
            found += told
            if len(told) < RULES_A_PAGE:
                return found
        raise GatewayUnavailable("Angel One's list of triggers does not end")

    def _page(self, page: int) -> list[TriggerReport]:
        return self.line.read(
            "triggers",
            lambda client: client.gttLists(_ALL, page, RULES_A_PAGE),
            lambda data: [trigger_report(row, self.key_of) for row in rows_of(data, "triggers")],
        )


def trigger_report(row: Row, key_of: KeyOf) -> TriggerReport:
    """:raises WordUnknown: when the row cannot be read in full."""
    word = str(row.get("status", "")).strip().upper()
    if word not in _STATUSES or row.get("id") in (None, ""):
        raise WordUnknown(f"the trigger's status '{word[:40]}' is not known here")
    leg = TriggerLeg(
        trigger_price=decimal_of(row.get("triggerprice")),
        price=decimal_of(row.get("price")),
        quantity=count_of(row.get("qty")),
    )
    return TriggerReport(
        trigger_id=str(row["id"]),
        instrument_key=key_of(str(row.get("exchange", "")), str(row.get("symboltoken", ""))),
        side=side_of(str(row.get("transactiontype", ""))),
        product=product_of(str(row.get("producttype", ""))),
        kind=TriggerKind.SINGLE,
        status=_STATUSES[word],
        legs=(leg,),
    )
