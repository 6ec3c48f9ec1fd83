import json
from pathlib import Path

import pytest

from daemon.runs.shim.spec import Spec
from daemon.runs.spec import RunSpec, Secret, known, told

SPEC = RunSpec(
    run_id="r1",
    argv=("claude", "-p", "k3y-k3y-k3y"),
    env={"API_KEY": "k3y-k3y-k3y", "PATH": "/bin"},
    cwd="/",
    log_path="/tmp/log",
    stdin="the prompt with k3y-k3y-k3y",
    secrets=(Secret("API_KEY", "k3y-k3y-k3y"),),
    labels={"session": "7"},
)


def test_what_is_kept_on_disk_holds_no_secret() -> None:
    text = repr(known(SPEC, "2026-01-31T08:05:00.000Z"))
    assert "k3y" not in text
    assert "prompt" not in text
    assert "[REDACTED:API_KEY]" in text


def test_a_repr_shows_neither_environment_nor_input_nor_secret() -> None:
    assert repr(SPEC) == "RunSpec(r1: claude)"
    assert "k3y" not in repr(SPEC.secrets)


def test_the_shim_understands_what_it_is_told() -> None:
    heard = Spec(told(SPEC, Path("/run/r1"), None))
    assert heard.argv == list(SPEC.argv)
    assert heard.env == SPEC.env
    assert heard.stdin == "/run/r1/stdin"
    assert heard.secrets == [("API_KEY", "k3y-k3y-k3y")]
    assert heard.timeout_s == SPEC.timeout_s


def test_the_shim_refuses_each_incomplete_document() -> None:
    document = told(SPEC, Path("/run/r1"), None)
    for length in range(len(document)):
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
            Spec(document[:length])


def test_arguments_that_are_not_utf_8_reach_the_shim() -> None:
    odd = b"\xff\xfe".decode(errors="surrogateescape")
    spec = RunSpec(run_id="r1", argv=("x", odd), env={"A": odd}, cwd="/", log_path="/l")
    heard = Spec(told(spec, Path("/r"), None))
    assert heard.argv[1] == heard.env["A"] == odd
    json.dumps(known(spec, "now").argv).encode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"argv": ()}, "argv is empty"),
        ({"run_id": "../up"}, "cannot name a directory"),
        ({"run_id": ""}, "cannot name a directory"),
        ({"run_id": ".hidden"}, "cannot name a directory"),
        ({"cwd": "relative"}, "cwd of run r1 must be an absolute"),
        ({"timeout_s": 0.0}, "timeout_s of run r1 must be finite and above 0, not 0.0"),
        ({"timeout_s": float("inf")}, "timeout_s of run r1 must be finite and above 0, not inf"),
        ({"timeout_s": float("nan")}, "timeout_s of run r1 must be finite and above 0, not nan"),
        ({"max_bytes": 0}, "max_bytes of run r1 must be above 0, not 0"),
        ({"grace_int_s": -1.0}, "grace_int_s of run r1 must be finite and not below 0, not -1.0"),
        ({"grace_term_s": float("inf")}, "grace_term_s of run r1 must be finite"),
        ({"disk_patience_s": float("nan")}, "disk_patience_s of run r1 must be finite"),
        ({"log_path": "log"}, "log_path of run r1 must be an absolute"),
    ],
)
def test_what_can_never_run_is_refused(change: dict[str, object], sentence: str) -> None:
    fields: dict[str, object] = {"run_id": "r1", "argv": ("x",), "env": {}, "cwd": "/", "log_path": "/l"}
    with pytest.raises(ValueError, match=sentence):
        RunSpec(**(fields | change))  # type: ignore[arg-type]
