from django.contrib import admin

from operations.house_admin import HistoryAdmin
from strategies.models import Signal, Strategy


@admin.register(Strategy)
class StrategyAdmin(HistoryAdmin):
    search_fields = ("name",)


@admin.register(Signal)
class SignalAdmin(HistoryAdmin):
    search_fields = ("instrument__key",)
