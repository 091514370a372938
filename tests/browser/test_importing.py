"""Sending a file by hand: its answer, what follows it, and its undo, by real clicks."""

from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import User
from market.models import Candle
from market.services import run_queued_imports
from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOUBTFUL = "Date,Open,High,Low,Close\n03/02/2026,100,102,99,101\n04/02/2026,101,103,100,102\n"


@pytest.fixture
def owner(transactional_db: None, owner: User, settings: Settings, tmp_path: Path) -> User:
    """Whoever runs the installation."""
    settings.MEDIA_ROOT = tmp_path / "media"
    owner.is_staff = True
    owner.save()
    return owner


def send(page: Page, content: str, tmp_path: Path) -> None:
    (tmp_path / "INFY.csv").write_text(content)
    page.goto("/imports/")
    page.set_input_files("input[type=file]", tmp_path / "INFY.csv")
    page.get_by_role("button", name="Read the file").click()
    page.wait_for_url("**/imports/*-*/")
    run_queued_imports(clock=timezone.now)


class TestAFileInDoubt:
    @pytest.mark.parametrize("phone", [False, True])
    def test_is_answered_followed_and_undone(self, page: Page, tmp_path: Path, phone: bool) -> None:
        if phone:
            page.set_viewport_size(PHONE)
        send(page, DOUBTFUL, tmp_path)
        expect(page.get_by_role("alert")).to_contain_text("Is the day or the month first")
        page.get_by_role("button", name="Day first: 03/02/2026 is 3 Feb 2026").click()
        run_queued_imports(clock=timezone.now)
        expect(page.get_by_text("Choose a strategy for these prices")).to_be_visible()
        assert Candle.objects.count() == 2
        page.get_by_text("Undo this import").click()
        page.get_by_role("button", name="Undo it").click()
        expect(page.get_by_text("everything is as it was before it")).to_be_visible()
        assert not Candle.objects.exists()

    def test_is_given_up(self, page: Page, tmp_path: Path) -> None:
        send(page, DOUBTFUL, tmp_path)
        page.get_by_role("button", name="Cancel: store nothing").click()
        expect(page.get_by_role("link", name="Send the mended file")).to_be_visible()
        assert not Candle.objects.exists()


class TestAnUpload:
    def test_says_how_much_has_been_sent(self, page: Page, tmp_path: Path) -> None:
        (tmp_path / "INFY.csv").write_text(DOUBTFUL)
        page.goto("/imports/")
        page.evaluate(
            "addEventListener('htmx:xhr:progress', () => {"
            " window.sent = document.querySelector('[data-sent]')?.textContent || window.sent })"
        )
        page.set_input_files("input[type=file]", tmp_path / "INFY.csv")
        page.get_by_role("button", name="Read the file").click()
        page.wait_for_url("**/imports/*-*/")
        assert page.evaluate("window.sent") == "100%"

    def test_that_is_refused_says_why_beside_the_field(self, page: Page, tmp_path: Path) -> None:
        (tmp_path / "x.csv").write_text("words\n")
        page.goto("/imports/")
        page.set_input_files("input[type=file]", tmp_path / "x.csv")
        page.get_by_role("button", name="Read the file").click()
        expect(page.locator("main")).to_contain_text("No file that is known here begins with")
