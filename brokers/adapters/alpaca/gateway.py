"""One account at Alpaca: the port, and the abilities Alpaca has besides."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from brokers.abilities import BrokerCandle, CandleRequest, Profile, QuoteReport
from brokers.adapters.alpaca import (
    chains,
    market,
    outcomes,
    pages,
    replacing,
    reports,
    sending,
    shares,
)
from brokers.adapters.alpaca.capability import capabilities_on
from brokers.adapters.alpaca.client import FAILURES, AlpacaClient
from brokers.adapters.alpaca.line import Line
from brokers.adapters.alpaca.words import NEW_YORK, row_in
from brokers.answers import not_sent
from brokers.candles import whole_days, within
from brokers.capabilities import Capabilities
from brokers.gateway import (
    Accepted,
    CancelRequest,
    FundsReport,
    GatewayUnavailable,
    HoldingReport,
    InstrumentRef,
    Margin,
    ModifyRequest,
    OrderReport,
    Outcome,
    PlaceRequest,
    PositionReport,
    Refused,
    TradeReport,
    Unknown,
)
from brokers.governor import governor_for
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.rows import Listed, read_rows
from brokers.terms import Segment
from brokers.transport import Admit, admit_all
from brokers.values import Row, Unreadable, required

Answer = TypeVar("Answer")
_MOST_PAGES = 100
_OVER = ("HTTP 404", "HTTP 422")


def open_gateway(account: TradingAccount, clock: Clock) -> "AlpacaGateway":
    """Open the way to one account at Alpaca, within the calls that Alpaca takes."""
    return AlpacaGateway(account, clock, admit=governor_for(account.connection, clock=clock))


class AlpacaGateway:
    """The port over the official SDK. ``admit`` may hold a call back before it leaves.

    Orders are named by the id they were first given, whatever has replaced them since.
    """

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit = admit_all) -> None:
        self._clock = clock
        self._line = Line(account, clock, admit=admit)

    def place(self, request: PlaceRequest) -> Outcome:
        if words_against := sending.objection(request):
            return not_sent(words_against)
        fields = sending.order_fields(request)
        outcome = self._line.write(
            lambda alpaca: alpaca.submit_order(fields),
            lambda last: outcomes.judge_order(last, tag=request.tag, at=self._clock()),
        )
        return self._sent_before(request.tag) if outcome is None else outcome

    def modify(self, request: ModifyRequest) -> Outcome:
        """Replace the order that counts now. It is looked up first, and nothing is sent without."""
        if words_against := sending.id_objection(request.broker_order_id):
            return not_sent(words_against)
        try:
            chain = self._line.read(lambda alpaca: pages.chain_of(alpaca, request.broker_order_id))
            words_against = sending.change_objection(request, chain)
        except (GatewayUnavailable, Unreadable) as error:
            return not_sent(f"Nothing was changed: {error}")
        if words_against:
            return not_sent(words_against)
        return replacing.change(self._line, request, chain)

    def cancel(self, request: CancelRequest) -> Outcome:
        """Cancel by the id that the house knows; only if that one is over, by the newest one.

        A refusal proves that nothing was cancelled, so the cancel may be sent once more.
        """
        root = request.broker_order_id
        if words_against := sending.id_objection(root):
            return not_sent(words_against)
        outcome = self._cancel(root, root=root)
        if not isinstance(outcome, Refused) or not outcome.proof.startswith(_OVER):
            return outcome
        try:
            chain = self._line.read(lambda alpaca: _chain_or_none(alpaca, root))
        except GatewayUnavailable as error:
            return Unknown(f"It may have been replaced, and cannot be looked up: {error}")
        newest = str(chain[-1]["id"]) if chain else root
        return outcome if newest == root else self._cancel(newest, root=root)

    def orders(self) -> Sequence[OrderReport]:
        """Return what is open, and what was sent within the last days."""
        return self._line.read(self._orders)

    def order_by_tag(self, tag: str) -> OrderReport | None:
        return self._line.read(lambda alpaca: self._tagged(alpaca, tag))

    def trades(self) -> Sequence[TradeReport]:
        """Return the fills of the days that the order book tells of, by the orders' first ids."""
        return self._line.read(self._trades)

    def positions(self) -> Sequence[PositionReport]:
        return self._line.read(
            lambda alpaca: shares.position_reports(
                *pages.held_and_traded(alpaca, now=self._clock()), key_of=self._line.key_of
            )
        )

    def holdings(self) -> Sequence[HoldingReport]:
        return self._line.read(
            lambda alpaca: shares.holding_reports(
                *pages.held_and_traded(alpaca, now=self._clock()), key_of=self._line.key_of
            )
        )

    def funds(self) -> FundsReport:
        return self._line.read(lambda alpaca: reports.funds_report(row_in(alpaca.get_account())))

    def margin(self, request: PlaceRequest) -> Margin:
        def worked_out(alpaca: AlpacaClient) -> Margin:
            needs_quote = request.order_type.needs_price or request.order_type.needs_trigger
            found = {} if needs_quote else self._quotes([request.instrument], alpaca)
            quote = found.get(request.instrument.key)
            return market.margin_of(request, quote.ltp if quote else None)

        return self._line.read(worked_out)

    def capabilities(self, segment: Segment) -> Capabilities | None:
        return capabilities_on(segment)

    def profile(self) -> Profile:
        return self._line.read(lambda alpaca: reports.profile_report(row_in(alpaca.get_account())))

    def quotes(self, instruments: Sequence[InstrumentRef]) -> Mapping[str, QuoteReport]:
        found: dict[str, QuoteReport] = {}
        for start in range(0, len(instruments), market.MOST_QUOTES):
            part = instruments[start : start + market.MOST_QUOTES]
            found |= self._line.read(partial(self._quotes, part))
        return found

    def candles(self, request: CandleRequest) -> Sequence[BrokerCandle]:
        return self._line.read(lambda alpaca: _candles(alpaca, request))

    def _orders(self, alpaca: AlpacaClient) -> Listed[OrderReport]:
        known, nameless = pages.orders(alpaca, now=self._clock())
        return read_rows(
            [*known.heads(), *nameless],
            lambda row: self._report(known.folded(row)),
            naming=reports.naming(self._line.key_of),
            broker=reports.BROKER,
        )

    def _report(self, row: Row) -> OrderReport:
        return reports.order_report(row, key_of=self._line.key_of, at=self._clock())

    def _cancel(self, order_id: str, *, root: str) -> Outcome:
        return self._line.write(
            lambda alpaca: alpaca.cancel_order_by_id(order_id),
            lambda last: outcomes.judge_cancel(last, root=root, at=self._clock()),
        )

    def _sent_before(self, tag: str) -> Outcome:
        """Find the order whose tag Alpaca says was used: it is ours, for tags are used once."""
        try:
            found = self.order_by_tag(tag)
        except GatewayUnavailable as error:
            return Unknown(f"Alpaca has an order with this tag, which cannot be read: {error}")
        if found is None:
            return Unknown("Alpaca says that the tag was used, and does not show the order yet")
        return Accepted(found.broker_order_id, self._clock())

    def _tagged(self, alpaca: AlpacaClient, tag: str) -> OrderReport | None:
        """Alpaca finds the first order of a chain by its tag, and that one leads to the others."""
        row = _or_none(alpaca, lambda: row_in(alpaca.get_order_by_client_id(tag)))
        if row is None:
            return None
        known = pages.complete(alpaca, chains.Chains([row]))
        return self._report(chains.fold(known.chain(known.root_of(str(row["id"])))))

    def _trades(self, alpaca: AlpacaClient) -> Listed[TradeReport]:
        since = pages.day_start(self._clock()) - pages.BOOK_REACHES
        fills = pages.fills(alpaca, since=since)
        known = pages.orders(alpaca, now=self._clock())[0] if fills else chains.Chains()
        for order_id in {order_id for fill in fills if (order_id := _order_in(fill))}:
            if order_id not in known:
                known.add(row_in(alpaca.get_order_by_id(order_id)))
        known = pages.complete(alpaca, known)
        key_of = self._line.key_of
        return read_rows(
            fills,
            lambda fill: reports.trade_report(
                fill, root=known.root_of(required(fill, "order_id")), key_of=key_of
            ),
            naming=reports.naming(key_of, order_id="order_id"),
            broker=reports.BROKER,
        )

    def _quotes(
        self, instruments: Sequence[InstrumentRef], alpaca: AlpacaClient
    ) -> dict[str, QuoteReport]:
        keys = {sending.symbol_of(each): each.key for each in instruments}
        asked = {"symbols": ",".join(keys), "feed": str(alpaca.keys.feed)}
        return market.quote_reports(alpaca.market_data("/stocks/snapshots", asked), keys=keys)


def _order_in(fill: object) -> str:
    """Return the order that a fill names, "" where it names none that Alpaca could have."""
    told = str(fill.get("order_id")) if isinstance(fill, Mapping) else ""
    return "" if sending.id_objection(told) else told


def _chain_or_none(alpaca: AlpacaClient, order_id: str) -> list[Row] | None:
    return _or_none(alpaca, lambda: pages.chain_of(alpaca, order_id))


def _or_none(alpaca: AlpacaClient, ask: Callable[[], Answer]) -> Answer | None:
    """Ask; None is what Alpaca says in its own words when there is no such order."""
    try:
        return ask()
    except FAILURES:
        if outcomes.is_not_found(alpaca.last):
            return None
        raise


def _candles(alpaca: AlpacaClient, request: CandleRequest) -> list[BrokerCandle]:
    request = whole_days(request, NEW_YORK)
    symbol = sending.symbol_of(request.instrument)
    asked = market.candle_fields(request, symbol=symbol, feed=str(alpaca.keys.feed))
    found: list[BrokerCandle] = []
    for _ in range(_MOST_PAGES):
        page, token = market.candles(alpaca.market_data("/stocks/bars", asked), symbol=symbol)
        found += page
        if not token:
            return within(found, request)
        asked["page_token"] = token
    raise Unreadable("Alpaca's candles go on without end")
