import io
import os

from django.core.asgi import get_asgi_application
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_site.settings")

application = get_asgi_application()
# Servers start without `manage.py`, and would serve dangerous settings without a word.
call_command("check", tags=["security"], stdout=io.StringIO())
