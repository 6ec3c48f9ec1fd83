"""Which values of the settings are secret, each as it is used."""

from schema.configuration import load
from schema.declarations import DECLARATIONS, secret_values


def test_each_value_of_a_secret_setting_is_a_secret_as_it_is_used() -> None:
    urls = "slack://A/B/C, mailto://ops:pw@example.org?to=a@b.org,c@d.org json://x/y"
    environ = {
        "CLAUDEOPS_APPRISE_URLS": urls,
        "CLAUDEOPS_WEBHOOK_URLS": "https://a.example/1, https://b.example/2",
        "CLAUDEOPS_WEBHOOK_SECRET": "two words, whsec_AAAA",
        "CLAUDEOPS_WEBHOOK_SIGNING_SECRET": "any, text at all",
        "BROWSER_CRED_A": "pw-of-a",
        "BROWSER_CRED_B": "",
    }
    assert secret_values(load(environ), environ) == [
        ("CLAUDEOPS_APPRISE_URLS", "slack://A/B/C"),
        ("CLAUDEOPS_APPRISE_URLS", "mailto://ops:pw@example.org?to=a@b.org,c@d.org"),
        ("CLAUDEOPS_APPRISE_URLS", "json://x/y"),
        ("CLAUDEOPS_WEBHOOK_URLS", "https://a.example/1"),
        ("CLAUDEOPS_WEBHOOK_URLS", "https://b.example/2"),
        ("CLAUDEOPS_WEBHOOK_SIGNING_SECRET", "any, text at all"),
        ("CLAUDEOPS_WEBHOOK_SECRET", "two words"),
        ("CLAUDEOPS_WEBHOOK_SECRET", "whsec_AAAA"),
        ("BROWSER_CRED_A", "pw-of-a"),
    ]


def test_no_secret_setting_is_forgotten() -> None:
    environ = {item.env: f"made-up-{name}" for name, item in DECLARATIONS.items() if item.meta.secret}
    assert dict(secret_values(load(environ), {})) == environ
