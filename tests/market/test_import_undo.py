"""Undo of an import: exactly what it changed goes back, or nothing does."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from market.answering import UndoRefused, undo_import
from market.models import (
    BrokerInstrument,
    Candle,
    ImportRun,
    Instrument,
    InstrumentName,
    InstrumentTerms,
    Watchlist,
    WatchlistItem,
)
from tests.builders import make_user, make_workspace
from tests.market.files import DAILY, KITE, KITE_HEADER, KITE_OPTION, OHLCV, READ_AT, import_text

pytestmark = pytest.mark.django_db

Row = tuple[object, ...]
RENAMED = KITE_HEADER + "408065,1594,{},INFOSYS,0.0,,0.0,0.1,1,EQ,NSE,NSE\n"


def everything() -> dict[str, list[Row]]:
    models = (Candle, Instrument, BrokerInstrument, InstrumentName, InstrumentTerms)
    return {model.__name__: list(model.objects.order_by("pk").values_list()) for model in models}


def undone(run: ImportRun) -> None:
    undo_import(run, by=make_user("operator", is_staff=True), now=READ_AT)
    run.refresh_from_db()


class TestUndoImport:
    def test_is_refused_to_who_does_not_run_the_installation(self) -> None:
        run = import_text(OHLCV)
        with pytest.raises(PermissionDenied):
            undo_import(run, by=make_user(), now=READ_AT)
        assert Candle.objects.count() == 2

    def test_twice_is_refused(self) -> None:
        run = import_text(OHLCV)
        undone(run)
        with pytest.raises(UndoRefused, match="only once"):
            undo_import(run, by=make_user("b", is_staff=True), now=READ_AT)

    @pytest.mark.parametrize(
        ("before", "content", "name"),
        [
            ("", OHLCV, "x.csv"),
            (OHLCV, OHLCV.replace("24105.00", "24106.00"), "x.csv"),
            (OHLCV.rpartition("NIFTY")[0], OHLCV, "x.csv"),
            ("", DAILY, "INFY.csv"),
            ("", KITE, "kite.csv"),
            (KITE, KITE.replace(",65,", ",75,").replace("RELIANCE IND", "REL IND"), "kite.csv"),
            (KITE, KITE.replace(KITE_OPTION, ""), "kite.csv"),
        ],
    )
    def test_leaves_everything_as_it_was(self, before: str, content: str, name: str) -> None:
        if before:
            import_text(before, name=name)
        was = everything()
        run = import_text(content, name=name, accepted=["losses"])
        assert everything() != was
        undone(run)
        assert (everything(), run.status) == (was, "UNDONE")

    def test_is_refused_once_a_later_import_changed_the_candles(self) -> None:
        run = import_text(OHLCV)
        import_text(OHLCV.replace("24105.00", "24106.00"))
        was = everything()
        with pytest.raises(UndoRefused, match="undo the later import first"):
            undone(run)
        run.refresh_from_db()
        assert (everything(), run.status) == (was, "COMPLETED")

    def test_goes_on_after_the_later_import_is_undone(self) -> None:
        first = import_text(OHLCV)
        second = import_text(OHLCV.replace("24105.00", "24106.00"))
        undone(second)
        undo_import(first, by=make_user("b", is_staff=True), now=READ_AT)
        assert not Candle.objects.exists()

    def test_is_refused_where_somebody_watches_what_it_made(self) -> None:
        run = import_text(OHLCV)
        user = make_user()
        watchlist = Watchlist.objects.create(workspace=make_workspace(user), user=user, name="x")
        WatchlistItem.objects.create(
            watchlist=watchlist, instrument=Instrument.objects.get(), position=1
        )
        with pytest.raises(UndoRefused, match="1 watchlist items refer to an instrument"):
            undone(run)
        assert Candle.objects.count() == 2

    def test_of_a_second_new_name_of_one_day_brings_the_first_one_back(self) -> None:
        for days, name in enumerate(("INFY", "INFOSYS")):
            import_text(RENAMED.format(name), at=READ_AT + timedelta(days=days))
        was = everything()
        run = import_text(RENAMED.format("INFOS"), at=READ_AT + timedelta(days=1, hours=1))
        assert not InstrumentName.objects.filter(name="INFOSYS").exists()
        undone(run)
        assert everything() == was

    def test_of_a_list_is_refused_once_a_later_one_came(self) -> None:
        run = import_text(KITE)
        import_text(KITE_HEADER + KITE_OPTION, at=READ_AT.replace(hour=9), accepted=["losses"])
        with pytest.raises(UndoRefused, match="builds on it"):
            undone(run)

    def test_by_command_lists_and_undoes(self) -> None:
        run, out = import_text(OHLCV), StringIO()
        call_command("undo_import", stdout=out)
        assert str(run.pk) in out.getvalue()
        call_command("undo_import", str(run.pk), stdout=out)
        assert not Candle.objects.exists()
        with pytest.raises(CommandError):
            call_command("undo_import", str(run.pk), stdout=out)
