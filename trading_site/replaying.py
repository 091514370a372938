"""Play stored prices through the whole house: feed, strategies, risk, paper broker, booking.

Every clock is the prices' own, so the same prices, strategies and capital give the same figures
whenever they are played.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import transaction

from accounts.models import User, Workspace
from accounts.services import create_workspace
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from market.auction import forget_auction_shares
from market.calendar import IST, forget_overrides
from market.feeds import ReplayFeed, ReplayPlan
from market.models import Interval
from market.quote_memory import QuoteMemory, own_quotes
from orders.booked_fills import booked_fills, unbooked_trades
from orders.services.expiring import settle_expired
from orders.services.reconciling import reconcile_account
from portfolio.posting import ledger_faults
from portfolio.proving import differences
from portfolio.rates import forget_rates
from portfolio.rebuilding import rebuild
from portfolio.square_off import forget_times
from strategies.evaluation import Evaluator
from strategies.history import LoadedBars
from strategies.models import ActivationStatus, Strategy, UserStrategy
from strategies.services import (
    ActivationInvalid,
    ActivationRequest,
    activate_strategy,
    refresh_results,
)
from trading_site.live import MarketPipeline, PipelineSettings
from trading_site.replay_prices import PriceSet, ReplayRefused, import_prices
from trading_site.replay_report import DayReport, report_day
from trading_site.replay_rules import ReplayRules, copy_rules, rules_in_force

__all__ = ["Replay", "ReplayRefused", "ReplayRequest", "prepare_replay"]

WORKSPACE = "Replays"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What to play: a folder of prices, strategies by slug, and the money to play with.

    ``days`` plays only the last so many; without ``interval`` candles are as long as the files'.
    ``rules_of`` names the desk whose limits are copied; without it only those count that somebody
    has set for all replays.
    """

    folder: Path
    strategies: Sequence[str]
    capital: Decimal = Decimal(1_000_000)
    interval: Interval | None = None
    days: int | None = None
    rules_of: Workspace | None = None


def prepare_replay(request: ReplayRequest, *, user: User, now: datetime) -> "Replay":
    """Import the prices, open a new paper account and switch the strategies on in it.

    :raises ReplayRefused: when prices, strategies or capital do not make a replay.
    """
    strategies = _strategies(request.strategies)
    prices = import_prices(request.folder, now=now)
    interval = request.interval or prices.interval
    if interval.length < prices.interval.length:
        raise ReplayRefused(f"{interval} is shorter than the files' candles of {prices.interval}")
    days = prices.days[-request.days :] if request.days else prices.days
    begins = datetime.combine(days[0], time(9), IST)
    with transaction.atomic():
        account = _open_account(user, request.capital, now=begins)
        reconcile_account(account, clock=lambda: begins)
        for strategy in strategies:
            activation = ActivationRequest(
                strategy=strategy,
                account=account,
                allocation=request.capital / len(strategies),
                instruments=prices.instruments,
                interval=interval,
            )
            _activate(activation, user=user, now=begins)
        left_out: tuple[str, ...] = ()
        if request.rules_of is not None:
            left_out = copy_rules(request.rules_of, account, by=user, now=begins)
    return Replay(account, prices, days, ReplayRules(rules_in_force(account), left_out))


class Replay:
    """A prepared replay. Play it once, day by day, then ask whether its books agree."""

    def __init__(
        self,
        account: TradingAccount,
        prices: PriceSet,
        days: Sequence[date],
        rules: ReplayRules,
    ) -> None:
        self.account = account
        self.rules = rules
        self.prices = prices
        self.days = tuple(days)
        self._disagreements: list[str] = []

    def play(self) -> Iterator[DayReport]:
        """Play one day after the other; yield each day's report when it is over."""
        _forget_what_was_read()
        pipeline, quotes = self._pipeline(), QuoteMemory()
        for day in self.days:
            with own_quotes(quotes):
                closed_at = self._play_day(pipeline, day)
                pipeline.finish(closed_at)
                self._settle(closed_at)
            yield report_day(self.account, day)
        if self.days:
            self._end(closed_at)

    def faults(self) -> list[str]:
        """Name every figure that is not what the trades make it, or not what the broker says."""
        books = rebuild(booked_fills(self.account))
        return [
            *(str(difference) for difference in differences(self.account, books)),
            *(f"Trade {trade} is not booked" for trade in unbooked_trades(self.account)),
            *(f"{each.voucher_number}: {each.fault}" for each in ledger_faults(self.account)),
            *self._disagreements,
        ]

    def _pipeline(self) -> MarketPipeline:
        running = UserStrategy.objects.running().filter(account=self.account)
        related = running.select_related("strategy").prefetch_related("instruments")
        evaluator = Evaluator(
            accounts=(self.account,),
            history=LoadedBars(),
            activations=tuple(related.order_by("strategy__slug", "pk")),
        )
        interval = self.prices.interval
        return MarketPipeline(
            PipelineSettings(evaluator, intervals=(interval,), marked_every=interval.length)
        )

    def _play_day(self, pipeline: MarketPipeline, day: date) -> datetime:
        plan = ReplayPlan(self.prices.instruments, self.prices.interval, day=day)
        at = datetime.combine(day, time(), IST)
        for batch in ReplayFeed(plan).batches():
            pipeline.process(batch)
            at = batch.at
        return at

    def _end(self, at: datetime) -> None:
        """Switch the strategies off: a replay that is over runs no more."""
        running = UserStrategy.objects.filter(account=self.account)
        running.exclude(status=ActivationStatus.STOPPED).update(
            status=ActivationStatus.STOPPED, deactivated_at=at
        )

    def _settle(self, at: datetime) -> None:
        """Compare with the broker, as a live house does all day, and count what was won."""
        settle_expired(now=at, accounts=[self.account])
        reconciliation = reconcile_account(self.account, clock=lambda: at)
        self._disagreements += reconciliation.differences
        refresh_results(at, accounts=[self.account])


def _forget_what_was_read() -> None:
    """Begin with what is on file.

    Rates, times and calendar days are kept a minute of real time: one read before they were changed
    would count in the first part of a replay and not in the rest.
    """
    for forget in (forget_rates, forget_times, forget_overrides, forget_auction_shares):
        forget()


def _strategies(slugs: Sequence[str]) -> list[Strategy]:
    known = {each.slug: each for each in Strategy.objects.filter(workspace=None, is_active=True)}
    unknown = [slug for slug in slugs if slug not in known]
    if unknown or not slugs:
        named = ", ".join(unknown) or "none"
        raise ReplayRefused(f"Strategies: {named}. Known are: {', '.join(sorted(known))}")
    return [known[slug] for slug in sorted(set(slugs))]


def _open_account(user: User, capital: Decimal, *, now: datetime) -> TradingAccount:
    """Open the run's own paper account, on the replay's clock, in the person's replay desk."""
    workspace = Workspace.objects.filter(owner=user, name=WORKSPACE).first()
    workspace = workspace or create_workspace(user, name=WORKSPACE)
    number = workspace.accounts.count() + 1
    account = open_paper_account(
        workspace, user=user, name=f"Replay {number}", cash=capital, now=now
    )
    account.own_clock = True
    account.save(update_fields=["own_clock"])
    return account


def _activate(request: ActivationRequest, *, user: User, now: datetime) -> None:
    try:
        activate_strategy(request, user=user, now=now)
    except ActivationInvalid as invalid:
        raise ReplayRefused(f"{request.strategy}: {invalid}") from invalid
