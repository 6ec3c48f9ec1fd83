"""A unix user in words, for rows that say who asked. By the worker for its peers, and by `claudeopsctl` for itself."""

import pwd

from schema.actors import BY_SOCKET


def unix_user(uid: int) -> str:
    """The user of a uid, told apart from people of the dashboard."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return f"{name} {BY_SOCKET}"
