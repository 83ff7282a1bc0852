"""Procurify: what keeps its statements, and what shows them."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.statement import Evidence, shown

DAY = "orchestration/test_procurify.py"
CLIENT = "systems/procurify/test_client.py"
MAPPING = "systems/procurify/test_mapping.py"
BILLS_FLOW = "ifs/supplier_invoices_from_procurify"
ORDERS_FLOW = "ifs/posting_proposals_from_procurify"

DIRECTIONS = shown(
    "systems/test_directions.py",
    "records_move_in_the_directions_that_were_asked_for_and_in_no_other",
    flows=(BILLS_FLOW, ORDERS_FLOW, "ifs/suppliers_from_procurify"),
)
BILLS = shown(
    DAY,
    "an_approved_bill_is_posted_whole_and_once",
    "the_second_run_reads_again_and_writes_nothing",
    flows=(BILLS_FLOW,),
    settings=("procurify.bill_statuses", "procurify.bill_types"),
) + shown(MAPPING, "a_bill_is_posted_line_by_line")
ORDERS = shown(
    DAY,
    "the_bill_takes_the_place_of_its_orders_proposal",
    "a_changed_order_gets_one_new_proposal_in_place_of_the_old",
    "a_part_bill_takes_its_part_of_the_proposal_and_leaves_the_rest",
    flows=(ORDERS_FLOW,),
    settings=("procurify.purchase_orders", "procurify.part_bills"),
)
ORDERS_ARE_EXPECTED = (
    "an order becomes a posting proposal, what its bills are still expected to cost; as an invoice its cost would be "
    "booked twice."
)
CODED = shown(
    MAPPING,
    "the_company_is_the_locations",
    "the_cost_centre_is_the_departments",
    "the_account_is_the_erps_and_never_guessed",
    settings=(
        "procurify.gl_accounts",
        "procurify.cost_centers",
        "procurify.companies_by_location",
        "procurify.department_code_part",
    ),
    rules=("all_is_of_one_company", "department_is_mapped", "gl_accounts_exist"),
)
ONE_CODE_PART = "the department gives one code part; locations, projects and custom fields give none yet."
JUDGED = shown(
    DAY,
    "a_bill_that_would_be_wrong_in_the_books_is_held",
    "a_bill_of_a_closed_period_is_held",
    rules=("gl_accounts_exist", "code_parts_exist", "account_demands_are_met", "period_is_open"),
)
VENDORS = shown(
    DAY,
    "a_vendor_that_is_no_supplier_yet_holds_its_bill_until_it_is",
    flows=("ifs/suppliers_from_procurify",),
    settings=("procurify.create_suppliers_in_ifs",),
    rules=("supplier_exists", "vendor_is_one_supplier"),
) + shown(MAPPING, "a_vendor_becomes_a_partner_under_its_number")
BOTH_WAYS = VENDORS + shown(
    DAY,
    "with_writing_on_a_vendor_gets_the_number_and_what_differs_and_nothing_else",
    "with_writing_on_a_field_that_both_sides_changed_is_the_owners",
    "while_writing_is_off_drift_is_reported_and_not_one_call_writes",
    flows=("procurify/vendors",),
    settings=("procurify.vendor_writeback", "procurify.supplier_owners"),
)
OFF_BY_DEFAULT = (
    "writing vendors is off by default, since nothing was to be written into Procurify; until it is on, what differs "
    "is reported."
)
NO_WRITES = shown(
    DAY,
    "while_writing_is_off_drift_is_reported_and_not_one_call_writes",
    settings=("procurify.vendor_writeback",),
) + shown("contracts/test_left_alone.py", "what_a_system_has_from_others_is_read_and_never_written")
TOKENS = (
    erp.RENEWED
    + shown(
        CLIENT,
        "a_token_that_expired_is_asked_for_again",
        "a_wrong_secret_is_told_with_its_name",
        secrets=("PROCURIFY_CLIENT_ID", "PROCURIFY_CLIENT_SECRET"),
        settings=("procurify.token_url", "procurify.audience"),
    )
    + Evidence(secrets=("IFS_CLIENT_ID", "IFS_CLIENT_SECRET"))
)
BY_DATES = shown(
    CLIENT,
    "a_day_is_its_own_rows_to_the_second",
    "orders_are_asked_for_by_dates_with_a_day_around_and_denied_lines_are_left_out",
    "a_tenant_that_heeds_no_filter_is_read_once_for_thirty_days",
    settings=("procurify.bill_overlap_minutes", "procurify.order_overlap_days"),
)
ONCE = (
    shown(
        DAY,
        "an_unanswered_post_is_found_by_the_next_look_and_never_repeated",
        "the_same_invoice_entered_by_hand_is_adopted_and_not_doubled",
        "of_two_bills_under_one_number_of_a_vendor_one_is_posted_and_the_other_held",
        rules=("not_posted_already",),
        flows=(BILLS_FLOW,),
    )
    + shown("promises/test_c41_one_owner.py", "c41_two_bills_and_one_invoice_by_hand")
    + Evidence(code=("systems/ifs/writing/payable_writers.py::InvoiceWriter",))
)
WHOLE = shown(
    "systems/ifs/odata/test_changesets.py",
    "a_document_is_written_with_one_request_and_answered_as_it_is_kept",
    "a_refusal_at_any_step_leaves_nothing",
    code=("systems/ifs/odata/changesets.py",),
)
RATES = (
    shown(
        CLIENT,
        "a_busy_procurify_is_waited_for_and_the_budget_is_kept",
        settings=("procurify.requests_per_second",),
    )
    + erp.BACKED_OFF
    + erp.RATE_OF_THE_ERP
)
RECONCILED = (
    shown("orchestration/test_procurify_demo.py", "the_books_and_procurify_agree_to_the_cent")
    + shown("promises/test_c40_ifs.py", "a_gross_amount_that_an_accountant_edits_is_told")
    + erp.MONTH_ENDS
)
POLLED = (
    erp.SCHEDULED
    + shown(CLIENT, "only_what_may_be_posted_costs_a_call_of_its_own")
    + Evidence(settings=("schedules.systems",))
)
