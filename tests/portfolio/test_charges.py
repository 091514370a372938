"""Charges as arithmetic. The worked examples are those that brokers have published."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.terms import InstrumentType, Product
from portfolio.charges import (
    ChargeBreakdown,
    ChargeComponent,
    ChargeGroup,
    ChargesUnknown,
    Rate,
    charge_group,
    exact_charges,
    fill_charges,
    order_charges,
    pays_full_value,
)

C = ChargeComponent
INTRADAY_SALE = (
    Rate(C.BROKERAGE, Decimal("0.0003"), cap=Decimal(20)),
    Rate(C.STT, Decimal("0.00025")),
    Rate(C.EXCHANGE, Decimal("0.000030699")),
    Rate(C.INVESTOR_PROTECTION, Decimal("0.000000001")),
    Rate(C.SEBI, Decimal("0.000001")),
    Rate(C.GST, Decimal("0.18")),
)
amounts = st.integers(min_value=1, max_value=10**9).map(lambda paise: Decimal(paise) / 100)


class TestOrderCharges:
    """Against a share bought (2021 to 2024) and a commodity future sold (July 2023)."""

    share = exact_charges(
        Decimal(1498),
        (
            Rate(C.BROKERAGE, Decimal(0), minimum=Decimal("0.01")),
            Rate(C.STT, Decimal("0.001")),
            Rate(C.EXCHANGE, Decimal("0.0000345")),
            Rate(C.SEBI, Decimal("0.000001")),
            Rate(C.STAMP, Decimal("0.00015")),
            Rate(C.GST, Decimal("0.18")),
        ),
    )
    future = exact_charges(
        Decimal(5862),
        (
            Rate(C.BROKERAGE, Decimal("0.0003")),
            Rate(C.STT, Decimal("0.0001")),
            Rate(C.EXCHANGE, Decimal("0.000026")),
            Rate(C.SEBI, Decimal("0.000001")),
            Rate(C.GST, Decimal("0.18")),
        ),
    )

    def test_are_those_of_the_published_share_trade(self) -> None:
        assert self.share == ChargeBreakdown(
            brokerage=Decimal("0.01"),
            stt=Decimal("1.498"),
            exchange_charges=Decimal("0.051681"),
            sebi_fee=Decimal("0.001498"),
            stamp_duty=Decimal("0.2247"),
            gst=Decimal("0.01137222"),
        )

    def test_add_up_to_the_published_total_of_the_share_trade(self) -> None:
        assert self.share.rounded().total == Decimal("1.79")

    def test_are_those_of_the_published_future_trade(self) -> None:
        assert self.future == ChargeBreakdown(
            brokerage=Decimal("1.7586"),
            stt=Decimal("0.5862"),
            exchange_charges=Decimal("0.152412"),
            sebi_fee=Decimal("0.005862"),
            gst=Decimal("0.34503732"),
        )
        assert self.future.total == Decimal("2.84811132")

    def test_are_rounded_component_by_component(self) -> None:
        assert self.future.rounded() == ChargeBreakdown(
            brokerage=Decimal("1.76"),
            stt=Decimal("0.59"),
            exchange_charges=Decimal("0.15"),
            sebi_fee=Decimal("0.01"),
            gst=Decimal("0.35"),
        )

    def test_round_half_a_paisa_up(self) -> None:
        half = order_charges(Decimal(100), [Rate(C.STT, Decimal("0.00005"))])

        assert half.stt == Decimal("0.01")

    def test_stop_at_the_cap_of_the_brokerage(self) -> None:
        assert order_charges(Decimal(1_000_000), INTRADAY_SALE).brokerage == 20

    def test_are_at_least_the_minimum(self) -> None:
        flat_fee = Rate(C.BROKERAGE, Decimal(0), minimum=Decimal(20))

        assert order_charges(Decimal("0.05"), [flat_fee]).brokerage == 20

    def test_are_nothing_on_nothing(self) -> None:
        flat_fee = Rate(C.BROKERAGE, Decimal(0), minimum=Decimal(20))

        assert order_charges(Decimal(0), [*INTRADAY_SALE, flat_fee]).total == 0

    def test_tax_fees_and_not_taxes(self) -> None:
        rates = [
            Rate(C.BROKERAGE, Decimal("0.01")),
            Rate(C.STT, Decimal("0.5")),
            Rate(C.STAMP, Decimal("0.5")),
            Rate(C.GST, Decimal("0.18")),
        ]

        assert order_charges(Decimal(100), rates).gst == Decimal("0.18")


class TestFillCharges:
    def test_do_not_pay_the_brokerage_of_an_order_twice(self) -> None:
        second = fill_charges(INTRADAY_SALE, value_before=Decimal(100_000), value=Decimal(100_000))

        assert second.brokerage == 0

    @given(st.lists(amounts, min_size=1, max_size=12))
    def test_add_up_to_the_charges_of_the_order(self, values: list[Decimal]) -> None:
        done, charged = Decimal(0), Decimal(0)
        for value in values:
            charged += fill_charges(INTRADAY_SALE, value_before=done, value=value).total
            done += value

        assert charged == order_charges(sum(values, Decimal(0)), INTRADAY_SALE).total

    @given(amounts, amounts)
    def test_are_never_negative(self, before: Decimal, value: Decimal) -> None:
        charges = fill_charges(INTRADAY_SALE, value_before=before, value=value)

        assert min(charges.brokerage, charges.stt, charges.gst, charges.sebi_fee) >= 0

    @given(amounts)
    def test_are_whole_paise(self, value: Decimal) -> None:
        charges = fill_charges(INTRADAY_SALE, value_before=Decimal(0), value=value)

        assert charges.total == charges.total.quantize(Decimal("0.01"))


class TestChargeGroup:
    def test_is_refused_for_an_index(self) -> None:
        with pytest.raises(ChargesUnknown, match="index"):
            charge_group(InstrumentType.INDEX, Product.MIS)

    @pytest.mark.parametrize(
        ("kind", "product", "group"),
        [
            (InstrumentType.EQ, Product.CNC, ChargeGroup.DELIVERY),
            (InstrumentType.EQ, Product.MTF, ChargeGroup.DELIVERY),
            (InstrumentType.EQ, Product.MIS, ChargeGroup.INTRADAY),
            (InstrumentType.EQ, Product.CO, ChargeGroup.INTRADAY),
            (InstrumentType.FUT, Product.NRML, ChargeGroup.FUTURES),
            (InstrumentType.FUT, Product.MIS, ChargeGroup.FUTURES),
            (InstrumentType.CE, Product.MIS, ChargeGroup.OPTIONS),
            (InstrumentType.PE, Product.NRML, ChargeGroup.OPTIONS),
        ],
    )
    def test_follows_from_instrument_and_product(
        self, kind: InstrumentType, product: Product, group: ChargeGroup
    ) -> None:
        assert charge_group(kind, product) is group


class TestPaysFullValue:
    @pytest.mark.parametrize(
        ("kind", "product", "expected"),
        [
            (InstrumentType.EQ, Product.CNC, True),
            (InstrumentType.CE, Product.MIS, True),
            (InstrumentType.PE, Product.NRML, True),
            (InstrumentType.EQ, Product.MIS, False),
            (InstrumentType.FUT, Product.NRML, False),
        ],
    )
    def test_is_so_for_delivery_and_premium(
        self, kind: InstrumentType, product: Product, expected: bool
    ) -> None:
        assert pays_full_value(kind, product) is expected
