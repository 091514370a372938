from django.urls import path

from portfolio.views import differences, positions, practice

app_name = "portfolio"
urlpatterns = [
    path("", positions.positions, name="positions"),
    path(
        "part/",
        positions.positions,
        {"template": "portfolio/_positions.html"},
        name="positions_part",
    ),
    path("differences/", differences.difference_list, name="differences"),
    path(
        "differences/part/",
        differences.difference_list,
        {"template": "portfolio/_difference_list.html"},
        name="differences_part",
    ),
    path("export/", positions.export_positions, name="export_positions"),
    path("practice/open/", practice.open_account, name="open_practice"),
    path("practice/<uuid:account_id>/money/", practice.move_money, name="move_money"),
]
