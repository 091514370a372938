from importlib import import_module

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        receiver = import_module("orders.services.stopping").hear_entries_stopped
        import_module("risk.stopping").entries_stopped.connect(receiver)
