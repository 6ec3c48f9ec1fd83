"""The question before something that can't be taken back, for pages that do without JavaScript and in its dialog."""

from typing import NamedTuple

from aiohttp import web

from webui import shell
from webui.negotiation import is_json, json_response


class Confirm(NamedTuple):
    """The question's context: what is done (`question`, `verb`), what follows from it, where it is sent.

    `choice`: what may be ticked besides, as its field's name and its words.
    """

    shell: shell.Shell
    question: str
    consequences: list[str]
    action: str
    verb: str
    back: str
    fields: dict[str, str]
    choice: tuple[str, str] | None = None


def ask(request: web.Request, context: Confirm) -> web.Response:
    """The question, as a page or as JSON: a program sends `fields` to `action`, as the page's form does."""
    if is_json(request):
        told = {name: value for name, value in context._asdict().items() if name != "shell"}
        if context.choice is None:
            del told["choice"]
        return json_response(told)
    return shell.page(request, "confirm.html", context)


def removal(
    request: web.Request, what: str, title: str, id_: int, *, back: str, consequences: list[str]
) -> web.Response:
    """The question whether one of the list at `back` is to be removed: a window, say, by its title."""
    context = Confirm(
        shell=shell.build(request, f"Remove {title}", back.removeprefix("/")),
        question=f"Remove the {what} {title}?",
        consequences=consequences,
        action=f"{back}/{id_}/remove",
        verb=f"Remove {what}",
        back=back,
        fields={},
    )
    return ask(request, context)
