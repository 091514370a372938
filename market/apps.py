from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save

from market.rules.loading import load_shipped_rules


class MarketConfig(AppConfig):
    name = "market"

    def ready(self) -> None:
        # A signal and not a service: an override is also written in the admin.
        override = self.get_model("ScheduleOverride")
        for signal in (post_save, post_delete):
            signal.connect(_forget_overrides, sender=override, dispatch_uid="market.calendar")
        post_migrate.connect(load_shipped_rules, sender=self)


def _forget_overrides(**_: object) -> None:
    # The calendar imports models, which are not loaded when this module is.
    import_module("market.calendar").forget_overrides()
