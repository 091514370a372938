"""Why the simulated broker would not take an order: the paper broker's rules, and the money."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from brokers.adapters.paper.acceptance import Proof, Situation, objection
from brokers.adapters.paper.margins import Leg, margin_to_open, price_for_margin
from brokers.gateway import PlaceRequest
from brokers.simulator.accounts import Account
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.market import Market
from brokers.simulator.orders import LiveOrder
from brokers.simulator.records import Refusal, Session, SimOrderRequest
from brokers.terms import InstrumentType, Segment
from brokers.venue import IST, Phase, PriceBand

_PHASES = {
    Session.OPEN: Phase.OPEN,
    Session.CLOSED: Phase.CLOSED,
    Session.PRE_OPEN: Phase.PRE_OPEN,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """The market at one moment, with its session."""

    market: Market
    session: Session
    at: datetime


def money_needed(
    account: Account,
    request: SimOrderRequest,
    moment: Moment,
    *,
    besides: LiveOrder | None = None,
) -> Decimal | Refusal:
    """Return what the order blocks, or the first reason against it.

    ``besides`` is the order this one replaces; its own part of quantity and money is set aside.
    """
    market = moment.market
    instrument = market.instrument(request.instrument_token)
    asked = _place_request(request, instrument)
    situation = Situation(
        phase=_PHASES[moment.session],
        session_date=moment.at.astimezone(IST).date(),
        is_after_square_off=False,
        sellable=account.sellable(instrument, besides=besides),
        band=_band(instrument, market),
        last=market.last(instrument.token),
    )
    refused = objection(asked, situation)
    if refused is not None:
        return Refusal(refused.proof, refused.reason)
    return _money(account, asked, situation, besides=besides)


def _money(
    account: Account, asked: PlaceRequest, situation: Situation, *, besides: LiveOrder | None
) -> Decimal | Refusal:
    """Block nothing for what only closes: an exit never waits for money."""
    opening = _opening_leg(account, asked, besides=besides)
    if not opening.quantity:
        return Decimal(0)
    price = price_for_margin(
        opening, order_type=asked.order_type, price=asked.price, last=situation.last
    )
    need = margin_to_open(opening, price or Decimal(0)).total
    available = account.free_money(besides=besides)
    if need <= available:
        return need
    words = (
        f"Insufficient Funds. Available funds - {available:.2f}."
        f" You require {need:.2f} {asked.instrument.currency} to execute this order."
    )
    return Refusal(Proof.MARGIN, words, needed=need, available=available)


def _opening_leg(account: Account, asked: PlaceRequest, *, besides: LiveOrder | None) -> Leg:
    instrument = asked.instrument
    filled = besides.filled if besides else 0
    leg = Leg(instrument, asked.product, asked.side, asked.quantity - filled)
    against = -account.net_quantity(instrument.token, asked.product) * asked.side.sign
    if instrument.instrument_type is InstrumentType.EQ and asked.side.sign < 0:
        # Shares from earlier days cover a delivery sale; how many there are was judged before.
        held = account.shares.get(instrument.token)
        against += held.quantity if held and asked.product == "CNC" else 0
    closing = against - account.pending_quantity(leg, besides=besides)
    return replace(leg, quantity=leg.quantity - min(max(closing, 0), leg.quantity))


def _place_request(request: SimOrderRequest, instrument: SimInstrument) -> PlaceRequest:
    return PlaceRequest(
        tag=request.tag,
        instrument=instrument.ref,
        side=request.side,
        quantity=request.quantity,
        order_type=request.order_type,
        product=request.product,
        validity=request.validity,
        price=request.price,
        trigger_price=request.trigger_price,
        disclosed_quantity=request.disclosed,
        is_amo=request.is_amo,
    )


def _band(instrument: SimInstrument, market: Market) -> PriceBand | None:
    return None if instrument.segment is Segment.US_EQ else market.band(instrument.token)
