"""What is alike for all five: how the ERP is read and written, how secrets, waits, doubles and the trail are kept."""

from mlc_dagster_tests.statements.statement import Evidence

PARTITION_READ = "systems/ifs/reading/test_partition_read.py::"
SIGN_IN = "transport/test_sign_in.py::"

ODATA = Evidence(
    settings=("ifs.entity_sets", "ifs.catalogue"),
    commands=("mlc ping", "mlc discover"),
    code=("systems/ifs/client.py::IfsClient",),
    tests=(
        f"{PARTITION_READ}test_a_tenant_with_names_of_its_own_is_read_like_any_other",
        "systems/ifs/schema/test_metadata.py::test_every_read_of_rows_names_its_fields",
        "promises/test_c30_reading.py::test_c30_a_set_is_read_exactly_or_switched_off",
    ),
)
TENANT_ADDRESS = Evidence(
    settings=("ifs.base_url",),
    tests=(
        "settings/test_addresses.py::test_an_encrypted_address_or_one_of_this_machine_is_taken",
        "settings/test_addresses.py::test_an_address_below_a_proxy_is_the_tenants_too",
        "orchestration/test_tenants.py::test_every_tenant_gives_the_same_purchases",
    ),
)
SIGNED_IN = Evidence(
    settings=("ifs.token_url", "ifs.scope", "ifs.client_authentication"),
    secrets=("IFS_CLIENT_ID", "IFS_CLIENT_SECRET"),
    code=("transport/sign_in.py::ClientCredentials",),
    tests=(
        f"{SIGN_IN}test_the_grant_is_sent_as_the_endpoint_wants_it",
        f"{SIGN_IN}test_by_client_secret_basic_the_secret_stands_in_the_header_and_not_in_the_body",
    ),
)
RENEWED = Evidence(
    code=("transport/sign_in.py::ClientCredentials",),
    tests=(
        f"{SIGN_IN}test_a_token_is_renewed_at_five_sixths_of_what_was_announced",
        f"{SIGN_IN}test_a_token_that_dies_in_mid_page_and_in_the_retry_loop_is_renewed",
        "promises/test_c05_token.py::test_c5_a_token_that_lives_two_seconds_costs_no_call_and_one_renewal_for_each_expiry",
    ),
)
SEALED = Evidence(
    commands=("mlc credentials set", "mlc credentials rotate"),
    code=("ledger/credentials.py::sealed",),
    tests=(
        "ledger/test_vault.py::test_no_value_stands_in_the_database",
        "ledger/test_credentials.py::test_a_day_runs_on_secrets_from_the_vault_and_shows_none",
    ),
)
BY_STAMP = Evidence(
    settings=("ifs.entity_sets", "policies.look_back_minutes"),
    code=("systems/ifs/reading/partition_read.py::PartitionRead",),
    tests=(
        "systems/ifs/reading/test_modified_filter.py::"
        "test_a_day_is_asked_for_by_its_modified_timestamp_and_the_pull_keeps_filter_times_and_rows",
        f"{PARTITION_READ}test_a_tenant_without_a_modified_column_is_swept",
    ),
)
NO_EVENTS = Evidence(
    code=("orchestration/automation/jobs_and_schedules.py::changes_sensor",),
    tests=(
        "orchestration/test_location.py::test_the_sensor_requests_the_days_that_changed_and_only_once",
        "promises/test_c09_late.py::test_c9_a_row_that_appears_late_inside_the_look_back_has_its_day_read_again",
    ),
)
PAGED = Evidence(
    settings=("ifs.page_size",),
    code=("systems/ifs/reading/paging.py::PageWalk",),
    tests=(
        f"{PARTITION_READ}test_no_page_holds_more_elements_than_a_response_may_and_the_first_is_none_of_them",
        f"{PARTITION_READ}test_rows_with_one_timestamp_are_all_read_once_in_few_requests",
        f"{PARTITION_READ}test_an_order_with_more_lines_than_a_response_may_hold_is_read_whole",
    ),
)
NOTHING_LOST_PAGING = Evidence(
    tests=(
        "promises/test_c07_moving.py::test_c7_rows_that_move_while_paging_are_all_there_once_and_in_their_newest_version",
    )
)
RATE_OF_THE_ERP = Evidence(
    settings=("ifs.requests_per_minute",),
    code=("ledger/coordination/budgets.py::SharedBudget",),
    tests=(
        "promises/test_c03_busy.py::test_c3_no_window_holds_more_calls_than_the_limit_while_half_of_them_are_refused",
        "promises/test_c03_rates.py::test_c3_four_processes_at_once_never_pass_the_limit_of_a_key",
    ),
)
BACKED_OFF = Evidence(
    code=("transport/retries.py::Patience",),
    tests=(
        "transport/test_backoff.py::test_waits_double_up_to_a_most_and_lie_anywhere_between_nothing_and_that",
        "promises/test_c03_busy.py::test_c3_half_of_all_calls_429_for_a_minute_costs_twice_the_calls_and_capped_waits",
    ),
)
RESUMED = Evidence(
    code=("ledger/coordination/work.py::Work",),
    tests=("promises/test_c03_throttled.py::test_c3_a_read_that_is_throttled_is_read_and_loaded_at_the_servers_time",),
)
VERSIONED = Evidence(
    code=("systems/ifs/writing/row_writes.py::RowWrites",),
    tests=(
        "systems/ifs/odata/test_changesets.py::test_a_change_without_an_etag_would_insert_and_is_no_step",
        "systems/ifs/test_client.py::test_another_writers_field_is_kept_and_ours_is_written_after_a_second_look",
        "promises/test_c06_stale.py::test_c6_another_field_that_others_change_meanwhile_is_kept",
    ),
)
VERSIONED_ACTIONS = Evidence(
    tests=("systems/ifs/writing/test_state_changes.py::test_an_action_asks_for_the_version_that_it_changes",)
)
SCHEDULED = Evidence(
    settings=("schedules.running_day", "schedules.systems", "schedules.flows"),
    tests=(
        "orchestration/test_own_times.py::test_a_system_has_one_time_and_a_flow_of_it_another",
        "orchestration/test_own_times.py::test_what_is_asked_for_at_its_time_is_read_and_loaded_by_that_run",
        "core/test_cron_times.py::test_words_mean_a_line_and_a_zone",
    ),
)
TRAIL = Evidence(
    commands=("mlc audit show", "mlc audit verify", "mlc audit export"),
    code=("ledger/records/chain.py::Head",),
    tests=(
        "promises/test_c27_trail.py::test_c27_the_trail_tells_what_the_targets_journal_tells",
        "promises/test_c27_trail.py::test_c27_a_line_that_was_edited_or_deleted_is_named",
    ),
)
PULLS = Evidence(
    commands=("mlc audit pulls",),
    tests=(
        "cli/test_audit.py::test_a_read_is_listed_with_who_started_it",
        "systems/ifs/reading/test_modified_filter.py::"
        "test_a_day_is_asked_for_by_its_modified_timestamp_and_the_pull_keeps_filter_times_and_rows",
    ),
)
REPLAYED = Evidence(
    commands=("mlc replay",),
    tests=(
        "promises/test_c19_replay.py::test_c19_a_replay_delivers_what_was_held_and_the_second_one_writes_nothing",
        "promises/test_c19_replay.py::test_c19_a_replay_of_an_old_day_never_undoes_a_newer_one",
    ),
)
NOTHING_TWICE = Evidence(
    code=("ledger/records/judging.py::judge",),
    tests=(
        "promises/test_c12_lost_answers.py::test_c12_what_was_done_and_not_answered_is_not_done_again",
        "promises/test_c13_together.py::test_c13_the_same_run_several_times_at_once_delivers_each_record_once",
        "promises/test_c20_disasters.py::test_c20_the_ledger_is_lost_and_what_the_target_has_is_adopted",
    ),
)
PINGED = Evidence(
    settings=("ifs.mode",),
    commands=("mlc ping", "mlc plan", "mlc shadow"),
    tests=(
        "systems/ping/test_ping.py::test_all_in_order_tells_as_whom_the_clock_and_what_is_left_and_writes_nothing",
        "systems/ping/test_ping.py::test_four_mistakes_are_four_clear_lines_each_with_its_cure",
    ),
)
ACCOUNTS_JUDGED = Evidence(
    rules=("gl_accounts_exist",),
    settings=("policies.gl_policy", "policies.accounts_max_age_hours"),
    tests=(
        "promises/test_c18_accounts.py::test_c18_what_is_on_a_bad_account_waits_and_is_delivered_once_when_it_is_good",
        "orchestration/test_day.py::test_with_an_empty_chart_of_accounts_nothing_is_sent",
    ),
)
COMPANIES_JUDGED = Evidence(
    rules=("company_is_mapped",),
    settings=("companies",),
    tests=(
        "promises/test_c18_accounts.py::test_c18_what_is_of_a_company_without_mapping_waits_until_mlc_yaml_has_it",
        "systems/ping/test_names.py::test_a_company_that_the_service_account_may_not_see_is_named",
    ),
)
MONTH_ENDS = Evidence(
    commands=("mlc close show", "mlc close sign", "mlc reconcile"),
    tests=(
        "cli/test_close.py::test_the_figures_of_a_month_on_both_sides",
        "cli/test_close.py::test_what_people_did_by_hand_is_found_and_named",
        "orchestration/test_verified.py::test_reconcile_ends_with_0_where_both_agree_and_with_1_where_they_do_not",
    ),
)
HELD = Evidence(
    commands=("mlc holds list", "mlc holds release", "mlc holds discard"),
    tests=(
        "cli/test_holds.py::test_a_held_order_is_found_understood_and_released_then_posted_once",
        "orchestration/test_day.py::test_every_source_row_ends_in_one_state",
    ),
)
CONNECTIONS_APART = Evidence(
    code=("systems/registry.py::systems",),
    tests=(
        "orchestration/test_connections.py::test_each_connection_has_secrets_of_its_own_and_ping_names_those_that_are_missing",
    ),
)
