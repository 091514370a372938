"""What the rules write down when a limit is reached."""

from datetime import datetime
from decimal import Decimal

from brokers.models import TradingAccount
from portfolio.models import Position
from risk.models import RiskRule, RiskViolation, ViolationAction
from risk.rules import Finding

# One bad tick must not halt a desk: a limit counts when it is found crossed at this many prices
# in a row.
CONFIRMATIONS = 3


def record_violation(
    rule: RiskRule,
    account: TradingAccount,
    *,
    finding: Finding,
    action: ViolationAction,
    now: datetime,
    position: Position | None = None,
) -> None:
    """Write what was found, what was allowed and what was done about it."""
    RiskViolation.objects.create(
        workspace_id=rule.workspace_id,
        account=account,
        rule=rule,
        violation_type=rule.rule_type,
        actual_value=finding.actual.quantize(Decimal("0.0001")),
        limit_value=finding.limit,
        message=finding.words,
        instrument=position.instrument if position else None,
        action_taken=action,
        violated_at=now,
    )
