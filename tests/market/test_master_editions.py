"""One list of a broker after another: what vanishes, what is re-numbered, what is refused."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile

from market.answering import AnswerRefused, delist_missing
from market.directory import BrokerNumbers
from market.models import (
    BrokerInstrument,
    Candle,
    ImportKind,
    ImportRun,
    Instrument,
    InstrumentTerms,
    Interval,
)
from market.services import Starter, run_import, start_import
from tests.builders import NOW, make_user
from tests.market.files import DHAN_HEADER, KITE_HEADER, KITE_OPTION, import_text
from tests.market.lists import (
    ANGEL_MARKET,
    DHAN_CRUDE,
    KITE_MARKET,
    MARKETS,
    angel_crude,
    angel_file,
    angel_row,
    angel_shares,
)

pytestmark = pytest.mark.django_db
NAMES = tuple(f"SHARE{number}" for number in range(10))


def import_list(rows: Iterable[dict[str, str]], *, days: int = 0, **options: object) -> ImportRun:
    """Import a list of Angel One's, some days after the first."""
    at = NOW + timedelta(days=days)
    file = ContentFile(angel_file(rows), name="scrips.json")
    run = start_import(file, kind=ImportKind.ANGEL_MASTER, by=Starter(), now=at, options=options)
    return run_import(run.pk, clock=lambda: at)


def listed_keys() -> set[str]:
    rows = BrokerInstrument.objects.filter(broker_type="angel", is_listed=True)
    return set(rows.values_list("instrument__key", flat=True))


class TestALossOfRows:
    def test_above_a_fifth_asks_and_the_old_list_stays(self) -> None:
        import_list(angel_shares(NAMES))
        run = import_list(angel_shares(NAMES[:7]), days=1)
        assert run.status == "ASKING"
        assert "3 of the 10 instruments of the last list are missing" in run.error_message
        assert len(listed_keys()) == 10
        assert set(BrokerInstrument.objects.values_list("refreshed_on", flat=True)) == {
            date(2026, 6, 17)
        }

    def test_of_a_fifth_is_taken_and_delists_nothing(self) -> None:
        import_list(angel_shares(NAMES))
        run = import_list(angel_shares(NAMES[:8]), days=1)
        assert (run.status, run.missing.count(), len(listed_keys())) == ("COMPLETED", 2, 10)
        assert Instrument.objects.active().count() == 10

    def test_is_believed_where_somebody_says_so(self) -> None:
        import_list(angel_shares(NAMES))
        assert (
            import_list(angel_shares(NAMES[:2]), days=1, accepted=["losses"]).status == "COMPLETED"
        )

    def test_by_expiry_is_none(self) -> None:
        contracts = [row for row in ANGEL_MARKET if row["exch_seg"] in ("NFO", "BFO")]
        shares = [row for row in ANGEL_MARKET if row["exch_seg"] == "NSE"]
        import_list([*shares, *contracts])
        assert import_list(shares, days=90, is_whole=True).status == "COMPLETED"

    def test_of_a_whole_exchange_is_seen_in_a_whole_list(self) -> None:
        import_list(ANGEL_MARKET)
        shares = [row for row in ANGEL_MARKET if row["exch_seg"] == "NSE"]
        assert import_list(shares, days=1, is_whole=True).status == "ASKING"

    def test_is_not_what_a_part_of_the_list_leaves_out(self) -> None:
        import_list(ANGEL_MARKET)
        shares = [row for row in ANGEL_MARKET if row["exch_seg"] == "NSE"]
        assert import_list(shares, days=1).status == "COMPLETED"
        assert len(listed_keys()) == len(ANGEL_MARKET)

    @pytest.mark.parametrize("content", [b"[]", b"<html>Sorry</html>", b"   "])
    def test_of_everything_is_refused(self, content: bytes) -> None:
        import_list(angel_shares(NAMES))
        run = import_text(content, kind=ImportKind.ANGEL_MASTER, name="scrips.json")
        assert run.status == "FAILED"
        assert len(listed_keys()) == 10


class TestAVanishedInstrument:
    def test_is_inactive_once_a_person_agreed_and_no_broker_lists_it(self) -> None:
        import_list(angel_shares(NAMES))
        run = import_list(angel_shares(NAMES[:9]), days=1)
        assert delist_missing(run, by=make_user(is_staff=True), now=NOW) == 1
        assert not Instrument.objects.get(key="NSE:SHARE9").is_active

    def test_stays_listed_for_who_does_not_run_the_installation(self) -> None:
        import_list(angel_shares(NAMES))
        run = import_list(angel_shares(NAMES[:9]), days=1)
        with pytest.raises(PermissionDenied):
            delist_missing(run, by=make_user(), now=NOW)
        assert len(listed_keys()) == 10

    def test_is_decided_by_the_latest_list_alone(self) -> None:
        import_list(angel_shares(NAMES))
        run = import_list(angel_shares(NAMES[:9]), days=1)
        import_list(angel_shares(NAMES), days=2)
        with pytest.raises(AnswerRefused, match="A later list"):
            delist_missing(run, by=make_user(is_staff=True), now=NOW)
        assert len(listed_keys()) == 10

    def test_stays_missing_in_the_lists_that_follow(self) -> None:
        import_list(angel_shares(NAMES))
        import_list(angel_shares(NAMES[:9]))
        assert import_list(angel_shares(NAMES[:9])).missing.get().security_id == "109"

    def test_stays_active_where_another_broker_lists_it(self) -> None:
        import_text(KITE_HEADER + "1,1,SHARE9,SHARE9,0.0,,0.0,0.1,1,EQ,NSE,NSE\n")
        import_list(angel_shares(NAMES))
        import_list(angel_shares(NAMES[:9]), days=1, accepted=["losses"])
        assert Instrument.objects.get(key="NSE:SHARE9").is_active
        assert "NSE:SHARE9" not in listed_keys()

    def test_is_active_again_when_it_comes_back(self) -> None:
        import_list(angel_shares(NAMES))
        import_list(angel_shares(NAMES[:9]), days=1, accepted=["losses"])
        import_list(angel_shares(NAMES), days=2)
        assert Instrument.objects.get(key="NSE:SHARE9").is_active
        assert "NSE:SHARE9" in listed_keys()

    def test_is_still_found_by_its_number(self) -> None:
        import_list(angel_shares(NAMES))
        import_list(angel_shares(NAMES[:9]), days=1, accepted=["losses"])
        assert BrokerNumbers().key_of("angel", exchange="NSE", token="109") == "NSE:SHARE9"


class TestANumber:
    def test_given_to_another_contract_points_there(self) -> None:
        old = angel_row("52", "NIFTY30JUN2624350CE", name="NIFTY", expiry="30JUN2026",
                        strike="2435000", instrumenttype="OPTIDX", exch_seg="NFO")  # fmt: skip
        import_list([*angel_shares(NAMES), old])
        first = Instrument.objects.get(key="NFO:NIFTY30JUN2624350CE")
        import_list([*angel_shares(NAMES), ANGEL_MARKET[5]], days=30)
        assert BrokerNumbers().key_of("angel", exchange="NFO", token="52") == (
            "NFO:NIFTY25AUG2624350CE"
        )
        assert BrokerNumbers().ref_of("angel", first.key) is None

    def test_given_to_another_contract_leaves_the_history_where_it_was(self) -> None:
        old = angel_row("52", "NIFTY30JUN2624350CE", name="NIFTY", expiry="30JUN2026",
                        strike="2435000", instrumenttype="OPTIDX", exch_seg="NFO")  # fmt: skip
        import_list([*angel_shares(NAMES), old])
        first = Instrument.objects.get(key="NFO:NIFTY30JUN2624350CE")
        price = Decimal(100)
        Candle.objects.create(instrument=first, interval=Interval.D1, timestamp=NOW, open=price,
                              high=price, low=price, close=price, volume=1)  # fmt: skip
        import_list([*angel_shares(NAMES), ANGEL_MARKET[5]], days=30)
        assert Candle.objects.get().instrument == first

    def test_that_is_new_is_preferred_to_the_old_one(self) -> None:
        import_list(angel_shares(NAMES))
        import_list([angel_row("777", "SHARE0-EQ"), *angel_shares(NAMES)[1:]], days=1)
        ref = BrokerNumbers().ref_of("angel", "NSE:SHARE0")
        assert ref is not None
        assert ref.token == "777"
        assert BrokerNumbers().key_of("angel", exchange="NSE", token="100") == "NSE:SHARE0"


class TestTermsThatChange:
    def test_hold_from_the_day_of_their_list_and_not_before(self) -> None:
        import_text(KITE_HEADER + KITE_OPTION)
        at = NOW + timedelta(days=7)
        changed = (KITE_HEADER + KITE_OPTION).replace(",65,", ",75,")
        run = start_import(ContentFile(changed.encode(), name="kite.csv"),
                           kind=ImportKind.KITE_MASTER, by=Starter(), now=at)  # fmt: skip
        run_import(run.pk, clock=lambda: at)
        option = Instrument.objects.get()
        before, after = (
            InstrumentTerms.objects.filter(instrument=option, effective_from__lte=day)
            .order_by("-effective_from")
            .values_list("lot_size", flat=True)[0]
            for day in (date(2026, 6, 23), date(2026, 6, 24))
        )
        assert (before, after, option.lot_size) == (65, 75, 75)

    def test_of_tomorrow_leave_todays_lot_alone(self) -> None:
        """No broker's list tells a later day: who writes one does not change the instrument."""
        import_text(KITE_HEADER + KITE_OPTION)
        option = Instrument.objects.get()
        InstrumentTerms.objects.create(
            instrument=option, effective_from=date(2026, 6, 18), lot_size=75, tick_size="0.05"
        )
        import_text(KITE_HEADER + KITE_OPTION)
        option.refresh_from_db()
        assert option.lot_size == 65


class TestCommodities:
    def test_of_dhan_without_a_known_lot_are_left_out_in_words(self) -> None:
        run = import_text(DHAN_HEADER + DHAN_CRUDE + "NSE,E,7,EQUITY,0,X,1,X,,,,5,NA,ES,EQ,X\r\n")
        assert not Instrument.objects.filter(exchange="MCX").exists()
        assert "The lot of MCX:CRUDEOIL19AUG26FUT is not known" in run.issues.get().reason

    def test_of_dhan_have_the_lot_that_angel_one_tells(self) -> None:
        import_list([angel_crude()])
        import_text(DHAN_HEADER + DHAN_CRUDE)
        crude = Instrument.objects.get(exchange="MCX")
        assert (crude.key, crude.lot_size, crude.segment) == (
            "MCX:CRUDEOIL19AUG26FUT", 100, "MCX_COMM",
        )  # fmt: skip
        assert BrokerNumbers().key_of("dhan", exchange="MCX_COMM", token="700") == crude.key

    def test_of_dhan_with_another_expiry_have_no_lot(self) -> None:
        import_list([angel_crude()])
        other = DHAN_CRUDE.replace("2026-08-19", "2026-08-20")
        assert import_text(DHAN_HEADER + other).status == "FAILED"

    def test_of_kite_are_left_out_in_words(self) -> None:
        crude = "9,9,CRUDEOIL26AUGFUT,CRUDEOIL,0.0,2026-08-19,0.0,1.0,1,FUT,MCX-FUT,MCX\n"
        run = import_text(KITE_HEADER + KITE_OPTION + crude)
        assert run.issues.get().reason == "MCX commodity is not offered here yet"
        assert not Instrument.objects.filter(exchange="MCX").exists()


class TestThreeLists:
    @pytest.mark.parametrize(
        "order",
        [
            (ImportKind.ANGEL_MASTER, ImportKind.KITE_MASTER, ImportKind.DHAN_MASTER),
            (ImportKind.DHAN_MASTER, ImportKind.KITE_MASTER, ImportKind.ANGEL_MASTER),
        ],
    )
    def test_of_one_market_are_one_market(self, order: tuple[ImportKind, ...]) -> None:
        for kind in order:
            run = import_text(MARKETS[kind], kind=kind)
            assert (run.status, run.rows_skipped) == ("COMPLETED", 0)
        assert Instrument.objects.count() == len(KITE_MARKET.splitlines()) - 1
        for instrument in Instrument.objects.all():
            brokers = instrument.broker_instruments.values_list("broker_type", flat=True)
            assert sorted(brokers) == ["angel", "dhan", "kite"], instrument

    def test_agree_on_every_contract(self) -> None:
        told = set()
        for kind, content in MARKETS.items():
            import_text(content, kind=kind)
            fields = ("key", "lot_size", "expiry", "strike", "option_type", "segment")
            told.add(tuple(Instrument.objects.order_by("key").values_list(*fields)))
            Instrument.objects.all().delete()
        assert len(told) == 1

    def test_that_breaks_off_within_a_row_loses_that_row_alone(self) -> None:
        run = import_text(KITE_MARKET[:-25], kind=ImportKind.KITE_MASTER)
        assert (run.status, run.rows_skipped) == ("COMPLETED", 1)
        assert "breaks off before" in run.issues.get().reason
