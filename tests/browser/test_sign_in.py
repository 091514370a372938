import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class TestSignIn:
    def test_goes_from_the_name_to_the_password_by_tab(self, page: Page) -> None:
        page.context.clear_cookies()
        page.goto("/accounts/login/")
        expect(page.locator("#id_login")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator("#id_password")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Forgot it?")).to_be_focused()
