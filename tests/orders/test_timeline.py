from datetime import timedelta

import pytest

from orders.models import EventSource
from orders.selectors import order_timeline
from orders.services.transitions import Note, add_event
from tests.orders.desk import Desk, make_desk


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


class TestOrderTimeline:
    @pytest.mark.parametrize(
        ("after", "words"),
        [
            (timedelta(milliseconds=27), "+27 ms"),
            (timedelta(seconds=4.2), "+4.2 s"),
            (timedelta(minutes=2, seconds=49), "+2 min 49 s"),
            (timedelta(hours=3, minutes=5), "+3 h 5 min"),
            (timedelta(0), ""),
            (timedelta(milliseconds=-114), ""),
        ],
    )
    def test_says_how_long_after_the_event_before(
        self, desk: Desk, after: timedelta, words: str
    ) -> None:
        order = desk.place(limit="95.00")
        note = Note("PROBE", EventSource.WEBSOCKET, desk.now + after)
        add_event(order, note=note, from_status=order.status, now=desk.now)
        assert order_timeline(order)[0].gap_words == words

    def test_is_newest_first_and_without_a_hole(self, desk: Desk) -> None:
        order = desk.buy()
        sequences = [entry.event.sequence for entry in order_timeline(order)]
        assert sequences == list(range(order.event_count, 0, -1))

    def test_stays_in_the_order_of_becoming_known_where_a_clock_is_coarse(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        for kind, millisecond in (("SENT", 300), ("FILLED", 0)):
            at = desk.now.replace(microsecond=millisecond * 1000)
            note = Note(kind, EventSource.WEBSOCKET, at)
            add_event(order, note=note, from_status=order.status, now=desk.now)
        told = [(entry.title, entry.clock[8:]) for entry in order_timeline(order)[:2]]
        assert told == [("Filled", ""), ("Sent", ".300")]

    def test_tells_ours_from_the_brokers_and_marks_fills(self, desk: Desk) -> None:
        entries = order_timeline(desk.buy())
        assert {entry.teller for entry in entries if not entry.is_ours} == {"REST", "Stream"}
        assert sum(entry.is_fill for entry in entries) == 1
