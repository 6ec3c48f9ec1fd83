"""The stand-in for docker understands what a model may type, so that what it does is really done."""

import pytest

from tests.evaluations.machine import docker


@pytest.mark.parametrize(
    ("command", "plain", "options"),
    [
        ("rm -f db", ["rm", "db"], {"-f": ""}),
        ("restart -t 5 web", ["restart", "web"], {"-t": "5"}),
        ("restart --time=5 web db", ["restart", "web", "db"], {"--time": "5"}),
        ("logs --tail 20 -f web", ["logs", "web"], {"--tail": "20", "-f": ""}),
        ("inspect -f {{.State}} web", ["inspect", "web"], {"-f": "{{.State}}"}),
        ("ps -a --filter name=web", ["ps"], {"-a": "", "--filter": "name=web"}),
        ("-f shop.yaml up -d web", ["up", "web"], {"-f": "shop.yaml", "-d": ""}),
    ],
)
def test_options_are_told_from_names(command: str, plain: list[str], options: dict[str, str]) -> None:
    assert docker.words(command.split()) == (plain, options)
