from django.urls import path

from market import import_views

app_name = "imports"
urlpatterns = [
    path("", import_views.import_list, name="list"),
    path("part/", import_views.import_list, {"template": "imports/_list.html"}, name="list_part"),
    path("start/", import_views.start, name="start"),
    path("lists/<slug:broker>/refresh/", import_views.refresh_list, name="refresh_list"),
    path("<uuid:run_id>/", import_views.detail, name="detail"),
    path(
        "<uuid:run_id>/part/",
        import_views.detail,
        {"template": "imports/_detail.html"},
        name="detail_part",
    ),
    path("<uuid:run_id>/answer/", import_views.answer, name="answer"),
    path("<uuid:run_id>/cancel/", import_views.cancel, name="cancel"),
    path("<uuid:run_id>/delist/", import_views.delist, name="delist"),
    path("<uuid:run_id>/undo/", import_views.undo, name="undo"),
    path("<uuid:run_id>/issues/", import_views.export_issues, name="export_issues"),
]
