"""The dated table, on both sides of the changes of 1 March and 1 April 2026."""

from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps

from brokers.terms import Exchange, InstrumentType, Product, Side
from portfolio.charges import ChargeBreakdown, ChargeComponent, ChargesUnknown, order_charges
from portfolio.models import ChargeRate
from portfolio.rates import Tariff, rates_for
from portfolio.seeding import add_shipped_rows

pytestmark = pytest.mark.django_db

LAKH = Decimal(100_000)
CRORE = Decimal(10_000_000)
FEBRUARY, MARCH, APRIL = date(2026, 2, 28), date(2026, 3, 1), date(2026, 4, 1)
DELIVERY = (InstrumentType.EQ, Product.CNC)
INTRADAY = (InstrumentType.EQ, Product.MIS)
FUTURES = (InstrumentType.FUT, Product.NRML)
OPTIONS = (InstrumentType.CE, Product.NRML)


def charged(
    what: tuple[InstrumentType, Product],
    side: Side,
    *,
    on: date,
    exchange: str = "NSE",
    turnover: Decimal = LAKH,
) -> ChargeBreakdown:
    kind, product = what
    return order_charges(turnover, rates_for(Tariff(exchange, kind, product, side, on)))


class TestRatesFor:
    @pytest.mark.parametrize(
        ("exchange", "day"),
        [
            ("NSE", date(2020, 6, 30)),
            ("NSE", date(2021, 1, 1)),
            ("NSE", date(2024, 9, 30)),
            ("BSE", date(2025, 12, 31)),
            ("MCX", APRIL),
            ("NASDAQ", APRIL),
        ],
    )
    def test_are_refused_where_none_is_on_file(self, exchange: str, day: date) -> None:
        with pytest.raises(ChargesUnknown, match=f"on file .* on {day}"):
            charged(DELIVERY, Side.BUY, on=day, exchange=exchange)

    def test_are_refused_when_one_component_is_missing(self) -> None:
        ChargeRate.objects.filter(exchange="NSE", group="DELIVERY", component="STT").delete()

        with pytest.raises(ChargesUnknown, match="No STT rate"):
            charged(DELIVERY, Side.BUY, on=date(2026, 5, 4))

    @pytest.mark.parametrize(
        ("what", "side", "day", "stt"),
        [
            (DELIVERY, Side.BUY, FEBRUARY, "100.00"),
            (DELIVERY, Side.SELL, APRIL, "100.00"),
            (INTRADAY, Side.BUY, APRIL, "0.00"),
            (INTRADAY, Side.SELL, APRIL, "25.00"),
            (FUTURES, Side.BUY, APRIL, "0.00"),
            (FUTURES, Side.SELL, date(2026, 3, 31), "20.00"),
            (FUTURES, Side.SELL, APRIL, "50.00"),
            (OPTIONS, Side.BUY, APRIL, "0.00"),
            (OPTIONS, Side.SELL, date(2026, 3, 31), "100.00"),
            (OPTIONS, Side.SELL, APRIL, "150.00"),
        ],
    )
    def test_tax_as_the_finance_act_says(
        self, what: tuple[InstrumentType, Product], side: Side, day: date, stt: str
    ) -> None:
        assert charged(what, side, on=day).stt == Decimal(stt)

    @pytest.mark.parametrize(
        ("what", "day", "charge"),
        [
            (DELIVERY, FEBRUARY, 307),
            (DELIVERY, MARCH, 307),
            (INTRADAY, FEBRUARY, 307),
            (INTRADAY, MARCH, 307),
            (FUTURES, FEBRUARY, 183),
            (FUTURES, MARCH, 183),
            (OPTIONS, FEBRUARY, 3553),
            (OPTIONS, MARCH, 3553),
        ],
    )
    def test_charge_for_the_exchange_by_the_crore(
        self, what: tuple[InstrumentType, Product], day: date, charge: int
    ) -> None:
        assert charged(what, Side.BUY, on=day, turnover=CRORE).exchange_charges == charge

    @pytest.mark.parametrize("what", [DELIVERY, INTRADAY, FUTURES, OPTIONS])
    def test_moved_from_fund_to_charge_on_the_first_of_march(
        self, what: tuple[InstrumentType, Product]
    ) -> None:
        kind, product = what
        before, after = (
            {
                rate.component: rate.rate
                for rate in rates_for(Tariff("NSE", kind, product, Side.BUY, day))
            }
            for day in (FEBRUARY, MARCH)
        )

        assert (
            after[ChargeComponent.INVESTOR_PROTECTION] < before[ChargeComponent.INVESTOR_PROTECTION]
        )
        assert after[ChargeComponent.EXCHANGE] > before[ChargeComponent.EXCHANGE]

    @pytest.mark.parametrize(
        ("what", "stamp"),
        [(DELIVERY, "15.00"), (INTRADAY, "3.00"), (FUTURES, "2.00"), (OPTIONS, "3.00")],
    )
    def test_stamp_the_buyer_only(self, what: tuple[InstrumentType, Product], stamp: str) -> None:
        assert charged(what, Side.BUY, on=APRIL).stamp_duty == Decimal(stamp)
        assert charged(what, Side.SELL, on=APRIL).stamp_duty == 0

    @pytest.mark.parametrize(
        ("what", "turnover", "brokerage"),
        [
            (DELIVERY, LAKH, "0.00"),
            (INTRADAY, Decimal(10_000), "3.00"),
            (INTRADAY, LAKH, "20.00"),
            (FUTURES, CRORE, "20.00"),
            (OPTIONS, Decimal(500), "20.00"),
        ],
    )
    def test_follow_the_paper_tariff(
        self, what: tuple[InstrumentType, Product], turnover: Decimal, brokerage: str
    ) -> None:
        charges = charged(what, Side.BUY, on=APRIL, turnover=turnover)

        assert charges.brokerage == Decimal(brokerage)

    def test_come_to_a_whole_delivery_bill(self) -> None:
        assert charged(DELIVERY, Side.BUY, on=APRIL) == ChargeBreakdown(
            brokerage=Decimal("0.00"),
            exchange_charges=Decimal("3.07"),
            clearing_charges=Decimal("0.00"),
            sebi_fee=Decimal("0.10"),
            stt=Decimal("100.00"),
            stamp_duty=Decimal("15.00"),
            gst=Decimal("0.57"),
        )

    def test_come_to_a_whole_option_bill(self) -> None:
        assert charged(OPTIONS, Side.SELL, on=APRIL) == ChargeBreakdown(
            brokerage=Decimal("20.00"),
            exchange_charges=Decimal("35.53"),
            clearing_charges=Decimal("0.00"),
            sebi_fee=Decimal("0.10"),
            stt=Decimal("150.00"),
            stamp_duty=Decimal("0.00"),
            gst=Decimal("10.01"),
        )

    @pytest.mark.parametrize("exchange", ["SIM", "NFO"])
    def test_are_those_of_the_nse_elsewhere(self, exchange: str) -> None:
        elsewhere = charged(OPTIONS, Side.SELL, on=APRIL, exchange=exchange)

        assert elsewhere == charged(OPTIONS, Side.SELL, on=APRIL)

    def test_of_the_bse_are_its_own(self) -> None:
        assert charged(DELIVERY, Side.BUY, on=APRIL, exchange="BSE").exchange_charges == Decimal(
            "3.75"
        )

    def test_of_two_in_force_are_the_later(self) -> None:
        charged(DELIVERY, Side.BUY, on=APRIL)
        ChargeRate.objects.create(
            exchange=Exchange.NSE,
            group="DELIVERY",
            component="STT",
            rate=Decimal("0.002"),
            effective_from=APRIL,
            source="A circular",
        )

        assert charged(DELIVERY, Side.BUY, on=APRIL).stt == 200

    def test_are_read_once_a_minute(self, django_assert_num_queries) -> None:
        charged(DELIVERY, Side.BUY, on=APRIL)

        with django_assert_num_queries(0):
            charged(DELIVERY, Side.BUY, on=APRIL)


class TestShippedRows:
    config = apps.get_app_config("portfolio")

    def test_have_each_a_source(self) -> None:
        assert not ChargeRate.objects.filter(source="").exists()

    def test_are_added_once(self) -> None:
        count = ChargeRate.objects.count()

        add_shipped_rows(self.config)

        assert ChargeRate.objects.count() == count

    def test_are_added_to_an_emptied_table(self) -> None:
        count = ChargeRate.objects.count()
        ChargeRate.objects.all().delete()

        add_shipped_rows(self.config)

        assert ChargeRate.objects.count() == count

    def test_do_not_change_what_an_operator_has_corrected(self) -> None:
        row = ChargeRate.objects.filter(component="GST").first()
        assert row is not None
        row.effective_to = date(2027, 3, 31)
        row.save()

        add_shipped_rows(self.config)

        row.refresh_from_db()
        assert row.effective_to == date(2027, 3, 31)

    def test_never_overlap(self) -> None:
        rows = ChargeRate.objects.order_by("effective_from")
        ends: dict[tuple[str, ...], date | None] = {}
        for row in rows:
            key = (row.exchange, row.group, row.component, row.side)
            earlier_end = ends.get(key, date.min)
            assert earlier_end is not None and earlier_end < row.effective_from
            ends[key] = row.effective_to


class TestAnExercise:
    """65 of strike 25900, the index closing at 26012.35; the writer pays nothing."""

    @pytest.mark.parametrize(
        ("day", "tax"),
        [(date(2026, 3, 31), "9.13"), (APRIL, "10.95"), (date(2021, 1, 7), "9.13")],
    )
    def test_is_taxed_on_its_intrinsic_value_by_its_day(self, day: date, tax: str) -> None:
        tariff = Tariff("NFO", *OPTIONS, Side.SELL, day, is_settlement=True)
        charges = order_charges(Decimal("7302.75"), rates_for(tariff))
        assert (charges.stt, charges.total) == (Decimal(tax), Decimal(tax))

    def test_costs_its_writer_nothing(self) -> None:
        tariff = Tariff("BFO", *OPTIONS, Side.BUY, APRIL, is_settlement=True)
        assert order_charges(LAKH, rates_for(tariff)).total == 0

    def test_of_a_future_costs_nothing(self) -> None:
        tariff = Tariff("NFO", *FUTURES, Side.SELL, APRIL, is_settlement=True)
        assert order_charges(LAKH, rates_for(tariff)).total == 0

    def test_before_its_first_rate_is_not_known(self) -> None:
        tariff = Tariff("NFO", *OPTIONS, Side.SELL, date(2019, 8, 29), is_settlement=True)
        with pytest.raises(ChargesUnknown, match="No STT rate"):
            rates_for(tariff)
