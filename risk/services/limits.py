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
from risk.models import RiskRule, RuleType


class RuleInvalid(Exception):
    """The limit makes no sense; ``field`` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """A limit as asked for. Account and strategy empty: it speaks of the whole workspace."""

    rule_type: RuleType
    rule_value: Decimal
    account: TradingAccount | None = None
    user_strategy_id: uuid.UUID | None = None
    exits_positions: bool = False


_PERCENT = (RuleType.MAX_DRAWDOWN,)
_WHOLE = (RuleType.MAX_LOTS, RuleType.MAX_ORDERS_PER_DAY)
_LARGEST = Decimal("99999999999")


def add_rule(workspace: Workspace, terms: RuleTerms, *, by: User, now: datetime) -> RiskRule:
    """Put a limit in force.

    :raises PermissionDenied: for anybody but owners and admins.
    :raises RuleInvalid: when its value is out of range or such a rule exists already.
    """
    require_managing_role(by, workspace)
    _check(workspace, terms)
    try:
        with transaction.atomic():
            rule = RiskRule.objects.create(
                workspace=workspace,
                user=by,
                account=terms.account,
                user_strategy_id=terms.user_strategy_id,
                rule_type=terms.rule_type,
                rule_value=terms.rule_value,
                exits_positions=terms.exits_positions,
            )
    except IntegrityError as error:
        words = "There is such a rule already: change that one"
        raise RuleInvalid("rule_type", words) from error
    publish("risk", workspace_id=workspace.pk, subject_id=rule.pk, now=now)
    return rule


@transaction.atomic
def change_rule(rule: RiskRule, terms: RuleTerms, *, by: User, now: datetime) -> RiskRule:
    """Give a rule another value; its count towards a crossing starts again.

    :raises PermissionDenied: for anybody but owners and admins.
    :raises RuleInvalid: when the value is out of range.
    """
    require_managing_role(by, rule.workspace)
    _check(rule.workspace, terms)
    rule.rule_value, rule.exits_positions = terms.rule_value, terms.exits_positions
    rule.is_violated, rule.violation_message, rule.confirmations = False, "", 0
    rule.save()
    publish("risk", workspace_id=rule.workspace_id, subject_id=rule.pk, now=now)
    return rule


@transaction.atomic
def remove_rule(rule: RiskRule, *, by: User, now: datetime) -> None:
    """Take a rule out of force; its violations stay on record.

    :raises PermissionDenied: for anybody but owners and admins.
    """
    require_managing_role(by, rule.workspace)
    rule.delete()
    publish("risk", workspace_id=rule.workspace_id, subject_id="", now=now)


def _check(workspace: Workspace, terms: RuleTerms) -> None:
    value = terms.rule_value
    if not value.is_finite() or not 0 < value <= _LARGEST:
        raise RuleInvalid("rule_value", "The limit must be more than 0")
    if terms.rule_type in _PERCENT and value > 100:
        raise RuleInvalid("rule_value", "A percentage cannot exceed 100")
    if terms.rule_type in _WHOLE and value % 1:
        raise RuleInvalid("rule_value", "The limit must be a whole number")
    if terms.account is not None and terms.account.workspace_id != workspace.pk:
        raise RuleInvalid("account", "The account belongs to another workspace")
