"""What stops new orders in a workspace right now, in words for the band on every page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, CharField, F, Q, QuerySet, Value
from django.utils import timezone

from accounts.models import Workspace
from operations.installation import doubt_known, doubt_now
from risk.kinds import MoneyKind
from risk.models import TraderControl, Trading, TradingState

KILL_SWITCH = "KILL_SWITCH"
WORDS = {
    KILL_SWITCH: "The kill switch is on",
    Trading.HALTED.value: "Trading is halted",
    Trading.REDUCING.value: "Only exits are allowed",
}


@dataclass(frozen=True, slots=True)
class Halt:
    words: str
    reason: str
    since: datetime
    by: str
    is_kill_switch: bool = False

    @property
    def told(self) -> str:
        """The reason as a sentence of its own; empty where none was given."""
        return f"{self.reason.rstrip('.')}." if self.reason else ""


def halts_in_force(workspace: Workspace) -> list[Halt]:
    """List kill switches in force and trading states that are not active, in one query."""
    switches = _columns(
        TraderControl.objects.kill_switches()
        .filter(Q(workspace=workspace) | Q(workspace=None))
        .annotate(
            kind=Value(KILL_SWITCH, output_field=CharField()),
            is_live=Value(None, output_field=BooleanField(null=True)),
            currency=Value("", output_field=CharField()),
        ),
        by="activated_by",
        since="activated_at",
    )
    states = _columns(
        TradingState.objects.filter(workspace=workspace, user_strategy=None)
        .exclude(state=Trading.ACTIVE)
        .annotate(kind=F("state")),
        by="changed_by",
        since="changed_at",
    )
    found = [_halt(*row[:4], where=_where(*row[4:])) for row in switches.union(states, all=True)]
    return [*_restored(workspace), *found]


def _restored(workspace: Workspace) -> Iterator[Halt]:
    """What stops live entries while this database is not known to be the one that traded last."""
    if doubt_known() and workspace.accounts.filter(live_enabled=True).exists():
        doubt = doubt_now()
        if doubt is not None:
            since = doubt.since or timezone.now()
            yield Halt("Live trading waits.", doubt.words, since, by="")


def _columns(
    rows: QuerySet[TraderControl] | QuerySet[TradingState], *, by: str, since: str
) -> QuerySet[TraderControl, tuple[str, str, datetime, str | None, str | None, bool | None, str]]:
    return rows.values_list(  # type: ignore[return-value]  # the two tables answer alike
        "kind", "reason", since, f"{by}__username", "account__name", "is_live", "currency"
    )


def _where(account: str | None, is_live: bool | None, currency: str) -> str:
    """Name what has stopped: an account, one kind of money, or nothing for the whole desk."""
    if account:
        return f" for {account}"
    return "" if is_live is None else f" for {MoneyKind(bool(is_live), currency)}"


def _halt(kind: str, reason: str, since: datetime, by: str | None, *, where: str) -> Halt:
    is_kill_switch = kind == KILL_SWITCH and not where
    return Halt(f"{WORDS.get(kind, kind)}{where}.", reason, since, by or "", is_kill_switch)
