"""What a definition may not be: each problem stands at its field."""

import pytest

from daemon.services.rules.definitions import problems
from schema.definitions import Definition

URL = "https://ada:made-up@web.example.org/"


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_password_in_the_url_and_one_in_a_header_are_one_too_many(name: str) -> None:
    (problem,) = problems(Definition(name="web", url=URL, headers={name: "Bearer made-up"}), {})
    assert problem.field == "headers"
    assert "the URL has a name or password already" in problem.message
    assert problems(Definition(name="web", url=URL, headers={"X-Key": "made-up"}), {}) == []
    assert problems(Definition(name="web", url="https://a.example.org/?q=@", headers={name: "Bearer x"}), {}) == []


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_whose_page_has_no_address_is_refused_for_a_new_service(name: str) -> None:
    (problem,) = problems(Definition(name=name, url="https://web.example.org/"), {})
    assert problem.field == "name"
    assert problems(Definition(name=name, url="https://web.example.org/"), {name: ()}, name) == []
