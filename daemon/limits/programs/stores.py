"""Clients of stores that speak no SQL: Redis and MongoDB."""

import re
from fnmatch import fnmatchcase

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import options, read
from daemon.limits.programs.entries import every, told

_REDIS_READS = listed(
    "ping info get mget exists ttl pttl type strlen llen lrange scard smembers sismember hget hgetall"
    " hkeys hlen hmget zcard zrange zscore dbsize lastsave time role scan sscan hscan zscan keys"
    " object xlen xinfo xrange lindex getrange bitcount randomkey dump hexists hvals zcount zrank"
    " zrevrange pfcount"
)


_REDIS_LOOKS = frozenset(
    ["slowlog get", "slowlog len", "client list", "client info", "cluster info", "cluster nodes", "latency latest",
     "latency doctor", "latency history", "memory stats", "memory usage", "memory doctor", "sentinel masters"]
)  # fmt: skip


_REDIS_SECRETS = listed(
    "requirepass masterauth masteruser aclfile user tls-key-file-pass tls-client-key-file-pass"
    " sentinel-pass sentinel-user"
)


def _redis(command: Command) -> list[Found]:
    given = read(
        command.args,
        options(
            "-h= -p= -a= -n= -u= -c -s= --no-auth-warning --raw --csv --json --tls --user= --pass= --stat --latency"
            " --bigkeys --memkeys --hotkeys --insecure -v --version --cacert= -t= --no-raw --scan --pattern="
            " --latency-history -i= --intrinsic-latency="
        ),
        first=True,
    )
    if (
        given.has(
            "--stat",
            "--latency",
            "--latency-history",
            "--bigkeys",
            "--memkeys",
            "--version",
            "-v",
            "--scan",
            "--hotkeys",
        )
        and not given.operands
    ):
        return [command.found(Kind.READ, "looks at a database")]
    if given.has("-h", "-u"):
        told(command)
    words = [word.text for word in given.operands]
    if not words or words[0] is None:
        return command.unknown("commands from its input")
    first, second = words[0].lower(), (words[1] or "?").lower() if len(words) > 1 else ""
    if first in _REDIS_READS or f"{first} {second}" in _REDIS_LOOKS:
        return [command.found(Kind.READ, "looks at a database")]
    if first == "config" and second == "get":
        secret = any(fnmatchcase(name, (word or "*").lower()) for word in words[2:] for name in _REDIS_SECRETS)
        return [command.found(Kind.SECRET if secret else Kind.READ, "prints the server's configuration")]
    if first in {"flushall", "flushdb", "shutdown"}:
        return [command.found(Kind.DESTROY, "deletes every key")]
    if (first, second) in {("client", "kill"), ("client", "no-evict"), ("config", "resetstat")}:
        return [command.found(Kind.CHANGE, "changes a server")]
    if first in listed("set del unlink expire incr decr lpush rpush hset hdel sadd zadd setex"):
        return [command.found(Kind.CHANGE, "changes data")]
    return command.unknown(f"{first} is not known to only read")


_MONGO_READ = re.compile(
    r"(db|rs)(\.getSiblingDB\('\w+'\))?(\.(\w+|getCollection\('\w+'\)))*?\.(stats|serverStatus|status|version|hello|isMaster|currentOp|find|findOne"
    r"|countDocuments|estimatedDocumentCount|count|getIndexes|getCollectionNames|printReplicationInfo|conf)\([^()$;=`]*\)"
    r"(\.(limit|sort|toArray|pretty|count|size)\([^()$;=`]*\))*(\.\w+)*",
)


def _mongosh(command: Command) -> list[Found]:
    given = read(
        command.args,
        options(
            "--eval= --quiet --host= --port= -u= -p= --username= --password= --authenticationDatabase= --norc"
            " --tls --json?="
        ),
    )
    told(command)
    for value in given.values("--eval"):
        if re.search(r"system\s*\.\s*(users|keys)|\bnew\b", value.text or ""):
            return command.unknown("a collection of credentials, or what makes something")
        if value.text is None or not _MONGO_READ.fullmatch(value.text.replace('"', "'").strip().rstrip(";")):
            return command.unknown("code that does not plainly read")
    return (
        [command.found(Kind.READ, "looks at a database")]
        if given.has("--eval")
        else command.unknown("code from its input")
    )


PROGRAMS: dict[str, Program] = {
    **every("redis-cli valkey-cli", _redis),
    "mongosh": _mongosh,
}
