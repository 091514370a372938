"""Leases: one holder at a time, a dead holder's successor, a late holder told to stop."""

from datetime import timedelta

import pytest

from operations.leases import LeaseHeld, LeaseLost, claim_lease, release_lease, renew_lease
from tests.builders import NOW

LENGTH = timedelta(seconds=10)


def claim(holder: str, *, seconds: int = 0) -> int:
    return claim_lease("feed", holder=holder, length=LENGTH, now=NOW + timedelta(seconds=seconds))


@pytest.mark.django_db
class TestLease:
    def test_is_refused_while_another_holds_it(self) -> None:
        claim("first")
        with pytest.raises(LeaseHeld, match="first holds the lease"):
            claim("second", seconds=9)

    def test_is_lost_once_another_has_taken_it(self) -> None:
        token = claim("first")
        claim("second", seconds=10)
        with pytest.raises(LeaseLost):
            renew_lease("feed", token=token, length=LENGTH, now=NOW + timedelta(seconds=11))

    def test_lasts_as_long_as_it_is_renewed(self) -> None:
        token = claim("first")
        renew_lease("feed", token=token, length=LENGTH, now=NOW + timedelta(seconds=8))
        with pytest.raises(LeaseHeld):
            claim("second", seconds=12)

    def test_goes_to_the_next_with_a_greater_token(self) -> None:
        first = claim("first")
        assert claim("second", seconds=10) > first

    def test_is_free_once_given_back(self) -> None:
        token = claim("first")
        release_lease("feed", token=token, now=NOW)
        assert claim("second") > token

    def test_is_not_given_back_by_who_has_lost_it(self) -> None:
        lost = claim("first")
        claim("second", seconds=10)
        release_lease("feed", token=lost, now=NOW + timedelta(seconds=11))
        with pytest.raises(LeaseHeld):
            claim("third", seconds=12)
