"""The admin's default: what no app registered can be looked at, not changed."""

from django.apps import apps
from django.contrib import admin

from operations.house_admin import HistoryAdmin

OURS = (
    "accounts",
    "baskets",
    "brokers",
    "copytrading",
    "market",
    "notifications",
    "operations",
    "orders",
    "portfolio",
    "risk",
    "strategies",
)

for model in apps.get_models():
    if model._meta.app_label in OURS and not admin.site.is_registered(model):
        admin.site.register(model, HistoryAdmin)
