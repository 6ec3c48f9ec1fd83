"""What the tests of this directory share: the shipped texts, and the commands that they give as examples."""

import re
from pathlib import Path
from typing import NamedTuple

PROMPTS = Path(__file__).parents[4] / "daemon" / "prompts"
TEXTS = {str(path.relative_to(PROMPTS)): path.read_text(encoding="utf-8") for path in sorted(PROMPTS.rglob("*.md"))}
FENCE = re.compile(r"^```(\w*) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A command in a text; `kind` is what the text says it is, empty for one that only reads."""

    file: str
    kind: str
    command: str


EXAMPLES = [
    Example(file, kind, command)
    for file, text in TEXTS.items()
    for language, kind, body in FENCE.findall(text)
    if language == "sh"
    for command in body.splitlines()
]
