"""Set, change and remove the limits of a desk."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts.models import User, Workspace
from accounts.permissions import require_managing_role
from brokers.models import TradingAccount
from operations.events import publish
from risk.models import PositionStop, RiskRule, RuleType, Trading, TradingState
from risk.releasing import ReleaseRefused, record_release, require_may_release
from risk.rules import AMOUNT_RULES, HOME_CURRENCY
from risk.services.going_live import has_daily_loss_limit
from risk.services.rejudging import rejudge_rule


class RuleInvalid(Exception):
    """The limit makes no sense; ``field`` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """A limit as asked for. Account and strategy empty: it speaks of the whole workspace.

    ``currency`` says what an amount for the whole workspace is in; it may be empty where the
    workspace has one currency, or an account or a strategy says it.
    """

    rule_type: RuleType
    rule_value: Decimal
    account: TradingAccount | None = None
    user_strategy_id: uuid.UUID | None = None
    exits_positions: bool = False
    currency: str = ""


_PERCENT = (RuleType.MAX_DRAWDOWN,)
_WHOLE = (RuleType.MAX_LOTS, RuleType.MAX_ORDERS_PER_DAY)
_LARGEST = Decimal("99999999999")


def add_rule(workspace: Workspace, terms: RuleTerms, *, by: User, now: datetime) -> RiskRule:
    """Put a limit in force.

    :raises PermissionDenied: for anybody but owners and admins.
    :raises RuleInvalid: when its value is out of range, its currency cannot be told or such a rule
        exists already.
    """
    require_managing_role(by, workspace)
    _check(workspace, terms)
    currency = _currency_of(workspace, terms)
    try:
        with transaction.atomic():
            rule = RiskRule.objects.create(
                workspace=workspace,
                user=by,
                account=terms.account,
                user_strategy_id=terms.user_strategy_id,
                rule_type=terms.rule_type,
                rule_value=terms.rule_value,
                currency=currency,
                exits_positions=terms.exits_positions,
            )
    except IntegrityError as error:
        words = "There is such a rule already: change that one"
        raise RuleInvalid("rule_type", words) from error
    publish("risk", workspace_id=workspace.pk, subject_id=rule.pk, now=now)
    return rule


def is_looser(terms: RuleTerms, rule: RiskRule) -> bool:
    """Tell whether these terms would allow more than the rule does now."""
    more, less = terms.rule_value, rule.rule_value
    if terms.rule_type is RuleType.MIN_CAPITAL_THRESHOLD:
        more, less = less, more
    return more > less or (rule.exits_positions and not terms.exits_positions)


@transaction.atomic
def change_rule(rule: RiskRule, terms: RuleTerms, *, by: User, now: datetime) -> RiskRule:
    """Give a rule another value; its count towards a crossing starts again.

    What the rule has stopped stays stopped, also by a limit that is wider now: it goes on in the
    next session, or when a person sets it active.

    :raises PermissionDenied: for anybody but owners and admins.
    :raises RuleInvalid: when the value is out of range, or the rule is gone.
    """
    require_managing_role(by, rule.workspace)
    _check(rule.workspace, terms)
    held = RiskRule.objects.select_for_update(of=("self",), no_key=True).filter(pk=rule.pk).first()
    if held is None:
        raise RuleInvalid("rule_value", "The rule has been removed meanwhile")
    held.rule_value, held.exits_positions = terms.rule_value, terms.exits_positions
    held.save(update_fields=["rule_value", "exits_positions", "updated_at"])
    PositionStop.objects.filter(rule=held).update(confirmations=0, price=None, priced_at=None)
    rejudge_rule(held, now=now)
    publish("risk", workspace_id=held.workspace_id, subject_id=held.pk, now=now)
    return held


@transaction.atomic
def remove_rule(rule: RiskRule, *, by: User, now: datetime) -> None:
    """Take a rule out of force, and with it what it has stopped; its violations stay on record.

    :raises PermissionDenied: for anybody but owners and admins.
    :raises RuleInvalid: when it is the last limit that an account trading real money must have, or
        has stopped trading and the person may not release that.
    """
    require_managing_role(by, rule.workspace)
    _release_its_stops(rule, by=by)
    held = list(rule.workspace.accounts.filter(live_enabled=True).order_by("name"))
    held = [each for each in held if has_daily_loss_limit(each)]
    RiskRule.objects.filter(pk=rule.pk).delete()
    bare = [each.name for each in held if not has_daily_loss_limit(each)]
    if bare:
        raise RuleInvalid(
            "rule_type",
            f"Live trading is on for {', '.join(bare)} and asks for a largest loss in a day: "
            "change the limit, set another, or turn live trading off first",
        )
    publish("risk", workspace_id=rule.workspace_id, subject_id="", now=now)


def _release_its_stops(rule: RiskRule, *, by: User) -> None:
    stops = TradingState.objects.filter(rule=rule).exclude(state=Trading.ACTIVE)
    for stop in stops.select_for_update(of=("self",)).select_related("workspace").order_by("pk"):
        reason = f"“{rule.get_rule_type_display()}” was removed"
        try:
            require_may_release(stop, by, reason=reason)
        except ReleaseRefused as refusal:
            raise RuleInvalid("rule_type", str(refusal)) from refusal
        record_release(f"{stop.state}, {stop.reason}", by=by, reason=reason)


def currencies_of(workspace: Workspace) -> list[str]:
    """List the currencies of a workspace's accounts, that of the house first."""
    own = set(workspace.accounts.order_by().values_list("currency", flat=True).distinct())
    return sorted(own or {HOME_CURRENCY}, key=lambda each: (each != HOME_CURRENCY, each))


def _currency_of(workspace: Workspace, terms: RuleTerms) -> str:
    if terms.rule_type not in AMOUNT_RULES:
        return HOME_CURRENCY  # a count, a percentage and points have none
    account = terms.account or _account_of(workspace, terms.user_strategy_id)
    if account is not None:
        if terms.currency not in ("", account.currency):
            raise RuleInvalid("currency", f"{account.name} is kept in {account.currency}")
        return account.currency
    known = currencies_of(workspace)
    if terms.currency and terms.currency not in known:
        raise RuleInvalid("currency", f"No account is kept in {terms.currency}")
    if not terms.currency and len(known) > 1:
        raise RuleInvalid("currency", f"Say in which currency: {', '.join(known)}")
    return terms.currency or known[0]


def _account_of(workspace: Workspace, strategy_id: uuid.UUID | None) -> TradingAccount | None:
    if strategy_id is None:
        return None
    mine = workspace.user_strategies.filter(pk=strategy_id)
    return TradingAccount.objects.filter(user_strategies__in=mine).first()


def _check(workspace: Workspace, terms: RuleTerms) -> None:
    value = terms.rule_value
    if not value.is_finite() or not 0 < value <= _LARGEST:
        raise RuleInvalid("rule_value", "The limit must be more than 0")
    if terms.rule_type in _PERCENT and value > 100:
        raise RuleInvalid("rule_value", "A percentage cannot exceed 100")
    if terms.rule_type in _WHOLE and value % 1:
        raise RuleInvalid("rule_value", "The limit must be a whole number")
    _check_scope(workspace, terms)


def _check_scope(workspace: Workspace, terms: RuleTerms) -> None:
    if terms.account is not None and terms.account.workspace_id != workspace.pk:
        raise RuleInvalid("account", "The account belongs to another workspace")
    if terms.user_strategy_id is None:
        return
    account = _account_of(workspace, terms.user_strategy_id)
    if account is None:
        raise RuleInvalid("strategy", "The strategy belongs to another workspace")
    if terms.account not in (None, account):
        raise RuleInvalid("strategy", f"The strategy trades on {account.name}")
