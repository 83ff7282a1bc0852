"""Cin7: what keeps its statements, and what shows them."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.statement import Evidence, shown

DAY = "orchestration/test_day.py"
SUPPLIER_TESTS = "systems/cin7/suppliers/test_suppliers.py"
TWO_WAY_TESTS = "systems/cin7/suppliers/test_two_way.py"
PURCHASE_TESTS = "systems/cin7/purchases/test_purchases.py"
INVOICE_TESTS = "systems/cin7/purchases/test_invoices.py"

DIRECTIONS = shown(
    "systems/test_directions.py",
    "records_move_in_the_directions_that_were_asked_for_and_in_no_other",
    flows=("cin7/suppliers", "cin7/purchases", "cin7/purchase_invoices", "ifs/suppliers_from_cin7"),
)
SUPPLIERS = shown(
    SUPPLIER_TESTS,
    "a_new_supplier_has_everything_and_its_key",
    "a_supplier_that_is_there_under_its_key_is_adopted_without_a_write",
    flows=("cin7/suppliers",),
    settings=("cin7.external_key", "cin7.attribute_set"),
)
TWO_WAY = shown(
    TWO_WAY_TESTS,
    "a_change_on_either_side_reaches_the_other",
    "changes_of_different_fields_on_both_sides_both_survive",
    "fifty_rounds_in_which_nothing_is_edited_write_nothing",
    flows=("cin7/suppliers", "ifs/suppliers_from_cin7"),
    settings=("cin7.suppliers_into_ifs",),
) + shown("orchestration/test_two_way.py", "changes_on_both_sides_survive_one_run_and_the_next_run_writes_nothing")
BOTH_CHANGED = shown(
    TWO_WAY_TESTS,
    "a_field_that_both_changed_has_the_erps_value_unless_mlc_yaml_says_otherwise",
    "a_field_that_both_changed_and_nobody_owns_is_held_on_both_ways_until_they_agree",
    rules=("both_sides_agree",),
    settings=("cin7.supplier_owners",),
)
TERMS = shown(
    TWO_WAY_TESTS,
    "a_change_on_either_side_reaches_the_other",
    "a_payment_term_that_mlc_yaml_does_not_list_is_held",
    "a_payment_term_that_stands_for_several_codes_is_the_one_that_the_erp_has",
    flows=("cin7/suppliers", "ifs/suppliers_from_cin7"),
    rules=("payment_term_is_mapped", "payment_term_has_a_code"),
    settings=("cin7.payment_terms",),
)
CONTACTS = (
    shown(TWO_WAY_TESTS, "a_change_on_either_side_reaches_the_other")
    + shown(SUPPLIER_TESTS, "contacts_and_addresses_are_never_doubled_and_people_are_kept")
    + Evidence(flows=("cin7/suppliers", "ifs/suppliers_from_cin7"))
)
ORDERS = shown(DAY, "an_order_becomes_a_purchase_and_the_second_run_sends_nothing", flows=("cin7/purchases",)) + shown(
    PURCHASE_TESTS,
    "an_order_becomes_a_purchase_in_two_steps",
    "a_change_overwrites_lines_and_header_while_the_order_is_open",
)
OF_ITS_SUPPLIER = (
    shown(DAY, "an_order_whose_supplier_is_missing_is_held_and_heals", rules=("supplier_is_delivered",))
    + shown("orchestration/test_healing.py", "a_supplier_that_arrives_heals_its_order")
    + Evidence(flows=("cin7/purchases",))
)
INVOICES = shown(
    INVOICE_TESTS,
    "an_invoice_stands_on_the_purchase_of_its_order_each_line_on_its_account",
    "an_invoice_without_an_order_gets_a_purchase_of_its_own",
    flows=("cin7/purchase_invoices",),
    settings=("cin7.invoice_status",),
)
CHART = (
    erp.ACCOUNTS_JUDGED
    + shown("promises/test_c18_accounts.py", "c18_an_account_that_cin7_does_not_have_waits_until_it_is_added_there")
    + Evidence(settings=("cin7.gl_accounts",))
)
CHART_READ_ONLY = shown(
    "contracts/test_left_alone.py",
    "what_a_system_has_from_others_is_read_and_never_written",
    code=("systems/cin7/reference_books.py::read_books",),
) + shown("contracts/test_c31_contracts.py", "c31_every_request_and_every_answer_of_a_demo_is_as_published")
ON_THEIR_ACCOUNT = (
    shown("systems/cin7/test_mapping.py", "an_order_line_carries_its_origin_and_the_targets_account")
    + shown(INVOICE_TESTS, "an_invoice_stands_on_the_purchase_of_its_order_each_line_on_its_account")
    + Evidence(
        flows=("cin7/purchases", "cin7/purchase_invoices"),
        rules=("gl_accounts_exist",),
        settings=("cin7.gl_accounts",),
    )
)
CODED = shown(
    "systems/cin7/test_mapping.py",
    "an_order_line_carries_its_origin_and_the_targets_account",
    "codes_keep_their_zeros_and_slashes",
    flows=("cin7/purchases", "cin7/purchase_invoices"),
) + shown("systems/ifs/reading/test_partition_read.py", "a_company_is_read_by_its_code_as_text")
VOUCHERS = shown(
    DAY,
    "the_voucher_check_names_accounts_that_cin7_does_not_have",
    code=("orchestration/assets/checks.py::voucher_check",),
)
KEYS = shown(
    "transport/test_sign_in.py",
    "fixed_credentials_are_headers_and_are_not_shown",
    secrets=("CIN7_ACCOUNT_ID", "CIN7_APPLICATION_KEYS"),
    code=("systems/cin7/api.py::signature",),
) + shown("systems/cin7/test_client.py", "wrong_keys_stop_the_run_and_name_the_variables_but_not_the_key")
RATES = shown(
    "systems/cin7/test_client.py",
    "the_limit_is_kept_and_several_keys_share_the_work",
    "too_many_calls_has_many_faces",
    settings=("cin7.calls_per_minute",),
    secrets=("CIN7_APPLICATION_KEYS",),
) + shown("transport/test_client.py", "a_429_silences_the_key_that_got_it_and_the_others_go_on")
WEBHOOKS = shown(
    "web/test_proof.py",
    "a_cin7_event_is_its_type_records_and_dates",
    "a_cin7_purchase_is_listed_as_a_customer_and_undated_events_are_their_body",
    settings=("web.sources",),
    commands=("mlc serve",),
) + shown("orchestration/test_inbox.py", "a_source_that_is_on_and_has_flows_has_a_sensor_on_its_job")
BANK_DETAILS = shown(
    "promises/test_c52_bank.py",
    "vendors_of_airbase_and_cin7_are_held_the_same_way",
    "two_different_people_release_it_and_nothing_of_it_is_carried",
    rules=("bank_details_are_confirmed",),
)
KEYED = shown(SUPPLIER_TESTS, "a_name_that_belongs_to_another_key_is_refused_with_both", flows=("cin7/suppliers",))
OF_ITS_KEY = shown(
    PURCHASE_TESTS,
    "a_purchase_is_found_by_its_note_where_the_account_has_no_attributes",
    "an_order_number_that_begins_like_another_is_another",
    flows=("cin7/purchases",),
)
NOTHING_TWICE = (
    shown(
        PURCHASE_TESTS,
        "a_lost_answer_to_the_header_is_looked_up_and_completed",
        "lines_that_cin7_refuses_leave_no_half_made_purchase",
    )
    + shown("systems/cin7/test_duplicates.py", "two_purchases_with_one_marker_are_told_with_both_numbers")
    + Evidence(commands=("mlc duplicates",))
    + erp.NOTHING_TWICE
)
HELD = shown(
    DAY,
    "a_held_order_names_the_account_and_is_delivered_once_when_the_account_appears",
    flows=("cin7/purchases",),
    rules=("gl_accounts_exist",),
    commands=("mlc holds list",),
) + shown("orchestration/test_healing.py", "an_order_on_a_blocked_account_is_delivered_once_after_it_is_unblocked")
NAMED_IN_THE_TRAIL = (
    shown(DAY, "a_held_order_names_the_account_and_is_delivered_once_when_the_account_appears")
    + shown("orchestration/test_healing.py", "an_order_on_a_blocked_account_is_delivered_once_after_it_is_unblocked")
    + Evidence(commands=("mlc holds show", "mlc audit show"))
)
ONE_SUPPLIER = (
    shown(SUPPLIER_TESTS, "a_supplier_is_found_by_its_name_whatever_its_case")
    + shown(
        "promises/test_c41_masters.py",
        "c41_a_supplier_under_a_new_number_is_asked_about",
        rules=("is_not_known_under_another_key",),
    )
    + Evidence(flows=("cin7/suppliers",))
)
AGREE = shown(
    "promises/test_c40_target.py",
    "c40_what_nobody_touched_agrees_and_the_sums_are_equal_to_the_cent",
    "c40_an_edited_price_is_told_with_what_it_is_off_by",
    commands=("mlc reconcile", "mlc differences"),
    settings=("policies.verify",),
)
FOLLOWED = shown(
    "orchestration/test_following_ledgers.py",
    "an_account_that_is_blocked_in_cin7_and_open_in_the_erp_is_held_before_it_is_posted",
    "without_a_fresh_chart_nothing_is_posted_for_the_company_that_is_followed",
    "vouchers_and_invoices_of_both_saas_ask_it_and_know_where_the_chart_comes_from",
    rules=("accounts_are_in_the_following_ledger",),
    settings=("companies.cin7.ledger",),
)
CHARTS_COMPARED = shown(
    "orchestration/test_following_ledgers.py",
    "the_whole_chart_of_cin7_stands_beside_each_company_that_it_follows",
    settings=("companies.cin7.ledger",),
)
OUTWARDS = shown(
    "promises/test_c52_outwards.py",
    "they_arrive_are_kept_up_and_do_not_come_back",
    "who_took_over_a_user_of_the_saas_changes_nothing_and_is_seen_on_both_ways",
    "at_rest_they_are_sealed_with_the_vaults_key",
    settings=("airbase.bank_details",),
)
PERSONS_AND_ADDRESSES = shown(
    "systems/cin7/suppliers/test_contacts_and_addresses.py",
    "they_go_there_whole_and_nothing_comes_back",
    "what_changes_on_one_side_is_written_to_the_other_with_its_etag",
    "a_contact_removed_on_one_side_and_edited_on_the_other_waits_for_a_person",
    settings=("cin7.supplier_details", "cin7.address_types"),
    rules=("address_type_is_mapped",),
)
PROGRESS = shown(
    "promises/test_c38_receipts.py",
    "the_attribute_in_cin7_says_how_the_order_stands_and_the_purchase_stays_one",
    "a_line_that_is_closed_since_it_came_stays_in_the_purchase",
    settings=("cin7.order_progress",),
)
SITES = shown(
    "promises/test_c56_sites.py",
    "the_site_decides_the_location_and_the_company_that_of_an_invoice_without_one",
    "an_order_of_a_site_that_is_none_is_held_with_the_value_and_the_table",
    settings=("companies.sites",),
    rules=("site_is_mapped",),
)
