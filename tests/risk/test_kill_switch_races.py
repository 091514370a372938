"""A kill switch that is engaged is on, whatever another person does at the same moment."""

import pytest
from django.db import IntegrityError, connection

from accounts.models import Workspace
from risk.models import TraderControl
from risk.services import engage_kill_switch
from risk.services.switching import release_kill_switch
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db


class Releasing:
    """Another person, who releases the switch once engaging it has met it on."""

    def __init__(self, workspace: Workspace | None) -> None:
        self.workspace, self.has_met, self.has_released = workspace, False, False

    def __call__(self, execute, sql, params, many, context):
        if self.has_met and not self.has_released and sql.startswith(("SELECT", "UPDATE")):
            self.has_released = True
            release_kill_switch(self.workspace, by=None, now=NOW, reason="over")
        try:
            return execute(sql, params, many, context)
        except IntegrityError:
            self.has_met = True
            raise


class TestAKillSwitch:
    @pytest.mark.parametrize("is_everywhere", [False, True])
    def test_is_on_though_another_person_releases_it_meanwhile(self, is_everywhere: bool) -> None:
        workspace = None if is_everywhere else make_workspace(make_user())
        engage_kill_switch(workspace, by=None, reason="first", now=NOW)
        with connection.execute_wrapper(Releasing(workspace)):
            switch = engage_kill_switch(workspace, by=None, reason="second", now=NOW)
        assert TraderControl.objects.kill_switches().get() == switch
        assert switch.reason == "second"

    def test_that_cannot_be_written_is_not_tried_for_ever(self) -> None:
        workspace = make_workspace(make_user())
        with connection.execute_wrapper(refuse_switches), pytest.raises(IntegrityError):
            engage_kill_switch(workspace, by=None, reason="drill", now=NOW)


def refuse_switches(execute, sql, params, many, context):
    if sql.startswith('INSERT INTO "traders_control"'):
        raise IntegrityError("no such workspace")
    return execute(sql, params, many, context)
