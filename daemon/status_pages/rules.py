"""What a status page may be. Pure; called by `daemon.status_pages.status_pages`."""

import re
from collections.abc import Collection

from schema.status_pages import Page

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
TITLE_MAX = 100
DESCRIPTION_MAX = 1000
NAMES_MAX = 1000


def problems(page: Page, services: Collection[str]) -> dict[str, str]:
    """What can't be so, by field; `services` are the names that there are."""
    found: dict[str, str] = {}
    if not SLUG.fullmatch(page.slug):
        found["slug"] = "1 to 63 small letters, digits and hyphens, such as shop-status"
    if not page.title.strip() or len(page.title) > TITLE_MAX:
        found["title"] = f"give it a title of at most {TITLE_MAX} characters"
    if len(page.description) > DESCRIPTION_MAX:
        found["description"] = f"at most {DESCRIPTION_MAX} characters"
    known = {name.casefold() for name in services}
    missing = [name for name in page.services if name.casefold() not in known]
    if missing:
        found["services"] = f"there is no service {missing[0]!r}; each line is the name of one"
    for name in ("services", "tags", "groups"):
        if len(getattr(page, name)) > NAMES_MAX:
            found[name] = f"at most {NAMES_MAX}; choose by tag or group instead"
    if page.published and not (page.services or page.tags or page.groups):
        found.setdefault("services", "choose what it shows before it is published: services, tags or groups")
    return found
