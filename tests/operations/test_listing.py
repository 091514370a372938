from decimal import Decimal

import pytest
from django.http import QueryDict

from accounts.models import User
from operations.listing import Column, csv_response, list_rows
from tests.builders import make_user

COLUMNS = (
    Column("Name", "name", ("username",)),
    Column("Capital", "capital", ("total_capital",), css="num"),
    Column("Act"),
)


@pytest.fixture
def people(db: None) -> None:
    for name, capital in (("asha", 3), ("bela", 1), ("chand", 2)):
        make_user(name, total_capital=Decimal(capital))


def names(query: str) -> list[str]:
    listing = list_rows(
        User.objects.all(), columns=COLUMNS, params=QueryDict(query), default="name"
    )
    return [user.username for user in listing]


@pytest.mark.usefixtures("people")
class TestListRows:
    def test_sorts_by_the_default_column(self) -> None:
        assert names("") == ["asha", "bela", "chand"]

    def test_sorts_as_the_address_asks(self) -> None:
        assert names("sort=-capital") == ["asha", "chand", "bela"]

    @pytest.mark.parametrize("sort", ["password", "-email", "name;drop", "", "act"])
    def test_ignores_a_sort_that_no_column_offers(self, sort: str) -> None:
        assert names(f"sort={sort}") == ["asha", "bela", "chand"]

    @pytest.mark.parametrize("page", ["0", "-1", "99", "x", ""])
    def test_answers_a_page_for_any_number_asked(self, page: str) -> None:
        assert len(names(f"page={page}")) == 3

    def test_keeps_the_filters_in_the_links_of_its_heads(self) -> None:
        params = QueryDict("status=open&page=2")
        listing = list_rows(User.objects.all(), columns=COLUMNS, params=params, default="name")
        assert [head.link for head in listing.heads] == [
            "?status=open&sort=-name",
            "?status=open&sort=-capital",
            "",
        ]

    def test_turns_a_column_round_when_it_is_sorted_downwards(self) -> None:
        params = QueryDict("sort=-capital")
        listing = list_rows(User.objects.all(), columns=COLUMNS, params=params, default="name")
        assert listing.heads[1].sorted == "descending"
        assert listing.heads[1].link == "?sort=capital"

    def test_links_to_the_pages_beside_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("operations.listing.ROWS_PER_PAGE", 1)
        params = QueryDict("q=a&page=2")
        listing = list_rows(User.objects.all(), columns=COLUMNS, params=params, default="name")
        assert (listing.previous_link, listing.next_link) == ("?q=a&page=1", "?q=a&page=3")


class TestCsvResponse:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
    def test_makes_words_that_a_spreadsheet_would_run_harmless(self, text: str) -> None:
        response = csv_response("file", header=["Name"], rows=[[text]])
        assert f"'{text}" in response.content.decode().replace('"', "")

    def test_leaves_a_negative_amount_a_number(self) -> None:
        response = csv_response("file", header=["P&L"], rows=[[Decimal("-12.50")]])
        assert response.content.decode() == "P&L\r\n-12.50\r\n"

    def test_leaves_nothing_where_nothing_is_known(self) -> None:
        response = csv_response("file", header=["a", "b"], rows=[[None, 1]])
        assert response.content.decode() == "a,b\r\n,1\r\n"

    def test_is_a_download_of_that_name(self) -> None:
        response = csv_response("orders", header=["a"], rows=[])
        assert response["Content-Disposition"] == 'attachment; filename="orders.csv"'
