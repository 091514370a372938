import pytest

from notifications.models import AlertLevel, Notification, NotificationType
from notifications.services import notify
from tests.builders import make_user
from tests.orders.desk import Desk
from tests.pages.desks import client_of, client_of_stranger, csv_rows, queries_of

URL = "/notifications/"


def tell(desk: Desk, title: str = "Filled", level: AlertLevel = AlertLevel.INFO) -> Notification:
    return notify(
        desk.user,
        kind=NotificationType.ORDER_FILLED,
        level=level,
        title=title,
        message="10 at 100.00",
        now=desk.now,
    )


class TestInbox:
    def test_says_that_all_is_quiet_while_it_is_empty(self, desk: Desk) -> None:
        assert b"All quiet" in client_of(desk).get(URL).content

    def test_shows_ones_own_messages_only(self, desk: Desk) -> None:
        tell(desk, "Mine")
        assert b"Mine" in client_of(desk).get(URL).content
        assert b"Mine" not in client_of_stranger().get(URL).content

    @pytest.mark.parametrize(
        ("query", "shown"),
        [("", 2), ("show=new", 1), ("show=urgent", 1), ("level=ERROR", 1), ("kind=RISK_ALERT", 0)],
    )
    def test_is_narrowed_by_its_filters(self, desk: Desk, query: str, shown: int) -> None:
        read = tell(desk)
        tell(desk, "Refused", AlertLevel.ERROR)
        client = client_of(desk)
        client.post(f"{URL}{read.pk}/read/")
        assert len(list(client.get(f"{URL}?{query}").context["listing"])) == shown

    def test_costs_the_same_queries_for_many_as_for_one(self, desk: Desk) -> None:
        tell(desk)
        client = client_of(desk)
        one = queries_of(client, f"{URL}part/")
        for _ in range(5):
            tell(desk)
        assert queries_of(client, f"{URL}part/") == one

    def test_exports_without_formulas(self, desk: Desk) -> None:
        tell(desk, "=1+1")
        _, row = csv_rows(client_of(desk).get(f"{URL}export/"))
        assert row[3] == "'=1+1"


class TestMarkRead:
    def test_marks_one(self, desk: Desk) -> None:
        first, _ = tell(desk), tell(desk)
        client_of(desk).post(f"{URL}{first.pk}/read/")
        assert Notification.objects.unread_by(desk.user).count() == 1

    def test_marks_all(self, desk: Desk) -> None:
        tell(desk)
        tell(desk)
        client_of(desk).post(f"{URL}read/")
        assert not Notification.objects.unread_by(desk.user).exists()

    def test_is_not_there_for_a_stranger(self, desk: Desk) -> None:
        mine = tell(desk)
        assert client_of_stranger().post(f"{URL}{mine.pk}/read/").status_code == 404
        assert Notification.objects.unread_by(desk.user).exists()

    def test_leaves_a_message_to_all_unread_for_others(self, desk: Desk) -> None:
        other = make_user("bela")
        to_all = notify(
            None,
            kind=NotificationType.SERVICE_DOWN,
            level=AlertLevel.WARNING,
            title="Down",
            message="",
            now=desk.now,
        )
        client_of(desk).post(f"{URL}{to_all.pk}/read/")
        assert not Notification.objects.unread_by(desk.user).exists()
        assert Notification.objects.unread_by(other).exists()

    def test_changes_nothing_on_get(self, desk: Desk) -> None:
        mine = tell(desk)
        assert client_of(desk).get(f"{URL}{mine.pk}/read/").status_code == 405
