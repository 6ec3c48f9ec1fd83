"""When a domain's registration ends, by RDAP: the registries' own protocol over HTTP."""

import time
from urllib.parse import quote

import aiohttp
import msgspec

from daemon.services.probes.probe import ProbeError, Target, mark, phases
from daemon.services.probes.requesting import AGENT, Resolver, translated
from schema import timestamps
from schema.facts import Cause, Facts

# Leads on to the registry of the domain, as IANA lists it.
DIRECTORY = "https://rdap.org/domain/"
ANSWER_MAX = 1024 * 1024


class Event(msgspec.Struct, rename="camel"):
    """Something that has happened to a registration, or will."""

    event_action: str = ""
    event_date: str = ""


class Registration(msgspec.Struct):
    """What RDAP tells of a domain, as far as it matters here."""

    events: list[Event] = []


async def domain(target: Target, directory: str = DIRECTORY) -> Facts:
    """One question. OSError, ProbeError, TimeoutError."""
    name = target.definition.url.partition(":")[2].strip("/")
    began = time.perf_counter()
    mark("wait")
    with translated():
        headers = {"User-Agent": AGENT, "Accept": "application/rdap+json"}
        connector = aiohttp.TCPConnector(resolver=Resolver(target.lookups))
        async with (
            aiohttp.ClientSession(headers=headers, trust_env=True, connector=connector) as session,
            session.get(directory + quote(name, safe="")) as response,
        ):
            status, body = response.status, await response.content.read(ANSWER_MAX)
    if status != 200:
        raise ProbeError(Cause.FAILED, f"the registry answers {status} for {name}")
    try:
        found = msgspec.json.decode(body, type=Registration)
        ends = next((one.event_date for one in found.events if one.event_action == "expiration"), "")
        left = timestamps.parse(ends).timestamp() - time.time()
    except (msgspec.DecodeError, ValueError) as error:
        raise ProbeError(Cause.PROTOCOL, f"the registry does not say when {name} ends") from error
    end = time.perf_counter()
    return Facts(latency_ms=(end - began) * 1000, connected=True, status=status, domain_s=left, phases=phases(end))
