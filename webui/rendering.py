"""The templates: how they are read, and compiled before anyone asks for a page.

`python -m webui.rendering`, called where the program is installed, leaves compiled ones beside them, as Python does
with its modules: compiling is what a first page waits for, some ms a template, and it costs the web process up to 1 MiB
for good. A template that was changed since is compiled when it is needed. The web process itself writes nothing.
"""

from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket

TEMPLATES = Path(__file__).parent / "templates"
COMPILED = TEMPLATES / "__pycache__"


class Compiled(jinja2.FileSystemBytecodeCache):
    """What was compiled before, by the template's name and text. Only read, unless `writes`."""

    def __init__(self, directory: Path, *, writes: bool = False) -> None:
        super().__init__(str(directory))
        self._writes = writes

    def dump_bytecode(self, bucket: Bucket) -> None:
        if self._writes:
            super().dump_bytecode(bucket)


def options(compiled: Path = COMPILED, *, writes: bool = False) -> dict[str, Any]:
    """What an environment of these templates is made with, beside autoescape: the same for all who have one."""
    return {
        "loader": jinja2.FileSystemLoader(TEMPLATES),
        "undefined": jinja2.StrictUndefined,
        "auto_reload": False,
        "bytecode_cache": Compiled(compiled, writes=writes),
    }


def compile_all(compiled: Path = COMPILED) -> int:
    """Compiles every template anew; how many there are. OSError where the directory can't be written."""
    compiled.mkdir(exist_ok=True)
    environment = jinja2.Environment(autoescape=True, **options(compiled, writes=True))
    Compiled(compiled).clear()
    names = environment.list_templates(filter_func=lambda name: name.endswith(".html"))
    for name in names:
        environment.get_template(name)
    for file in compiled.iterdir():
        file.chmod(0o644)  # made for the one who compiles alone, and read by the account that the daemon runs as
    return len(names)


if __name__ == "__main__":
    compile_all()
