"""Passwords of the demo's users."""

from django.conf import settings
from django.utils.crypto import salted_hmac

ADMIN = "admin"


def demo_password(username: str) -> str:
    """This installation's password of a demo user: the same on every run, known to nobody without its secret key."""
    return salted_hmac("example_project.demo_password", username, secret=settings.SECRET_KEY).hexdigest()[:20]
