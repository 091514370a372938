from django.urls import path

from brokers import connect_views, connection_views, views

app_name = "brokers"
urlpatterns = [
    path("", views.account_list, name="list"),
    path("part/", views.account_list, {"template": "brokers/_list.html"}, name="list_part"),
    path("export/", views.export_accounts, name="export"),
    path("open-paper/", views.open_paper, name="open_paper"),
    path("connect/", connect_views.choose, name="choose"),
    path("connect/<slug:broker>/", connect_views.connect, name="connect"),
    path("callback/<slug:broker>/", connect_views.callback, name="callback"),
    path("<uuid:connection_id>/", connection_views.detail, name="detail"),
    path(
        "<uuid:connection_id>/part/",
        connection_views.detail,
        {"template": "brokers/_connection.html"},
        name="detail_part",
    ),
    path("<uuid:connection_id>/log-in/", connect_views.log_in, name="log_in"),
    path("<uuid:connection_id>/token/", connect_views.paste_token, name="paste_token"),
    path("<uuid:connection_id>/credentials/", connect_views.credentials, name="credentials"),
    path("<uuid:connection_id>/disconnect/", connection_views.disconnect, name="disconnect"),
    path("<uuid:connection_id>/address/", connection_views.set_address, name="set_address"),
    path("<uuid:connection_id>/address/look/", connection_views.look_now, name="look_now"),
]
