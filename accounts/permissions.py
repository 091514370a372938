"""Who may do what inside a workspace: decorators for views, requirements for services."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase

from accounts.http import UserRequest
from accounts.models import MANAGING_ROLES, TRADING_ROLES, Membership, Role, User, Workspace

P = ParamSpec("P")
View = Callable[Concatenate[UserRequest, P], HttpResponseBase]


def trader_required(view: View[P]) -> View[P]:
    """Let only owners, admins and traders of the request's workspace through."""
    return _role_required(view, TRADING_ROLES)


def manager_required(view: View[P]) -> View[P]:
    """Let only owners and admins of the request's workspace through."""
    return _role_required(view, MANAGING_ROLES)


def operator_required(view: View[P]) -> View[P]:
    """Let only the people who run the house through, whatever their role at a desk."""

    @wraps(view)
    def checked(request: UserRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        require_operator(request.user)
        return view(request, *args, **kwargs)

    return checked  # type: ignore[return-value]  # wraps() hides that it takes what view takes


def require_operator(user: User) -> None:
    """Check that the person may change what every desk of the house shares.

    :raises PermissionDenied: when they are not of its staff, as an owner of a desk alone.
    """
    if not user.is_staff:
        raise PermissionDenied("This is shared by every desk: only the house's operator may")


def require_trading_role(user: User, workspace: Workspace) -> None:
    """Check that the person may place orders in the workspace.

    :raises PermissionDenied: when they are no member of it, or only look on.
    """
    _require_role(user, workspace, TRADING_ROLES)


def require_active(user: User, *, now: datetime) -> None:
    """Check that the person may act at all by now.

    :raises PermissionDenied: when they are blocked, inactive or past their access date.
    """
    if not user.can_act(now):
        raise PermissionDenied("Your access has ended")


def require_managing_role(user: User, workspace: Workspace) -> None:
    """Check that the person may change the workspace's people, brokers and rules.

    :raises PermissionDenied: when they are no member of it, or neither owner nor admin.
    """
    _require_role(user, workspace, MANAGING_ROLES)


def require_owner_role(user: User, workspace: Workspace) -> None:
    """Check that the person owns the workspace.

    :raises PermissionDenied: when they do not.
    """
    _require_role(user, workspace, (Role.OWNER,))


def _role_required(view: View[P], roles: Collection[str]) -> View[P]:
    @wraps(view)
    def checked(request: UserRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.membership.role not in roles:
            raise PermissionDenied(_refusal(request.membership.role, roles))
        return view(request, *args, **kwargs)

    return checked  # type: ignore[return-value]  # wraps() hides that it takes what view takes


def role_of(user: User, workspace: Workspace) -> Role | None:
    """Return the person's role in the workspace, None for who is no member."""
    roles = Membership.objects.filter(user=user, workspace=workspace)
    role = roles.values_list("role", flat=True).first()
    return None if role is None else Role(role)


def _require_role(user: User, workspace: Workspace, roles: Collection[str]) -> None:
    role = role_of(user, workspace)
    if role is None or role not in roles:
        raise PermissionDenied(_refusal(role, roles))


def _refusal(role: str | None, roles: Collection[str]) -> str:
    allowed = ", ".join(Role(each).label.lower() for each in roles)
    has = f"Your role here is {Role(role).label.lower()}" if role else "You are not a member here"
    return f"{has}; this takes one of: {allowed}"
