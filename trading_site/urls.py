from django.contrib import admin
from django.urls import include, path

from orders.views.postbacks import receive as receive_postback
from trading_site import views
from trading_site.health import healthz
from trading_site.stream import stream

urlpatterns = [
    path("", views.home, name="home"),
    path("home/parts/<slug:name>/", views.home_part, name="home_part"),
    path("more/", views.more, name="more"),
    path("shell/<slug:name>/", views.shell_part, name="shell_part"),
    path("stream/", stream, name="stream"),
    path("healthz/", healthz, name="healthz"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("scope/", views.choose_scope, name="choose_scope"),
    path("market/", include("market.urls")),
    path("orders/", include("orders.urls")),
    path("postbacks/<uuid:config_id>/<str:token>/", receive_postback, name="postback"),
    path("positions/", include("portfolio.urls")),
    path("strategies/", include("strategies.urls")),
    path("risk/", include("risk.urls")),
    path("notifications/", include("notifications.urls")),
    path("brokers/", include("brokers.urls")),
    path("calendar/", include("market.calendar_urls")),
    path("imports/", include("market.import_urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
