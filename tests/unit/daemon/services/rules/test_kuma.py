"""Uptime Kuma's export: what has a counterpart is taken, all else is named."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules import files
from daemon.services.rules.conditions import Answer, judge
from daemon.services.rules.files import Parsed
from daemon.services.rules.notation import parse
from schema.definitions import Definition
from schema.facts import Facts

# A monitor as version 1.23 writes it into a backup, with the fields of every type.
MONITOR: dict[str, Any] = {
    "id": 1, "name": "web", "description": None, "pathName": "web", "parent": None, "childrenIDs": [],
    "url": "https://example.org/health", "method": "GET", "hostname": None, "port": None, "maxretries": 1,
    "weight": 2000, "active": True, "forceInactive": False, "type": "http", "timeout": 48, "interval": 60,
    "retryInterval": 60, "resendInterval": 0, "keyword": None, "invertKeyword": False, "expiryNotification": False,
    "ignoreTls": False, "upsideDown": False, "packetSize": 56, "maxredirects": 10,
    "accepted_statuscodes": ["200-299"], "dns_resolve_type": "A", "dns_resolve_server": "1.1.1.1",
    "dns_last_result": None, "docker_container": "", "docker_host": None, "proxyId": None, "notificationIDList": {},
    "tags": [], "maintenance": False, "mqttTopic": "", "mqttSuccessMessage": "", "databaseQuery": None,
    "authMethod": None, "grpcUrl": None, "grpcProtobuf": None, "grpcMethod": None, "grpcServiceName": None,
    "grpcEnableTls": False, "radiusCalledStationId": None, "radiusCallingStationId": None, "game": None,
    "gamedigGivenPortOnly": True, "httpBodyEncoding": "json", "jsonPath": None, "expectedValue": None,
    "kafkaProducerTopic": None, "kafkaProducerBrokers": [], "kafkaProducerSsl": False,
    "kafkaProducerAllowAutoTopicCreation": False, "kafkaProducerMessage": None, "screenshot": None, "headers": None,
    "body": None, "grpcBody": None, "grpcMetadata": None, "basic_auth_user": None, "basic_auth_pass": None,
    "oauth_client_id": None, "oauth_client_secret": None, "oauth_token_url": None, "oauth_scopes": None,
    "oauth_auth_method": "client_secret_basic", "pushToken": None, "databaseConnectionString": None,
    "radiusUsername": None, "radiusPassword": None, "radiusSecret": None, "mqttUsername": "", "mqttPassword": "",
    "authWorkstation": None, "authDomain": None, "tlsCa": None, "tlsCert": None, "tlsKey": None,
    "kafkaProducerSaslOptions": {"mechanism": "None"}, "includeSensitiveData": True,
}  # fmt: skip
# What version 2 has beside them.
SECOND: dict[str, Any] = {
    "path": ["web"], "conditions": [], "ipFamily": None, "cacheBust": False, "remote_browser": None, "snmpOid": None,
    "jsonPathOperator": "==", "snmpVersion": "2c", "smtpSecurity": None, "rabbitmqNodes": [], "rabbitmqUsername": None,
    "rabbitmqPassword": None, "mqttCheckType": "keyword", "mqttWebsocketPath": None, "ping_numeric": True,
    "ping_count": 1, "ping_per_request_timeout": 2, "oauth_audience": None, "domainExpiryNotification": False,
    "retryOnlyOnStatusCodeFailure": False, "saveResponse": False, "saveErrorResponse": True,
    "responseMaxLength": 1024, "wsSubprotocol": "", "wsIgnoreSecWebsocketAcceptHeader": False, "bearer_token": None,
}  # fmt: skip
PROXIES = [
    {"id": 4, "userId": 1, "protocol": "http", "host": "10.0.0.8", "port": 3128, "auth": True, "username": "ada",
     "password": "p@ss", "active": True, "default": False},
    {"id": 5, "protocol": "socks5", "host": "10.0.0.9", "port": 1080, "auth": False, "active": True},
]  # fmt: skip


def read(*monitors: dict[str, Any], first: bool = False) -> Parsed:
    """What comes of monitors that say this, the rest as usual."""
    listed = [{**MONITOR, **({} if first else SECOND), "id": at, **one} for at, one in enumerate(monitors, 1)]
    whole = {"version": "1.23.16", "notificationList": [], "monitorList": listed, "proxyList": PROXIES}
    found = files.parse(json.dumps(whole, indent=4))
    assert list(files.checked(found.entries, {})) == []
    return found


def one(**monitor: Any) -> Definition:
    """The service that comes of one monitor, of which nothing is refused or left out."""
    found = read(monitor)
    assert (found.mistakes, found.left_out) == ([], [])
    (entry,) = found.entries
    return entry.definition


@pytest.mark.parametrize("first", [True, False])
def test_a_plain_monitor_of_either_version_is_taken_without_a_word(first: bool) -> None:
    found = read({}, first=first)
    assert (found.mistakes, found.left_out) == ([], [])
    assert found.entries[0].definition == Definition(
        name="web", url="https://example.org/health", timeout=48.0, retries=1, retry_interval=60.0,
        conditions=("[STATUS] == any(pat(2*))",),
    )  # fmt: skip


def test_a_requests_own_fields_are_carried_over() -> None:
    found = one(
        headers='{"X-Api-Key": "k-$ECRET", "Accept": "text/plain"}', body='{"ping": 1}', method="POST",
        authMethod="basic", basic_auth_user="ada", basic_auth_pass="hush", maxredirects=0, proxyId=4, ipFamily="ipv6",
        ignoreTls=True, resendInterval=10, tags=[{"name": "env", "value": "prod 1", "color": "#f00"}],
    )  # fmt: skip
    assert found.headers == {
        "Authorization": "Basic YWRhOmh1c2g=", "Content-Type": "application/json", "X-Api-Key": "k-$$ECRET",
        "Accept": "text/plain",
    }  # fmt: skip
    assert (found.body, found.method, found.redirects, found.verify) == ('{"ping": 1}', "POST", False, False)
    assert (found.proxy, found.family, found.remind) == ("http://ada:p%40ss@10.0.0.8:3128", 6, 600.0)
    assert found.tags == ("env:prod-1",)


def test_an_old_monitor_without_a_method_of_signing_in_signs_in_by_its_user() -> None:
    assert one(basic_auth_user="ada", basic_auth_pass="hush").headers == {"Authorization": "Basic YWRhOmh1c2g="}


@pytest.mark.parametrize(
    ("accepted", "conditions"),
    [
        (["200-299"], ["[STATUS] == any(pat(2*))"]),
        (["200-399"], ["[STATUS] >= 200", "[STATUS] <= 399"]),
        (["200-299", "300-399"], ["[STATUS] >= 200", "[STATUS] <= 399"]),
        (["404"], ["[STATUS] == 404"]),
        (["200-299", "301"], ["[STATUS] == any(pat(2*), 301)"]),
        (["301", "195-209", "400-599"], ["[STATUS] == any(195, 196, 197, 198, 199, pat(20?), 301, pat(4*), pat(5*))"]),
    ],
)
def test_accepted_codes_are_conditions_that_hold_for_just_these(accepted: list[str], conditions: list[str]) -> None:
    found = one(accepted_statuscodes=accepted)
    assert list(found.conditions) == conditions
    pairs = [(int(low), int(high or low)) for low, _, high in (text.partition("-") for text in accepted)]
    for code in range(100, 600):
        holds = all(judge(parse(text), Answer(Facts(status=code))).holds for text in found.conditions)
        assert holds == any(low <= code <= high for low, high in pairs)


@pytest.mark.parametrize("keyword", ["all (of it)", ":)", "a*b?[c]", "[ok]", "1, 2"])
def test_a_keyword_is_found_letter_by_letter(keyword: str) -> None:
    found, inverted = (one(type="keyword", keyword=keyword, invertKeyword=there) for there in (False, True))
    for text, there in ((f"it says\n{keyword}!", True), ("it says aXbYc", False)):
        answer = Answer(Facts(body=text.encode()))
        assert judge(parse(found.conditions[-1]), answer).holds is there
        assert judge(parse(inverted.conditions[-1]), answer).holds is not there


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ({"jsonPath": "$.status", "expectedValue": "ok"}, "[BODY].status == ok"),
        ({"jsonPath": "data[0].id", "jsonPathOperator": ">=", "expectedValue": "7"}, "[BODY].data[0].id >= 7"),
        ({"jsonPath": "$", "expectedValue": "[1]"}, '[BODY] == "[1]"'),
        ({"jsonPath": "a", "jsonPathOperator": "contains", "expectedValue": "x"}, "[BODY].a == pat(*x*)"),
    ],
)
def test_a_json_query_that_is_a_path_is_a_condition(fields: dict[str, Any], condition: str) -> None:
    assert one(type="json-query", **fields).conditions[-1] == condition


@pytest.mark.parametrize(
    ("fields", "url", "conditions"),
    [
        ({"type": "port", "hostname": "db.local", "port": 5432}, "tcp://db.local:5432", ()),
        ({"type": "ping", "hostname": "2001:db8::1"}, "icmp://[2001:db8::1]", ()),
        ({"type": "dns", "hostname": "example.org", "port": 5353, "dns_resolve_type": "MX"},
         "dns://1.1.1.1:5353/example.org?type=MX", ("[DNS_RCODE] == NOERROR", "len([BODY]) > 0")),
        ({"type": "push"}, "heartbeat:", ()),
        ({"type": "mysql", "databaseConnectionString": "mysql://ada@db:3306/app", "radiusPassword": "a/b"},
         "mysql://ada:a%2Fb@db:3306/app", ()),
        ({"type": "postgres", "databaseConnectionString": "postgres://a:b@db/app", "databaseQuery": "SELECT 1"},
         "postgres://a:b@db/app", ()),
        ({"type": "websocket-upgrade", "url": "wss://example.org/live", "accepted_statuscodes": ["1000"]},
         "wss://example.org/live", ()),
        ({"type": "grpc-keyword", "grpcUrl": "10.0.0.1:50051", "grpcServiceName": "Health", "grpcMethod": "check",
          "grpcProtobuf": 'syntax = "proto3";', "grpcBody": '{"service": "my.Shop"}', "keyword": "SERVING",
          "grpcEnableTls": True}, "grpcs://10.0.0.1:50051/my.Shop", ("[BODY] == pat(*SERVING*)",)),
    ],
)  # fmt: skip
def test_each_type_that_is_probed_here_is_taken(fields: dict[str, Any], url: str, conditions: tuple[str, ...]) -> None:
    found = one(**fields)
    assert (found.url, found.conditions) == (url, conditions)


def test_a_container_is_taken_and_told_where_it_is_asked_for() -> None:
    found = read({"type": "docker", "docker_container": "web", "docker_host": 1})
    assert [entry.definition.url for entry in found.entries] == ["docker:web"]
    assert [one.message.partition(": the")[0] for one in found.left_out] == ["web: docker_host"]


def test_a_group_is_the_group_of_those_in_it_and_pauses_them() -> None:
    found = read(
        {"name": "shop", "type": "group", "active": False},
        {"name": "europe", "type": "group", "parent": 1},
        {"name": "web", "parent": 2},
        {"name": "alone"},
    )
    assert found.mistakes == []
    stands = [(entry.definition.name, entry.definition.group, entry.definition.paused) for entry in found.entries]
    assert stands == [("web", "shop / europe", True), ("alone", "", False)]


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("upsideDown", {"upsideDown": True}),
        ("authMethod", {"authMethod": "ntlm", "basic_auth_user": "ada"}),
        ("authMethod", {"authMethod": "oauth2-cc", "oauth_client_id": "ada"}),
        ("authMethod", {"authMethod": "mtls", "tlsCert": "-----BEGIN"}),
        ("headers", {"headers": "X-A: b"}),
        ("maxredirects", {"maxredirects": 3}),
        ("proxyId", {"proxyId": 5}),
        ("proxyId", {"proxyId": 9}),
        ("parent", {"parent": 77}),
        ("cacheBust", {"cacheBust": True}),
        ("conditions", {"type": "dns", "hostname": "a.example", "conditions": [{"type": "expression"}]}),
        ("databaseQuery", {"type": "mysql", "databaseConnectionString": "mysql://a@b/c", "databaseQuery": "CALL x"}),
        ("grpcMethod", {"type": "grpc-keyword", "grpcServiceName": "Shop", "grpcMethod": "list"}),
        ("grpcMetadata", {"type": "grpc-keyword", "grpcServiceName": "Health", "grpcMethod": "check",
                          "grpcUrl": "a:1", "grpcMetadata": '{"a": "b"}'}),
        ("packetSize", {"type": "ping", "hostname": "a.example", "packetSize": 1400}),
        ("dns_resolve_server", {"type": "dns", "hostname": "a.example", "dns_resolve_server": "1.1.1.1,9.9.9.9"}),
        ("wsSubprotocol", {"type": "websocket-upgrade", "url": "ws://a.example", "wsSubprotocol": "chat"}),
        ("jsonPath", {"type": "json-query", "jsonPath": "$sum(a.b)", "expectedValue": "1"}),
        ("accepted_statuscodes", {"accepted_statuscodes": ["2xx"]}),
        ("type", {"type": "steam"}),
        ("somethingNew", {"somethingNew": "that nobody knows"}),
    ],
)  # fmt: skip
def test_what_changes_the_meaning_is_refused_by_its_name_and_line(field: str, fields: dict[str, Any]) -> None:
    text = json.dumps({"monitorList": [{**MONITOR, **SECOND, **fields}], "proxyList": PROXIES}, indent=1)
    (mistake,) = files.parse(text).mistakes
    assert f"web: {field}" in mistake.message or field == "type"
    assert text.splitlines()[mistake.line - 1].strip().startswith(f'"{field}"')


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("notificationIDList", {"notificationIDList": {"1": True}}),
        ("expiryNotification", {"expiryNotification": True}),
        ("domainExpiryNotification", {"domainExpiryNotification": True}),
        ("timeout", {"interval": 3600, "timeout": 2880}),
        ("pushToken", {"type": "push", "pushToken": "abc"}),
        ("ping_count", {"type": "ping", "hostname": "a.example", "ping_count": 3, "ping_per_request_timeout": 0}),
    ],
)
def test_what_only_changes_how_it_is_shown_or_alerted_is_told_as_left_out(field: str, fields: dict[str, Any]) -> None:
    found = read(fields)
    assert (found.mistakes, len(found.entries)) == ([], 1)
    assert [one.message.split(":")[1].strip() for one in found.left_out] == [field]


@given(
    st.sampled_from(["http", "keyword", "json-query", "dns", "mysql", "group", "grpc-keyword", "push", "port"]),
    st.dictionaries(
        st.sampled_from(sorted({**MONITOR, **SECOND})),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=4,
        ),
        max_size=4,
    ),
)
def test_whatever_a_field_holds_it_is_read_or_refused_with_its_line(kind: str, fields: dict[str, Any]) -> None:
    text = json.dumps({"monitorList": [{**MONITOR, **SECOND, "type": kind, **fields}], "proxyList": [fields, 7]})
    found = files.parse(text)
    for mistake in [*found.mistakes, *found.left_out, *files.checked(found.entries, {})]:
        assert mistake.line >= 1
        assert mistake.message


def test_what_is_of_another_type_says_nothing() -> None:
    assert one(keyword="left over", hostname="left.over", packetSize=1400, databaseQuery="SELECT 2").headers == {}
