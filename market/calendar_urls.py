from django.urls import path

from market import calendar_views

app_name = "calendar"
urlpatterns = [
    path("", calendar_views.calendar, name="list"),
    path("enter/", calendar_views.enter, name="enter"),
    path("<int:override_id>/remove/", calendar_views.remove, name="remove"),
]
