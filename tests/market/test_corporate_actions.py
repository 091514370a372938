from datetime import date
from decimal import Decimal

import pytest

from market.models import CorporateAction, CorporateActionKind
from market.services import ActionRefused, record_corporate_action
from tests.builders import make_instrument

pytestmark = pytest.mark.django_db

EX_DATE = date(2026, 6, 18)
SPLIT = CorporateActionKind.SPLIT


class TestRecordCorporateAction:
    @pytest.mark.parametrize("factor", ["0", "-2", "NaN", "Infinity"])
    def test_refuses_a_factor_that_is_none(self, factor: str) -> None:
        with pytest.raises(ActionRefused, match="above zero"):
            record_corporate_action(
                make_instrument(), kind=SPLIT, ex_date=EX_DATE, factor=Decimal(factor)
            )

    def test_refuses_a_split_that_changes_nothing(self) -> None:
        with pytest.raises(ActionRefused, match="changes nothing"):
            record_corporate_action(make_instrument(), kind=SPLIT, ex_date=EX_DATE)

    def test_keeps_a_dividend_without_a_factor(self) -> None:
        action = record_corporate_action(
            make_instrument(), kind=CorporateActionKind.DIVIDEND, ex_date=EX_DATE, note="₹ 5"
        )

        assert action.factor == 1

    def test_again_corrects_the_first(self) -> None:
        share = make_instrument()
        record_corporate_action(share, kind=SPLIT, ex_date=EX_DATE, factor=Decimal(2))

        record_corporate_action(share, kind=SPLIT, ex_date=EX_DATE, factor=Decimal(5))

        assert CorporateAction.objects.get().factor == 5
