from django.urls import path

from market import views

app_name = "market"
urlpatterns = [
    path("search/", views.search, name="search"),
    path("watchlists/", views.lists, name="lists"),
    path("watchlists/new/", views.create, name="create"),
    path("watchlists/add/", views.add_first, name="add_first"),
    path("watchlists/<uuid:pk>/", views.watchlist, name="watchlist"),
    path("watchlists/<uuid:pk>/rename/", views.rename, name="rename"),
    path("watchlists/<uuid:pk>/delete/", views.delete, name="delete"),
    path("watchlists/<uuid:pk>/add/", views.add, name="add"),
    path("watchlists/items/<int:pk>/remove/", views.remove, name="remove"),
]
