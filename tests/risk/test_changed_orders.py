"""A change of an order that has filled in part frees the money of what is unfilled alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import override_settings

from risk.models import Reservation
from risk.proposal import Proposal
from risk.selectors import reserved_margin
from risk.services import hand_over, hold_remaining, judge, judge_change
from tests.builders import NOW
from tests.risk.house import House

LATER = NOW + timedelta(seconds=10)


@pytest.fixture
def house(db: None) -> Iterator[House]:
    with override_settings(LIVE_TRADING=True):
        yield House()


def half_filled(house: House) -> Proposal:
    """An order for 10 that blocked 1,000, of which 5 are filled."""
    proposal = replace(house.proposal(house.account, 10), margin=Decimal(1000))
    with transaction.atomic():
        assert judge(proposal, now=NOW).is_allowed
    hand_over(proposal.order_id, now=NOW)
    hold_remaining(proposal.order_id, remaining=5, now=NOW)
    return proposal


def change(proposal: Proposal, quantity: int, *, margin: int, free: int) -> list[str]:
    wanted = replace(
        proposal,
        quantity=quantity,
        margin=Decimal(margin),
        available=Decimal(free),
        available_as_of=LATER,
    )
    with transaction.atomic():
        verdict = judge_change(wanted, now=LATER)
    return [refusal.kind for refusal in verdict.refusals]


class TestAChangeAfterAPartFill:
    def test_does_not_count_the_filled_parts_money_as_free(self, house: House) -> None:
        assert change(half_filled(house), 10, margin=1000, free=499) == ["MARGIN"]

    def test_needs_what_is_more_than_the_unfilled_part_holds(self, house: House) -> None:
        assert change(half_filled(house), 10, margin=1000, free=500) == []

    def test_holds_the_money_of_the_new_remainder(self, house: House) -> None:
        change(half_filled(house), 10, margin=1000, free=500)
        held = Reservation.objects.get()
        assert (held.quantity, held.margin_held) == (10, 1000)


class TestAnOrderFilledInPart:
    def test_reserves_the_rest_of_its_money(self, house: House) -> None:
        half_filled(house)
        assert reserved_margin(house.account, since=NOW) == 500

    def test_reserves_all_of_it_while_the_broker_has_not_told_its_money_since(
        self, house: House
    ) -> None:
        half_filled(house)
        assert reserved_margin(house.account, since=NOW - timedelta(seconds=1)) == 1000

    def test_that_has_ended_reserves_it_until_the_broker_tells(self, house: House) -> None:
        proposal = half_filled(house)
        hold_remaining(proposal.order_id, remaining=0, now=NOW)
        assert reserved_margin(house.account, since=NOW - timedelta(seconds=1)) == 1000
        assert reserved_margin(house.account, since=NOW) == 0
