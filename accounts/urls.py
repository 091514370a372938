from django.urls import path

from accounts import views

urlpatterns = [
    path("desks/", views.desks, name="desks"),
    path("desk/", views.switch_workspace, name="switch_workspace"),
    path("theme/", views.choose_theme, name="choose_theme"),
    path("email/", views.email, name="account_email"),
]
