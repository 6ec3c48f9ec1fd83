"""Each template names exactly what its page's context gives: no name is missing, and none is for nothing."""

from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2 import meta, nodes

from webui import rendering, shell
from webui.api.docs import ApiPage
from webui.errors import ErrorPage
from webui.installing import OfflinePage
from webui.pages import (
    approval_view,
    approvals,
    audit,
    chain,
    chain_view,
    charts,
    confirm,
    cooldowns,
    cost,
    decisions,
    event_rows,
    events,
    found,
    glimpse,
    incidents,
    maintenance,
    mcp,
    memories,
    notifications,
    overview,
    panels,
    password,
    probed,
    probed_rows,
    public_status,
    repositories,
    secret,
    service,
    service_actions,
    service_form,
    service_rows,
    services,
    session,
    session_rows,
    session_view,
    sessions,
    setting_rows,
    settings,
    sign_in,
    standing_rules,
    status_pages,
    system,
    system_state,
    tried,
    trigger_form,
    trigger_rows,
    triggers,
    users,
    verdicts,
    wall,
)

ROOT = Path(__file__).parents[3] / "webui" / "templates"
ENVIRONMENT = jinja2.Environment(autoescape=True, **rendering.options())
PAGES: list[tuple[str, Any]] = [
    ("overview.html", overview.Overview),
    ("sessions.html", sessions.SessionsPage),
    ("session.html", session.SessionPage),
    ("confirm.html", confirm.Confirm),
    ("approvals.html", approvals.ApprovalsPage),
    ("approval.html", approvals.ApprovalPage),
    ("decide.html", decisions.DecidePage),
    ("rules.html", standing_rules.RulesPage),
    ("triggers.html", triggers.TriggersPage),
    ("chain.html", chain.ChainPage),
    ("events.html", events.EventsPage),
    ("cooldowns.html", cooldowns.CooldownsPage),
    ("memories.html", memories.MemoriesPage),
    ("memory.html", memories.MemoryPage),
    ("mcp.html", mcp.McpPage),
    ("repositories.html", repositories.RepositoriesPage),
    ("audit.html", audit.AuditPage),
    ("system.html", system.SystemPage),
    ("settings.html", settings.SettingsPage),
    ("setting.html", settings.SettingPage),
    ("panels.html", panels.PanelsPage),
    ("panel.html", panels.PanelPage),
    ("offline.html", OfflinePage),
    ("sign_in.html", sign_in.SignInPage),
    ("setup.html", sign_in.SetupPage),
    ("notifications.html", notifications.NotificationsPage),
    ("users.html", users.UsersPage),
    ("secret.html", secret.SecretPage),
    ("password.html", password.PasswordPage),
    ("services.html", services.ServicesPage),
    ("incidents.html", incidents.IncidentsPage),
    ("incident.html", incidents.IncidentPage),
    ("maintenance.html", maintenance.MaintenancePage),
    ("status_pages.html", status_pages.StatusPagesPage),
    ("status_page_edit.html", status_pages.StatusPageEdit),
    ("status_page.html", public_status.PublicPage),
    ("wall.html", wall.WallPage),
    ("service.html", service.ServicePage),
    ("service_edit.html", service_actions.EditPage),
    ("service_tried.html", service_actions.TriedPage),
    ("_services_table.html", services.TablePart),
    ("_dashboard_stats.html", services.StatsPart),
    ("cost.html", cost.CostPage),
    ("_service_list.html", services.ServiceListPart),
    ("api.html", ApiPage),
    ("error.html", ErrorPage),
]


def tree(name: str) -> nodes.Template:
    return ENVIRONMENT.parse((ROOT / name).read_text(encoding="utf-8"))


def names(template: str) -> set[str]:
    """What a template reads from its context, with its parent and what it includes."""
    parsed = tree(template)
    found = set(meta.find_undeclared_variables(parsed))
    own = {node.name for assign in parsed.find_all(nodes.Assign) for node in assign.find_all(nodes.Name)}
    # Inside of a block, what the template itself imports or defines counts as undeclared too.
    macros = {macro.name for macro in parsed.find_all(nodes.Macro)}
    imported = {str(name) for line in parsed.find_all(nodes.FromImport) for name in line.names}
    found -= macros | imported
    for other in (*others(parsed, nodes.Include), *others(parsed, nodes.Extends)):
        found |= names(other) - own
    return found


def others(parsed: nodes.Template, kind: type[nodes.Include] | type[nodes.Extends]) -> list[str]:
    """The templates that a template includes, or extends."""
    found = [node.template for node in parsed.find_all(kind) if isinstance(node, nodes.Include | nodes.Extends)]
    assert all(isinstance(name, nodes.Const) for name in found)
    return [name.value for name in found if isinstance(name, nodes.Const)]


@pytest.mark.parametrize(("template", "context"), PAGES)
def test_a_page_reads_what_its_context_has(template: str, context: Any) -> None:
    assert names(template) == set(context._fields)


def test_every_page_has_its_context() -> None:
    pages = {path.name for path in ROOT.glob("*.html") if not path.name.startswith("_")} - {"base.html"}
    assert pages == {template for template, _ in PAGES if not template.startswith("_")}


def attributes(template: str, variable: str) -> set[str]:
    """The attributes of a variable that a template and what it includes read."""
    parsed = tree(template)
    found = {
        node.attr
        for node in parsed.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == variable
    }
    for other in others(parsed, nodes.Include):
        found |= attributes(other, variable)
    return found


@pytest.mark.parametrize(
    ("template", "variable", "has"),
    [
        ("base.html", "shell", shell.Shell),
        ("_status.html", "shell", shell.StatusShell),
        ("session.html", "session", session_view.SessionView),
        ("session.html", "result", session_view.Outcome),
        ("overview.html", "trigger", trigger_form.TriggerForm),
        ("_approval.html", "card", approval_view.Card),
        ("_approval.html", "one", found.Saw),
        ("_queue.html", "row", trigger_rows.TriggerRow),
        ("_past.html", "row", trigger_rows.TriggerRow),
        ("_event_row.html", "row", event_rows.EventRow),
        ("_cooldowns.html", "one", cooldowns.ServiceUse),
        ("_cooldowns.html", "use", cooldowns.Use),
        ("_actions.html", "row", cooldowns.ActionRow),
        ("_chain_head.html", "chain", chain_view.ChainHead),
        ("_chain_tier.html", "tier", chain_view.Tier),
        ("_entry.html", "verdict", verdicts.Verdict),
        ("rules.html", "row", standing_rules.RuleRow),
        ("mcp.html", "row", mcp.ServerRow),
        ("repositories.html", "row", repositories.RepositoryRow),
        ("repositories.html", "name", repositories.Name),
        ("settings.html", "row", setting_rows.SettingRow),
        ("setting.html", "row", setting_rows.SettingRow),
        ("_setting_field.html", "field", setting_rows.Field),
        ("panels.html", "row", panels.PanelRow),
        ("audit.html", "row", audit.AuditRow),
        ("_channels.html", "one", notifications.ChannelRow),
        ("_notifications.html", "row", notifications.Row),
        ("_notifications.html", "way", notifications.Way),
        ("password.html", "shell", shell.Shell),
        ("_figures.html", "next_run", system_state.NextRun),
        ("_health.html", "health", system_state.Health),
        ("_health.html", "cli", system_state.Cli),
        ("_ui.html", "row", session_rows.SessionRow),
        ("_figures.html", "budget", cost.Budget),
        ("_running.html", "one", overview.RunningRow),
        ("_service_list.html", "services", glimpse.Glimpse),
        ("_service_list.html", "row", service_rows.ServiceRow),
        ("_chart.html", "chart", charts.Chart),
        ("_chart.html", "layer", charts.Layer),
        ("_chart.html", "slot", charts.Slot),
        ("services.html", "row", service_rows.ServiceRow),
        ("service.html", "service", service_rows.ServiceRow),
        ("service.html", "limits", cooldowns.ServiceUse),
        ("services.html", "probed", probed.ProbedList),
        ("services.html", "said", services.Said),
        ("services.html", "file", services.Mistaken),
        ("_services_table.html", "probed", probed.ProbedList),
        ("_probed_row.html", "row", probed_rows.ProbedRow),
        ("_probed_row.html", "part", probed_rows.Part),
        ("_service_fields.html", "field", service_form.Field),
        ("_service_fields.html", "form", service_form.Form),
        ("_service_fields.html", "tried", tried.Tried),
        ("service_edit.html", "one", service_actions.Difference),
        ("cost.html", "table", cost.ShareTable),
    ],
)
def test_a_value_has_every_attribute_that_is_read(template: str, variable: str, has: Any) -> None:
    read = attributes(template, variable)
    assert read
    assert read <= set(has._fields)


def test_no_template_switches_escaping_off_or_runs_script_inline() -> None:
    for path in ROOT.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), path.name
        assert "autoescape" not in text, path.name
        assert " style=" not in text, path.name
        assert "onclick" not in text, path.name
        assert "<script>" not in text, path.name
