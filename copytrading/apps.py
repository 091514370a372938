from django.apps import AppConfig


class CopyTradingConfig(AppConfig):
    name = "copytrading"
