"""What one test leaves in memory or on the disk, no other test meets."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoCaptureOnCommitCallbacks as Capture

from market.ex_dates import in_old_shares
from market.models import CorporateActionKind
from market.services import record_corporate_action
from risk.services.confirming import note_pulse
from tests.builders import make_instrument

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 6, 19, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize("time", ["once", "again"])
class TestWhatATestLeaves:
    def test_is_no_action_on_shares(self, time: str) -> None:
        assert not in_old_shares(LATER)
        record_corporate_action(
            make_instrument(),
            kind=CorporateActionKind.SPLIT,
            ex_date=date(2026, 6, 18),
            factor=Decimal(2),
        )
        assert in_old_shares(LATER)

    def test_is_no_installation_file(
        self, time: str, django_capture_on_commit_callbacks: Capture
    ) -> None:
        kept = Path(settings.INSTALLATION_FILE)
        assert not kept.exists()
        assert settings.BASE_DIR not in kept.parents
        with django_capture_on_commit_callbacks(execute=True):
            note_pulse(now=LATER)
        assert kept.exists()
