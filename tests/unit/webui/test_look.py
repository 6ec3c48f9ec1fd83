"""Templates and scripts keep what the page's security policy and the icon sprite ask for; sizes stay within budget."""

import gzip
import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tests.fixtures import (
    access,
    configuring,
    decisions,
    doors,
    knowledge,
    observed,
    pages,
    telling,
    transcript_rows,
    watching,
)
from tests.fixtures.parts import Context

WEBUI = Path(__file__).parents[3] / "webui"
STATIC = WEBUI / "static"
ENVIRONMENT = Environment(
    loader=FileSystemLoader(WEBUI / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
KB = 1024


def rows(*, ended: bool = False) -> list[Markup]:
    template = ENVIRONMENT.get_template("_transcript_row.html")
    return [Markup(template.render(row=row)) for row in transcript_rows.transcript(ended=ended)]


STATES = ("full", "empty", "error")
CASES: dict[str, tuple[str, Context]] = {
    **{f"overview {state}": ("overview.html", pages.overview(state)) for state in ("full", "empty", "error", "calm")},
    **{f"sessions {state}": ("sessions.html", pages.session_list(state)) for state in ("full", "empty", "error")},
    **{
        f"session {state}": ("session.html", pages.session(state, rows(ended=state in ("error", "ended"))))
        for state in ("full", "empty", "error", "ended")
    },
    **{f"system {state}": ("system.html", pages.system(state)) for state in ("full", "error")},
    **{f"sign-in {state}": ("sign_in.html", doors.sign_in(state)) for state in ("full", "error")},
    **{f"setup {state}": ("setup.html", doors.setup(state)) for state in ("full", "error")},
    "error": ("error.html", doors.error()),
    "error, signed out": ("error.html", doors.error(500, signed_in=False)),
    "confirm": ("confirm.html", doors.confirm()),
    **{f"approvals {state}": ("approvals.html", decisions.approvals(state)) for state in ("full", "empty")},
    **{f"approval {state}": ("approval.html", decisions.approval(state)) for state in ("full", "error")},
    "approve": ("decide.html", decisions.decide(approve=True)),
    "deny": ("decide.html", decisions.decide(approve=False)),
    **{f"rules {state}": ("rules.html", decisions.rules(state)) for state in STATES},
    **{f"triggers {state}": ("triggers.html", decisions.triggers(state)) for state in STATES},
    "chain live": ("chain.html", decisions.chain(rows(), live=True)),
    "chain ended": ("chain.html", decisions.chain([], live=False)),
    **{f"events {state}": ("events.html", knowledge.events(state)) for state in STATES},
    **{f"cooldowns {state}": ("cooldowns.html", knowledge.cooldowns(state)) for state in STATES},
    **{f"memories {state}": ("memories.html", knowledge.memories(state)) for state in STATES},
    "memory": ("memory.html", knowledge.memory()),
    "memory, only read": ("memory.html", knowledge.memory(may_act=False)),
    **{f"mcp {state}": ("mcp.html", knowledge.mcp(state)) for state in STATES},
    **{f"repositories {state}": ("repositories.html", knowledge.repositories(state)) for state in STATES},
    **{f"audit {state}": ("audit.html", knowledge.audit(state)) for state in STATES},
    **{f"notifications {state}": ("notifications.html", telling.notifications(state)) for state in STATES},
    **{f"incidents {state}": ("incidents.html", watching.listed(state)) for state in STATES},
    "incident": ("incident.html", watching.one()),
    "incident, over, only read": ("incident.html", watching.one(over=True, may_act=False)),
    **{f"maintenance {state}": ("maintenance.html", watching.maintenance(state)) for state in STATES},
    **{f"status pages {state}": ("status_pages.html", watching.pages(state)) for state in STATES},
    **{f"status page, edited, {state}": ("status_page_edit.html", watching.page_edit(state)) for state in STATES},
    **{f"status page {state}": ("status_page.html", watching.public(state)) for state in STATES},
    **{f"wall {state}": ("wall.html", watching.on_the_wall(state)) for state in STATES},
    **{f"services {state}": ("services.html", observed.services(state)) for state in STATES},
    **{f"service {state}": ("service.html", observed.service(state)) for state in STATES},
    **{f"cost {state}": ("cost.html", observed.cost(state)) for state in STATES},
    **{f"users {state}": ("users.html", access.users(state)) for state in STATES},
    **{f"settings {state}": ("settings.html", configuring.settings(state)) for state in STATES},
    **{f"setting {state}": ("setting.html", configuring.setting(state)) for state in STATES},
    **{f"panels {state}": ("panels.html", configuring.panels(state)) for state in STATES},
    "panel": ("panel.html", configuring.panel()),
    "offline": ("offline.html", configuring.offline()),
    "secret": ("secret.html", access.secret()),
    **{f"password {state}": ("password.html", access.password(state)) for state in ("full", "error")},
}


def html_of(case: str) -> str:
    template, context = CASES[case]
    return ENVIRONMENT.get_template(template).render(context)


@pytest.mark.parametrize("case", CASES)
def test_a_page_has_no_inline_style_script_or_handler(case: str) -> None:
    html = html_of(case)
    assert not re.findall(r"<[^>]*\s(?:style|on[a-z]+)\s*=", html)
    assert "<style" not in html
    assert all(not body.strip() for body in re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL))


@pytest.mark.parametrize("case", CASES)
def test_a_page_uses_only_icons_of_the_sprite_and_ids_once(case: str) -> None:
    html = html_of(case)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#(i-[^"]+)"', html)) <= set(ids)


@pytest.mark.parametrize("case", CASES)
def test_a_page_fetches_only_files_that_are_there_and_fits_its_budget(case: str) -> None:
    html = html_of(case)
    for name in re.findall(r'(?:src|href)="/static/([^"]+)"', html):
        assert (STATIC / name).is_file(), name
    fetched = re.findall(r'<(?:link|script|img|iframe|source|object)\b[^>]*?\s(?:src|href|data)="([^"]*)"', html)
    assert [place for place in fetched if not re.match(r"/(?!/)|data:", place)] == []
    assert len(gzip.compress(html.encode())) <= 20 * KB


@pytest.mark.parametrize(
    "case", [case for case, (_, context) in CASES.items() if "shell" in context and context["shell"]["user"]]
)
def test_each_page_of_a_demo_says_so_and_each_form_that_posts_carries_the_token(case: str) -> None:
    html = html_of(case)
    assert "Demo." in html
    for form in re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL):
        assert 'name="csrf" value="made-up-token"' in form


def test_what_a_session_printed_is_shown_as_text() -> None:
    html = html_of("session full")
    assert "<script>alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_late_result_names_its_call() -> None:
    row = transcript_rows.result_of(9, "t1", "exit 1", transcript_rows.block("</template><b>"), tone="bad", open=True)
    html = ENVIRONMENT.get_template("_transcript_row.html").render(row=row)
    assert html.strip().startswith('<template data-into="tool-t1" data-anchor="b9"')
    assert "data-open" in html
    assert html.count("</template>") == 1


def test_styles_scripts_and_fonts_fit_their_budgets() -> None:
    assert len(gzip.compress((STATIC / "app.css").read_bytes())) <= 24 * KB
    scripts = [path for path in STATIC.glob("*.js") if path.name not in ("swagger-ui.js", "uplot.js")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in scripts) <= 24 * KB
    assert sum(path.stat().st_size for path in STATIC.glob("*.woff2")) <= 96 * KB


def test_the_viewer_of_the_api_burdens_no_other_page() -> None:
    assert len(gzip.compress((STATIC / "swagger-ui.js").read_bytes())) <= 560 * KB
    naming = [path.name for path in (STATIC.parent / "templates").glob("*.html") if "swagger" in path.read_text()]
    assert naming == ["api.html"]


def test_the_library_of_the_latency_chart_burdens_no_other_page() -> None:
    assert len(gzip.compress((STATIC / "uplot.js").read_bytes())) <= 24 * KB
    naming = [path.name for path in (STATIC.parent / "templates").glob("*.html") if "uplot" in path.read_text()]
    assert naming == ["service.html"]
    assert "uplot" in html_of("service full")
    assert "uplot" not in html_of("service empty")  # what the daemon does not probe has no such chart
