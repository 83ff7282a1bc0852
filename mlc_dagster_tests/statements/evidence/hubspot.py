"""HubSpot: what keeps its statements, and what shows them."""

from mlc_dagster_tests.statements.statement import Evidence

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
        "systems/hubspot/test_mapping.py::test_a_supplier_with_a_wrong_default_account_is_held",
    ),
)
ONE_COMPANY_CODE = "where mlc.yaml lists several companies and names none, a company record carries no company code."
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
