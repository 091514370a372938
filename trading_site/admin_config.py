from django.contrib.admin.apps import AdminConfig


class DeskAdminConfig(AdminConfig):
    default = True
    default_site = "trading_site.admin_site.DeskAdminSite"
