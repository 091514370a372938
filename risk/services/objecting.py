"""What speaks against an order that is no exit: every reason, in words a trader can act on."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from brokers.models import ConnectionStatus, TradingAccount
from operations.figures import rupees
from portfolio.models import PositionDifference, UnreadableRow
from risk.kinds import kind_of
from risk.models import RiskRule, RuleStanding, RuleType, TraderControl, Trading
from risk.proposal import Proposal, Refusal
from risk.restored import restored_refusal
from risk.rules import (
    DAY_RULES,
    HOME_CURRENCY,
    REACH_RULES,
    Finding,
    Reach,
    amount,
    daily_loss,
    largest_position,
)
from risk.selectors import free_money, state_with_reason
from risk.standings import (
    day_figures,
    new_standing,
    rules_reaching,
    speaks_of,
    standing_in,
    standings_of,
    unstated,
)


@dataclass(frozen=True, slots=True)
class Stance:
    """How an order stands to what is held: its own book's and the account's.

    ``opposed`` is how much of its own book other books of the account cancel out.
    """

    worst: int
    own_exitable: int
    exitable: int
    opposed: int
    is_exit: bool


def objections(proposal: Proposal, account: TradingAccount, stance: Stance) -> Iterator[Refusal]:
    """Yield every reason against an order that opens or enlarges something."""
    yield from _state(proposal, account, stance)
    yield from _account(account)
    yield from _knowledge(proposal)
    if proposal.reference_price is not None:
        lots = proposal.instrument.lot_size
        reach = Reach(stance.worst, proposal.reference_price, lots, account.currency)
        yield from _controls(proposal, account, reach=reach)
        yield from _rules(proposal, account, reach=reach)
    yield from _money(proposal, account)


def _state(proposal: Proposal, account: TradingAccount, stance: Stance) -> Iterator[Refusal]:
    state, reason = state_with_reason(account, proposal.user_strategy_id)
    if state is Trading.ACTIVE:
        return
    stopped = "halted" if state is Trading.HALTED else "limited to exits"
    told = f" {reason.rstrip('.')}." if reason else ""
    words = f"Trading is {stopped}.{told}{_way_out(proposal, stance)}"
    yield Refusal("TRADING_STATE", words)


def _way_out(proposal: Proposal, stance: Stance) -> str:
    """Say how much may leave, and why the rest of a strategy's own position may not."""
    hint = f" You can exit up to {rupees(stance.exitable, 0)}." if stance.exitable else ""
    if not stance.opposed or proposal.quantity <= stance.exitable:
        return hint
    return (
        f"{hint} {rupees(stance.opposed, 0)} are held against an opposite position in this account "
        "and are nothing at the broker: closed alone, they would open a position there. "
        "To close both, let trading go on and exit the two together."
    )


def _account(account: TradingAccount) -> Iterator[Refusal]:
    restored = restored_refusal(account, is_exit=False)
    if restored:
        yield Refusal("DATABASE_RESTORED", restored)
    if not account.is_active:
        yield Refusal("ACCOUNT_INACTIVE", f"{account.name} is switched off")
    if account.reconciled_at is None:
        words = f"{account.name} has not been reconciled with its broker: exits only"
        yield Refusal("NOT_RECONCILED", words)
    if account.connection.status != ConnectionStatus.CONNECTED:
        broker = account.connection.get_broker_type_display()
        yield Refusal("SIGNED_OUT", f"Nobody is logged in at {broker}: log in on the Brokers page")
    if not account.is_paper and not settings.LIVE_TRADING:
        yield Refusal("LIVE_OFF", "Live trading is switched off for this installation")
    if not account.is_paper and not account.live_enabled:
        yield Refusal("LIVE_OFF", f"Live trading is not switched on for {account.name}")


def _knowledge(proposal: Proposal) -> Iterator[Refusal]:
    symbol = proposal.instrument.trading_symbol
    if proposal.reference_price is None:
        yield Refusal("NO_PRICE", f"No current price of {symbol} is known")
    if proposal.cloud:
        yield Refusal("UNKNOWN_ORDER", proposal.cloud)
    yield from _differences(proposal)
    yield from _unreadable(proposal)
    if proposal.list_complaint:
        yield Refusal("STALE_INSTRUMENT_LIST", proposal.list_complaint)
    if proposal.margin is None or proposal.available is None:
        yield Refusal("NO_FUNDS", f"The free money of {proposal.account.name} is not known")


def _differences(proposal: Proposal) -> Iterator[Refusal]:
    """Of any product: what is missing under one may be there under another."""
    differing = PositionDifference.objects.open().filter(
        account=proposal.account, instrument=proposal.instrument
    )
    for each in differing.order_by("product"):
        words = (
            f"{proposal.instrument.trading_symbol} {each.product}: "
            f"{rupees(each.ours, 0)} here, {rupees(each.theirs, 0)} at the broker. "
            "Only exits until the two agree"
        )
        yield Refusal("POSITION_DIFFERS", words)


def _unreadable(proposal: Proposal) -> Iterator[Refusal]:
    rows = UnreadableRow.objects.against(proposal.account, proposal.instrument)
    for each in rows.order_by("pk"):
        of = "this account" if not each.instrument_key else proposal.instrument.trading_symbol
        words = f"The broker lists a row of {of} that cannot be read ({each}): {each.words}. "
        yield Refusal("UNREADABLE_ROW", f"{words}Only exits until it can be")


def _money(proposal: Proposal, account: TradingAccount) -> Iterator[Refusal]:
    if proposal.margin is None or proposal.available is None:
        return
    as_of = proposal.available_as_of
    free = free_money(account, available=proposal.available, as_of=as_of)
    if proposal.margin > free:
        words = f"Needs {rupees(proposal.margin)}; {rupees(max(free, Decimal(0)))} is free"
        yield Refusal("MARGIN", words, actual=proposal.margin, limit=free)


def _controls(proposal: Proposal, account: TradingAccount, *, reach: Reach) -> Iterator[Refusal]:
    controls = TraderControl.objects.filter(
        Q(workspace=None) | Q(workspace=account.workspace_id),
        Q(account=None) | Q(account=account),
    ).in_force()
    in_force = [control for control in controls if control.has_amounts]
    speaking = [each for each in in_force if _is_in_currency(each, account)]
    for control in speaking:
        yield from _control(control, proposal, account, reach=reach)
    if in_force and not speaking:
        words = f"The desk's hard limits are in {HOME_CURRENCY}: set one in {account.currency}"
        yield Refusal("CONTROL_CURRENCY", f"{words} on {account.name}")


def _is_in_currency(control: TraderControl, account: TradingAccount) -> bool:
    """A hard limit of an account is in its currency, one of the desk in that of the house."""
    return control.account_id is not None or account.currency == HOME_CURRENCY


def _control(
    control: TraderControl, proposal: Proposal, account: TradingAccount, *, reach: Reach
) -> Iterator[Refusal]:
    value, most = proposal.quantity * reach.price, control.order_value_limit
    if most is not None and value > most:
        worth, limit = amount(value, reach.currency), amount(most, reach.currency)
        words = f"The order is worth {worth}; the limit is {limit}"
        yield Refusal("ORDER_VALUE", words, actual=value, limit=most)
    if control.position_size_limit is not None:
        finding = largest_position(control.position_size_limit, reach)
        if finding.is_beyond:
            yield _refusal("POSITION_SIZE", finding)
    if control.daily_loss_limit is not None:
        yield from _control_loss(proposal, account, limit=control.daily_loss_limit)


def _control_loss(
    proposal: Proposal, account: TradingAccount, *, limit: Decimal
) -> Iterator[Refusal]:
    unsaved = RiskRule(workspace_id=account.workspace_id, account=account)
    standing = new_standing(unsaved, kind_of(account))
    finding = daily_loss(limit, day_figures(standing, account, on=proposal.session_date))
    if finding.is_beyond:
        yield _refusal("DAILY_LOSS", finding)


def _rules(proposal: Proposal, account: TradingAccount, *, reach: Reach) -> Iterator[Refusal]:
    strategy = Q(user_strategy=None) | Q(user_strategy=proposal.user_strategy_id)
    rules = list(rules_reaching(account).filter(strategy))
    standings = standings_of(rules)
    for rule in rules:
        if speaks_of(rule, account):
            standing = standing_in(standings, rule, kind_of(account))
            yield from _rule(standing, account, proposal, reach=reach)
    for rule in unstated(rules, account):
        words = (
            f"“{rule.get_rule_type_display()}” is set for the whole desk in {rule.currency} only: "
            f"set it in {account.currency} too, or on {account.name}"
        )
        yield Refusal(rule.rule_type, words, rule_id=rule.pk)


def hold_desk_counts(account: TradingAccount) -> None:
    """Let the desk's accounts take turns where their orders are counted together.

    Each is judged under its own account's lock, which another account does not wait for. The
    rules' rows come after the account's and by key, as wherever both are locked.
    """
    counting = rules_reaching(account).filter(
        account=None, user_strategy=None, rule_type=RuleType.MAX_ORDERS_PER_DAY
    )
    list(counting.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def _rule(
    standing: RuleStanding, account: TradingAccount, proposal: Proposal, *, reach: Reach
) -> Iterator[Refusal]:
    rule = standing.rule
    if rule.rule_type in REACH_RULES:
        finding = REACH_RULES[rule.rule_type](rule.rule_value, reach)
    elif rule.rule_type in DAY_RULES:
        day = day_figures(standing, account, on=proposal.session_date)
        finding = DAY_RULES[rule.rule_type](rule.rule_value, day)
    else:
        return
    if finding.is_beyond:
        yield _refusal(rule.rule_type, finding, rule)


def _refusal(kind: str, finding: Finding, rule: RiskRule | None = None) -> Refusal:
    return Refusal(
        kind,
        finding.words,
        actual=finding.actual,
        limit=finding.limit,
        rule_id=rule.pk if rule else None,
    )
