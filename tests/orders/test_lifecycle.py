from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.gateway import BrokerStatus
from orders.lifecycle import (
    MOVES,
    IllegalTransition,
    Move,
    Report,
    Snapshot,
    apply_fills,
    apply_move,
    apply_report,
    lose_row,
)
from orders.states import FINAL, WORKING, OrderStatus
from tests.builders import NOW

QUANTITY = 100
S = OrderStatus


def report(
    status: BrokerStatus, filled: int = 0, *, sequence: int = 1, quantity: int = QUANTITY
) -> Report:
    return Report(status, quantity, filled, sequence, NOW + timedelta(seconds=sequence))


def order(status: OrderStatus, filled: int = 0) -> Snapshot:
    previous = S.OPEN if status in (S.MODIFY_PENDING, S.CANCEL_PENDING) else None
    return Snapshot(status, QUANTITY, filled, previous)


class TestEveryStateAndMove:
    @pytest.mark.parametrize(("state", "move"), list(product(S, Move)))
    def test_is_decided(self, state: OrderStatus, move: Move) -> None:
        if (state, move) in MOVES:
            assert apply_move(order(state), move).status in S
        else:
            with pytest.raises(IllegalTransition, match=str(state)):
                apply_move(order(state), move)

    @pytest.mark.parametrize("state", sorted(FINAL))
    def test_none_of_ours_leaves_an_end(self, state: OrderStatus) -> None:
        for move in Move:
            if (state, move) in MOVES:
                assert apply_move(order(state), move).status is state

    def test_only_a_pending_order_can_be_sent(self) -> None:
        assert [state for state in S if (state, Move.SUBMIT) in MOVES] == [S.PENDING]


class TestEveryStateAndReport:
    @pytest.mark.parametrize(("state", "status"), list(product(S, BrokerStatus)))
    def test_is_decided_without_an_error(self, state: OrderStatus, status: BrokerStatus) -> None:
        filled = QUANTITY if status is BrokerStatus.FILLED else 0
        after = apply_report(order(state), report(status, filled))
        assert after.filled_quantity == filled
        assert after.status not in (S.PENDING, S.SUBMITTING, S.UNKNOWN, S.DENIED)

    @pytest.mark.parametrize("state", list(S))
    def test_a_whole_fill_ends_every_state_filled(self, state: OrderStatus) -> None:
        assert apply_fills(order(state), total=QUANTITY).status is S.FILLED


class TestReports:
    def test_settle_an_unknown_order(self) -> None:
        assert apply_report(order(S.UNKNOWN), report(BrokerStatus.OPEN)).status is S.OPEN

    def test_revive_an_order_we_had_given_up(self) -> None:
        given_up = apply_move(order(S.UNKNOWN), Move.GIVE_UP)
        assert apply_report(given_up, report(BrokerStatus.OPEN)).status is S.OPEN

    def test_do_not_reopen_what_the_broker_ended(self) -> None:
        ended = apply_report(order(S.OPEN), report(BrokerStatus.CANCELLED, sequence=1))
        assert apply_report(ended, report(BrokerStatus.OPEN, sequence=9)).status is S.CANCELLED

    def test_of_a_fill_beat_a_cancel(self) -> None:
        cancelled = apply_report(order(S.OPEN), report(BrokerStatus.CANCELLED, sequence=9))
        late = apply_report(cancelled, report(BrokerStatus.FILLED, QUANTITY, sequence=2))
        assert late.status is S.FILLED

    def test_keep_a_cancel_pending_while_the_order_works_on(self) -> None:
        asked = apply_move(order(S.OPEN), Move.ASK_CANCEL)
        after = apply_report(asked, report(BrokerStatus.PARTIALLY_FILLED, 40))
        assert (after.status, after.previous_status) == (S.CANCEL_PENDING, S.PARTIALLY_FILLED)

    def test_that_contradict_their_own_numbers_are_read_by_the_numbers(self) -> None:
        after = apply_report(order(S.OPEN), report(BrokerStatus.FILLED, 40))
        assert (after.status, after.filled_quantity) == (S.PARTIALLY_FILLED, 40)

    def test_of_more_than_was_ordered_enlarge_the_order(self) -> None:
        after = apply_fills(order(S.OPEN), total=130)
        assert (after.status, after.quantity, after.filled_quantity) == (S.FILLED, 130, 130)


class TestACancelOfAnUnknownOrder:
    def asked(self) -> Snapshot:
        return apply_move(order(S.UNKNOWN), Move.ASK_CANCEL)

    def test_returns_to_unknown_when_it_is_refused(self) -> None:
        assert apply_move(self.asked(), Move.CANCEL_REFUSED) == order(S.UNKNOWN)

    def test_goes_on_beside_a_fill_that_tells_no_state(self) -> None:
        after = apply_fills(self.asked(), total=40)
        assert (after.status, after.previous_status) == (S.CANCEL_PENDING, S.UNKNOWN)

    def test_knows_again_what_it_returns_to_once_that_is_told(self) -> None:
        after = apply_report(self.asked(), report(BrokerStatus.OPEN))
        assert (after.status, after.previous_status) == (S.CANCEL_PENDING, S.OPEN)

    def test_is_what_a_cancel_becomes_whose_order_cannot_be_read(self) -> None:
        assert lose_row(apply_move(order(S.OPEN), Move.ASK_CANCEL)) == self.asked()


class TestRefusedChanges:
    def test_return_to_the_state_before(self) -> None:
        asked = apply_move(order(S.TRIGGER_PENDING), Move.ASK_MODIFY)
        assert apply_move(asked, Move.MODIFY_REFUSED).status is S.TRIGGER_PENDING

    def test_return_to_partly_filled_when_some_filled_meanwhile(self) -> None:
        asked = apply_move(order(S.OPEN), Move.ASK_CANCEL)
        filled = apply_fills(asked, total=10)
        assert apply_move(filled, Move.CANCEL_REFUSED).status is S.PARTIALLY_FILLED


@st.composite
def broker_histories(draw: st.DrawFn) -> list[Report]:
    """What a broker tells of one order from start to end: fills that grow, then one end."""
    first = draw(st.sampled_from([BrokerStatus.PLACED, BrokerStatus.QUEUED_AMO]))
    waits = draw(st.booleans())
    fills = sorted(draw(st.lists(st.integers(1, QUANTITY - 1), max_size=4, unique=True)))
    end = draw(
        st.sampled_from([BrokerStatus.FILLED, BrokerStatus.CANCELLED, BrokerStatus.EXPIRED, None])
    )
    steps: list[tuple[BrokerStatus, int]] = [(first, 0)]
    steps += [(BrokerStatus.TRIGGER_PENDING, 0)] if waits else []
    steps += [(BrokerStatus.OPEN, 0)]
    steps += [(BrokerStatus.PARTIALLY_FILLED, filled) for filled in fills]
    if end is not None:
        steps.append((end, QUANTITY if end is BrokerStatus.FILLED else max([0, *fills])))
    return [report(status, filled, sequence=i) for i, (status, filled) in enumerate(steps, 1)]


def merge(reports: list[Report], start: OrderStatus = S.PLACED) -> Snapshot:
    merged = order(start)
    for one in reports:
        merged = apply_report(merged, one)
    return merged


class TestConvergence:
    @given(broker_histories(), st.data())
    def test_any_order_and_any_repetition_end_the_same(
        self, history: list[Report], data: st.DataObject
    ) -> None:
        shuffled = data.draw(
            st.permutations(history + data.draw(st.lists(st.sampled_from(history))))
        )
        start = data.draw(st.sampled_from([S.SUBMITTING, S.UNKNOWN, S.PLACED]))
        assert merge(shuffled, start) == merge(history, start)

    @given(broker_histories(), st.data())
    def test_whatever_is_lost_a_full_reading_mends(
        self, history: list[Report], data: st.DataObject
    ) -> None:
        kept = [one for one in history if data.draw(st.booleans())]
        full_reading = [history[-1]]
        assert merge(kept + full_reading) == merge(history)

    @given(broker_histories(), st.data())
    def test_filled_quantity_never_falls(self, history: list[Report], data: st.DataObject) -> None:
        merged, filled = order(S.PLACED), 0
        for one in data.draw(st.permutations(history)):
            merged = apply_report(merged, one)
            assert merged.filled_quantity >= filled
            filled = merged.filled_quantity

    @given(broker_histories(), st.data())
    def test_fills_may_come_before_between_and_after_reports(
        self, history: list[Report], data: st.DataObject
    ) -> None:
        total = history[-1].filled_quantity
        merged = order(S.SUBMITTING)
        cut = data.draw(st.integers(0, len(history)))
        shuffled = data.draw(st.permutations(history))
        for one in shuffled[:cut]:
            merged = apply_report(merged, one)
        merged = apply_fills(merged, total=total)
        for one in shuffled[cut:]:
            merged = apply_report(merged, one)
        expected = merge(history)
        assert (merged.status, merged.filled_quantity) == (expected.status, total)

    @given(broker_histories())
    def test_a_working_order_is_never_called_final(self, history: list[Report]) -> None:
        merged = merge(history[:1])
        assert merged.status in WORKING
