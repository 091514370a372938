"""How the rules stand: the day's figures within a rule's reach, of one kind of money."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from brokers.models import TradingAccount
from portfolio.models import Position, PositionStatus, PositionType, TradingSession
from portfolio.trading_days import day_of_marks
from portfolio.valuation import capital_of
from risk.kinds import MoneyKind, kind_of
from risk.models import Reservation, RiskRule, RuleStanding
from risk.rules import CAPITAL_RULES, DayFigures

# No exchange has ever rested longer between two of its days.
_LATELY = timedelta(days=30)
Standings = dict[tuple[uuid.UUID, MoneyKind], RuleStanding]


def rules_reaching(account: TradingAccount) -> QuerySet[RiskRule, RiskRule]:
    """The active rules that speak of an account, or of a strategy on it."""
    return RiskRule.objects.filter(
        Q(account=None) | Q(account=account),
        Q(user_strategy=None) | Q(user_strategy__account=account),
        workspace=account.workspace_id,
        is_active=True,
    )


def speaks_of(rule: RiskRule, account: TradingAccount) -> bool:
    """Tell whether a rule's limit can be held against this account's money.

    An amount for the whole workspace is in one currency, and says nothing of another.
    """
    if rule.account_id is not None or rule.user_strategy_id is not None:
        return True
    return not rule.is_amount or rule.currency == account.currency


def unstated(rules: Iterable[RiskRule], account: TradingAccount) -> list[RiskRule]:
    """Return the amounts set for the whole workspace, but not in this account's currency.

    A limit of the same type on the account itself says what is meant for it.
    """
    rules = list(rules)
    stated = {
        rule.rule_type
        for rule in rules
        if rule.user_strategy_id is None and speaks_of(rule, account)
    }
    silent = [rule for rule in rules if not speaks_of(rule, account)]
    return [rule for rule in silent if rule.rule_type not in stated]


def standings_of(rules: Iterable[RiskRule]) -> Standings:
    """Read how these rules stand, kind by kind."""
    rows = RuleStanding.objects.filter(rule__in=[rule.pk for rule in rules])
    return {(row.rule_id, row.kind): row for row in rows}


def standing_in(standings: Standings, rule: RiskRule, kind: MoneyKind) -> RuleStanding:
    """Return a rule's standing for a kind of money; one not yet written where there is none."""
    return standings.get((rule.pk, kind)) or new_standing(rule, kind)


def new_standing(rule: RiskRule, kind: MoneyKind) -> RuleStanding:
    return RuleStanding(
        rule=rule, is_live=kind.is_live, currency=kind.currency, replay_id=kind.replay_id
    )


def day_figures(standing: RuleStanding, account: TradingAccount, *, on: date) -> DayFigures:
    """The day's money within a rule's reach.

    A rule of a strategy sees that strategy's trades of the day; one of an account that account's
    session; one of the whole workspace the sessions of its accounts of the same kind of money.
    A day that the account has not begun counts with the capital that it would begin with.
    """
    rule = standing.rule
    if rule.user_strategy_id is not None:
        return _strategy_figures(standing, account, on=on)
    accounts = list(accounts_within(rule, account))
    sessions = TradingSession.objects.filter(account__in=accounts, session_date=on)
    begun = list(sessions.values_list("account_id", "total_pnl", "capital_at_start"))
    pnl = sum((each[1] for each in begun), Decimal(0))
    capital = sum((each[2] for each in begun), Decimal(0))
    if account.pk not in {each[0] for each in begun}:
        capital += _capital_to_begin_with(rule, account)
    orders = Reservation.objects.filter(account__in=accounts, session_date=on).count()
    return _figures(standing, (pnl, capital), orders=orders, on=on)


def accounts_within(rule: RiskRule, account: TradingAccount) -> Iterable[TradingAccount]:
    """The accounts that a rule adds up when it is held against one of them."""
    is_narrow = rule.account_id is not None or rule.user_strategy_id is not None
    return [account] if is_narrow else _alike(account)


def session_begun(account: TradingAccount, *, now: datetime) -> date | None:
    """The day of an account's newest session that has begun; None where there is none.

    What is placed after the close opens the session of a day still to come. A day has begun when
    something was marked or traded in it, or when it has on an exchange that the account has lately
    held something of.
    """
    sessions = TradingSession.objects.filter(account=account).order_by("-session_date")
    newest = sessions.values_list("session_date", "marked_at").first()
    if newest is None or newest[1] is not None:
        return newest[0] if newest else None
    begun = sessions.filter(session_date__lte=_day_begun(account, now=now))
    return begun.values_list("session_date", flat=True).first()


def _day_begun(account: TradingAccount, *, now: datetime) -> date:
    recent = Q(session_date__gte=now.date() - _LATELY)
    held = Position.objects.filter(
        Q(position_type=PositionType.NET, status=PositionStatus.OPEN) | recent, account=account
    )
    exchanges = held.order_by().values_list("instrument__exchange", flat=True).distinct()
    return day_of_marks(set(exchanges), now)


def _alike(account: TradingAccount) -> Iterable[TradingAccount]:
    """The accounts whose money is of the same kind: a replay's is its own alone."""
    kind = kind_of(account)
    if kind.replay_id is not None:
        return [account]
    return TradingAccount.objects.filter(
        workspace=account.workspace_id,
        currency=kind.currency,
        own_clock=False,
        connection__paper_trading=not kind.is_live,
    )


def _strategy_figures(standing: RuleStanding, account: TradingAccount, *, on: date) -> DayFigures:
    rule, strategy_id = standing.rule, standing.rule.user_strategy_id
    day = Position.objects.filter(
        account=account,
        user_strategy=strategy_id,
        position_type=PositionType.DAY,
        session_date=on,
    ).aggregate(
        realized=Sum("realized_pnl"), unrealized=Sum("unrealized_pnl"), charges=Sum("charges")
    )
    zero = Decimal(0)
    pnl = (day["realized"] or zero) + (day["unrealized"] or zero) - (day["charges"] or zero)
    session = TradingSession.objects.filter(account=account, session_date=on).first()
    capital = session.capital_at_start if session else _capital_to_begin_with(rule, account)
    orders = Reservation.objects.filter(
        account=account, user_strategy_id=strategy_id, session_date=on
    ).count()
    return _figures(standing, (pnl, capital), orders=orders, on=on)


def _capital_to_begin_with(rule: RiskRule, account: TradingAccount) -> Decimal:
    """Read only where the rule asks for it: it is worked out from all that the account holds."""
    return capital_of(account) if rule.rule_type in CAPITAL_RULES else Decimal(0)


def _figures(
    standing: RuleStanding,
    money: tuple[Decimal, Decimal],
    *,
    orders: int,
    on: date,
) -> DayFigures:
    pnl, capital = money
    is_today = standing.evaluated_on == on
    peak = max(standing.peak_pnl, pnl) if is_today else max(pnl, Decimal(0))
    return DayFigures(pnl, peak, capital, orders, standing.currency)
