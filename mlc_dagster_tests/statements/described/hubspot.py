"""HubSpot: what was asked for, statement by statement."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.evidence import hubspot as own
from mlc_dagster_tests.statements.statement import Chapter, Evidence, Statement

CHAPTER = Chapter(
    "hubspot",
    {
        "in short": (
            Statement(
                "The ERP stays where manufacturing and finance are kept, HubSpot where sales works: records go from "
                "the first to the second alone.",
                own.ONE_WAY,
            ),
            Statement(
                "Customers' master data is the same on both sides, and stays so beside the deals.",
                own.MADE + own.TIED + own.AGREE,
            ),
            Statement("Suppliers and customers of the ERP become companies in HubSpot.", own.MADE),
            Statement(
                "Each company carries its account in the ledger and its dimensions.", own.TAGGED, own.ONE_COMPANY_CODE
            ),
            Statement(
                "Sales sees on the company who it is in the finance system: number, role, terms, currency, VAT number.",
                Evidence(
                    flows=own.COMPANIES,
                    settings=("hubspot.extra_fields",),
                    tests=(
                        "systems/hubspot/test_mapping.py::test_the_registration_number_of_a_supplier_is_on_its_company",
                        "orchestration/test_extra_fields.py::"
                        "test_a_custom_field_becomes_a_company_property_by_three_lines_of_mlc_yaml",
                    ),
                )
                + own.TAGGED,
            ),
            Statement(
                "Invoices can become HubSpot's own invoices, so that revenue is seen beside the deals.",
                own.INVOICED + own.DEALS,
                "the described set holds supplier invoices, which are payables; revenue is the flow of customers' "
                "invoices, which is off until mlc.yaml names the tenant's set.",
            ),
        ),
        "the ERP's side": (
            Statement(
                "Read over OData v4: suppliers, customers, purchase orders, supplier invoices, accounts, vouchers and "
                "dimensions.",
                erp.ODATA,
            ),
            Statement("Each customer has an instance at an address of its own.", erp.TENANT_ADDRESS),
            Statement("Sign-in is OAuth 2 by client credentials.", erp.SIGNED_IN),
            Statement("No webhook of the ERP is needed: it is asked what changed.", erp.NO_EVENTS),
            Statement("It is asked by modified timestamp; a set without one is compared whole.", erp.BY_STAMP),
            Statement(
                "A filter by state is possible as well.",
                Evidence(
                    settings=("policies.not_delivered_states", "hubspot.invoice_statuses"),
                    tests=(
                        "rules/test_rules.py::test_held_states_are_those_of_the_settings",
                        "systems/hubspot/test_mapping.py::"
                        "test_a_cancelled_invoice_is_voided_where_mlc_yaml_says_so_and_held_where_not",
                    ),
                ),
                "state decides what becomes of a row, not whether it is read: a row that is left out of a read could "
                "not be told from one that was deleted.",
            ),
            Statement("No request asks for more than 5,000 elements, nested lines counted.", erp.PAGED),
            Statement("Each change names the ETag of the read before it.", erp.VERSIONED),
        ),
        "HubSpot's side": (
            Statement(
                "Companies, deals, invoices and line items are kept over its REST API.",
                own.INVOICED + own.DEALS,
                "contacts and products are offered too and not used: no record of the ERP was to become one.",
            ),
            Statement(
                "Lists and searches go on by HubSpot's cursor, in pages of 200 at most.",
                Evidence(
                    code=("systems/hubspot/api.py::HubspotApi",),
                    tests=(
                        "systems/hubspot/test_cursors.py::"
                        "test_a_search_follows_the_cursor_to_its_end_in_pages_of_200_at_most",
                        "systems/hubspot/test_cursors.py::test_a_list_follows_the_cursor_to_its_end",
                    ),
                ),
            ),
            Statement(
                "As many records as HubSpot takes go in one request.",
                Evidence(
                    code=("systems/hubspot/objects/batch_answers.py::in_batches",),
                    tests=(
                        f"{own.OBJECTS}test_companies.py::test_new_companies_take_one_upsert_for_each_hundred",
                        f"{own.OBJECTS}test_invoices.py::test_hundreds_of_invoices_take_few_calls",
                    ),
                ),
                "HubSpot publishes a hundred for a batch of writes; the 200 of the description hold for searches.",
            ),
            Statement("A private app's token is the credential, as a bearer token.", own.TOKEN),
            Statement(
                "A token belongs to one portal: another portal's is refused before the first write.",
                Evidence(
                    settings=("hubspot.portal_id",),
                    commands=("mlc ledger same-account", "mlc ledger new-account"),
                    tests=(
                        f"{own.OBJECTS}test_companies.py::test_a_token_of_another_portal_is_refused",
                        "orchestration/test_identity.py::"
                        "test_a_run_into_another_portal_fails_before_its_first_write_and_says_what_to_do",
                    ),
                ),
            ),
            Statement(
                "What is there already is found by asking lists and searches, not by an event.",
                own.TIED
                + Evidence(
                    tests=(
                        f"{own.OBJECTS}test_company_match.py::"
                        "test_a_hundred_new_names_are_searched_within_the_length_of_a_body",
                    )
                ),
            ),
            Statement(
                "Invoices stand with an association to whom they concern.",
                own.INVOICED
                + Evidence(
                    tests=(
                        f"{own.OBJECTS}test_invoices.py::"
                        "test_another_supplier_moves_the_invoice_and_leaves_what_people_associated",
                    )
                ),
                "they are associated with the company; contacts are not made, and what people associate stays.",
            ),
            Statement(
                "Writing invoices is a young part of HubSpot: version and rights are asked for beforehand.",
                Evidence(
                    commands=("mlc ping",),
                    tests=(
                        "systems/hubspot/test_ping_limits.py::test_half_a_year_before_its_end_the_version_is_told",
                        "systems/hubspot/test_ping_limits.py::test_a_total_that_hubspot_computes_is_said",
                        f"{own.OBJECTS}test_companies.py::test_missing_scopes_are_named",
                    ),
                ),
            ),
        ),
        "what moves": (
            Statement("The main direction is from the ERP into HubSpot.", own.ONE_WAY),
            Statement(
                "The sets of suppliers and of customers feed the companies, with account, cost centre and dimensions.",
                own.MADE + own.TAGGED,
            ),
            Statement(
                "The set of posting proposals feeds the invoices.",
                Evidence(
                    flows=("hubspot/invoices",),
                    tests=(
                        "systems/hubspot/test_mapping.py::test_good_records_are_ready",
                        f"{own.OBJECTS}test_invoices.py::"
                        "test_an_invoice_changed_three_times_is_followed_and_nothing_is_doubled",
                    ),
                ),
            ),
            Statement("Line items are made of an invoice's rows.", own.INVOICED),
            Statement("An invoice is associated with the right company.", own.INVOICED),
            Statement(
                "It runs when mlc.yaml says: daily, after each billing cycle, or otherwise.",
                erp.SCHEDULED
                + Evidence(tests=("orchestration/test_own_times.py::test_the_days_since_the_last_tick_are_asked_for",)),
            ),
            Statement("Sales and finance look at the same customer: what differs later is told.", own.AGREE),
        ),
        "how it is done": (
            Statement("The ERP's client id and secret are kept encrypted.", erp.SEALED),
            Statement("They are exchanged for a token at the tenant's own endpoint.", erp.SIGNED_IN + erp.RENEWED),
            Statement(
                "HubSpot's token is kept encrypted and goes with each request.",
                erp.SEALED
                + own.TOKEN
                + Evidence(
                    tests=(
                        "promises/test_c16_secrets.py::"
                        "test_c16_no_secret_is_in_logs_events_ledger_errors_graphql_or_pages",
                    )
                ),
            ),
            Statement(
                "Pages of the ERP are walked to their end, and none is lost.", erp.PAGED + erp.NOTHING_LOST_PAGING
            ),
            Statement(
                "Before a record of the ERP is changed, its ETag is read.", erp.VERSIONED + erp.VERSIONED_ACTIONS
            ),
            Statement("The ERP is asked at the pace that mlc.yaml says.", erp.SCHEDULED + erp.NO_EVENTS),
            Statement(
                "What was delivered is known, so that nothing is made twice.",
                erp.NOTHING_TWICE
                + Evidence(
                    tests=(
                        f"{own.OBJECTS}test_companies.py::test_a_lost_answer_never_doubles",
                        f"{own.OBJECTS}test_invoices.py::test_an_answer_lost_at_any_step_never_doubles",
                    )
                ),
            ),
            Statement(
                "Rows of an invoice are taken out of the OData array, or read beside it, and mapped one by one.",
                Evidence(
                    flows=("hubspot/invoices",),
                    code=("systems/hubspot/objects/invoice_lines.py::LineWriter",),
                    tests=(
                        "systems/ifs/reading/test_partition_read.py::test_lines_are_the_same_with_and_without_expand",
                        "systems/hubspot/test_mapping.py::test_codes_reach_the_line_as_they_are",
                    ),
                ),
            ),
            Statement(
                "HubSpot's limits are kept, with waits that grow.",
                Evidence(
                    settings=("hubspot.calls_per_10_seconds",),
                    tests=(
                        f"{own.OBJECTS}test_companies.py::test_the_burst_limit_is_waited_for_as_the_headers_say",
                        "orchestration/test_hubspot.py::"
                        "test_a_daily_limit_fails_the_load_with_words_and_the_next_run_goes_on",
                    ),
                )
                + erp.BACKED_OFF,
            ),
            Statement("Each record has a trail without gaps.", erp.TRAIL),
            Statement("What failed is replayed once its cause is mended.", erp.REPLAYED),
        ),
        "the example": (
            Statement(
                "The sales team's own list of who is also in the finance system is not needed: those companies are "
                "tied, or asked about.",
                own.TIED,
            ),
            Statement(
                "Nobody looks up account and cost centre in the ERP to answer a customer: they stand on the company.",
                own.TAGGED,
                own.ONE_COMPANY_CODE,
            ),
            Statement("Every customer of the ERP appears as a company.", own.MADE),
            Statement(
                "Invoices become closed deals.", own.DEALS, "off by default: HubSpot counts a won deal as revenue."
            ),
            Statement("Invoices become commerce records as well.", own.INVOICED),
            Statement(
                "Relationship and financial position stand in one place, invoices that were paid or voided included.",
                Evidence(
                    settings=("hubspot.status_owner", "hubspot.invoice_statuses"),
                    tests=(
                        f"{own.OBJECTS}test_invoice_status.py::"
                        "test_what_a_person_paid_or_voided_is_never_reset_and_is_told",
                        f"{own.OBJECTS}test_invoices.py::test_a_cancelled_invoice_is_voided",
                    ),
                )
                + own.INVOICED,
            ),
        ),
        "what one can do, and questions": (
            Statement(
                "Every row of an invoice arrives: sums and totals are equal to the cent, or it is held.",
                Evidence(
                    rules=("amounts_add_up",),
                    settings=("hubspot.total_check",),
                    tests=(
                        f"{own.OBJECTS}test_invoice_status.py::"
                        "test_a_total_that_stays_wrong_holds_the_invoice_as_a_draft_with_both_figures",
                        "systems/hubspot/test_mapping.py::test_an_invoice_is_held_with_its_reason",
                    ),
                ),
            ),
            Statement(
                "Both sign-ins stand beside each other, renewed and encrypted.",
                erp.SIGNED_IN + erp.RENEWED + erp.SEALED,
            ),
            Statement(
                "Paging, ETags and the limit of elements cause neither errors nor losses.", erp.PAGED + erp.VERSIONED
            ),
            Statement("Each read is in the trail: filter, times, rows.", erp.PULLS + erp.TRAIL),
            Statement(
                "Accounts and cost centres are properties of the company, made where they are missing.",
                Evidence(
                    code=("systems/hubspot/portal.py::Portal",),
                    tests=(
                        f"{own.OBJECTS}test_companies.py::test_group_and_properties_are_made_once_and_then_only_read",
                        f"{own.OBJECTS}test_companies.py::"
                        "test_a_property_of_another_type_is_refused_before_anything_is_sent",
                    ),
                )
                + own.TAGGED,
            ),
            Statement(
                "If-Match goes with each change, so that what somebody else changed meanwhile is not lost.",
                erp.VERSIONED,
            ),
            Statement("A refusal for the rate is waited for, and the read goes on.", erp.BACKED_OFF + erp.RESUMED),
            Statement("Credentials are tried on the real systems before anything moves.", erp.PINGED),
        ),
    },
)
