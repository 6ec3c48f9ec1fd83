"""What Prometheus is told of services: it parses, and no label has more values than there are services."""

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from daemon.services import stored
from daemon.services.rules.kept import split
from schema import timestamps
from schema.definitions import Definition
from tests.integration.webui.site import Site


async def test_metrics_of_services_parse_and_have_one_label_value_for_each_service(site: Site) -> None:
    database = site.worker.database
    ends = timestamps.stamp(datetime.now(UTC) + timedelta(days=12))
    wanted = {"healthy": 1.0, "down": 0.0, "blocked": 0.0, "pending": 1.0, "paused": None, "unknown": None}
    with database.transaction():
        for status in wanted:
            url = "https://ada:s3cret@shop.example.org"
            definition = Definition(name=f'{status} "1"\\n', url=url)
            stored.insert(database, split(definition)[0], by="ada", moment=datetime.now(UTC))
        database.script("UPDATE service_states SET latency_us = 34200, checked_at = 1768003200500 WHERE service_id = 1")
        database.script(
            f"""UPDATE service_states SET certificate = '{{"expires_at": "{ends}"}}' WHERE service_id = 1"""
        )
        for number, status in enumerate(wanted, 1):
            database.script(f"UPDATE service_states SET status = '{status}' WHERE service_id = {number}")
    async with site.browser().get("/metrics") as response:
        text = await response.text()
    assert "s3cret" not in text
    found = {family.name: family.samples for family in text_string_to_metric_families(text)}
    up = {sample.labels["service"]: sample.value for sample in found["claudeops_service_up"]}
    assert up == {f'{status} "1"\\n': value for status, value in wanted.items() if value is not None}
    statuses = {sample.labels["service"]: sample.labels["status"] for sample in found["claudeops_service_status"]}
    assert statuses == {f'{status} "1"\\n': status for status in wanted}
    (duration,) = found["claudeops_service_duration_seconds"]
    assert duration.value == 0.0342
    (days,) = found["claudeops_service_certificate_days"]
    assert 11.9 < days.value <= 12
    (checked,) = found["claudeops_service_last_check_timestamp_seconds"]
    assert checked.value == 1768003200.5
    of_services = [
        sample for name, samples in found.items() if name.startswith("claudeops_service_") for sample in samples
    ]
    assert len(of_services) <= 5 * len(wanted)
