"""Desks and their people: who belongs, with which role, and who may change that."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from accounts.middleware import WORKSPACE_KEY
from accounts.models import Membership, Role, User, UserStatus, Workspace
from accounts.permissions import require_managing_role, require_owner_role
from accounts.sessions import revoke_sessions
from operations.logs import record_log
from operations.models import LogType, Severity


class LastOwner(Exception):
    """A workspace keeps at least one owner."""


class AlreadyMember(Exception):
    """The person belongs to the workspace already."""


class NotMember(Exception):
    """The person does not belong to the workspace."""


@transaction.atomic
def create_workspace(owner: User, *, name: str) -> Workspace:
    """Open a desk with one member, its owner."""
    workspace = Workspace.objects.create(name=name.strip()[:100], owner=owner)
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    return workspace


@transaction.atomic
def ensure_workspace(user: User) -> Workspace:
    """Return the first workspace the person belongs to; open one for a person who has none."""
    # The row lock makes two first requests of one person take turns.
    User.objects.select_for_update().get(pk=user.pk)
    first = Membership.objects.filter(user=user).order_by("created_at", "pk").first()
    return first.workspace if first else create_workspace(user, name=f"{user.name}’s desk")


@transaction.atomic
def add_member(workspace: Workspace, *, user: User, role: Role, by: User) -> Membership:
    """Let a person into the workspace. Managers may; only an owner makes another owner.

    :raises PermissionDenied: when ``by`` may not do this.
    :raises AlreadyMember: when the person is in already; see :func:`change_role`.
    """
    _require_may_grant(by, workspace, role)
    membership, is_new = Membership.objects.get_or_create(
        workspace=workspace, user=user, defaults={"role": role}
    )
    if not is_new:
        raise AlreadyMember(f"{user} is already {membership.role} of {workspace}")
    _log(by, f"added {user} to {workspace} as {role}")
    return membership


@transaction.atomic
def change_role(membership: Membership, *, role: Role, by: User) -> Membership:
    """Give a member another role. Only an owner makes or unmakes an owner.

    :raises PermissionDenied: when ``by`` may not do this.
    :raises LastOwner: when nobody would own the workspace afterwards.
    """
    locked = _locked(membership)
    _require_may_grant(by, locked.workspace, role, locked.role)
    if role != Role.OWNER:
        _require_another_owner(locked)
    locked.role = role
    locked.save(update_fields=["role"])
    _pass_on_ownership(locked.workspace)
    _log(by, f"made {locked.user} {role} of {locked.workspace}")
    return locked


@transaction.atomic
def remove_member(membership: Membership, *, by: User) -> None:
    """Take a person out of the workspace; anybody may leave by themselves.

    :raises PermissionDenied: when ``by`` may not do this.
    :raises LastOwner: when nobody would own the workspace afterwards.
    """
    locked = _locked(membership)
    if by.pk != locked.user_id:
        _require_may_grant(by, locked.workspace, locked.role)
    _require_another_owner(locked)
    workspace = locked.workspace
    locked.delete()
    _pass_on_ownership(workspace)
    _log(by, f"removed {membership.user} from {workspace}")


def switch_workspace(session: SessionBase, *, user: User, workspace: Workspace) -> None:
    """Make this the workspace that the person's next requests are in.

    :raises NotMember: when the person does not belong to it.
    """
    if not Membership.objects.filter(user=user, workspace=workspace).exists():
        raise NotMember(f"{user} does not belong to {workspace}")
    session[WORKSPACE_KEY] = str(workspace.pk)


@transaction.atomic
def set_user_status(user: User, *, status: UserStatus, by: User, now: datetime) -> None:
    """Block a person, put them out of use, or let them back; who may not act is signed out."""
    user.status = status
    user.save(update_fields=["status", "updated_at"])
    if status != UserStatus.ACTIVE:
        revoke_sessions(user, now=now)
    _log(by, f"set {user} to {status}")


def keep_address_of(user: User) -> None:
    """Note the address in force as the primary one: it is told when another takes its place.

    Somebody made on the command line has an address and no row of it.
    """
    if not EmailAddress.objects.filter(user=user, primary=True).exists():
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"primary": True}
        )


def _locked(membership: Membership) -> Membership:
    # The workspace's row is the lock: two owners who remove each other take turns.
    Workspace.objects.select_for_update().get(pk=membership.workspace_id)
    return Membership.objects.select_related("workspace", "user").get(pk=membership.pk)


def _require_may_grant(by: User, workspace: Workspace, *roles: str) -> None:
    if Role.OWNER in roles:
        require_owner_role(by, workspace)
    else:
        require_managing_role(by, workspace)


def _require_another_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    owners = Membership.objects.filter(workspace=membership.workspace, role=Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise LastOwner(f"{membership.user} is the last owner of {membership.workspace}")


def _pass_on_ownership(workspace: Workspace) -> None:
    owners = Membership.objects.filter(workspace=workspace, role=Role.OWNER)
    if owners.filter(user=workspace.owner_id).exists():
        return
    workspace.owner = owners.select_related("user").order_by("created_at", "pk")[0].user
    workspace.save(update_fields=["owner"])


def _log(by: User, deed: str) -> None:
    record_log(f"{by} {deed}", type=LogType.AUTH, level=Severity.INFO, user=by)
