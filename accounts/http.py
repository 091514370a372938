"""The request a view may rely on once the middleware has let it through."""

from django.http import HttpRequest

from accounts.models import Membership, User, Workspace


class UserRequest(HttpRequest):
    """A signed-in person's request, inside one workspace that they belong to."""

    user: User
    workspace: Workspace
    membership: Membership
