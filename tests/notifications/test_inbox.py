from datetime import timedelta
from itertools import count

import pytest

from accounts.models import Membership, Role, User
from notifications.models import AlertLevel, Notification, NotificationReceipt, NotificationType
from notifications.selectors import inbox_of, unread_count
from notifications.services import mark_all_read, mark_read, notify, notify_workspace
from operations.models import Event
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db
minutes = count()


def tell(user: User | None, title: str = "Order filled") -> Notification:
    return notify(
        user,
        kind=NotificationType.ORDER_FILLED,
        level=AlertLevel.INFO,
        title=title,
        message="BUY 10 RELIANCE",
        now=NOW + timedelta(minutes=next(minutes)),
    )


class TestMarkRead:
    def test_is_refused_for_a_notification_of_another(self) -> None:
        notification = tell(make_user())
        with pytest.raises(Notification.DoesNotExist):
            mark_read(notification, user=make_user("ravi"), now=NOW)
        assert unread_count(notification.user or make_user("none"), workspace=None) == 1

    def test_takes_one_out_of_the_count(self) -> None:
        user = make_user()
        tell(user)
        mark_read(tell(user), user=user, now=NOW)
        assert unread_count(user, workspace=None) == 1

    def test_of_a_system_wide_one_leaves_it_unread_for_others(self) -> None:
        user, other = make_user(), make_user("ravi")
        mark_read(tell(None), user=user, now=NOW)
        assert (unread_count(user, workspace=None), unread_count(other, workspace=None)) == (0, 1)

    def test_twice_keeps_the_first_time(self) -> None:
        user = make_user()
        notification = tell(user)
        mark_read(notification, user=user, now=NOW)
        mark_read(notification, user=user, now=NOW + timedelta(hours=1))
        notification.refresh_from_db()
        assert notification.read_at == NOW

    def test_of_a_system_wide_one_twice_keeps_one_receipt(self) -> None:
        user, notification = make_user(), tell(None)
        for _ in range(2):
            mark_read(notification, user=user, now=NOW)
        assert NotificationReceipt.objects.count() == 1


class TestMarkAllRead:
    def test_empties_the_count_of_this_person_only(self) -> None:
        user, other = make_user(), make_user("ravi")
        for person in (user, other, None):
            tell(person)
        assert mark_all_read(user, workspace=None, now=NOW) == 2
        assert (unread_count(user, workspace=None), unread_count(other, workspace=None)) == (0, 2)

    def test_of_an_empty_inbox_is_no_news(self) -> None:
        mark_all_read(make_user(), workspace=None, now=NOW)
        assert not Event.objects.exists()


class TestNotify:
    def test_publishes_the_news(self) -> None:
        user = make_user()
        workspace = make_workspace(user)
        notification = notify(
            user,
            kind=NotificationType.RISK_ALERT,
            level=AlertLevel.CRITICAL,
            title="x" * 500,
            message="Limit",
            now=NOW,
            workspace=workspace,
        )
        event = Event.objects.get()
        assert (event.kind, event.workspace_id) == ("notifications", workspace.pk)
        assert event.subject_id == str(notification.pk)

    def test_cuts_a_title_that_is_too_long(self) -> None:
        assert len(tell(make_user(), "x" * 500).title) == 200


class TestNotifyWorkspace:
    def test_reaches_every_member_and_nobody_else(self) -> None:
        owner, viewer, stranger = make_user(), make_user("viewer"), make_user("stranger")
        workspace = make_workspace(owner)
        Membership.objects.create(workspace=workspace, user=viewer, role=Role.VIEWER)
        notify_workspace(
            workspace,
            kind=NotificationType.RISK_ALERT,
            level=AlertLevel.WARNING,
            title="Near the limit",
            message="80 % of the day's loss",
            now=NOW,
        )
        people = (owner, viewer, stranger)
        counts = [unread_count(user, workspace=workspace) for user in people]
        assert counts == [1, 1, 0]
        assert Event.objects.count() == 1


class TestInbox:
    def test_is_newest_first_and_knows_what_is_read(self) -> None:
        user = make_user()
        tell(make_user("ravi"), "not mine")
        for title, person in (("mine, read", user), ("for all, read", None)):
            mark_read(tell(person, title), user=user, now=NOW)
        tell(user, "unread")
        assert [(each.title, each.is_read) for each in inbox_of(user, workspace=None)] == [
            ("unread", False),
            ("for all, read", True),
            ("mine, read", True),
        ]
