from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save


class MarketConfig(AppConfig):
    name = "market"

    def ready(self) -> None:
        # These import models, which are not loaded before.
        announce = import_module("market.overrides").announce_overrides
        # A signal and not a service: an override is also written in the admin.
        override = self.get_model("ScheduleOverride")
        for signal in (post_save, post_delete):
            signal.connect(announce, sender=override, dispatch_uid="market.overrides")
        load = import_module("market.rules.loading").load_shipped_rules
        post_migrate.connect(load, sender=self)
