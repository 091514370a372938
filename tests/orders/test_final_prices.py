"""What a person read of a final settlement price: who may enter it, and what it settles."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from accounts.models import Membership, Role
from brokers.adapters.paper.exchange import advance
from brokers.terms import InstrumentType
from market.models import SettlementPrice
from market.settlement import is_on_index
from operations.models import ErrorLog
from orders.services.expiring import settle_expired
from orders.services.settlement_prices import (
    PriceUnlikely,
    ReadPrice,
    SettlementRefused,
    enter_final_price,
)
from portfolio.models import (
    ExpirySettlement,
    SettlementState,
)
from tests.builders import make_instrument, make_user
from tests.orders.desk import Desk, make_desk
from tests.orders.expiries import (
    LAST_EVENING,
    READ,
    agrees_with_the_practice_broker,
    enter,
    holding,
    is_proven,
    make_contract,
    settle,
    the_row,
)

pytestmark = pytest.mark.django_db


class _FailsOneOrder:
    """A database that fails as the first order is written."""

    is_used = False

    def __call__(self, execute, sql, params, many, context):
        if not self.is_used and sql.startswith('INSERT INTO "orders"'):
            self.is_used = True
            raise DatabaseError("died here")
        return execute(sql, params, many, context)


class TestAFinalPriceIsRefused:
    @pytest.fixture
    def desk(self) -> Desk:
        desk = holding(make_desk(), make_contract(), 65)
        settle(desk)
        return desk

    def test_to_a_viewer_and_a_stranger(self, desk: Desk) -> None:
        viewer = make_user("vera")
        Membership.objects.create(user=viewer, workspace=desk.account.workspace, role=Role.VIEWER)
        for person in (viewer, make_user("stranger")):
            with pytest.raises(PermissionDenied):
                enter_final_price(
                    the_row(), ReadPrice(Decimal(26000), READ, by=person), now=desk.now
                )
        assert not SettlementPrice.objects.exists()

    def test_without_evidence(self, desk: Desk) -> None:
        with pytest.raises(SettlementRefused, match="where you read it"):
            enter(desk, "26012.35", evidence="  ")

    @pytest.mark.parametrize("price", ["0", "-5", "NaN"])
    def test_that_is_none(self, desk: Desk, price: str) -> None:
        with pytest.raises(SettlementRefused, match="above nothing"):
            enter(desk, price)

    def test_far_from_the_strike_until_it_is_confirmed(self, desk: Desk) -> None:
        with pytest.raises(PriceUnlikely, match="far from 25,900"):
            enter(desk, "2601.235")
        enter(desk, "2601.235", is_sure=True)
        assert the_row().state == SettlementState.SETTLED

    def test_when_it_has_been_entered(self, desk: Desk) -> None:
        row = the_row()
        enter(desk, "26012.35")
        with pytest.raises(SettlementRefused, match="any more"):
            enter_final_price(row, ReadPrice(Decimal(26100), READ, by=desk.user), now=desk.now)


class TestAFinalPrice:
    def test_that_was_read_settles_all_that_waits_for_it(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        desk.now = datetime(2026, 6, 17, 6, 0, tzinfo=UTC)
        holding(desk, make_contract(InstrumentType.PE), 130)
        settle(desk)
        row = ExpirySettlement.objects.filter(instrument__instrument_type="CE").get()
        read = ReadPrice(Decimal("26012.35"), READ, by=desk.user)
        settled = enter_final_price(row, read, now=desk.now)
        assert {each.state for each in settled} == {SettlementState.SETTLED}
        assert SettlementPrice.objects.get().evidence == READ
        advance(at=desk.now)
        agrees_with_the_practice_broker(desk)
        is_proven()

    def test_settles_the_rest_where_one_fails_and_says_so(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        desk.now = datetime(2026, 6, 17, 6, 0, tzinfo=UTC)
        holding(desk, make_contract(InstrumentType.PE), 130)
        settle(desk)
        row = ExpirySettlement.objects.filter(instrument__instrument_type="CE").get()
        with connection.execute_wrapper(_FailsOneOrder()):
            enter_final_price(row, ReadPrice(Decimal("26012.35"), READ, by=desk.user), now=desk.now)
        [failed] = ExpirySettlement.objects.awaiting_price()
        assert "could not be settled" in failed.reason
        assert ExpirySettlement.objects.filter(state=SettlementState.SETTLED).count() == 1
        assert ErrorLog.objects.filter(error_type="DatabaseError").exists()
        assert settle_expired(now=desk.now) == 1
        is_proven()

    def test_of_one_desk_settles_nothing_of_another(self) -> None:
        contract = make_contract()
        asha, ravi = (holding(make_desk(name), contract, 65) for name in ("asha", "ravi"))
        settle_expired(now=LAST_EVENING)
        row = ExpirySettlement.objects.get(workspace=asha.account.workspace)
        enter_final_price(row, ReadPrice(Decimal(26000), READ, by=asha.user), now=asha.now)
        assert ravi.account.positions.open().exists()
        assert settle_expired(now=LAST_EVENING) == 0


class TestTheCommand:
    def test_lists_what_waits(self, capsys: pytest.CaptureFixture[str]) -> None:
        settle(holding(make_desk(), make_contract(), 65))
        call_command("settle_expired")
        assert "awaiting the final price" in capsys.readouterr().out

    def test_says_nothing_waits(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("settle_expired")
        assert "No expired contract waits" in capsys.readouterr().out

    def test_refuses_a_price_that_nobody_answers_for(self) -> None:
        settle(holding(make_desk(), make_contract(), 65))
        with pytest.raises(CommandError, match="by whom"):
            call_command("settle_expired", str(the_row().pk), "--price", "26012.35")

    def test_enters_a_price(self) -> None:
        settle(holding(make_desk(), make_contract(), 65))
        call_command(
            "settle_expired", str(the_row().pk), "--price", "26012.35", "--by", "asha",
            "--evidence", READ,
        )  # fmt: skip
        assert the_row().state == SettlementState.SETTLED
        is_proven()


class TestAnIndexThatSharesAName:
    def test_with_a_share_is_never_taken_for_it(self) -> None:
        make_instrument("NSE:INFRA")
        make_instrument(
            "NSE:INFRA@INDEX",
            trading_symbol="INFRA",
            underlying="INFRA",
            instrument_type=InstrumentType.INDEX,
        )
        assert not is_on_index(make_contract(underlying="INFRA", strike="100"))

    def test_with_nothing_ends_in_cash(self) -> None:
        make_instrument("NSE:NIFTY NEW", underlying="NEW", instrument_type=InstrumentType.INDEX)
        assert is_on_index(make_contract(underlying="NEW", strike="100"))
