"""The operations of the API about services, incidents and maintenance; a part of `webui.api.operations`."""

from schema.definitions import Definition, Window
from schema.monitored import PlannedWindow
from schema.status_pages import Page, StatusPage
from webui.api import service_types as types
from webui.api.operation import Operation
from webui.auth.rules import Access

VIEWER, OPERATOR = Access.VIEWER, Access.OPERATOR
ROOT = "/api/v1"
ONE = r"/{id:\d+}"
FILE = "The file as it is: ours, Gatus' or Uptime Kuma's export, as YAML or JSON; at most 1 MiB."

SERVICES = (
    Operation(
        "GET", f"{ROOT}/services", "api.services:listing", VIEWER, "services", "Services that are probed, by name",
        types.ServiceList, query=types.ServiceQuery,
    ),
    Operation(
        "POST", f"{ROOT}/services", "api.services:add", OPERATOR, "services", "A service that is probed from now on",
        types.ServiceDetail, 201, body=Definition,
    ),
    Operation(
        "POST", f"{ROOT}/services/pause", "api.services:pause", OPERATOR, "services", "Stops probing services",
        types.ServicesChanged, body=types.ServiceIds,
    ),
    Operation(
        "POST", f"{ROOT}/services/resume", "api.services:resume", OPERATOR, "services", "Probes services again",
        types.ServicesChanged, body=types.ServiceIds,
    ),
    Operation(
        "POST", f"{ROOT}/services/remove", "api.services:remove", OPERATOR, "services",
        "Removes services with all that was found of them", types.ServicesChanged, body=types.ServiceIds,
    ),
    Operation(
        "POST", f"{ROOT}/services/tag", "api.status_pages:tag", OPERATOR, "services",
        "Gives services tags, and takes tags from them", types.ServicesChanged, body=types.ServiceTags,
    ),
    Operation(
        "POST", f"{ROOT}/services/test", "api.services:attempt", OPERATOR, "services",
        "Probes once what is described, and stores nothing", types.Tried, body=Definition,
    ),
    Operation(
        "GET", f"{ROOT}/services/export", "api.service_files:export", OPERATOR, "services",
        "All services as a file that an import takes, without passwords", None, raw=True, media="application/yaml",
    ),
    Operation(
        "POST", f"{ROOT}/services/import", "api.service_files:take", OPERATOR, "services",
        "Takes services from a file, all of it or nothing; 400 with every mistake in it", types.ServicesImported,
        query=types.ImportQuery, raw=True, foreign=FILE,
    ),
    Operation(
        "GET", f"{ROOT}/services{ONE}", "api.services:one", VIEWER, "services", "One service, whole",
        types.ServiceDetail,
    ),
    Operation(
        "PUT", f"{ROOT}/services{ONE}", "api.services:change", OPERATOR, "services",
        "Changes a service; 409 where it has changed meanwhile", types.ServiceDetail, body=types.ChangedService,
        errors=(409,),
    ),
    Operation(
        "DELETE", f"{ROOT}/services{ONE}", "api.services:remove_one", OPERATOR, "services",
        "Removes a service with all that was found of it; 409 where a file describes it", None, 204, errors=(409,),
    ),
    Operation(
        "POST", f"{ROOT}/services{ONE}/push", "api.services:renew_push", OPERATOR, "services",
        "A fresh address for a heartbeat's job, told this once; the one before counts no more", types.ServiceDetail,
        201, errors=(400,),
    ),
    Operation(
        "POST", f"{ROOT}/services{ONE}/test", "api.services:attempt_one", OPERATOR, "services",
        "Probes a service once, now, and stores nothing", types.Tried, errors=(400,),
    ),
    Operation(
        "GET", f"{ROOT}/services{ONE}/results", "api.services:results", VIEWER, "services",
        "What was found of a service, newest first", types.ResultList, query=types.ResultQuery,
    ),
    Operation(
        "GET", f"{ROOT}/incidents", "api.services:incidents", VIEWER, "services", "Incidents, newest first",
        types.IncidentList, query=types.IncidentQuery,
    ),
    Operation(
        "GET", f"{ROOT}/incidents{ONE}", "api.services:incident", VIEWER, "services",
        "One incident and what happened in it", types.IncidentDetail,
    ),
    Operation(
        "POST", f"{ROOT}/incidents{ONE}", "api.services:note", OPERATOR, "services",
        "Says something of an incident, or that one looks after it", types.IncidentDetail, body=types.IncidentNote,
    ),
    Operation(
        "GET", f"{ROOT}/maintenance", "api.maintenance:listing", VIEWER, "services",
        "Maintenance windows that go on or are to come", types.WindowList,
    ),
    Operation(
        "POST", f"{ROOT}/maintenance", "api.maintenance:add", OPERATOR, "services",
        "A maintenance window; without starts_at or cron it begins now", PlannedWindow, 201, body=Window,
    ),
    Operation(
        "DELETE", f"{ROOT}/maintenance{ONE}", "api.maintenance:remove", OPERATOR, "services",
        "Ends a maintenance window, or takes it back", None, 204,
    ),
    Operation(
        "GET", f"{ROOT}/status-pages", "api.status_pages:listing", VIEWER, "services", "Status pages",
        types.StatusPageList,
    ),
    Operation(
        "POST", f"{ROOT}/status-pages", "api.status_pages:add", OPERATOR, "services", "A status page that is new",
        StatusPage, 201, body=Page,
    ),
    Operation(
        "PUT", f"{ROOT}/status-pages{ONE}", "api.status_pages:change", OPERATOR, "services",
        "Changes a status page; 409 where it has changed meanwhile", StatusPage, body=types.ChangedStatusPage,
        errors=(409,),
    ),
    Operation(
        "DELETE", f"{ROOT}/status-pages{ONE}", "api.status_pages:remove", OPERATOR, "services",
        "Removes a status page", None, 204,
    ),
)  # fmt: skip
