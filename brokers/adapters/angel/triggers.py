"""Standing triggers: Angel One's GTT rules, one leg each, for shares."""

from collections.abc import Sequence
from dataclasses import replace

from brokers.abilities import TriggerLeg, TriggerReport, TriggerRequest, TriggerStatus
from brokers.adapters.angel.line import AngelLine
from brokers.adapters.angel.outcomes import Write
from brokers.adapters.angel.rows import BROKER, key_of_row, naming
from brokers.adapters.angel.sending import exchange_of, rule_objection, rule_params
from brokers.adapters.angel.words import product_of, side_of
from brokers.capabilities import TriggerKind
from brokers.gateway import GatewayUnavailable, InstrumentRef, Outcome
from brokers.rows import KeyOf, Listed, read_rows
from brokers.values import MOST_PRICE, Row, count, known, number, required, text

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
        found = Listed[TriggerReport]()
        for page in range(1, _MOST_PAGES + 1):
            told = self._page(page)
            found = found.with_more(told)
            if len(told) + len(told.unreadable) < RULES_A_PAGE:
                return found
        raise GatewayUnavailable("Angel One's list of triggers does not end")

    def _page(self, page: int) -> Listed[TriggerReport]:
        return self.line.read(
            "triggers",
            lambda client: client.gttLists(_ALL, page, RULES_A_PAGE),
            lambda data: rule_reports(data, self.key_of),
        )


def rule_reports(data: object, key_of: KeyOf) -> Listed[TriggerReport]:
    """Read a page of rules; a single one may come as an object without a list around it.

    :raises Unreadable: when it is neither.
    """
    if isinstance(data, dict) and "id" in data:
        data = [data]
    return read_rows(
        [] if data is None else data,
        lambda row: trigger_report(row, key_of),
        naming=replace(naming(key_of), order_id="id"),
        broker=BROKER,
    )


def trigger_report(row: Row, key_of: KeyOf) -> TriggerReport:
    """:raises Unreadable: when the row cannot be read in full."""
    leg = TriggerLeg(
        trigger_price=number(row.get("triggerprice"), "triggerprice", most=MOST_PRICE),
        price=number(row.get("price"), "price", most=MOST_PRICE),
        quantity=count(row.get("qty"), "qty", least=1),
    )
    return TriggerReport(
        trigger_id=required(row, "id"),
        instrument_key=key_of_row(row, key_of),
        side=side_of(text(row.get("transactiontype"))),
        product=product_of(text(row.get("producttype"))),
        kind=TriggerKind.SINGLE,
        status=known(_STATUSES, text(row.get("status")).upper(), "trigger's status"),
        legs=(leg,),
    )
