"""What stops an account now: kill switches and trading states; the strictest of them wins."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from accounts.models import Workspace
from brokers.models import TradingAccount
from risk.kinds import MoneyKind, kind_of
from risk.models import TraderControl, Trading, TradingState

STRICTNESS = (Trading.ACTIVE, Trading.REDUCING, Trading.HALTED)


@dataclass(frozen=True, slots=True)
class StateInForce:
    """What an account or a strategy may do, why, and since when; ``switch`` halts it by itself."""

    state: Trading
    reason: str = ""
    since: datetime | None = None
    switch: TraderControl | None = None

    @property
    def words(self) -> str:
        if self.switch is None:
            return self.reason
        return f"The kill switch is on: {self.reason}".rstrip(": ")


@dataclass(frozen=True, slots=True)
class StopsInForce:
    """The switches and states of one workspace, read once for any number of its accounts."""

    switches: Sequence[TraderControl]
    states: Sequence[TradingState]

    @property
    def kill_switch(self) -> TraderControl | None:
        """The oldest kill switch in force for the whole workspace."""
        return next((each for each in self.switches if each.account_id is None), None)

    def of(
        self, account: TradingAccount, user_strategy_id: uuid.UUID | None = None
    ) -> StateInForce:
        """The strictest of all that holds for an account, and for a strategy where one is named."""
        own = (None, account.pk)
        switch = next((each for each in self.switches if each.account_id in own), None)
        if switch is not None:
            return StateInForce(Trading.HALTED, switch.reason, switch.activated_at, switch)
        holding = [
            state
            for state in self.states
            if state.user_strategy_id in (None, user_strategy_id) and _holds(state, account)
        ]
        strictest = max(holding, key=_strictness, default=None)
        if strictest is None:
            return StateInForce(Trading.ACTIVE)
        return StateInForce(Trading(strictest.state), strictest.reason, strictest.changed_at)


def stops_in_force(workspace: Workspace | uuid.UUID) -> StopsInForce:
    """Read what stops anything in a workspace, in two queries."""
    switches = TraderControl.objects.kill_switches().filter(
        Q(workspace=None) | Q(workspace=workspace)
    )
    return StopsInForce(
        list(switches.select_related("activated_by").order_by("activated_at")),
        list(TradingState.objects.filter(workspace=workspace).order_by("pk")),
    )


def entries_blocked() -> Q:
    """A condition on Order rows, true where a state or a kill switch forbids entries now.

    It is part of the very statement that claims an order for sending, so nothing is claimed
    after the switch has been committed. It says in SQL what :meth:`StopsInForce.of` says.
    """
    of_the_kind = TradingAccount.objects.filter(
        pk=OuterRef(OuterRef("account_id")), currency=OuterRef("currency"), own_clock=False
    ).exclude(connection__paper_trading=OuterRef("is_live"))
    states = TradingState.objects.filter(
        Q(account=None, is_live=None)
        | Q(account=OuterRef("account_id"))
        | Q(Exists(of_the_kind), account=None),
        Q(user_strategy=None) | Q(user_strategy=OuterRef("user_strategy_id")),
        workspace=OuterRef("workspace_id"),
        state__in=[Trading.REDUCING, Trading.HALTED],
    )
    switches = TraderControl.objects.kill_switches().filter(
        Q(workspace=None) | Q(workspace=OuterRef("workspace_id")),
        Q(account=None) | Q(account=OuterRef("account_id")),
    )
    return Q(Exists(states)) | Q(Exists(switches))


def _strictness(state: TradingState) -> int:
    return STRICTNESS.index(Trading(state.state))


def _holds(state: TradingState, account: TradingAccount) -> bool:
    """Tell whether a state speaks of the account.

    What a rule has set for a kind of money holds for that kind alone, and for no replay.
    """
    if state.account_id is not None or state.is_live is None:
        return state.account_id in (None, account.pk)
    return kind_of(account) == MoneyKind(state.is_live, state.currency)
