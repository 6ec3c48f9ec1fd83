"""What each kind of probe finds out, so that a condition on anything else is told before it never holds. Pure.

Called by `daemon.services.rules.files`: other monitors ask one endpoint for more than a probe of ours does.
"""

from collections.abc import Iterator, Mapping

from daemon.services.rules.definitions import kind_of
from daemon.services.rules.notation import ConditionError, Measure, Place, parse
from schema.definitions import KINDS, Definition, Kind

# What not every probe finds out; how long it took, and whether it came about, all of them do.
KNOWN_TO: Mapping[str, frozenset[Kind]] = {
    "STATUS": frozenset({Kind.HTTP, Kind.WEBSOCKET, Kind.DOMAIN, Kind.COMMAND}),
    "BODY": frozenset({Kind.HTTP, Kind.TCP, Kind.DNS, Kind.GRPC, Kind.CONTAINER, Kind.POSTGRES, Kind.MYSQL,
                       Kind.REDIS, Kind.COMMAND}),
    "HEADER": frozenset({Kind.HTTP}),
    "IP": frozenset({Kind.HTTP, Kind.TCP, Kind.TLS, Kind.DNS, Kind.ICMP, Kind.WEBSOCKET, Kind.GRPC, Kind.POSTGRES,
                     Kind.MYSQL, Kind.REDIS}),
    "DNS_RCODE": frozenset({Kind.DNS}),
    "CERTIFICATE_EXPIRATION": frozenset({Kind.HTTP, Kind.TLS, Kind.WEBSOCKET, Kind.GRPC, Kind.REDIS}),
    "DOMAIN_EXPIRATION": frozenset({Kind.DOMAIN}),
}  # fmt: skip


def never_known(definition: Definition) -> Iterator[tuple[str, str]]:
    """Conditions on what its kind of probe never finds out, and that never hold so: the field, and in words."""
    kind = kind_of(definition.url)
    if kind is None or KINDS[kind].passive:
        return
    for field, texts in (("conditions", definition.conditions), ("warnings", definition.warnings)):
        for text in texts:
            for name in _places(text):
                if kind not in KNOWN_TO.get(name, (kind,)):
                    there = "; a service with the URL domain:NAME does" if name == "DOMAIN_EXPIRATION" else ""
                    yield field, f"{text!r} never holds: a probe of the kind {kind.value} has no [{name}]{there}"


def _places(text: str) -> list[str]:
    try:
        condition = parse(text)
    except ConditionError:
        return []  # told by whoever looks whether it can be read
    sides = (condition.left, condition.right)
    measured = [side.place for side in sides if isinstance(side, Measure) and side.name == "len"]
    return [place.name for place in [*measured, *(side for side in sides if isinstance(side, Place))]]
