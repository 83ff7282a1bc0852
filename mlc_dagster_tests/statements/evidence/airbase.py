"""Airbase: what keeps its statements, and what shows them."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.statement import Evidence, shown

INBOUND = "orchestration/test_airbase_inbound.py"
REFERENCES = "orchestration/test_references.py"
VENDOR_TESTS = "systems/airbase/test_vendors.py"
ORDER_TESTS = "systems/airbase/test_orders.py"
TWO_WAY_TESTS = "systems/airbase/test_two_way.py"
REQUESTS = "ifs/vouchers_from_airbase_requests"
BILLS = "ifs/vouchers_from_airbase_bills"
PAYMENTS = "ifs/vouchers_from_airbase_payments"

DIRECTIONS = shown(
    "systems/test_directions.py",
    "records_move_in_the_directions_that_were_asked_for_and_in_no_other",
    flows=("airbase/vendors", "airbase/purchase_orders", REQUESTS, BILLS, PAYMENTS),
)
VENDORS = shown(
    VENDOR_TESTS,
    "a_hundred_new_vendors_are_one_bulk_and_the_rest_another",
    "a_vendor_entered_by_hand_gets_the_key_instead_of_a_twin",
    flows=("airbase/vendors",),
)
TWO_WAY = shown(
    TWO_WAY_TESTS,
    "changes_on_both_sides_survive_and_then_nothing_is_written",
    "a_field_that_both_changed_is_the_owners_or_held",
    flows=("airbase/vendors", "ifs/suppliers_from_airbase"),
    settings=("airbase.vendors_into_ifs", "airbase.supplier_owners"),
)
NEW_THERE = shown(
    "orchestration/test_two_way.py",
    "a_new_vendor_of_airbase_appears_in_the_erp_once_and_gets_its_key",
    flows=("ifs/suppliers_from_airbase",),
    settings=("airbase.create_suppliers_in_ifs",),
) + shown(TWO_WAY_TESTS, "new_vendors_wait_where_mlc_yaml_makes_none")
TERMS = shown(
    TWO_WAY_TESTS,
    "payment_terms_are_shared_where_the_tenants_vendors_have_them",
    flows=("ifs/suppliers_from_airbase",),
    rules=("payment_term_has_a_code",),
    settings=("airbase.payment_terms",),
)
ORDERS = shown(
    ORDER_TESTS,
    "an_order_has_its_vendor_its_lines_and_its_total",
    "a_changed_order_replaces_its_lines",
    flows=("airbase/purchase_orders",),
    settings=("airbase.paths.purchase_orders",),
) + shown(REFERENCES, "a_day_goes_to_airbase_and_the_same_again_sends_nothing")
EDITED_THERE = shown(
    "promises/test_c40_airbase.py",
    "an_order_that_a_person_edits_is_told_and_its_neighbour_is_not",
    commands=("mlc differences", "mlc restore"),
    settings=("policies.verify",),
)
APPROVED = shown(
    INBOUND,
    "an_approved_request_becomes_one_voucher_and_the_second_run_writes_nothing",
    flows=(REQUESTS,),
    settings=("airbase.paths.purchase_requests", "airbase.accrual_account", "airbase.request_status"),
)
STATE_OF_INVOICES = shown(
    "systems/airbase/approvals/test_invoice_states.py",
    "an_approval_leads_its_invoice_on_and_says_who_and_the_second_pass_writes_nothing",
    "an_invoice_is_never_made_payable_unless_mlc_yaml_says_that_we_may",
    "an_action_that_is_answered_and_leaves_the_state_is_not_reported_as_a_change",
    flows=("ifs/invoice_states_from_airbase_requests",),
    rules=("invoice_is_not_made_payable",),
    settings=("airbase.purchase_types", "policies.may_authorise"),
)
READ_ALONE = shown(
    "orchestration/test_single_records.py",
    "events_that_name_their_records_ask_for_these_and_what_is_made_of_them_alone",
    "a_record_is_asked_for_by_itself_whatever_its_status",
    flows=(REQUESTS,),
)
INVOICES_OUT = shown(
    "systems/airbase/bills/test_bills.py",
    "an_invoice_is_a_bill_beside_its_order_with_its_tax_to_the_cent",
    "a_bill_that_airbase_voided_is_told_and_does_not_come_back",
    flows=("airbase/supplier_invoices",),
    settings=("airbase.paths.bills", "airbase.bill_fields"),
) + shown(
    "systems/airbase/bills/test_order_invoices.py",
    "two_invoices_of_an_order_make_its_sum_to_the_cent_and_the_second_pass_writes_nothing",
    flows=("airbase/order_invoices",),
    settings=("airbase.order_invoices",),
)
BILLS_COMPARED = shown(
    "systems/airbase/bills/test_agreement.py",
    "what_differs_is_told_with_both_amounts",
    "a_bill_that_is_a_voucher_and_an_invoice_costs_twice",
)
PAID = shown(
    INBOUND,
    "a_payment_debits_what_is_owed_and_credits_the_bank",
    "two_hundred_payments_are_two_hundred_vouchers_and_every_one_balances",
    "a_bill_is_entered_before_its_payment_in_one_run_and_the_second_run_writes_nothing",
    flows=(PAYMENTS, BILLS),
    settings=("airbase.payments_into_ifs", "airbase.types"),
)
BY_TYPE = shown(
    INBOUND,
    "a_purchase_type_without_an_account_is_held_until_it_has_one",
    rules=("purchase_type_has_an_account", "payment_has_its_accounts"),
    settings=("airbase.accounts_by_purchase_type", "airbase.debit_accounts", "airbase.credit_accounts"),
)
DIMENSIONS = shown(
    INBOUND,
    "a_department_that_the_erp_does_not_have_is_held_and_heals",
    rules=("code_parts_exist", "dimensions_are_mapped", "account_demands_are_met"),
    settings=("airbase.dimensions", "airbase.cost_centers"),
) + shown("systems/airbase/spend/test_vouchers.py", "a_tag_stands_for_a_code_part_value_by_name_or_by_reference")
NOT_EDITED = shown(
    INBOUND,
    "a_request_that_changes_after_its_voucher_is_held_and_the_voucher_stays",
    rules=("not_changed_after_posting",),
    settings=("later_life.on_taken_back",),
    commands=("mlc differences",),
) + shown("promises/test_c53_reverse.py", "a_voucher_that_is_approved_is_reversed_line_by_line_and_both_sides_agree")
ENTERED_ONCE = (
    shown(
        INBOUND,
        "a_lost_answer_is_looked_up_and_no_second_voucher_is_made",
        "a_voucher_of_another_amount_under_the_reference_is_never_adopted",
        "a_voucher_that_was_typed_in_holds_ours_until_a_person_says_that_it_is_another",
        rules=("may_be_there_already", "is_no_probable_double"),
    )
    + shown("promises/test_c41_probable_doubles.py", "c41_the_second_id_of_one_document_is_held")
    + Evidence(code=("systems/ifs/writing/voucher_writer.py::VoucherWriter",))
)
BOTH_CHARTS = shown(
    REFERENCES,
    "charts_that_agree_pass_in_both_directions",
    "each_direction_lists_what_is_missing_on_which_side",
    code=("rules/chart_agreement.py::missing_in_target", "rules/chart_agreement.py::missing_in_erp"),
    settings=("airbase.gl_accounts",),
)
VALID_ACCOUNTS = erp.ACCOUNTS_JUDGED + DIMENSIONS
READ_ONLY = shown(
    "contracts/test_left_alone.py",
    "what_a_system_has_from_others_is_read_and_never_written",
    code=("systems/airbase/references.py",),
) + shown("contracts/test_c31_contracts.py", "c31_every_request_and_every_answer_of_a_demo_is_as_published")
NOT_OURS = shown(
    "contracts/test_left_alone.py",
    "what_is_no_matter_of_ours_is_not_asked_about",
    code=("systems/airbase/endpoints.py::Endpoints",),
)
TOKEN = shown(
    "transport/test_sign_in.py",
    "fixed_credentials_are_headers_and_are_not_shown",
    secrets=("AIRBASE_TOKEN",),
    settings=("airbase.auth_scheme", "airbase.auth_header"),
) + shown(VENDOR_TESTS, "the_other_scheme_is_suggested_and_the_token_never_shown")
WEBHOOKS = (
    shown(
        "web/test_webhooks.py",
        "an_event_is_told_by_kind_and_record",
        commands=("mlc serve",),
        settings=("web.sources", "web.airbase"),
    )
    + shown("promises/test_c14_webhooks.py", "c14_a_thousand_webhooks_are_one_voucher_of_what_is_true_now")
    + shown("orchestration/test_inbox.py", "all_that_waits_is_one_run_of_today_and_is_taken_when_it_was_requested")
)
PATHS = shown(
    REFERENCES,
    "an_empty_path_takes_its_assets_and_checks_away",
    "ping_says_which_feature_is_off_and_which_path_is_wrong",
    settings=("airbase.paths", "airbase.fields"),
) + shown("systems/airbase/spend/test_spend.py", "a_tenants_own_paths_are_followed")
SIGNED = shown(
    "web/test_proof.py",
    "a_good_signature_is_needed_beside_the_secret",
    "a_signature_alone_is_enough_where_there_is_no_secret",
    settings=("web.airbase.hmac_header", "web.airbase.hmac_encoding"),
)
BATCHED = shown(
    VENDOR_TESTS,
    "a_hundred_new_vendors_are_one_bulk_and_the_rest_another",
    "a_busy_airbase_is_waited_for_and_every_vendor_arrives",
    settings=("airbase.batch_size", "airbase.requests_per_minute"),
)
KEYED = shown(
    "promises/test_c41_one_owner.py",
    "c41_two_orders_of_one_number",
    flows=("airbase/purchase_orders",),
) + shown(
    ORDER_TESTS,
    "an_order_whose_answer_is_lost_is_never_doubled",
    "an_unchanged_order_is_adopted_whatever_state_it_has_in_airbase",
)
BILLS_BESIDE = (
    shown(
        "systems/airbase/bills/test_bills.py",
        "an_invoice_is_a_bill_beside_its_order_with_its_tax_to_the_cent",
        "a_bill_that_airbase_voided_is_told_and_does_not_come_back",
        "a_bill_that_a_person_entered_becomes_the_invoice_and_is_not_doubled",
        flows=("airbase/supplier_invoices",),
        settings=("airbase.paths.bills", "airbase.bill_fields"),
    )
    + shown(
        "systems/airbase/bills/test_order_invoices.py",
        "two_invoices_of_an_order_make_its_sum_to_the_cent_and_the_second_pass_writes_nothing",
        "both_ways_are_off_until_they_are_given_and_never_on_at_once",
        flows=("airbase/order_invoices",),
        settings=("airbase.order_invoices",),
    )
    + shown(
        "systems/airbase/bills/test_agreement.py",
        "what_differs_is_told_with_both_amounts",
        "a_bill_that_ifs_has_and_airbase_voided_and_the_other_way_round",
        code=("systems/airbase/bills/agreement.py",),
    )
)
INVOICE_STATES = shown(
    "systems/airbase/approvals/test_invoice_states.py",
    "an_approval_leads_its_invoice_on_and_says_who_and_the_second_pass_writes_nothing",
    "an_invoice_is_never_made_payable_unless_mlc_yaml_says_that_we_may",
    "an_action_that_is_answered_and_leaves_the_state_is_not_reported_as_a_change",
    flows=("ifs/invoice_states_from_airbase_requests",),
    settings=("airbase.purchase_types", "policies.may_authorise"),
)
ONE_RECORD = shown(
    "orchestration/test_single_records.py",
    "events_that_name_their_records_ask_for_these_and_what_is_made_of_them_alone",
    "a_run_of_one_record_enters_its_voucher_and_leaves_the_days_others_as_they_were",
)
