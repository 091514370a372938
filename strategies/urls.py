from django.urls import path

from strategies import views

app_name = "strategies"
urlpatterns = [
    path("", views.strategy_list, name="list"),
    path("part/", views.strategy_list, {"template": "strategies/_running.html"}, name="list_part"),
    path("export/", views.export_activations, name="export"),
    path("running/<uuid:activation_id>/", views.activation, name="activation"),
    path(
        "running/<uuid:activation_id>/part/",
        views.activation,
        {"template": "strategies/_activation.html"},
        name="activation_part",
    ),
    path("running/<uuid:activation_id>/pause/", views.pause, name="pause"),
    path("running/<uuid:activation_id>/resume/", views.resume, name="resume"),
    path("running/<uuid:activation_id>/stop/", views.stop, name="stop"),
    path("<slug:slug>/", views.detail, name="detail"),
    path("<slug:slug>/activate/", views.activate, name="activate"),
]
