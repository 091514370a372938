from urllib.parse import quote

import pytest
from django.test import Client

from tests.builders import make_user

NUL = "a\x00b"


class TestRefuseNul:
    @pytest.mark.parametrize(
        "address",
        [f"/orders/?instrument={quote(NUL)}", f"/orders/?{quote(NUL)}=1", f"/orders/{quote(NUL)}/"],
    )
    def test_refuses_it_in_an_address(self, client: Client, db: None, address: str) -> None:
        client.force_login(make_user())
        answer = client.get(address)
        assert answer.status_code == 400
        assert "cannot be read" in answer.content.decode()

    def test_refuses_it_in_what_is_sent(self, client: Client, db: None) -> None:
        typed = {"login": NUL, "password": "x"}
        assert client.post("/accounts/login/", typed).status_code == 400

    def test_refuses_it_in_a_cookie(self, client: Client, db: None) -> None:
        client.cookies["sessionid"] = NUL
        assert client.get("/orders/").status_code == 400

    def test_lets_other_text_pass(self, client: Client, db: None) -> None:
        assert client.get("/accounts/login/?next=/orders/%E2%82%B9").status_code == 200
