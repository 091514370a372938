from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("part/", views.inbox, {"template": "notifications/_list.html"}, name="inbox_part"),
    path("export/", views.export_inbox, name="export"),
    path("read/", views.read_all, name="read_all"),
    path("<uuid:notification_id>/read/", views.read, name="read"),
]
