import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from accounts.models import Membership, Role, User, Workspace
from accounts.permissions import require_trading_role
from accounts.services import (
    AlreadyMember,
    LastOwner,
    NotMember,
    add_member,
    change_role,
    create_workspace,
    ensure_workspace,
    remove_member,
    switch_workspace,
)
from operations.models import SystemLog
from tests.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user("owner")


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return create_workspace(owner, name=" Desk ")


def join(workspace: Workspace, name: str, role: Role) -> Membership:
    return Membership.objects.create(workspace=workspace, user=make_user(name), role=role)


class TestAddMember:
    @pytest.mark.parametrize("role", [Role.TRADER, Role.VIEWER])
    def test_is_refused_to_those_who_do_not_manage(self, workspace: Workspace, role: Role) -> None:
        by = join(workspace, "low", role).user
        with pytest.raises(PermissionDenied, match="Your role here is"):
            add_member(workspace, user=make_user("new"), role=Role.VIEWER, by=by)

    def test_is_refused_to_a_stranger(self, workspace: Workspace) -> None:
        stranger = make_user("stranger")
        with pytest.raises(PermissionDenied, match="not a member"):
            add_member(workspace, user=stranger, role=Role.OWNER, by=stranger)

    def test_is_refused_to_an_admin_who_would_make_an_owner(self, workspace: Workspace) -> None:
        admin = join(workspace, "admin", Role.ADMIN).user
        with pytest.raises(PermissionDenied):
            add_member(workspace, user=make_user("new"), role=Role.OWNER, by=admin)

    def test_is_refused_for_who_is_in_already(self, workspace: Workspace, owner: User) -> None:
        member = join(workspace, "member", Role.VIEWER)
        with pytest.raises(AlreadyMember):
            add_member(workspace, user=member.user, role=Role.TRADER, by=owner)

    def test_lets_a_person_in_and_logs_who_did(self, workspace: Workspace, owner: User) -> None:
        user = make_user("new")
        add_member(workspace, user=user, role=Role.TRADER, by=owner)
        require_trading_role(user, workspace)
        assert SystemLog.objects.get().message == "owner added new to Desk as trader"


class TestChangeRole:
    def test_is_refused_when_nobody_would_own_the_desk(
        self, workspace: Workspace, owner: User
    ) -> None:
        with pytest.raises(LastOwner):
            change_role(workspace.memberships.get(user=owner), role=Role.ADMIN, by=owner)

    def test_is_refused_to_an_admin_who_would_unmake_an_owner(
        self, workspace: Workspace, owner: User
    ) -> None:
        admin = join(workspace, "admin", Role.ADMIN).user
        join(workspace, "second", Role.OWNER)
        with pytest.raises(PermissionDenied):
            change_role(workspace.memberships.get(user=owner), role=Role.VIEWER, by=admin)

    def test_hands_the_desk_on_when_its_owner_steps_down(
        self, workspace: Workspace, owner: User
    ) -> None:
        heir = join(workspace, "heir", Role.OWNER).user
        change_role(workspace.memberships.get(user=owner), role=Role.TRADER, by=owner)
        workspace.refresh_from_db()
        assert workspace.owner == heir


class TestRemoveMember:
    def test_is_refused_for_the_last_owner_even_by_themselves(
        self, workspace: Workspace, owner: User
    ) -> None:
        with pytest.raises(LastOwner):
            remove_member(workspace.memberships.get(user=owner), by=owner)

    def test_is_refused_to_a_trader(self, workspace: Workspace) -> None:
        trader, viewer = join(workspace, "t", Role.TRADER), join(workspace, "v", Role.VIEWER)
        with pytest.raises(PermissionDenied):
            remove_member(viewer, by=trader.user)

    def test_lets_anybody_leave(self, workspace: Workspace) -> None:
        viewer = join(workspace, "viewer", Role.VIEWER)
        remove_member(viewer, by=viewer.user)
        assert not Workspace.objects.visible_to(viewer.user).exists()

    def test_takes_effect_at_the_next_request(
        self, client: Client, workspace: Workspace, owner: User
    ) -> None:
        trader = join(workspace, "trader", Role.TRADER)
        client.force_login(trader.user)
        remove_member(trader, by=owner)
        assert client.get("/more/").status_code == 403


class TestEnsureWorkspace:
    def test_opens_one_desk_however_often_it_is_asked(self) -> None:
        user = make_user(first_name="Asha", last_name="Rao")
        desks = {ensure_workspace(user) for _ in range(3)}
        assert [desk.name for desk in desks] == ["Asha Rao’s desk"]


class TestSwitchWorkspace:
    def test_is_refused_for_the_desk_of_another(self, client: Client, workspace: Workspace) -> None:
        stranger = make_user("stranger")
        create_workspace(stranger, name="Elsewhere")
        client.force_login(stranger)
        with pytest.raises(NotMember):
            switch_workspace(client.session, user=stranger, workspace=workspace)

    def test_is_forgotten_when_the_person_is_taken_off_that_desk(
        self, client: Client, workspace: Workspace, owner: User
    ) -> None:
        trader = join(workspace, "trader", Role.TRADER)
        own = create_workspace(trader.user, name="Own")
        client.force_login(trader.user)
        client.post("/accounts/desk/", {"workspace": str(workspace.pk)})
        remove_member(trader, by=owner)
        assert client.get("/more/").wsgi_request.workspace == own  # type: ignore[attr-defined]

    def test_puts_the_next_request_into_that_desk(self, client: Client, owner: User) -> None:
        first, second = create_workspace(owner, name="1"), create_workspace(owner, name="2")
        client.force_login(owner)
        assert client.get("/more/").wsgi_request.workspace == first  # type: ignore[attr-defined]
        client.post("/accounts/desk/", {"workspace": str(second.pk)})
        assert client.get("/more/").wsgi_request.workspace == second  # type: ignore[attr-defined]
