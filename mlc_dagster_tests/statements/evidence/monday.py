"""monday.com: what keeps its statements, and what shows them."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.statement import Evidence, shown

DAY = "orchestration/test_monday.py"
CLIENT = "systems/monday/test_client.py"
MAPPING = "systems/monday/test_mapping.py"

EACH_BOARD = shown(
    DAY,
    "each_board_gets_its_items",
    "the_second_load_of_the_same_day_sends_nothing",
    flows=("monday/invoices", "monday/purchase_orders", "monday/journal_entries"),
    settings=("monday.boards",),
)
ONE_WAY = shown(
    "systems/test_directions.py",
    "records_move_in_the_directions_that_were_asked_for_and_in_no_other",
    flows=("monday/invoices", "monday/purchase_orders", "monday/journal_entries"),
)
INVOICES = shown(
    CLIENT,
    "an_item_has_its_columns_and_its_link",
    flows=("monday/invoices",),
    settings=("monday.boards.invoices",),
) + shown(DAY, "each_board_gets_its_items")
REFRESHED = shown(
    CLIENT,
    "what_differs_is_changed_in_place",
    "there_and_back_again_is_written_each_time",
    flows=("monday/invoices", "monday/purchase_orders", "monday/journal_entries"),
)
ORDERS = shown(
    "promises/test_c38_lines.py",
    "c38_a_stamped_line_names_the_day_of_its_header",
    flows=("monday/purchase_orders",),
    settings=("monday.boards.purchase_orders", "monday.order_states"),
) + shown(
    "systems/test_orders.py",
    "a_planned_order_is_no_purchase_and_a_board_shows_it_with_its_state",
    "the_amount_of_an_order_on_a_board_is_without_its_cancelled_lines",
)
ENTRIES = shown(
    MAPPING,
    "a_journal_entry_carries_accounts_departments_and_totals",
    flows=("monday/journal_entries",),
    settings=("monday.boards.journal_entries", "monday.gl_accounts", "monday.department_code_part"),
)
REFERENCE_BOARDS = shown(
    DAY,
    "accounts_go_by_company_with_a_job_of_their_own",
    "each_board_gets_its_items",
    flows=("monday/suppliers", "monday/accounts"),
    settings=("monday.boards.suppliers", "monday.boards.accounts"),
) + shown(MAPPING, "an_invoice_waits_for_its_supplier_only_where_a_column_links_to_it")
COLUMNS = shown(
    MAPPING,
    "every_field_that_mlc_yaml_may_name_is_mapped",
    "a_value_is_written_as_its_column_takes_it",
    settings=("monday.boards", "monday.create_columns", "monday.extra_fields"),
)
OWN_BOARDS = shown(
    DAY,
    "a_flow_without_a_board_is_off_and_nothing_waits_for_it",
    settings=("monday.boards", "monday.key_column"),
    commands=("mlc ping",),
) + shown(MAPPING, "a_mistake_in_the_boards_is_named")
SIGN_IN = (
    shown(
        DAY,
        "signed_in_as_an_app_a_day_runs_and_its_refresh_token_is_kept",
        secrets=("MONDAY_TOKEN", "MONDAY_REFRESH_TOKEN"),
        settings=("monday.oauth",),
    )
    + shown("systems/monday/test_oauth.py", "an_hour_passes_in_the_middle_of_a_load_and_the_load_goes_on")
    + shown(CLIENT, "a_wrong_token_stops_the_run_and_is_not_shown")
)
GRAPHQL = shown(
    "systems/monday/graphql/test_documents.py",
    "a_document_is_valid_by_mondays_own_schema",
    code=("systems/monday/graphql/documents.py",),
    settings=("monday.base_url", "monday.api_version"),
) + shown("systems/test_public_addresses.py", "the_address_that_all_customers_share_is_known")
LIMITS = shown(
    CLIENT,
    "too_much_has_many_faces",
    "the_days_end_stops_the_run_at_once",
    settings=("monday.calls_per_minute", "monday.calls_per_day", "monday.points_per_minute"),
)
COMPLEXITY = shown(
    CLIENT,
    "requests_shrink_to_what_a_write_is_learned_to_cost",
    "the_minutes_points_are_waited_for_and_never_overdrawn",
    "new_items_take_one_mutation_for_each_twenty",
    code=("systems/monday/api.py::ComplexityBudget",),
)
FEWER_COLUMNS = shown(
    CLIENT,
    "a_record_above_the_limit_is_written_with_fewer_columns_and_completed_later",
    code=("systems/monday/boards/item_writer.py::ItemWriter",),
)
WITHIN_MINUTES = shown(
    DAY,
    "a_board_is_asked_for_within_minutes_of_a_change_and_each_quarter_of_an_hour",
    settings=("schedules.running_day",),
    code=("orchestration/automation/jobs_and_schedules.py::changes_sensor",),
) + shown("orchestration/test_location.py", "the_sensor_requests_the_days_that_changed_and_only_once")
EDITED_THERE = shown(
    "promises/test_c40_monday.py",
    "an_amount_that_a_person_edits_is_told_until_both_agree",
    "an_item_that_people_put_away_is_told_and_does_not_come_back",
    commands=("mlc differences", "mlc restore"),
    settings=("policies.verify",),
)
WEBHOOKS = shown(
    "web/test_proof.py",
    "mondays_challenge_is_answered_to_who_knows_the_secret_and_is_no_event",
    "mondays_token_is_checked_by_the_apps_signing_secret",
    commands=("mlc serve",),
    settings=("web.sources", "web.monday"),
)
NEVER_TWICE = shown(
    CLIENT,
    "a_lost_answer_never_doubles",
    "a_first_load_adopts_what_is_there_and_writes_nothing",
) + shown("systems/monday/test_duplicates.py", "two_items_with_one_key_are_told_with_both_numbers")
RETRIED = (
    shown(
        "promises/test_c32_monday.py",
        "c32_a_load_that_is_stopped_again_and_again_sends_each_record_once",
        "c32_what_mondays_answer_leaves_open_is_neither_doubled_nor_lost",
    )
    + erp.BACKED_OFF
    + Evidence(commands=("mlc retry", "mlc status"))
)
PROGRESS = shown(
    "promises/test_c38_receipts.py",
    "a_receipt_is_on_the_orders_item_by_the_next_cycle",
    "a_receipt_that_nobody_can_place_holds_its_order_and_heals_with_it",
    "a_receipt_that_is_reversed_leaves_the_item_as_before",
    rules=("progress_can_be_told",),
    settings=("monday.boards.purchase_orders.columns.received", "monday.boards.purchase_orders.columns.next_delivery"),
)
SHIPPED = shown(
    "promises/test_c38_receipts.py",
    "what_shipped_is_on_the_item_of_the_customer_order",
    flows=("monday/customer_orders",),
    settings=("monday.boards.customer_orders.columns.shipped",),
)
NAMED_SUPPLIERS = shown(
    "promises/test_c40_monday_links.py",
    "an_order_shows_its_suppliers_name_and_links_to_it_and_its_accounts",
    settings=("monday.boards.invoices.columns.supplier_name",),
)
PUT_RIGHT = shown(
    "promises/test_c40_monday_links.py",
    "a_cell_that_a_person_overwrites_is_put_right_once_and_told_when_someone_insists",
    settings=("verify.flows",),
)
SITES = shown(
    "promises/test_c56_sites.py",
    "the_site_decides_the_group_and_the_department_of_lines_that_name_none",
    "orders_of_two_plants_go_to_two_groups_and_one_of_a_third_waits_for_the_table",
    settings=("companies.sites",),
    rules=("site_is_mapped",),
)
