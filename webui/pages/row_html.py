"""A row of a transcript as HTML: the one way for the page and for the live stream.

The macro behind _transcript_row.html is called by itself, which takes half the time of rendering that template.
"""

from collections.abc import Callable

import jinja2
from markupsafe import Markup

from webui.pages.transcript_rows import Row

RenderRow = Callable[[Row], Markup]


def renderer(environment: jinja2.Environment) -> RenderRow:
    """The function that renders rows in an autoescaping environment."""
    macro = environment.get_template("_entry.html").module.entry  # type: ignore[attr-defined]

    def render(row: Row) -> Markup:
        found = macro(row)
        assert isinstance(found, Markup)  # noqa: S101 - what an autoescaping environment's macro gives
        return found

    return render
