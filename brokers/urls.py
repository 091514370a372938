from django.urls import path

from brokers import views

app_name = "brokers"
urlpatterns = [
    path("", views.account_list, name="list"),
    path("part/", views.account_list, {"template": "brokers/_list.html"}, name="list_part"),
    path("export/", views.export_accounts, name="export"),
    path("open-paper/", views.open_paper, name="open_paper"),
]
