"""Every setting, declared once: name, type, default, unit, sentence.

From this one class come environment parsing and validation (`schema.configuration`), the flags of `claudeops`,
`claudeopsctl config`, the dashboard's form, docs/settings.md and packaging/systemd/claudeops.env.
Standard library alone, because the supervisor reads it.
"""

from typing import Annotated, NamedTuple

# What stands between the values of a setting that holds several.
COMMAS = ","
WORDS = r"[,\s]+"
URLS = r"[,\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)"  # a comma within such a URL belongs to it
# As browsers write an address: without its scheme or its host nobody would be let in by it.
ADDRESS = r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(:\d{1,5})?(/[^\s?#]*)?"
HAIKU = "claude-haiku-4-5-20251001"
TOOLS_READING = "Bash,Read,Grep,Glob,Task,WebFetch,WebSearch"
TOOLS_WRITING = "Bash,Read,Write,Edit,Grep,Glob,Task,WebFetch,WebSearch"
DENIED_TIER1 = (
    "Bash(docker restart:*),Bash(docker stop:*),Bash(docker start:*),Bash(docker rm:*),Bash(docker compose:*),"
    "Bash(ansible:*),Bash(ansible-playbook:*),Bash(helm:*),Bash(gh pr create:*),Bash(gh pr merge:*),"
    "Bash(tea pr create:*),Bash(git push:*),Bash(git commit:*),Bash(systemctl restart:*),Bash(systemctl stop:*),"
    "Bash(systemctl start:*),Bash(apprise:*)"
)
DENIED_TIER2 = "Bash(ansible:*),Bash(ansible-playbook:*),Bash(helm:*),Bash(docker compose down:*),Bash(gh pr merge:*)"
DENIED_TIER3 = "Bash(rm -rf /:*),Bash(docker system prune:*),Bash(git push --force:*),Bash(gh pr merge:*)"


class Meta(NamedTuple):
    """What a setting is beyond its type and default.

    `env` is given only where the name is not CLAUDEOPS_<NAME>; `live` settings take effect at the next session,
    the others at the next start; `web` marks what the web process is handed; numbers lie in [`low`, `high`].
    """

    section: str
    doc: str
    unit: str = ""
    live: bool = False
    secret: bool = False
    web: bool = False
    env: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    form: str = ""  # a regular expression that a text has to match as a whole
    example: str = ""  # of such a text
    networks: bool = False  # whether a text holds addresses and networks
    between: str = ""  # a regular expression of what separates its values, where it holds several


def _m(section: str, doc: str, **more: object) -> Meta:
    return Meta(section, doc, **more)  # type: ignore[arg-type]  # the fields of Meta, whose types differ


class Settings(NamedTuple):
    """All settings with their values. Paths are as given; empty text means "not set"."""

    # fmt: off
    # Schedule
    interval: Annotated[int, _m("Schedule", "Time from the end of one scheduled session to the start of the next.", unit="s", live=True, web=True, low=1)] = 3600
    schedule_cron: Annotated[str, _m("Schedule", "A cron expression, such as 0 */2 * * *, in local time; when it is set, sessions start by it and not by the interval.", live=True, web=True)] = ""
    quiet_hours: Annotated[str, _m("Schedule", "A daily time, such as 22:00-06:30 in local time, in which scheduled sessions wait; what people, alerts and incidents ask for starts all the same.", live=True, web=True, form=r"([01]?\d|2[0-3]):[0-5]\d\s*-\s*([01]?\d|2[0-3]):[0-5]\d", example="22:00-06:30")] = ""
    schedule_enabled: Annotated[bool, _m("Schedule", "Whether sessions start by the interval; manual ones always can.", live=True, web=True)] = True
    # Sessions
    claude_bin: Annotated[str, _m("Sessions", "The command that sessions run.", web=True)] = "claude"
    session_timeout: Annotated[int, _m("Sessions", "A session that runs longer is stopped and marked timed_out.", unit="s", live=True, web=True, low=1)] = 1800
    session_max_bytes: Annotated[int, _m("Sessions", "A session whose log grows beyond this is stopped.", unit="B", live=True, low=65536)] = 268435456
    session_max_budget_usd: Annotated[float, _m("Sessions", "What one session may spend at most; 0 sets no limit.", unit="USD", live=True, web=True, low=0)] = 0.0
    free_disk_min: Annotated[int, _m("Sessions", "No session starts with less free space than this beneath the state or results directory.", unit="B", live=True, low=0)] = 67108864
    stop_grace_int: Annotated[float, _m("Sessions", "Time between SIGINT and SIGTERM when a session is stopped; the CLI uses it to report its cost.", unit="s", live=True, low=0)] = 5.0
    stop_grace_term: Annotated[float, _m("Sessions", "Time between SIGTERM and SIGKILL when a session is stopped.", unit="s", live=True, low=0)] = 3.0
    max_tier: Annotated[int, _m("Sessions", "The highest tier that may run.", live=True, web=True, low=1, high=3)] = 3
    dry_run: Annotated[bool, _m("Sessions", "Observe only: nothing is escalated or changed.", live=True, web=True)] = False
    escalation_resume: Annotated[bool, _m("Sessions", "Whether a higher tier goes on in the conversation of the tier before, and not only with what that handed over.", live=True)] = True
    verbose: Annotated[bool, _m("Sessions", "Kept for the existing program's environment files; has no effect.")] = False
    tier1_model: Annotated[str, _m("Models", "Model of tier 1.", live=True, web=True)] = "haiku"
    tier2_model: Annotated[str, _m("Models", "Model of tier 2.", live=True, web=True)] = "sonnet"
    tier3_model: Annotated[str, _m("Models", "Model of tier 3.", live=True, web=True)] = "opus"
    summary_model: Annotated[str, _m("Models", "Model that writes summaries; a full model id.", live=True)] = HAIKU
    webhook_model: Annotated[str, _m("Models", "Model that turns an alert into a prompt; a full model id.", live=True)] = HAIKU
    # Prompts
    prompt: Annotated[str, _m("Prompts", "Prompt file of tier 1, read at each run; a relative path is resolved from CLAUDEOPS_APP_DIR.", live=True)] = "/app/prompts/tier1-observe.md"
    tier2_prompt: Annotated[str, _m("Prompts", "Prompt file of tier 2.", live=True)] = "/app/prompts/tier2-investigate.md"
    tier3_prompt: Annotated[str, _m("Prompts", "Prompt file of tier 3.", live=True)] = "/app/prompts/tier3-remediate.md"
    app_dir: Annotated[str, _m("Prompts", "Working directory of sessions, and where relative prompt paths start.")] = "/app"
    schema_path: Annotated[str, _m("Prompts", "JSON Schema of a session's structured output; used when the file exists.", live=True)] = "/app/schemas/agent-response.json"
    webhook_system_prompt: Annotated[str, _m("Prompts", "Replaces the built-in prompt that turns an alert into a session's prompt.", live=True)] = ""
    memory_budget: Annotated[int, _m("Prompts", "How much operational memory a prompt may carry; 0 or less turns it off.", unit="tokens", live=True)] = 2000
    browser_allowed_origins: Annotated[str, _m("Prompts", "Origins that a session's browser may open, told to the session.", live=True)] = ""
    mcp_config: Annotated[str, _m("Prompts", "MCP servers of every session; used when the file exists.")] = "/app/.claude/mcp.json"
    # Tools
    allowed_tools: Annotated[str, _m("Tools", "Tools of tier 1, and of any tier whose own list is empty.", live=True)] = TOOLS_READING
    disallowed_tools: Annotated[str, _m("Tools", "Tool patterns denied at tier 1, and at any tier whose own list is empty.", live=True)] = DENIED_TIER1
    tier1_allowed_tools: Annotated[str, _m("Tools", "Tools of tier 1; empty falls back to CLAUDEOPS_ALLOWED_TOOLS.", live=True)] = ""
    tier1_disallowed_tools: Annotated[str, _m("Tools", "Tool patterns denied at tier 1; empty falls back to CLAUDEOPS_DISALLOWED_TOOLS.", live=True)] = ""
    tier2_allowed_tools: Annotated[str, _m("Tools", "Tools of tier 2.", live=True)] = TOOLS_WRITING
    tier2_disallowed_tools: Annotated[str, _m("Tools", "Tool patterns denied at tier 2.", live=True)] = DENIED_TIER2
    tier3_allowed_tools: Annotated[str, _m("Tools", "Tools of tier 3.", live=True)] = TOOLS_WRITING
    tier3_disallowed_tools: Annotated[str, _m("Tools", "Tool patterns denied at tier 3.", live=True)] = DENIED_TIER3
    session_env: Annotated[str, _m("Tools", "Names of further environment variables that are handed to sessions.", live=True)] = "HTTP_PROXY,HTTPS_PROXY,NO_PROXY,SSL_CERT_FILE,KUBECONFIG,DOCKER_HOST,API_TIMEOUT_MS,CLAUDE_CODE_MAX_RETRIES"
    mcp_reading: Annotated[str, _m("Tools", "MCP tools that only read and so run without asking, such as mcp__grafana__query; a * at the end stands for any further letters.", live=True)] = ""
    mcp_replace: Annotated[bool, _m("Tools", "Whether a mounted repository may replace an MCP server of CLAUDEOPS_MCP_CONFIG; its own servers it always adds.", live=True)] = True
    # Limits
    cooldown_restarts: Annotated[int, _m("Limits", "Restarts allowed to one service within the window.", unit="restarts", live=True, web=True, low=0)] = 2
    cooldown_restart_window: Annotated[int, _m("Limits", "Window of the restarts.", unit="s", live=True, web=True, low=1)] = 14400
    cooldown_redeployments: Annotated[int, _m("Limits", "Redeployments allowed to one service within the window.", unit="redeployments", live=True, web=True, low=0)] = 1
    cooldown_redeployment_window: Annotated[int, _m("Limits", "Window of the redeployments.", unit="s", live=True, web=True, low=1)] = 86400
    cooldown_healthy_checks: Annotated[int, _m("Limits", "Healthy checks in a row that clear a service's counters.", unit="checks", live=True, web=True, low=1)] = 2
    budget_day_usd: Annotated[float, _m("Limits", "What all sessions of a day (UTC) may spend; then only people start any. 0 sets no limit.", unit="USD", live=True, web=True, low=0)] = 0.0
    tier1_budget_day_usd: Annotated[float, _m("Limits", "The same for tier 1.", unit="USD", live=True, web=True, low=0)] = 0.0
    tier2_budget_day_usd: Annotated[float, _m("Limits", "The same for tier 2.", unit="USD", live=True, web=True, low=0)] = 0.0
    tier3_budget_day_usd: Annotated[float, _m("Limits", "The same for tier 3.", unit="USD", live=True, web=True, low=0)] = 0.0
    calls_max: Annotated[int, _m("Limits", "Tool calls allowed to one session; then each is denied.", unit="calls", live=True, low=1)] = 400
    repeat_max: Annotated[int, _m("Limits", "How often a session may make the very same call; a session that goes on is stopped.", unit="calls", live=True, low=1)] = 8
    approval_hold: Annotated[float, _m("Limits", "How long a call that needs a person waits for one who is present, before its session is put aside.", unit="s", live=True, low=0, high=300)] = 20.0
    approval_expires: Annotated[int, _m("Limits", "How long a call may wait for a person; then it counts as denied.", unit="s", live=True, web=True, low=60)] = 86400
    # Services
    probes_at_once: Annotated[int, _m("Services", "How many services are probed at the same time.", unit="probes", live=True, low=1, high=5000)] = 250
    services_file: Annotated[str, _m("Services", "A YAML file of services, or a directory of such files; read at start and whenever one changes. What it describes can't be changed elsewhere.", live=True)] = ""
    probe_link_local: Annotated[bool, _m("Services", "Whether link-local and metadata addresses, such as 169.254.169.254, may be probed; they give away a cloud host's credentials.", live=True)] = False
    probe_commands: Annotated[bool, _m("Services", "Whether services may be checked by commands; whoever may add a service then runs commands as the daemon's user.", live=True)] = False
    connectivity_targets: Annotated[str, _m("Services", "Addresses, such as 192.0.2.1:53, gateway.example.org:443, of which this host has to reach one; while it reaches none, failures that its probes find count for nothing.", live=True)] = ""
    incident_tier: Annotated[int, _m("Services", "The tier of the session that an incident starts; 0 starts none. Services and CLAUDEOPS_SERVICE_RULES may say otherwise.", live=True, low=0, high=3)] = 0
    incident_after: Annotated[int, _m("Services", "How many failures in a row start that session, where the service is down.", unit="failures", live=True, low=1, high=1000)] = 1
    incident_cooldown: Annotated[int, _m("Services", "How long after a service's last session its next incident may start one.", unit="s", live=True, low=0)] = 3600
    incident_remind: Annotated[int, _m("Services", "How often people are told again of an incident that nobody looks after; 0 tells them once.", unit="s", live=True, low=0)] = 14400
    service_rules: Annotated[str, _m("Services", "What holds for the services of a tag (* is all) instead, such as prod=tier:2+after:3+cooldown:2h+remind:30m+notify:slack|ntfy+from:warning, lab=mute.", live=True)] = ""
    # Places
    state_dir: Annotated[str, _m("Places", "Database, run directories and the sessions' HOME.", web=True)] = "/state"
    results_dir: Annotated[str, _m("Places", "Session logs.", web=True)] = "/results"
    repos_dir: Annotated[str, _m("Places", "Mounted repositories.")] = "/repos"
    runtime_dir: Annotated[str, _m("Places", "Sockets, lock and status file; a path of at most 90 bytes. Empty: $RUNTIME_DIRECTORY, else <state directory>/run.", web=True)] = ""
    env_file: Annotated[str, _m("Places", "A file of NAME=value lines, read at start and again on SIGHUP; it wins over the environment.")] = ""
    # Keeping house
    keep_sessions_days: Annotated[int, _m("Keeping house", "How long an ended session's texts, calls and approvals are kept, with its whole chain; 0 keeps them for ever.", unit="days", live=True, low=0)] = 365
    keep_logs_days: Annotated[int, _m("Keeping house", "How long the log of an ended session is kept; 0 sets no bound.", unit="days", live=True, low=0)] = 90
    keep_logs_max_mb: Annotated[int, _m("Keeping house", "How much the logs of ended sessions may take up; the oldest go first. 0 sets no bound.", unit="MB", live=True, low=0)] = 10240
    keep_events_days: Annotated[int, _m("Keeping house", "How long events are kept; 0 keeps them for ever.", unit="days", live=True, low=0)] = 365
    keep_checks_days: Annotated[int, _m("Keeping house", "How long health checks are kept; 0 keeps them for ever.", unit="days", live=True, low=0)] = 90
    keep_notifications_days: Annotated[int, _m("Keeping house", "How long notifications are kept that have reached every channel, or were given up; 0 keeps them for ever.", unit="days", live=True, low=0)] = 30
    keep_results_days: Annotated[int, _m("Keeping house", "How long each single finding of a probed service is kept; then its sums tell of it. 0 keeps them for ever.", unit="days", live=True, low=0)] = 2
    keep_minute_sums_days: Annotated[int, _m("Keeping house", "How long sums of findings by the minute are kept; 0 keeps them for ever.", unit="days", live=True, low=0)] = 14
    keep_hour_sums_days: Annotated[int, _m("Keeping house", "How long sums of findings by the hour, and changes of status, are kept; 0 keeps them for ever.", unit="days", live=True, low=0)] = 400
    keep_day_sums_days: Annotated[int, _m("Keeping house", "How long sums of findings by the day are kept; 0 keeps them for ever.", unit="days", live=True, low=0)] = 0
    keep_database_max_mb: Annotated[int, _m("Keeping house", "How much of its file the database may use; beyond it the oldest rows go, day by day, whatever their days say, but none of the last 24 hours. 0 sets no bound.", unit="MB", live=True, low=0)] = 4096
    keep_transcripts_days: Annotated[int, _m("Keeping house", "How long the claude CLI's own files below the sessions' HOME are kept; 0 keeps them for ever.", unit="days", live=True, low=0)] = 30
    backup_keep: Annotated[int, _m("Keeping house", "How many nightly backups are kept below the state directory; 0 makes none.", unit="backups", live=True, low=0, high=1000)] = 7
    # Dashboard
    dashboard_host: Annotated[str, _m("Dashboard", "Address that the dashboard listens on.", web=True)] = "0.0.0.0"
    dashboard_port: Annotated[int, _m("Dashboard", "Port that the dashboard listens on.", web=True, low=0, high=65535)] = 8080
    public_url: Annotated[str, _m("Dashboard", "How browsers reach the dashboard, such as https://ops.example.org; makes cookies Secure and is used in links.", web=True, form=ADDRESS, example="https://ops.example.org")] = ""
    tls_cert: Annotated[str, _m("Dashboard", "A PEM file with the dashboard's certificate and those between it and its root; with it, the dashboard speaks HTTPS alone. Read anew when it changes.", web=True)] = ""
    tls_key: Annotated[str, _m("Dashboard", "The PEM file with the certificate's private key, without a password; empty means that it stands in CLAUDEOPS_TLS_CERT too.", web=True)] = ""
    hsts_days: Annotated[int, _m("Dashboard", "How long browsers that were here by HTTPS ask this host for nothing else, whatever the port; 0 leaves it to them.", unit="days", web=True, low=0, high=3650)] = 30
    trusted_proxies: Annotated[str, _m("Dashboard", "Addresses or networks of the reverse proxies that are believed when they say for whom they ask (X-Forwarded-For, -Proto and -Host, or Forwarded); whatever others say is left aside.", web=True, networks=True)] = "127.0.0.0/8,::1"
    sign_in_days: Annotated[int, _m("Dashboard", "How long a sign-in lasts without use.", unit="days", web=True, low=1)] = 14
    sign_in_max_days: Annotated[int, _m("Dashboard", "How long a sign-in lasts however much it is used; then the password is asked for again.", unit="days", low=1)] = 90
    panel_scripts: Annotated[bool, _m("Dashboard", "Whether scripts run in the panels that mounted repositories contribute; they reach neither the dashboard nor the network.", live=True)] = False
    sse_clients_max: Annotated[int, _m("Dashboard", "Live connections at one time, over all pages.", web=True, low=1)] = 500
    # Supervision
    heartbeat_timeout: Annotated[float, _m("Supervision", "A worker or web process silent for this long is aborted, then killed.", unit="s", low=1)] = 10.0
    restart_limit: Annotated[int, _m("Supervision", "Restarts allowed to one process within CLAUDEOPS_RESTART_WINDOW.", low=1)] = 10
    restart_window: Annotated[float, _m("Supervision", "Window of the restart limit.", unit="s", low=1)] = 300.0
    stop_timeout: Annotated[float, _m("Supervision", "How long a stop may take before what is left is killed.", unit="s", low=1)] = 30.0
    # Logs
    log_format: Annotated[str, _m("Logs", "How the daemon's own log is written: text, or json, one object a line.", choices=("text", "json"))] = "text"
    log_file: Annotated[str, _m("Logs", "A file that the daemon's own log goes to besides standard error.")] = ""
    log_max_bytes: Annotated[int, _m("Logs", "How large that file may grow before it is begun anew.", unit="B", low=65536)] = 10485760
    log_keep: Annotated[int, _m("Logs", "How many earlier ones are kept, as <file>.1 and on.", unit="files", low=0, high=1000)] = 5
    # Notifications and integrations
    apprise_urls: Annotated[str, _m("Notifications", "Notification channels: apprise URLs with commas between them.", secret=True, between=URLS)] = ""
    webhook_urls: Annotated[str, _m("Notifications", "Notification channels that are programs: http(s) URLs with commas between them, to which notifications are posted as signed JSON.", secret=True, between=WORDS)] = ""
    webhook_signing_secret: Annotated[str, _m("Notifications", "What these posts are signed with: any text, or whsec_ and base64.", secret=True)] = ""
    notify_level: Annotated[str, _m("Notifications", "The lowest level that channels are told.", live=True, choices=("info", "warning", "critical"))] = "warning"
    notify_rules: Annotated[str, _m("Notifications", "What single channels are told instead, such as mailto=digest+budget, ntfy=critical: levels and kinds (event, service, attention, session, approval, budget, daemon, digest), or none.", live=True)] = ""
    notify_rate: Annotated[int, _m("Notifications", "Messages a minute to one channel; what is more is gathered into messages of many. 0 sets no limit.", unit="messages", live=True, low=0)] = 10
    notify_quiet_hours: Annotated[str, _m("Notifications", "A daily time, such as 22:00-06:30 in local time, in which only what is critical is sent, and that it is over; the rest comes after it.", live=True, form=r"([01]?\d|2[0-3]):[0-5]\d\s*-\s*([01]?\d|2[0-3]):[0-5]\d", example="22:00-06:30")] = ""
    notify_digest_at: Annotated[str, _m("Notifications", "When the digest of the last 24 hours is sent each day, such as 08:00 in local time; empty sends none.", live=True, form=r"([01]?\d|2[0-3]):[0-5]\d", example="08:00")] = ""
    chat_api_key: Annotated[str, _m("Integrations", "Bearer key of the chat and webhook endpoints.", secret=True)] = ""
    chat_wait: Annotated[float, _m("Integrations", "How long a chat waits for its session to start, before it is told what keeps the tier busy.", unit="s", web=True, low=0, high=3600)] = 60.0
    chat_timeout: Annotated[float, _m("Integrations", "How long a chat that is not streamed waits for its answer; then it is told which session still runs.", unit="s", web=True, low=1, high=86400)] = 540.0
    chat_tool_calls: Annotated[bool, _m("Integrations", "Whether a streamed chat of the OpenAI kind shows the tools that the session uses as tool_calls.", web=True)] = True
    webhook_secret: Annotated[str, _m("Integrations", "What senders of webhooks sign their bodies with (HMAC-SHA256); more than one with commas between them.", secret=True, between=COMMAS)] = ""
    webhook_queue_max: Annotated[int, _m("Integrations", "How many alerts may wait in the queue; one more is answered 429, to be sent again.", unit="alerts", live=True, low=1, high=100000)] = 500
    anthropic_api_key: Annotated[str, _m("Integrations", "Key of the Messages API, handed to sessions.", secret=True, env="ANTHROPIC_API_KEY")] = ""
    anthropic_auth_token: Annotated[str, _m("Integrations", "Bearer token of the Messages API, handed to sessions.", secret=True, env="ANTHROPIC_AUTH_TOKEN")] = ""
    claude_code_oauth_token: Annotated[str, _m("Integrations", "Subscription token of the claude CLI, handed to sessions.", secret=True, env="CLAUDE_CODE_OAUTH_TOKEN")] = ""
    anthropic_base_url: Annotated[str, _m("Integrations", "Messages API endpoint; empty means Anthropic's.", env="ANTHROPIC_BASE_URL")] = ""
    github_token: Annotated[str, _m("Integrations", "Handed to sessions.", secret=True, env="GITHUB_TOKEN")] = ""
    gitea_url: Annotated[str, _m("Integrations", "Handed to sessions.", env="GITEA_URL")] = ""
    gitea_token: Annotated[str, _m("Integrations", "Handed to sessions.", secret=True, env="GITEA_TOKEN")] = ""
    pr_enabled: Annotated[bool, _m("Integrations", "Whether sessions may open pull requests; told to sessions.", live=True)] = False
    # Demo
    demo: Annotated[bool, _m("Demo", "Says on every page that the model's words are scripted.", web=True)] = False
    # fmt: on
