"""What the tests of this directory share: the installed CLI."""

import pytest

from tests.fakes import messages_api as fake


@pytest.fixture
def cli() -> None:
    """Fails, and never skips, without the CLI."""
    assert fake.CLI.exists(), f"The claude CLI is not at {fake.CLI}. Install it with: make cli"
