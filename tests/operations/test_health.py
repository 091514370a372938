from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from operations.models import Lease
from trading_site.feeding import LEASE_LENGTH
from trading_site.health import check_feed

pytestmark = pytest.mark.django_db


class TestHealth:
    def test_refuses_to_be_posted_to(self, client: Client) -> None:
        assert client.post("/healthz/").status_code == 405

    def test_is_told_without_a_sign_in(self, client: Client) -> None:
        answer = client.get("/healthz/")
        assert answer.status_code == 200
        assert answer.json()["status"] == "well"
        assert set(answer.json()["parts"]) == {"database", "cache", "feed"}

    def test_does_not_depend_on_a_feed(self, client: Client) -> None:
        assert client.get("/healthz/").json()["parts"]["feed"] == {
            "well": False,
            "detail": "never seen",
        }


class TestFeed:
    @pytest.mark.parametrize(("silent", "is_well"), [(2, True), (60, False)])
    def test_is_well_while_it_speaks(self, silent: int, is_well: bool) -> None:
        now = timezone.now()
        Lease.objects.create(
            name="feed:simulated",
            holder="test",
            expires_at=now - timedelta(seconds=silent) + LEASE_LENGTH,
        )
        finding = check_feed(now=now)
        assert (finding.is_well, finding.detail) == (is_well, f"{silent} s ago")
