"""Incidents as people see them: their timeline, who looks after them, what was said."""

import pytest

from ipc.errors import CallError, Code
from ipc.messages.incidents import IncidentReply, ListIncidents, NoteIncident, ShowIncident
from tests.fakes.target import Target
from tests.integration.services.world import World


async def test_an_incident_has_its_findings_notes_and_end_on_one_timeline(world: World, target: Target) -> None:
    target.answer("/", status=500)
    service = await world.add("web")
    await world.until(service, "down")
    (listed,) = (await world.ask(ListIncidents(open=True))).incidents
    assert (listed.service, listed.cause, listed.ended_at) == ("web", "condition", None)
    await world.ask(NoteIncident(id=listed.id, acknowledge=True, text="looking at the disk", by="ada"))
    target.answer("/", status=502)
    await world.until(service, lambda now: "502" in now.detail)
    target.answer("/")
    await world.until(service, "healthy")
    reply: IncidentReply = await world.ask(ShowIncident(id=listed.id))
    assert [(entry.kind, entry.author) for entry in reply.entries] == [
        ("began", None),
        ("told", None),
        ("acknowledged", "ada"),
        ("note", "ada"),
        ("finding", None),
        ("ended", None),
    ]
    assert reply.entries[4].text == "[STATUS] (502) < 400"
    assert (reply.incident.acknowledged_by, reply.incident.ended_by) == ("ada", "probe")
    assert (await world.ask(ListIncidents(open=True))).incidents == []
    assert len((await world.ask(ListIncidents(service_id=service.id))).incidents) == 1
    actions = [row["action"] for row in await world.rows("SELECT action FROM audit ORDER BY id")]
    assert actions == ["service.added", "incident.acknowledged", "incident.noted"]


async def test_two_who_look_after_it_are_the_first_and_nothing_is_said_of_none(world: World, target: Target) -> None:
    target.answer("/", status=500)
    await world.until(await world.add("web"), "down")
    for person in ("ada", "bob"):
        await world.ask(NoteIncident(id=1, acknowledge=True, by=person))
    reply: IncidentReply = await world.ask(ShowIncident(id=1))
    assert reply.incident.acknowledged_by == "ada"
    assert [entry.kind for entry in reply.entries].count("acknowledged") == 1
    for request, code in ((NoteIncident(id=1, text=" "), Code.INVALID), (NoteIncident(id=9, text="x"), Code.NOT_FOUND)):
        with pytest.raises(CallError) as raised:
            await world.ask(request)
        assert raised.value.code is code
