"""Names out of certificates that openssl has made, and out of what is none."""

import ssl
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.certificate import CertificateError
from schema.certificate_names import NAME_CHARS, NAMES_MAX, of_der
from tests.fixtures import certificates


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def by_openssl(directory: Path, subject: str, *more: str) -> bytes:
    """A certificate of its own, in DER."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8"]
    files = ["-keyout", str(directory / "key"), "-out", str(directory / "pem"), "-subj", subject]
    subprocess.run([*command, *files, *more], check=True, capture_output=True, timeout=60)
    return der(directory / "pem")


def test_subject_issuer_and_the_other_names_are_those_that_it_was_made_with(tmp_path: Path) -> None:
    names = "DNS:shop.example.org,DNS:*.example.org,IP:192.0.2.7,IP:2001:db8::7,URI:spiffe://x/y,email:ops@example.org"
    found = of_der(der(certificates.make(tmp_path, "shop", names=names).cert))
    assert (found.subject, found.issuer) == ("shop", "shop")
    wanted = ("shop.example.org", "*.example.org", "192.0.2.7", "2001:db8::7", "spiffe://x/y", "ops@example.org")
    assert found.others == wanted
    chain = certificates.chain(tmp_path, days=5)
    leaf = of_der(der(chain.alone.cert))
    assert (leaf.subject, leaf.issuer, leaf.others) == ("leaf", "middle", ("localhost", "127.0.0.1"))


def test_without_a_common_name_it_is_the_organization_and_without_names_there_are_none(tmp_path: Path) -> None:
    found = of_der(by_openssl(tmp_path, "/C=DE/O=Blumen Müller"))
    assert (found.subject, found.issuer, found.others) == ("Blumen Müller", "Blumen Müller", ())
    assert of_der(by_openssl(tmp_path, "/C=DE")).subject == ""
    assert of_der(by_openssl(tmp_path, "/O=Blumen Müller/CN=Läden")).subject == "Läden"


def test_as_many_names_as_can_be_shown(tmp_path: Path) -> None:
    long = "a" * 200 + "." + "b" * 200
    names = ",".join([f"DNS:{long}", *(f"DNS:{number}.example.org" for number in range(200))])
    found = of_der(by_openssl(tmp_path, "/CN=x", "-addext", f"subjectAltName={names}"))
    assert len(found.others) == NAMES_MAX
    assert found.others[0] == long[:NAME_CHARS]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return der(certificates.make(tmp_path_factory.mktemp("real")).cert)


@given(st.data())
def test_what_is_no_certificate_is_an_error_and_nothing_else(real: bytes, data: st.DataObject) -> None:
    broken = bytearray(real)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(broken[: data.draw(st.integers(0, len(broken)))])
    try:
        found = of_der(cut)
    except CertificateError:
        return
    assert len(found.others) <= NAMES_MAX
    assert all(len(name) <= NAME_CHARS for name in (found.subject, found.issuer, *found.others))
