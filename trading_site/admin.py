"""The admin's own door, and its default: what no app registered can be looked at, not changed."""

from allauth.account.decorators import secure_admin_login
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

# Through the people's own sign-in page, with its limits on guessing.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = "Pinnacle"
admin.site.site_title = "Pinnacle"

for model in apps.get_models():
    if model._meta.app_label in OURS and not admin.site.is_registered(model):
        admin.site.register(model, HistoryAdmin)
