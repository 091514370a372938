from importlib import import_module

from django.apps import AppConfig


class StrategiesConfig(AppConfig):
    name = "strategies"

    def ready(self) -> None:
        receiver = import_module("strategies.services.outside").hear_closed_outside
        import_module("orders.outside").strategy_closed_outside.connect(receiver)
