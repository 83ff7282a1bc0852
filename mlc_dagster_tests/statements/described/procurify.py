"""Procurify: what was asked for, statement by statement."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.evidence import procurify as own
from mlc_dagster_tests.statements.statement import Chapter, Evidence, InPart, Otherwise, Statement, shown

CHAPTER = Chapter(
    "procurify",
    {
        "in short": (
            Statement(
                "Procurify is where people buy and spend, the ERP has ledger and suppliers: what was bought goes into "
                "the ERP.",
                own.DIRECTIONS,
            ),
            Statement("What was bought and what is in the books stay one.", own.RECONCILED),
            Statement("New orders go into the ERP, with accounts and companies.", own.ORDERS + own.CODED),
            Statement("New bills do.", own.BILLS + own.CODED),
            Statement(
                "Vendors and suppliers stay the same on both sides.", own.BOTH_WAYS, Otherwise(own.OFF_BY_DEFAULT)
            ),
            Statement("Nobody types them again.", own.VENDORS + own.BILLS),
        ),
        "what moves": (
            Statement("Orders and bills go from Procurify into the ERP.", own.DIRECTIONS + own.BILLS + own.ORDERS),
            Statement("Procurify is asked when mlc.yaml says: daily, after the approvals, or otherwise.", own.POLLED),
            Statement("A bill becomes a supplier invoice.", own.BILLS),
            Statement(
                "Documents are posted by OData.",
                own.WHOLE
                + shown(
                    "orchestration/test_external_loads.py",
                    "a_bill_becomes_an_invoice_that_is_approved_and_its_order_waits_for_nothing",
                    settings=("ifs.invoices_by",),
                ),
            ),
            Statement("Vendors go both ways.", own.BOTH_WAYS, Otherwise(own.OFF_BY_DEFAULT)),
            Statement("A posting has the company code that mlc.yaml says.", own.CODED + own.JUDGED),
            Statement("It has the cost centre as a dimension.", own.CODED + own.JUDGED),
            Statement(
                "So finance sees spending by cost centre.",
                own.CODED
                + shown(
                    "promises/test_c56_tables.py",
                    "c56_what_a_table_misses_is_held_with_the_value_and_the_table",
                ),
            ),
            Statement("Nothing is written into Procurify.", own.NO_WRITES),
        ),
        "how it is done": (
            Statement("Each system has a session by OAuth 2.", own.TOKENS + erp.SIGNED_IN),
            Statement(
                "Tokens are renewed before they end.",
                own.TOKENS,
                Otherwise("client credentials bring no refresh token: the grant is made anew."),
            ),
            Statement("What is new or changed is read by ranges of dates, orders and bills.", own.BY_DATES),
            Statement(
                "Accounts and dimensions of the companies are fetched from the ERP.",
                own.JUDGED
                + erp.ACCOUNTS_JUDGED
                + shown("promises/test_c30_reading.py", "c30_a_set_is_read_exactly_or_switched_off"),
            ),
            Statement("So are its suppliers.", own.VENDORS),
            Statement(
                "Before an invoice is made, one for this bill is looked for.",
                own.ONCE,
                Otherwise(
                    "by our reference with the bill's unique id, then by company, supplier and invoice number: the "
                    "number that Procurify shows is not unique."
                ),
            ),
            Statement(
                "Orders and bills become posting proposals.",
                own.ORDERS + own.BILLS,
                Otherwise("orders do; a bill becomes the invoice, whose coding the ERP proposes itself."),
            ),
            Statement("Each change of a document names its ETag.", erp.VERSIONED + erp.VERSIONED_ACTIONS),
            Statement(
                "Postings go in batches below 5,000 elements.",
                own.WHOLE,
                InPart("each document is a change set of its own; several in one, up to the limit, are not sent yet."),
            ),
            Statement("A 429 of either system is waited out, ever longer.", own.RATES),
            Statement("Every movement stands in the trail.", erp.TRAIL + erp.PULLS),
        ),
        "the example": (
            Statement(
                "Several teams buy: each one's department is known to the books.",
                own.CODED
                + shown(
                    "systems/ping/test_names.py",
                    "departments_and_locations_that_procurify_does_not_have_are_named",
                    commands=("mlc ping",),
                ),
            ),
            Statement("Nobody exports orders weekly to enter them.", own.ORDERS + own.POLLED),
            Statement("Nobody shares costs out over departments by hand.", own.CODED + own.BILLS),
            Statement("Reports of spending and the subledger agree, and what differs is named.", own.RECONCILED),
            Statement(
                "An approved order arrives with the cost centre of the department that approved it.",
                own.ORDERS + own.CODED,
                Otherwise("Procurify names the department whose budget it is, not that of the approver."),
            ),
            Statement(
                "A bill is in the books on the day on which it is approved in Procurify.",
                own.BILLS
                + own.POLLED
                + shown(
                    "orchestration/test_location.py",
                    "schedules_ask_for_the_running_day_and_for_yesterday",
                ),
            ),
            Statement("The month's end begins with purchases and payables that agree.", own.RECONCILED),
            Statement(
                "The close is three days shorter.",
                own.RECONCILED,
                Otherwise("how long a close takes is the company's own figure: shown is what it no longer has to do."),
            ),
        ),
        "what one can do, and questions": (
            Statement("Orders become supplier invoices.", own.ORDERS, Otherwise(own.ORDERS_ARE_EXPECTED)),
            Statement("Bills become supplier invoices, each row with account and company.", own.BILLS + own.CODED),
            Statement(
                "Spending lands on cost centres and other dimensions.",
                own.CODED + shown(own.MAPPING, "the_cost_centre_may_be_another_code_part_or_none"),
                InPart(own.ONE_CODE_PART),
            ),
            Statement(
                "Asking follows the approvals: what waits for one is counted, and costs no call.",
                own.POLLED
                + shown(own.DAY, "drafts_and_what_no_supplier_sent_are_out_of_scope_and_cost_no_call_of_their_own"),
            ),
            Statement(
                "What comes twice is entered once, and what failed is tried again.",
                own.ONCE + erp.BACKED_OFF + erp.REPLAYED,
            ),
            Statement("The main direction is into the ERP.", own.DIRECTIONS),
            Statement(
                "If-Match is sent with what was read, so that two writers do not undo each other.", erp.VERSIONED
            ),
            Statement("Large reads of the ERP stay below 5,000 elements a page.", erp.PAGED),
            Statement(
                "Large numbers of orders and bills are many calls.",
                own.WHOLE
                + shown(
                    own.CLIENT,
                    "every_page_is_read_in_either_envelope_and_no_link_to_another_host_is_followed",
                    "a_page_that_takes_too_long_is_asked_for_in_smaller_ones_and_not_eight_times_over",
                    settings=("procurify.page_size",),
                ),
            ),
            Statement(
                "Nested rows are read by queries of their own where a page would be cut.",
                shown(
                    "systems/ifs/reading/test_partition_read.py",
                    "lines_are_the_same_with_and_without_expand",
                    "an_order_with_more_lines_than_a_response_may_hold_is_read_whole",
                    settings=("ifs.entity_sets",),
                )
                + shown(own.CLIENT, "a_bill_comes_flat_and_exact"),
            ),
            Statement("Each system has a token of its own.", own.TOKENS + erp.CONNECTIONS_APART),
            Statement("No webhooks are needed on either side.", own.BY_DATES + own.POLLED + erp.NO_EVENTS),
            Statement(
                "A bill is not entered again, however often it is read.",
                own.ONCE + Evidence(commands=("mlc duplicates",)),
            ),
            Statement("Both systems are tried with one's own credentials first.", erp.PINGED),
        ),
    },
)
