from django.contrib import admin

from notifications.models import Notification
from operations.house_admin import HistoryAdmin


@admin.register(Notification)
class NotificationAdmin(HistoryAdmin):
    list_display = ("created_at", "user", "notification_type", "alert_level", "title", "read_at")
    search_fields = ("title", "message", "user__username")
