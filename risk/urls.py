from django.urls import path

from risk import live_views, views

app_name = "risk"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("part/", views.overview, {"template": "risk/_overview.html"}, name="overview_part"),
    path("violations/export/", views.export_violations, name="export"),
    path("halt/", views.halt, name="halt"),
    path("resume/", views.resume, name="resume"),
    path("confirm-database/", views.confirm_restored, name="confirm_restored"),
    path("state/", views.set_state, name="set_state"),
    path("live/<uuid:account_id>/", live_views.live, name="live"),
    path("live/<uuid:account_id>/confirm/", live_views.confirm, name="live_confirm"),
    path("live/<uuid:account_id>/off/", live_views.turn_off, name="live_off"),
    path("rules/add/", views.rule_add, name="rule_add"),
    path("rules/<uuid:rule_id>/", views.rule_edit, name="rule_edit"),
    path("rules/<uuid:rule_id>/remove/", views.rule_remove, name="rule_remove"),
]
