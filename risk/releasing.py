"""Who may let trading go on after a stop: one table, for pages, services and the command line."""

from accounts.models import Role, User, Workspace
from accounts.permissions import role_of
from operations.logs import record_log
from operations.models import LogType, Severity
from risk.models import SetBy, TraderControl, TradingState


class ReleaseRefused(Exception):
    """Somebody with more say has set the stop, or no reason was given for lifting a rule's."""


# By who set a stop: who may release it. The command line may release every stop.
RELEASED_BY: dict[str, tuple[Role, ...]] = {
    SetBy.TRADER: (Role.TRADER, Role.ADMIN, Role.OWNER),
    SetBy.ADMIN: (Role.ADMIN, Role.OWNER),
    SetBy.OWNER: (Role.OWNER,),
    # Else it holds until the rule itself is reset, as by the next session.
    SetBy.RULE: (Role.OWNER,),
    SetBy.OPERATOR: (),
}
_SET_AS = {Role.OWNER: SetBy.OWNER, Role.ADMIN: SetBy.ADMIN}


def set_by(user: User | None, workspace: Workspace | None) -> SetBy:
    """Name who sets a stop. The command line acts for a workspace's owner, or for all of them."""
    if user is None or workspace is None:
        return SetBy.OPERATOR if workspace is None else SetBy.OWNER
    role = role_of(user, workspace)
    return SetBy.TRADER if role is None else _SET_AS.get(role, SetBy.TRADER)


def may_release(stop: TradingState | TraderControl, user: User | None) -> bool:
    if user is None:
        return True
    role = None if stop.workspace is None else role_of(user, stop.workspace)
    return role in RELEASED_BY[stop.set_by]


def release_refusal(stop: TradingState | TraderControl) -> str:
    """Say who may release a stop, to somebody who may not."""
    roles = RELEASED_BY[stop.set_by]
    whose = {SetBy.RULE: "A rule has stopped trading"}
    who = " or ".join(Role(role).label.lower() for role in roles)
    by = whose.get(SetBy(stop.set_by), f"It was stopped by {SetBy(stop.set_by).label}")
    if not roles:
        return f"{by}: only the command line of the server may let it go on"
    until = ", or its next session" if stop.set_by == SetBy.RULE else ""
    return f"{by}: only the {who} of this desk may let it go on{until}"


def require_may_release(
    stop: TradingState | TraderControl, user: User | None, *, reason: str
) -> None:
    """Check that a person may release a stop, and has said why where a rule has set it.

    :raises ReleaseRefused: when not, in words for that person.
    """
    if not may_release(stop, user):
        raise ReleaseRefused(release_refusal(stop))
    if stop.set_by == SetBy.RULE and not reason.strip():
        raise ReleaseRefused("A rule has stopped trading: say why it may go on")


def record_release(words: str, *, by: User | None, reason: str) -> None:
    """Keep who released what, and why."""
    who = by.name if by is not None else "The command line"
    why = f": {reason}" if reason else ""
    record_log(f"{who} released: {words}{why}", type=LogType.RMS, level=Severity.WARNING, user=by)
