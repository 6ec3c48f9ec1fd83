"""Each setting is declared once, whole, and so that every surface can be made from it."""

from typing import get_type_hints

import pytest

from schema.configuration import BY_ENV, DECLARATIONS, Declaration
from schema.settings import Settings


@pytest.mark.parametrize("declaration", DECLARATIONS.values(), ids=DECLARATIONS)
def test_a_setting_has_a_sentence_a_section_and_a_default_of_its_type(declaration: Declaration) -> None:
    assert declaration.meta.doc.endswith(".")
    assert declaration.meta.section
    assert type(declaration.default) is declaration.kind
    assert declaration.kind in (bool, int, float, str)


def test_no_two_settings_share_a_variable_or_a_flag() -> None:
    assert len(BY_ENV) == len(DECLARATIONS) == len(get_type_hints(Settings))
    assert len({declaration.flag for declaration in DECLARATIONS.values()}) == len(DECLARATIONS)


def test_numbers_of_something_have_a_unit_and_a_lower_bound() -> None:
    bare = {"max_tier", "incident_tier", "dashboard_port", "sse_clients_max", "restart_limit"}
    for name, declaration in DECLARATIONS.items():
        if declaration.kind in (int, float) and name not in bare:
            assert declaration.meta.unit, name
        if declaration.kind in (int, float) and name != "memory_budget":
            assert declaration.meta.low is not None, name


def test_whatever_sounds_secret_is_declared_secret() -> None:
    words = ("key", "token", "urls", "password", "secret")
    sounding = {name for name in DECLARATIONS if any(word in name for word in words)}
    secret = {name for name, declaration in DECLARATIONS.items() if declaration.meta.secret}
    assert sounding - {"memory_budget", "tls_key"} == secret  # a number of tokens, and the path of a file


def test_no_secret_is_live_or_handed_to_the_web_process() -> None:
    for name, declaration in DECLARATIONS.items():
        if declaration.meta.secret:
            assert not declaration.meta.live, name
            assert not declaration.meta.web, name
            assert declaration.default == "", name
