"""What an import did, or would do, in words: services by name, and of those that change every field, old and new.

Called by `ipc.ctl.services`.
"""

import json
import sys
from typing import Any

from ipc.ctl.connection import Body
from ipc.ctl.terminal import one_line

SHOWN_MAX = 200


def show(found: Body) -> None:
    """The mistakes, or what changes."""
    for said, mistakes in (("", found["errors"]), ("left out: ", found["left_out"])):
        for mistake in mistakes:
            place = f"{mistake['file']}:{mistake['line']}:{mistake['column']}"
            print(one_line(f"{place}: {said}{mistake['message']}"), file=sys.stderr)
    if found["errors"]:
        print("nothing was changed", file=sys.stderr)
        return
    fields: dict[str, list[Body]] = {}
    for one in found["differences"]:
        fields.setdefault(one["service"], []).append(one)
    for mark, names in (("+", found["added"]), ("~", found["changed"]), ("-", found["removed"])):
        for name in names:
            print(one_line(f"{mark} {name}"))
            for one in fields.get(name, ()):
                print(f"    {_field(one)}")
    counted = [f"{len(found[what])} {what}" for what in ("added", "changed", "removed")]
    told = ", ".join([*counted, f"{found['unchanged']} as they were"])
    print(f"{'would be: ' if found['dry_run'] else ''}{told}")


def _field(one: Body) -> str:
    words = f"{one['field']}: {_value(one['old'])} → {_value(one['new'])}"
    return one_line(f"{words} (another password)" if one["secret"] else words)


def _value(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(map(str, value))
    elif isinstance(value, str):
        text = value
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return one_line(text, SHOWN_MAX) or "–"
