"""A row of a transcript as HTML: the one way for the page and for the live stream.

The macro behind _transcript_row.html is called by itself, which takes half the time of rendering that template.
"""

from collections.abc import Callable

import jinja2
from markupsafe import Markup

from webui.pages.transcript_rows import Row

RenderRow = Callable[[Row], Markup]


def renderer(environment: jinja2.Environment) -> RenderRow:
    """The function that renders rows in an autoescaping environment. Compiles the template at its first row."""

    def render(row: Row) -> Markup:
        # Both steps are look-ups after the first time.
        entry = environment.get_template("_entry.html")
        found = entry.module.entry(row)  # type: ignore[attr-defined]  # a template's macros are its module's attributes
        assert isinstance(found, Markup)  # noqa: S101 - what an autoescaping environment's macro gives
        return found

    return render
