# Completion of claudeopsctl; generated, see `claudeopsctl completion`.
_claudeopsctl() {
    local typed="" word words="" last="${COMP_WORDS[COMP_CWORD-1]}"
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] && continue
        [[ "|approvals|audit|config|events|incidents|maintenance|memories|notifications|services|sessions|status-pages|token|triggers|users|approvals approve|approvals deny|approvals list|approvals revoke|approvals rules|approvals show|audit list|audit verify|backup|check-command|completion|config get|config list|config reset|config set|cooldowns|cooldowns clear|cost|doctor|events list|export|health|housekeep|import|incidents ack|incidents list|incidents note|incidents show|logs|maintenance add|maintenance list|maintenance rm|mcp|memories add|memories delete|memories edit|memories export|memories list|notifications list|notifications retry|notifications test|reload|repositories|restart|restore|services add|services edit|services export|services history|services import|services list|services pause|services push-url|services resume|services rm|services show|services test|sessions chain|sessions list|sessions show|sessions stop|sessions tail|sessions trigger|setup-link|status|status-pages add|status-pages edit|status-pages list|status-pages rm|stop|token create|token list|token revoke|triggers add|triggers cancel|triggers list|users add|users disable|users enable|users list|users password-link|users role|version|" == *"|${typed:+$typed }$word|"* ]] || continue
        typed="${typed:+$typed }$word"
    done
    case "$typed" in
        "") words="approvals audit backup check-command completion config cooldowns cost doctor events export health housekeep import incidents logs maintenance mcp memories notifications reload repositories restart restore services sessions setup-link status status-pages stop token triggers users version" ;;
        "approvals") words="approve deny list revoke rules show" ;;
        "audit") words="list verify" ;;
        "config") words="get list reset set" ;;
        "events") words="list" ;;
        "incidents") words="ack list note show" ;;
        "maintenance") words="add list rm" ;;
        "memories") words="add delete edit export list" ;;
        "notifications") words="list retry test" ;;
        "services") words="add edit export history import list pause push-url resume rm show test" ;;
        "sessions") words="chain list show stop tail trigger" ;;
        "status-pages") words="add edit list rm" ;;
        "token") words="create list revoke" ;;
        "triggers") words="add cancel list" ;;
        "users") words="add disable enable list password-link role" ;;
        "approvals approve") words="--expires --help --host --json --remember --runtime-dir --tier" ;;
        "approvals deny") words="--help --json --reason --runtime-dir" ;;
        "approvals list") words="--all --before --help --json --limit --runtime-dir --status" ;;
        "approvals revoke") words="--help --json --runtime-dir" ;;
        "approvals rules") words="--all --help --json --runtime-dir" ;;
        "approvals show") words="--help --json --runtime-dir" ;;
        "audit list") words="--action --before --help --json --limit --runtime-dir --session" ;;
        "audit verify") words="--database --head --help --json --runtime-dir" ;;
        "backup") words="--help --json --runtime-dir --to" ;;
        "check-command") words="--help --json --runtime-dir --tier" ;;
        "completion") words="--help --json --runtime-dir bash fish zsh" ;;
        "config get") words="--help --json --runtime-dir allowed_tools anthropic_api_key anthropic_auth_token anthropic_base_url app_dir apprise_urls approval_expires approval_hold backup_keep browser_allowed_origins budget_day_usd calls_max chat_api_key chat_timeout chat_tool_calls chat_wait claude_bin claude_code_oauth_token connectivity_targets cooldown_healthy_checks cooldown_redeployment_window cooldown_redeployments cooldown_restart_window cooldown_restarts dashboard_host dashboard_port demo disallowed_tools dry_run env_file escalation_resume free_disk_min gitea_token gitea_url github_token heartbeat_timeout hsts_days incident_after incident_cooldown incident_remind incident_tier interval keep_checks_days keep_database_max_mb keep_day_sums_days keep_events_days keep_hour_sums_days keep_logs_days keep_logs_max_mb keep_minute_sums_days keep_notifications_days keep_results_days keep_sessions_days keep_transcripts_days log_file log_format log_keep log_max_bytes max_tier mcp_config mcp_reading mcp_replace memory_budget notify_digest_at notify_level notify_quiet_hours notify_rate notify_rules panel_scripts pr_enabled probe_commands probe_link_local probes_at_once prompt public_url quiet_hours repeat_max repos_dir restart_limit restart_window results_dir runtime_dir schedule_cron schedule_enabled schema_path service_rules services_file session_env session_max_budget_usd session_max_bytes session_timeout sign_in_days sse_clients_max state_dir stop_grace_int stop_grace_term stop_timeout summary_model tier1_allowed_tools tier1_budget_day_usd tier1_disallowed_tools tier1_model tier2_allowed_tools tier2_budget_day_usd tier2_disallowed_tools tier2_model tier2_prompt tier3_allowed_tools tier3_budget_day_usd tier3_disallowed_tools tier3_model tier3_prompt tls_cert tls_key trusted_proxies verbose webhook_model webhook_queue_max webhook_secret webhook_signing_secret webhook_system_prompt webhook_urls" ;;
        "config list") words="--help --json --runtime-dir" ;;
        "config reset") words="--help --json --runtime-dir allowed_tools anthropic_api_key anthropic_auth_token anthropic_base_url app_dir apprise_urls approval_expires approval_hold backup_keep browser_allowed_origins budget_day_usd calls_max chat_api_key chat_timeout chat_tool_calls chat_wait claude_bin claude_code_oauth_token connectivity_targets cooldown_healthy_checks cooldown_redeployment_window cooldown_redeployments cooldown_restart_window cooldown_restarts dashboard_host dashboard_port demo disallowed_tools dry_run env_file escalation_resume free_disk_min gitea_token gitea_url github_token heartbeat_timeout hsts_days incident_after incident_cooldown incident_remind incident_tier interval keep_checks_days keep_database_max_mb keep_day_sums_days keep_events_days keep_hour_sums_days keep_logs_days keep_logs_max_mb keep_minute_sums_days keep_notifications_days keep_results_days keep_sessions_days keep_transcripts_days log_file log_format log_keep log_max_bytes max_tier mcp_config mcp_reading mcp_replace memory_budget notify_digest_at notify_level notify_quiet_hours notify_rate notify_rules panel_scripts pr_enabled probe_commands probe_link_local probes_at_once prompt public_url quiet_hours repeat_max repos_dir restart_limit restart_window results_dir runtime_dir schedule_cron schedule_enabled schema_path service_rules services_file session_env session_max_budget_usd session_max_bytes session_timeout sign_in_days sse_clients_max state_dir stop_grace_int stop_grace_term stop_timeout summary_model tier1_allowed_tools tier1_budget_day_usd tier1_disallowed_tools tier1_model tier2_allowed_tools tier2_budget_day_usd tier2_disallowed_tools tier2_model tier2_prompt tier3_allowed_tools tier3_budget_day_usd tier3_disallowed_tools tier3_model tier3_prompt tls_cert tls_key trusted_proxies verbose webhook_model webhook_queue_max webhook_secret webhook_signing_secret webhook_system_prompt webhook_urls" ;;
        "config set") words="--help --json --runtime-dir allowed_tools anthropic_api_key anthropic_auth_token anthropic_base_url app_dir apprise_urls approval_expires approval_hold backup_keep browser_allowed_origins budget_day_usd calls_max chat_api_key chat_timeout chat_tool_calls chat_wait claude_bin claude_code_oauth_token connectivity_targets cooldown_healthy_checks cooldown_redeployment_window cooldown_redeployments cooldown_restart_window cooldown_restarts dashboard_host dashboard_port demo disallowed_tools dry_run env_file escalation_resume free_disk_min gitea_token gitea_url github_token heartbeat_timeout hsts_days incident_after incident_cooldown incident_remind incident_tier interval keep_checks_days keep_database_max_mb keep_day_sums_days keep_events_days keep_hour_sums_days keep_logs_days keep_logs_max_mb keep_minute_sums_days keep_notifications_days keep_results_days keep_sessions_days keep_transcripts_days log_file log_format log_keep log_max_bytes max_tier mcp_config mcp_reading mcp_replace memory_budget notify_digest_at notify_level notify_quiet_hours notify_rate notify_rules panel_scripts pr_enabled probe_commands probe_link_local probes_at_once prompt public_url quiet_hours repeat_max repos_dir restart_limit restart_window results_dir runtime_dir schedule_cron schedule_enabled schema_path service_rules services_file session_env session_max_budget_usd session_max_bytes session_timeout sign_in_days sse_clients_max state_dir stop_grace_int stop_grace_term stop_timeout summary_model tier1_allowed_tools tier1_budget_day_usd tier1_disallowed_tools tier1_model tier2_allowed_tools tier2_budget_day_usd tier2_disallowed_tools tier2_model tier2_prompt tier3_allowed_tools tier3_budget_day_usd tier3_disallowed_tools tier3_model tier3_prompt tls_cert tls_key trusted_proxies verbose webhook_model webhook_queue_max webhook_secret webhook_signing_secret webhook_system_prompt webhook_urls" ;;
        "cooldowns") words="--help --json --runtime-dir clear" ;;
        "cooldowns clear") words="--help --json --runtime-dir" ;;
        "cost") words="--days --help --json --runtime-dir" ;;
        "doctor") words="--help --json --runtime-dir --state-dir" ;;
        "events list") words="--before --follow --help --json --level --limit --runtime-dir --service --session" ;;
        "export") words="--help --json --runtime-dir --to" ;;
        "health") words="--help --json --runtime-dir" ;;
        "housekeep") words="--dry-run --help --json --runtime-dir" ;;
        "import") words="--dry-run --help --json --runtime-dir" ;;
        "incidents ack") words="--help --json --note --runtime-dir" ;;
        "incidents list") words="--before --help --json --limit --open --runtime-dir --service" ;;
        "incidents note") words="--help --json --runtime-dir" ;;
        "incidents show") words="--help --json --runtime-dir" ;;
        "logs") words="--follow --help --json --lines --runtime-dir" ;;
        "maintenance add") words="--cron --for --help --json --runtime-dir --service --start --tag --title --zone" ;;
        "maintenance list") words="--help --json --runtime-dir" ;;
        "maintenance rm") words="--help --json --runtime-dir" ;;
        "mcp") words="--help --json --runtime-dir" ;;
        "memories add") words="--category --confidence --help --json --runtime-dir --service" ;;
        "memories delete") words="--help --json --runtime-dir" ;;
        "memories edit") words="--active --category --confidence --help --json --observation --runtime-dir --service" ;;
        "memories export") words="--all --category --format --help --json --runtime-dir --service" ;;
        "memories list") words="--all --category --help --json --limit --runtime-dir --service" ;;
        "notifications list") words="--before --help --json --limit --runtime-dir" ;;
        "notifications retry") words="--channel --help --json --runtime-dir" ;;
        "notifications test") words="--channel --help --json --runtime-dir" ;;
        "reload") words="--help --json --runtime-dir" ;;
        "repositories") words="--help --json --runtime-dir" ;;
        "restart") words="--help --json --runtime-dir web worker" ;;
        "restore") words="--help --json --runtime-dir --state-dir" ;;
        "services add") words="--body --condition --description --family --group --header --help --interval --json --method --mute --name --needs --no-redirects --no-verify --notify --notify-from --paused --proxy --remind --retries --retry-interval --runtime-dir --session-after --session-cooldown --session-tier --tag --timeout --url --warning" ;;
        "services edit") words="--body --condition --description --family --group --header --help --interval --json --method --mute --name --needs --no-redirects --no-verify --notify --notify-from --proxy --remind --reset --retries --retry-interval --runtime-dir --session-after --session-cooldown --session-tier --tag --timeout --url --warning" ;;
        "services export") words="--help --json --runtime-dir --to" ;;
        "services history") words="--before --help --json --limit --runtime-dir" ;;
        "services import") words="--dry-run --help --json --prune --runtime-dir" ;;
        "services list") words="--help --json --runtime-dir --status --tag" ;;
        "services pause") words="--help --json --runtime-dir --tag" ;;
        "services push-url") words="--help --json --runtime-dir" ;;
        "services resume") words="--help --json --runtime-dir --tag" ;;
        "services rm") words="--help --json --runtime-dir --tag" ;;
        "services show") words="--help --json --runtime-dir" ;;
        "services test") words="--condition --help --json --runtime-dir --timeout --url" ;;
        "sessions chain") words="--help --json --runtime-dir" ;;
        "sessions list") words="--before --help --json --limit --runtime-dir --status --tier --trigger" ;;
        "sessions show") words="--help --json --runtime-dir" ;;
        "sessions stop") words="--help --json --runtime-dir --timeout --wait" ;;
        "sessions tail") words="--follow --help --json --pretty --raw --runtime-dir" ;;
        "sessions trigger") words="--help --json --prompt --prompt-file --queue --runtime-dir --tier --timeout --wait" ;;
        "setup-link") words="--help --json --runtime-dir" ;;
        "status") words="--help --json --runtime-dir" ;;
        "status-pages add") words="--description --group --help --json --publish --runtime-dir --service --tag --title" ;;
        "status-pages edit") words="--description --group --help --json --publish --runtime-dir --service --slug --tag --title --unpublish" ;;
        "status-pages list") words="--help --json --runtime-dir" ;;
        "status-pages rm") words="--help --json --runtime-dir" ;;
        "stop") words="--help --json --no-wait --runtime-dir --timeout" ;;
        "token create") words="--expires --help --json --name --role --runtime-dir --scope" ;;
        "token list") words="--all --help --json --runtime-dir" ;;
        "token revoke") words="--help --json --runtime-dir" ;;
        "triggers add") words="--help --json --key --kind --prompt --prompt-file --runtime-dir --tier --timeout --wait" ;;
        "triggers cancel") words="--help --json --runtime-dir" ;;
        "triggers list") words="--before --help --json --limit --runtime-dir --status" ;;
        "users add") words="--help --json --role --runtime-dir" ;;
        "users disable") words="--help --json --runtime-dir" ;;
        "users enable") words="--help --json --runtime-dir" ;;
        "users list") words="--help --json --runtime-dir" ;;
        "users password-link") words="--help --json --runtime-dir" ;;
        "users role") words="--help --json --runtime-dir admin operator viewer" ;;
        "version") words="--help --json --runtime-dir" ;;
    esac
    case "$typed $last" in
        "approvals approve --tier") words="1 2 3" ;;
        "approvals list --status") words="waiting approved denied expired cancelled used" ;;
        "check-command --tier") words="1 2 3" ;;
        "events list --level") words="info warning critical" ;;
        "memories edit --active") words="yes no" ;;
        "memories export --format") words="json markdown" ;;
        "services add --family") words="4 6" ;;
        "services add --session-tier") words="0 1 2 3" ;;
        "services add --mute") words="yes no" ;;
        "services add --notify-from") words="critical warning" ;;
        "services edit --family") words="4 6" ;;
        "services edit --session-tier") words="0 1 2 3" ;;
        "services edit --mute") words="yes no" ;;
        "services edit --notify-from") words="critical warning" ;;
        "services edit --reset") words="rule session-tier session-after session-cooldown remind mute notify notify-from interval timeout retries retry-interval condition warning tag group needs description method header body redirects verify proxy family" ;;
        "services list --status") words="unknown pending healthy degraded down timeout blocked maintenance paused" ;;
        "sessions list --status") words="running completed failed timed_out stopped interrupted escalated awaiting_approval" ;;
        "sessions list --tier") words="1 2 3" ;;
        "sessions list --trigger") words="scheduled manual api alert service escalation approval" ;;
        "token create --role") words="viewer operator admin" ;;
        "token create --scope") words="read act metrics" ;;
        "triggers add --kind") words="manual api alert" ;;
        "triggers list --status") words="waiting started cancelled refused" ;;
        "users add --role") words="viewer operator admin" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _claudeopsctl claudeopsctl
