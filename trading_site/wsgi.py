import io
import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_site.settings")

application = get_wsgi_application()
# Servers start without `manage.py`, and would serve dangerous settings without a word.
call_command("check", tags=["security"], stdout=io.StringIO())
