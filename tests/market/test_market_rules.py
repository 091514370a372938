"""The dated rules that this product ships, and an operator's own rows beside them."""

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from market.models import SessionRule, TickRule
from market.rules.loading import LISTS, load_shipped_rules

pytestmark = pytest.mark.django_db

HEADER = "kind,exchange,instrument,tick,effective_from,certainty,source\n"


class TestLoadMarketRules:
    def test_refuses_a_list_that_there_is_not(self) -> None:
        with pytest.raises(CommandError, match="moods is no list; there are sessions, holidays"):
            call_command("load_market_rules", "--add", "moods", "moods.csv")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (HEADER + "tick,NSE,cash,much,2027-01-01,sure,circular\n", "must be a decimal"),
            (HEADER + "tick,NSE,cash,0.05,2027-01-01,perhaps,circular\n", "not a valid choice"),
            (HEADER + "tick,NSE,cash,0.05,2027-01-01,sure,\n", "cannot be blank"),
            ("mood,exchange\nbad,NSE\n", "no column mood"),
        ],
    )
    def test_adds_nothing_of_a_file_that_does_not_fit(
        self, tmp_path: Path, text: str, words: str
    ) -> None:
        (tmp_path / "new.csv").write_text(text)
        before = TickRule.objects.count()

        with pytest.raises(CommandError, match=words):
            call_command("load_market_rules", "--add", "ticks", str(tmp_path / "new.csv"))

        assert TickRule.objects.count() == before

    def test_is_refused_without_the_file(self) -> None:
        with pytest.raises(CommandError, match=r"nowhere\.csv is no list of ticks"):
            call_command("load_market_rules", "--add", "ticks", "nowhere.csv")

    def test_keeps_an_operators_rows_beside_the_shipped_ones(self, tmp_path: Path) -> None:
        (tmp_path / "new.csv").write_text(HEADER + "tick,NSE,cash,0.1,2027-01-01,sure,circular\n")
        call_command("load_market_rules", "--add", "ticks", str(tmp_path / "new.csv"))
        before = TickRule.objects.count()

        call_command("load_market_rules", stdout=StringIO())

        assert TickRule.objects.count() == before
        own = TickRule.objects.get(is_shipped=False)
        assert (own.tick, own.effective_from) == (Decimal("0.1"), date(2027, 1, 1))


class TestShippedRules:
    def test_fill_every_table(self) -> None:
        for name, model in LISTS.items():
            assert apps.get_model("market", model)._default_manager.exists(), name

    def test_are_replaced_by_their_list(self) -> None:
        counts = load_shipped_rules(apps.get_app_config("market"))
        SessionRule.objects.update(phase="siesta")

        assert load_shipped_rules(apps.get_app_config("market")) == counts

        assert SessionRule.objects.count() == counts["sessions"]
        assert not SessionRule.objects.filter(phase="siesta").exists()

    def test_are_valid_rows(self) -> None:
        for model in LISTS.values():
            for row in apps.get_model("market", model)._default_manager.all():
                row.full_clean()
