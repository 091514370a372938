"""What must be known of an order before it is judged: its price, its margin, the free money."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from brokers.gateway import GatewayUnavailable, Margin
from brokers.registry import UnknownBroker, estimated_margin, gateway_for
from brokers.terms import Side
from market.quotes import quote_of
from orders.requests import OrderRequest
from portfolio.selectors import latest_funds

# A real broker's word on an account's money is good for so long; every reconciliation renews it.
FUNDS_GOOD_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What was looked up about an order before the transaction that writes it.

    ``available`` and ``used`` are the account's money as of ``as_of``; what is None is unknown.
    """

    reference_price: Decimal | None
    margin: Margin | None
    available: Decimal | None
    as_of: datetime
    used: Decimal = Decimal(0)


def appraise(request: OrderRequest, now: datetime) -> Appraisal:
    """Look up price, margin and free money. A real broker is not called while somebody waits.

    Its margins are then estimated by the house's own policy, and its money is what it last told.
    """
    price = reference_price(request, now)
    if request.account.connection.broker_type != "paper":
        return _from_what_is_known(request, price, now)
    try:
        gateway = gateway_for(request.account, clock=lambda: now)
        margin = gateway.margin(request.to_place(tag=""))
        funds = gateway.funds()
    except (GatewayUnavailable, UnknownBroker):
        return Appraisal(price, None, None, now)
    return Appraisal(price, margin, funds.available, now, funds.margin_used)


def reference_price(request: OrderRequest, now: datetime) -> Decimal | None:
    """The price to judge an order at, None when nobody knows one.

    A purchase costs at most its own price. A sale at a low limit fills at the market, so it is
    judged at whichever of the two is higher.
    """
    own = request.price or request.trigger_price
    quote = quote_of(request.instrument.key)
    last = None if quote is None or quote.is_stale(now) else quote.ltp
    if own is None or (request.side is Side.SELL and last is None):
        return last
    return own if request.side is Side.BUY or last is None else max(own, last)


def _from_what_is_known(request: OrderRequest, price: Decimal | None, now: datetime) -> Appraisal:
    quote = quote_of(request.instrument.key)
    last = None if quote is None or quote.is_stale(now) else quote.ltp
    margin = estimated_margin(request.to_place(tag=""), last=last)
    funds = latest_funds(request.account)
    if funds is None or now - funds.as_of > FUNDS_GOOD_FOR:
        return Appraisal(price, margin, None, now)
    return Appraisal(price, margin, funds.margin_available, funds.as_of, funds.margin_used)
