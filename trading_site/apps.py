from importlib import import_module

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate


class TradingSiteConfig(AppConfig):
    name = "trading_site"

    def ready(self) -> None:
        import_module("trading_site.checks")
        import_module("portfolio.venue").install_house_venue()
        import_module("market.directory").install_broker_numbers()
        views = import_module("trading_site.source_views")
        # Django tells of migrations once for every app that has models; this one has none.
        told = apps.get_app_config("operations")
        pre_migrate.connect(views.drop_views_before, sender=told)
        post_migrate.connect(views.create_views_after, sender=told)
