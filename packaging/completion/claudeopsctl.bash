# Completion of claudeopsctl; generated, see `claudeopsctl completion`.
_claudeopsctl() {
    local typed="" word words=""
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] && continue
        [[ " backup completion config doctor get list logs reload reset restart sessions set setup-link show status stop tail trigger version " == *" $word "* ]] || continue
        typed="${typed:+$typed }$word"
    done
    case "$typed" in
        "") words="backup completion config doctor logs reload restart sessions setup-link status stop version" ;;
        "config") words="get list reset set" ;;
        "sessions") words="list show stop tail trigger" ;;
        "backup") words="--help --json --runtime-dir" ;;
        "completion") words="--help --json --runtime-dir bash fish zsh" ;;
        "config get") words="--help --json --runtime-dir allowed_tools anthropic_api_key anthropic_auth_token anthropic_base_url app_dir apprise_urls bash_allowed browser_allowed_origins chat_api_key claude_bin claude_code_oauth_token dashboard_host dashboard_port demo disallowed_tools dry_run env_file free_disk_min gitea_token gitea_url github_token heartbeat_timeout interval max_tier mcp_config memory_budget pr_enabled prompt public_url repos_dir restart_limit restart_window results_dir runtime_dir schedule_enabled schema_path session_env session_max_budget_usd session_max_bytes session_timeout sign_in_days sse_clients_max state_dir stop_grace_int stop_grace_term stop_timeout summary_model tier1_allowed_tools tier1_disallowed_tools tier1_model tier2_allowed_tools tier2_disallowed_tools tier2_model tier2_prompt tier3_allowed_tools tier3_disallowed_tools tier3_model tier3_prompt trusted_proxies verbose webhook_model webhook_system_prompt" ;;
        "config list") words="--help --json --runtime-dir" ;;
        "config reset") words="--help --json --runtime-dir allowed_tools anthropic_api_key anthropic_auth_token anthropic_base_url app_dir apprise_urls bash_allowed browser_allowed_origins chat_api_key claude_bin claude_code_oauth_token dashboard_host dashboard_port demo disallowed_tools dry_run env_file free_disk_min gitea_token gitea_url github_token heartbeat_timeout interval max_tier mcp_config memory_budget pr_enabled prompt public_url repos_dir restart_limit restart_window results_dir runtime_dir schedule_enabled schema_path session_env session_max_budget_usd session_max_bytes session_timeout sign_in_days sse_clients_max state_dir stop_grace_int stop_grace_term stop_timeout summary_model tier1_allowed_tools tier1_disallowed_tools tier1_model tier2_allowed_tools tier2_disallowed_tools tier2_model tier2_prompt tier3_allowed_tools tier3_disallowed_tools tier3_model tier3_prompt trusted_proxies verbose webhook_model webhook_system_prompt" ;;
        "config set") words="--help --json --runtime-dir allowed_tools anthropic_api_key anthropic_auth_token anthropic_base_url app_dir apprise_urls bash_allowed browser_allowed_origins chat_api_key claude_bin claude_code_oauth_token dashboard_host dashboard_port demo disallowed_tools dry_run env_file free_disk_min gitea_token gitea_url github_token heartbeat_timeout interval max_tier mcp_config memory_budget pr_enabled prompt public_url repos_dir restart_limit restart_window results_dir runtime_dir schedule_enabled schema_path session_env session_max_budget_usd session_max_bytes session_timeout sign_in_days sse_clients_max state_dir stop_grace_int stop_grace_term stop_timeout summary_model tier1_allowed_tools tier1_disallowed_tools tier1_model tier2_allowed_tools tier2_disallowed_tools tier2_model tier2_prompt tier3_allowed_tools tier3_disallowed_tools tier3_model tier3_prompt trusted_proxies verbose webhook_model webhook_system_prompt" ;;
        "doctor") words="--help --json --runtime-dir" ;;
        "logs") words="--follow --help --json --lines --runtime-dir" ;;
        "reload") words="--help --json --runtime-dir" ;;
        "restart") words="--help --json --runtime-dir web worker" ;;
        "sessions list") words="--before --help --json --limit --runtime-dir --status --tier --trigger" ;;
        "sessions show") words="--help --json --runtime-dir" ;;
        "sessions stop") words="--help --json --runtime-dir --timeout --wait" ;;
        "sessions tail") words="--follow --help --json --pretty --raw --runtime-dir" ;;
        "sessions trigger") words="--help --json --prompt --prompt-file --runtime-dir --tier --timeout --wait" ;;
        "setup-link") words="--help --json --runtime-dir" ;;
        "status") words="--help --json --runtime-dir" ;;
        "stop") words="--help --json --no-wait --runtime-dir --timeout" ;;
        "version") words="--help --json --runtime-dir" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _claudeopsctl claudeopsctl
