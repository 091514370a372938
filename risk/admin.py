from django.contrib import admin

from operations.house_admin import HistoryAdmin
from risk.models import RiskRule, RiskViolation


@admin.register(RiskRule)
class RiskRuleAdmin(HistoryAdmin):
    list_display = ("rule_type", "workspace", "account", "rule_value", "currency", "is_active")


@admin.register(RiskViolation)
class RiskViolationAdmin(HistoryAdmin):
    list_display = ("violated_at", "workspace", "account", "violation_type", "action_taken")
    search_fields = ("message",)
