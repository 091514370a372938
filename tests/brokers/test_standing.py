"""One source of the words about what may be sent for an account."""

from dataclasses import replace

import pytest

from brokers.standing import Facts, Standing, standing_by

READY = Facts(is_replay=False, status="connected", differing=0, is_compared=True, may_send=True)


class TestStanding:
    def test_is_ready_where_nothing_stands_in_the_way(self) -> None:
        assert standing_by(READY) is Standing.READY

    @pytest.mark.parametrize("status", ["expired", "error", "disconnected"])
    def test_promises_no_exit_where_the_broker_is_not_reached(self, status: str) -> None:
        cut_off = replace(READY, status=status, is_compared=False, differing=2)
        standing = standing_by(cut_off)
        assert not standing.reaches_broker
        assert "no exits or cancels either" in standing.effect

    def test_lets_exits_go_before_both_sides_are_compared(self) -> None:
        standing = standing_by(replace(READY, is_compared=False, differing=2))
        assert standing.effect == "entries wait, exits and cancels go"

    def test_of_a_replay_is_over_whatever_else_is_so(self) -> None:
        assert standing_by(replace(READY, is_replay=True, status="error")) is Standing.REPLAY
