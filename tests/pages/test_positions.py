from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Role
from brokers.gateway import QuoteTick
from market.quotes import write_quotes
from orders.services.exiting import exit_position
from portfolio.board import positions_board, square_offs
from portfolio.models import Position
from portfolio.venue import HouseVenue
from tests.orders.desk import Desk
from tests.orders.share_actions import follow, held, record
from tests.pages.desks import (
    client_of,
    client_of_stranger,
    client_with_role,
    csv_rows,
    queries_of,
)

URL = "/positions/"


class TestPositionsPage:
    def test_shows_nothing_of_another_desk(self, desk: Desk) -> None:
        desk.buy()
        assert not client_of_stranger().get(URL).context["board"].rows

    def test_says_what_to_do_while_it_is_flat(self, desk: Desk) -> None:
        assert b"No open positions" in client_of(desk).get(URL).content

    def test_values_a_position_at_its_last_price(self, desk: Desk) -> None:
        desk.buy(quantity=10, price="100.00")
        tick = QuoteTick("NSE:RELIANCE", Decimal("103.50"), desk.now, 1)
        write_quotes([tick])
        (row,) = client_of(desk).get(URL).context["board"].rows
        assert row.unrealized == Decimal("35.0000")

    @pytest.mark.parametrize("address", [URL, f"{URL}part/"])
    def test_shows_one_gain_and_not_the_last_marks_beside_it(
        self, desk: Desk, address: str
    ) -> None:
        desk.buy(quantity=10, price="100.00")
        write_quotes([QuoteTick("NSE:RELIANCE", Decimal("103.50"), desk.now, 1)])
        context = client_of(desk).get(address).context
        assert context["summary"].unrealized == context["board"].open_profit == 35

    def test_adds_what_was_realised_up_to_the_days_figure(self, desk: Desk) -> None:
        desk.buy(quantity=10, price="100.00")
        close(desk)
        context = client_of(desk).get(URL).context
        booked = [position.booked_pnl for position in context["traded"]]
        assert booked == [context["summary"].realized]

    def test_marks_a_price_that_is_old(self, desk: Desk) -> None:
        desk.buy()
        later = desk.now + timedelta(minutes=3)
        (row,) = positions_board([desk.account], by_strategy=False, now=later).rows
        assert row.is_stale

    def test_offers_a_viewer_no_exit(self, desk: Desk) -> None:
        desk.buy()
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert b"/orders/exit/?position" not in viewer.get(URL).content

    @pytest.mark.parametrize(("query", "label"), [("", "Practice"), ("?by=strategy", "By hand")])
    def test_groups_by_account_or_by_strategy(self, desk: Desk, query: str, label: str) -> None:
        desk.buy()
        (group,) = client_of(desk).get(URL + query).context["board"].groups
        assert group.label == label

    def test_lists_what_was_closed_today(self, desk: Desk) -> None:
        desk.buy()
        close(desk)
        context = client_of(desk).get(URL).context
        assert not context["board"].rows
        assert [position.sell_quantity for position in context["closed"]] == [10]

    def test_renders_its_part_alone(self, desk: Desk) -> None:
        desk.buy()
        assert client_of(desk).get(f"{URL}part/").content.startswith(b"<div")

    def test_costs_few_queries(self, desk: Desk) -> None:
        desk.buy()
        assert queries_of(client_of(desk), f"{URL}part/") <= 10

    def test_exports_the_positions_of_its_accounts(self, desk: Desk) -> None:
        desk.buy()
        header, *rows = csv_rows(client_of(desk).get(f"{URL}export/"))
        kinds = {dict(zip(header, row, strict=True))["Kind"] for row in rows}
        assert kinds == {"NET", "DAY"}


class TestSquareOff:
    def test_counts_intraday_positions_until_their_time(self, desk: Desk) -> None:
        desk.buy()
        board = positions_board([desk.account], by_strategy=False, now=desk.now)
        (found,) = square_offs(board.rows, venue=HouseVenue(), now=desk.now)
        assert found.count == 1
        assert found.at > desk.now

    def test_is_over_once_its_time_has_passed(self, desk: Desk) -> None:
        desk.buy()
        evening = desk.now.replace(hour=12)
        board = positions_board([desk.account], by_strategy=False, now=evening)
        assert all(
            each.at > evening for each in square_offs(board.rows, venue=HouseVenue(), now=evening)
        )


def close(desk: Desk) -> None:
    position = Position.objects.open().get()
    [order] = exit_position(position, by=desk.user, now=timezone.now(), idempotency_key="close")
    desk.send(order)
    desk.trade("101.00")
    desk.trade("101.00")


class TestSharesOfABonus:
    def test_are_shown_as_pending_credit(self, desk: Desk) -> None:
        held(desk)
        record(desk)
        follow(desk)
        page = client_of(desk).get(f"{URL}part/").content.decode()
        assert "100 pending credit, not sellable yet" in page
