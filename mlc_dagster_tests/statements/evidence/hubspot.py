"""HubSpot: what keeps its statements, and what shows them."""

from mlc_dagster_tests.statements.statement import Evidence, shown

OBJECTS = "systems/hubspot/objects/"
COMPANIES = ("hubspot/supplier_companies", "hubspot/customer_companies")
INVOICES = ("hubspot/invoices", "hubspot/customer_invoices")

MADE = Evidence(
    flows=COMPANIES,
    tests=(
        "orchestration/test_hubspot.py::test_suppliers_become_companies_and_a_second_run_only_reads",
        "systems/hubspot/test_mapping.py::test_a_supplier_and_a_customer_of_one_number_are_two_companies",
        "systems/hubspot/test_customer_invoices.py::"
        "test_a_customer_invoice_becomes_an_invoice_of_the_customers_company",
    ),
)
TAGGED = Evidence(
    flows=COMPANIES,
    settings=("hubspot.company_code", "hubspot.gl_accounts"),
    tests=(
        f"{OBJECTS}test_companies.py::test_a_company_is_tagged_with_account_cost_centre_and_dimensions",
        "systems/hubspot/test_customer_companies.py::test_a_customers_company_has_account_cost_centre_terms_and_currency",
        "systems/hubspot/test_mapping.py::test_a_supplier_with_a_wrong_default_account_is_held",
    ),
)
TIED = Evidence(
    settings=("hubspot.match", "hubspot.propose", "hubspot.companies"),
    tests=(
        f"{OBJECTS}test_company_match.py::test_the_same_vat_number_ties_and_what_people_filled_in_stays",
        f"{OBJECTS}test_company_match.py::test_a_company_of_the_same_name_is_held_with_a_link_and_nothing_is_created",
    ),
)
INVOICED = Evidence(
    flows=INVOICES,
    tests=(
        f"{OBJECTS}test_invoices.py::test_an_invoice_arrives_with_lines_total_status_dates_and_company",
        "systems/hubspot/test_customer_invoices.py::"
        "test_a_customer_invoice_becomes_an_invoice_of_the_customers_company",
    ),
)
DEALS = Evidence(
    flows=("hubspot/deals",),
    settings=("hubspot.deals", "hubspot.deal_key", "hubspot.deal_pipeline", "hubspot.deal_stage"),
    tests=(
        f"{OBJECTS}test_deals.py::test_a_deal_is_closed_won_in_the_stage_of_the_portal_and_tied_to_company_and_invoice",
        f"{OBJECTS}test_deals.py::"
        "test_a_deal_of_the_sales_team_is_tied_by_the_property_of_choice_and_keeps_what_it_says",
        "orchestration/test_hubspot.py::test_deals_are_off_unless_mlc_yaml_turns_them_on",
    ),
)
ONE_WAY = Evidence(
    flows=(*COMPANIES, *INVOICES),
    tests=("systems/test_directions.py::test_records_move_in_the_directions_that_were_asked_for_and_in_no_other",),
)
TOKEN = Evidence(
    secrets=("HUBSPOT_TOKEN",),
    settings=("hubspot.portal_id",),
    code=("transport/sign_in.py::Bearer",),
    tests=(
        "transport/test_sign_in.py::test_fixed_credentials_are_headers_and_are_not_shown",
        f"{OBJECTS}test_companies.py::test_a_wrong_token_is_named_and_not_shown",
    ),
)
AGREE = Evidence(
    commands=("mlc reconcile", "mlc differences"),
    settings=("policies.verify",),
    tests=(
        "promises/test_c40_target.py::test_c40_what_nobody_touched_agrees_and_the_sums_are_equal_to_the_cent",
        "promises/test_c40_target.py::test_c40_a_deleted_company_is_told_held_and_made_again_by_one_command",
    ),
)
WHO_IT_IS = Evidence(
    flows=COMPANIES,
    settings=("hubspot.extra_fields",),
    tests=(
        "systems/hubspot/test_mapping.py::test_the_registration_number_of_a_supplier_is_on_its_company",
        "orchestration/test_extra_fields.py::test_a_custom_field_becomes_a_company_property_by_three_lines_of_mlc_yaml",
    ),
)
BY_STATE = Evidence(
    settings=("policies.not_delivered_states", "hubspot.invoice_statuses"),
    tests=(
        "rules/test_rules.py::test_held_states_are_those_of_the_settings",
        "systems/hubspot/test_mapping.py::test_a_cancelled_invoice_is_voided_where_mlc_yaml_says_so_and_held_where_not",
    ),
)
CURSORS = Evidence(
    code=("systems/hubspot/api.py::HubspotApi",),
    tests=(
        "systems/hubspot/test_cursors.py::test_a_search_follows_the_cursor_to_its_end_in_pages_of_200_at_most",
        "systems/hubspot/test_cursors.py::test_a_list_follows_the_cursor_to_its_end",
    ),
)
BATCHED = Evidence(
    code=("systems/hubspot/objects/batch_answers.py::in_batches",),
    tests=(
        f"{OBJECTS}test_companies.py::test_new_companies_take_one_upsert_for_each_hundred",
        f"{OBJECTS}test_invoices.py::test_hundreds_of_invoices_take_few_calls",
    ),
)
ONE_PORTAL = Evidence(
    settings=("hubspot.portal_id",),
    commands=("mlc ledger same-account", "mlc ledger new-account"),
    tests=(
        f"{OBJECTS}test_companies.py::test_a_token_of_another_portal_is_refused",
        "orchestration/test_identity.py::test_a_run_into_another_portal_fails_before_its_first_write_and_says_what_to_do",
    ),
)
SEARCHED = Evidence(
    tests=(f"{OBJECTS}test_company_match.py::test_a_hundred_new_names_are_searched_within_the_length_of_a_body",)
)
ASSOCIATED = Evidence(
    tests=(f"{OBJECTS}test_invoices.py::test_another_supplier_moves_the_invoice_and_leaves_what_people_associated",)
)
BEFOREHAND = Evidence(
    commands=("mlc ping",),
    tests=(
        "systems/hubspot/test_ping_limits.py::test_half_a_year_before_its_end_the_version_is_told",
        "systems/hubspot/test_ping_limits.py::test_a_total_that_hubspot_computes_is_said",
        f"{OBJECTS}test_companies.py::test_missing_scopes_are_named",
    ),
)
FROM_PROPOSALS = Evidence(
    flows=("hubspot/invoices",),
    tests=(
        "systems/hubspot/test_mapping.py::test_good_records_are_ready",
        f"{OBJECTS}test_invoices.py::test_an_invoice_changed_three_times_is_followed_and_nothing_is_doubled",
    ),
)
SINCE_THE_LAST_TICK = shown("orchestration/test_own_times.py", "the_days_since_the_last_tick_are_asked_for")
NOT_SHOWN = Evidence(
    tests=("promises/test_c16_secrets.py::test_c16_no_secret_is_in_logs_events_ledger_errors_graphql_or_pages",)
)
MADE_ONCE = Evidence(
    tests=(
        f"{OBJECTS}test_companies.py::test_a_lost_answer_never_doubles",
        f"{OBJECTS}test_invoices.py::test_an_answer_lost_at_any_step_never_doubles",
    )
)
ROW_BY_ROW = Evidence(
    flows=("hubspot/invoices",),
    code=("systems/hubspot/objects/invoice_lines.py::LineWriter",),
    tests=(
        "systems/ifs/reading/test_partition_read.py::test_lines_are_the_same_with_and_without_expand",
        "systems/hubspot/test_mapping.py::test_codes_reach_the_line_as_they_are",
    ),
)
RATES = Evidence(
    settings=("hubspot.calls_per_10_seconds",),
    tests=(
        f"{OBJECTS}test_companies.py::test_the_burst_limit_is_waited_for_as_the_headers_say",
        "orchestration/test_hubspot.py::test_a_daily_limit_fails_the_load_with_words_and_the_next_run_goes_on",
    ),
)
STATUSES = Evidence(
    settings=("hubspot.status_owner", "hubspot.invoice_statuses"),
    tests=(
        f"{OBJECTS}test_invoice_status.py::test_what_a_person_paid_or_voided_is_never_reset_and_is_told",
        f"{OBJECTS}test_invoices.py::test_a_cancelled_invoice_is_voided",
    ),
)
TO_THE_CENT = Evidence(
    rules=("amounts_add_up",),
    settings=("hubspot.total_check",),
    tests=(
        f"{OBJECTS}test_invoice_status.py::test_a_total_that_stays_wrong_holds_the_invoice_as_a_draft_with_both_figures",
        "systems/hubspot/test_mapping.py::test_an_invoice_is_held_with_its_reason",
    ),
)
PROPERTIES = Evidence(
    code=("systems/hubspot/portal.py::Portal",),
    tests=(
        f"{OBJECTS}test_companies.py::test_group_and_properties_are_made_once_and_then_only_read",
        f"{OBJECTS}test_companies.py::test_a_property_of_another_type_is_refused_before_anything_is_sent",
    ),
)
EACH_COMPANY = shown(
    "systems/hubspot/test_company_accounts.py",
    "a_supplier_of_several_companies_shows_all_of_them_and_each_one_s_own_name_of_the_account",
    "a_customer_shows_the_same",
    "each_company_has_properties_of_its_own_where_mlc_yaml_gives_it_a_prefix",
    settings=("hubspot.company_fields", "hubspot.company_properties"),
)
