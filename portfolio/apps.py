from django.apps import AppConfig
from django.db.models.signals import post_migrate

from portfolio.seeding import add_shipped_rows


class PortfolioConfig(AppConfig):
    name = "portfolio"

    def ready(self) -> None:
        post_migrate.connect(add_shipped_rows, sender=self)
