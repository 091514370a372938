"""What must hold before a strategy may be switched on, in words a trader can act on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from brokers.models import TradingAccount
from brokers.terms import InstrumentType, Product
from market.calendar import local_day
from market.models import Instrument, Interval
from market.quotes import quotes_of
from operations.figures import rupees
from portfolio.selectors import latest_funds
from strategies.catalogue import UnknownAlgorithm, build_algorithm
from strategies.models import Strategy, UserStrategy
from strategies.parameters import ParametersInvalid
from strategies.sizing import entry_quantity, share_of

# A day's candle closes with the market: an order on it could only be sent the next morning.
EVALUATED_INTERVALS = tuple(interval for interval in Interval if interval is not Interval.D1)
PRODUCTS = (Product.MIS, Product.CNC, Product.NRML)
MOST_INSTRUMENTS = 50
NO_INSTRUMENT = "Choose at least one instrument."
_MOST_MONEY = Decimal("99999999999")


@dataclass(frozen=True, slots=True)
class ActivationRequest:
    """A strategy somebody would like to switch on; ``allocation`` is shared by the instruments."""

    strategy: Strategy
    account: TradingAccount
    allocation: Decimal
    instruments: tuple[Instrument, ...]
    interval: Interval = Interval.M5
    product: Product = Product.MIS
    custom_parameters: Mapping[str, object] = field(default_factory=dict)


class ActivationInvalid(Exception):
    """The activation cannot be; ``errors`` has the words by field or parameter name."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(" ".join(words for each in errors.values() for words in each))
        self.errors = dict(errors)


def check_activation(request: ActivationRequest, *, user: User, now: datetime) -> None:
    """Look at everything that can be wrong with the request, and tell all of it at once.

    :raises ActivationInvalid: when something is.
    """
    errors: dict[str, list[str]] = {}
    for name, words in _faults(request, user=user, now=now):
        errors.setdefault(name, []).append(words)
    if errors:
        raise ActivationInvalid(errors)


Fault = tuple[str, str]


def _faults(request: ActivationRequest, *, user: User, now: datetime) -> Iterator[Fault]:
    yield from _strategy_faults(request, user)
    yield from account_faults(request.account)
    yield from _allocation_faults(request)
    yield from _choice_faults(request)
    yield from _instrument_faults(request, now)
    yield from _parameter_faults(request)


def _strategy_faults(request: ActivationRequest, user: User) -> Iterator[Fault]:
    workspace = request.account.workspace
    if not Strategy.objects.available_in(workspace).filter(pk=request.strategy.pk).exists():
        yield "strategy", f"{request.strategy} is not available in this workspace."
    running = UserStrategy.objects.not_stopped().filter(
        user=user, strategy=request.strategy, account=request.account
    )
    if running.exists():
        yield "strategy", f"{request.strategy} is already switched on for {request.account}."


def account_faults(account: TradingAccount) -> Iterator[Fault]:
    """Tell why a strategy could not trade on the account."""
    if not account.is_active:
        yield "account", f"{account} is switched off."
    elif not account.may_send:
        yield "account", f"Live trading is not turned on for {account}."
    elif account.reconciled_at is None:
        yield "account", f"{account} has not been compared with its broker yet."


def _allocation_faults(request: ActivationRequest) -> Iterator[Fault]:
    if not _is_amount(request.allocation):
        yield "allocation", "Enter an amount above 0."
        return
    least = request.strategy.min_capital
    if request.allocation < least:
        yield "allocation", f"{request.strategy} needs at least ₹{rupees(least)}."
    funds = latest_funds(request.account)
    if funds is None:
        yield "allocation", f"It is not known how much money {request.account} has."
    elif request.allocation > funds.available_balance:
        free = rupees(funds.available_balance)
        yield "allocation", f"{request.account} has only ₹{free} available."


def _is_amount(allocation: Decimal) -> bool:
    return allocation.is_finite() and 0 < allocation <= _MOST_MONEY


def _choice_faults(request: ActivationRequest) -> Iterator[Fault]:
    if request.interval not in EVALUATED_INTERVALS:
        yield "interval", "Choose an interval of at most one hour."
    if request.product not in PRODUCTS:
        yield "product", "Choose MIS, CNC or NRML."


def _instrument_faults(request: ActivationRequest, now: datetime) -> Iterator[Fault]:
    if not request.instruments:
        yield "instruments", NO_INSTRUMENT
        return
    if len(request.instruments) > MOST_INSTRUMENTS:
        yield "instruments", f"Choose at most {MOST_INSTRUMENTS} instruments."
        return
    for instrument in request.instruments:
        words = _untradable(request, instrument, now)
        if words:
            yield "instruments", words
    if _is_amount(request.allocation):
        yield from _share_faults(request, now)


def _share_faults(request: ActivationRequest, now: datetime) -> Iterator[Fault]:
    """Where a price is known, the share must buy a lot; without one the first signal tells."""
    quotes = quotes_of([instrument.key for instrument in request.instruments])
    share = share_of(request.allocation, instruments=len(request.instruments))
    for instrument in request.instruments:
        quote = quotes.get(instrument.key)
        if quote and not entry_quantity(instrument, share=share, price=quote.ltp, at=now):
            yield (
                "allocation",
                f"A share of ₹{rupees(share)} does not buy one lot of {instrument} "
                f"at ₹{rupees(quote.ltp)}.",
            )


def _untradable(request: ActivationRequest, instrument: Instrument, now: datetime) -> str:
    if not instrument.is_active:
        return f"{instrument} is no longer traded."
    if instrument.instrument_type == InstrumentType.INDEX:
        return f"{instrument} is an index and cannot be traded."
    if instrument.expiry is not None and instrument.expiry < local_day(instrument.exchange, now):
        return f"{instrument} expired on {instrument.expiry:%d %b %Y}."
    if instrument.currency != request.account.currency:
        return f"{instrument} is traded in {instrument.currency}."
    return ""


def _parameter_faults(request: ActivationRequest) -> Iterator[Fault]:
    strategy = request.strategy
    values = {**strategy.parameters, **request.custom_parameters}
    try:
        algorithm = build_algorithm(strategy.algorithm, values)
    except UnknownAlgorithm:
        yield "strategy", f"{strategy} has no code to run in this version."
    except ParametersInvalid as invalid:
        for name, words in invalid.errors.items():
            yield from ((name, each) for each in words)
    else:
        if algorithm.sells_short and request.product == Product.CNC:
            yield "product", "Delivery (CNC) cannot be sold short."
