"""What a channel's URL holds stands in no error."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.notifications import sender
from daemon.notifications.send import HIDDEN, hide, refused, secrets_of

WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789_-", min_size=6, max_size=30)


@given(user=WORDS, password=WORDS, token=WORDS)
def test_no_part_of_a_url_but_its_host_is_left_in_an_error(user: str, password: str, token: str) -> None:
    url = f"jsons://{user}:{password}@hooks.example.org/{token}?key={token}"
    error = f"Failed to send to hooks.example.org as {user} with {password.upper()} at {url}: /{token} refused"
    shown = hide(error, secrets_of(url))
    for secret in (user, password, token):
        assert secret.lower() not in shown.lower().replace("example", "")
    assert HIDDEN in shown


def test_the_host_and_the_reason_stay() -> None:
    url = "json://ops:hush-hush@10.0.0.7:8080/hook"
    shown = hide("Failed to send JSON notification to 10.0.0.7: Connection refused, error=0", secrets_of(url))
    assert shown == "Failed to send JSON notification to 10.0.0.7: Connection refused, error=0"


def test_a_status_that_is_the_same_again_is_a_refusal_and_one_that_passes_is_none() -> None:
    said = "Failed to send JSON POST notification: {}error={}."
    assert refused([said.format("Bad Request - Unsupported Parameters., ", 400)])
    for status in (401, 403, 408, 429, 500, 503):
        assert not refused([said.format("", status)])
    assert not refused([said.format("", 400), said.format("", 500)]), "of two parts one may be taken yet"
    assert not refused(["A Connection error occurred sending JSON notification to 10.0.0.7."])
    assert not refused([])


def test_quoted_parts_are_hidden_as_they_are_and_as_they_read() -> None:
    url = "mailto://ops:a%40b-secret@example.org"
    assert "secret" not in hide("login of ops failed: a@b-secret, a%40b-secret", secrets_of(url))


def test_the_environment_of_the_process_has_nothing_of_ours() -> None:
    given_ = {"PATH": "/bin", "HTTPS_PROXY": "http://p", "CLAUDEOPS_APPRISE_URLS": "x", "ANTHROPIC_API_KEY": "k"}
    assert sender.environment(given_) == {
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        "PATH": "/bin",
        "HTTPS_PROXY": "http://p",
    }
