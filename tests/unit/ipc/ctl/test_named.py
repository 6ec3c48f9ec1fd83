"""Which service a word of the command line is."""

from typing import Any, cast

import pytest

from ipc.ctl import named
from ipc.ctl.connection import Connection
from ipc.ctl.errors import CtlError

SERVICES = {13: "post", 14: "13", 15: "15", 16: "4000", 17: "id:x", 18: "Straße"}


class Worker:
    """Answers for the services above."""

    def call(self, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        assert subject == "services.show"
        for id_, name in SERVICES.items():
            if body.get("id") == id_ or body.get("name") == name:
                return {"service": {"id": id_, "name": name}}
        raise CtlError(1, "not_found", "there is no such service")


def found(text: str) -> int:
    return int(named.service(cast("Connection", Worker()), text)["service"]["id"])


@pytest.mark.parametrize(
    ("text", "id_"),
    [("post", 13), ("14", 14), ("15", 15), ("4000", 16), ("id:13", 13), ("name:13", 14), ("name:id:x", 17),
     ("id:x", 17), ("Straße", 18)],
)  # fmt: skip
def test_a_service_is_found_by_its_number_or_its_name(text: str, id_: int) -> None:
    assert found(text) == id_


def test_the_number_of_one_and_the_name_of_another_is_neither() -> None:
    with pytest.raises(CtlError) as raised:
        found("13")
    assert "say id:13 for post, or name:13" in raised.value.message


@pytest.mark.parametrize("text", ["99", "nobody", "id:99", "name:99", "9" * 30, "²"])
def test_one_that_is_not_there_is_told_so(text: str) -> None:
    with pytest.raises(CtlError) as raised:
        found(text)
    assert raised.value.code == "not_found"
