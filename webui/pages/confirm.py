"""The question before something that can't be taken back, for pages that do without JavaScript and in its dialog."""

from typing import NamedTuple

from webui import shell


class Confirm(NamedTuple):
    """The question's context: what is done (`question`, `verb`), what follows from it, where it is sent."""

    shell: shell.Shell
    question: str
    consequences: list[str]
    action: str
    verb: str
    back: str
    fields: dict[str, str]
