"""Bodies and numbers that are none are refused in words, whoever sends them, and leave no traceback in the log."""

import pytest

from tests.integration.webui.site import CSRF, Site

FORM = "application/x-www-form-urlencoded"
PART = b'--x\r\nContent-Disposition: form-data; name="name"\r\n'
MIXED = b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--"


@pytest.mark.parametrize(
    ("kind", "encoding", "body"),
    [
        (FORM, "", b"\xff\xfe=\xff"),
        (f"{FORM}; charset=nonsense", "", b"name=a"),
        ("multipart/form-data", "", b"--x\r\n"),
        ("multipart/form-data; boundary=x", "", b"--y\r\nfoo"),
        ("multipart/form-data; boundary=x", "", PART + b"Content-Type: text/plain; charset=none\r\n\r\na\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", "", PART + MIXED),
        (FORM, "deflate", b"\xff\xff"),
        ("application/json", "gzip", b"no gzip"),
        ("application/json", "", b'{"name": "\xff"}'),
        ("application/json", "", b'{"name": ' + b"[" * 100_000),
    ],
)
@pytest.mark.parametrize(("role", "path"), [("admin", "/memories"), (None, "/sign-in"), ("admin", "/api/v1/memories")])
async def test_a_body_that_can_not_be_read(
    site: Site, capsys: pytest.CaptureFixture[str], role: str | None, path: str, kind: str, encoding: str, body: bytes
) -> None:
    headers = {"Content-Type": kind, "Accept": "application/json"}
    if encoding:
        headers["Content-Encoding"] = encoding
    # A token in the header is no way around the form's: what is sent has to be read all the same.
    headers["X-CSRF-Token"] = CSRF
    browser = site.browser(role)
    async with browser.post(path, data=body, headers=headers, allow_redirects=False) as response:
        assert 400 <= response.status < 500, await response.text()
        assert (await response.json())["error"]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/users/{}/disable", "/users/tokens/{}/revoke"])
async def test_a_number_that_is_too_long_is_nobodys(site: Site, path: str) -> None:
    address = path.format("9" * 30)
    async with site.browser().get(address) as response:
        assert response.status == 404
    async with site.browser().post(address, data={"csrf": CSRF}) as response:
        assert response.status == 404
