"""Airbase: what was asked for, statement by statement."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.evidence import airbase as own
from mlc_dagster_tests.statements.statement import Chapter, Evidence, Otherwise, Statement, shown

CHAPTER = Chapter(
    "airbase",
    {
        "in short": (
            Statement(
                "The ERP makes, buys and keeps the ledger, Airbase looks after spending and paying: orders go to "
                "Airbase, what was spent comes back.",
                own.DIRECTIONS,
            ),
            Statement("Purchase orders are alike on both sides.", own.ORDERS + own.EDITED_THERE),
            Statement(
                "Supplier invoices are alike on both sides.",
                own.INVOICES_OUT + own.BILLS_COMPARED + own.PAID + own.BILLS_BESIDE,
                Otherwise("off until mlc.yaml names the path of bills or the fields of orders: customers alone know."),
            ),
            Statement("Payments reach the ERP's ledger without being typed again.", own.PAID),
            Statement("A new supplier of the ERP appears in Airbase's list of vendors.", own.VENDORS),
            Statement(
                "An approved purchase request changes the state of its invoice in the ERP.",
                own.STATE_OF_INVOICES + own.APPROVED + own.INVOICE_STATES,
                Otherwise("off until mlc.yaml says from which state to which; else it becomes a voucher."),
            ),
            Statement("One side is spoken to by OData, the other by REST.", erp.ODATA + own.TOKEN),
            Statement("When it moves is said in mlc.yaml.", erp.SCHEDULED),
        ),
        "the ERP's side": (
            Statement(
                "Suppliers, orders, supplier invoices, accounts, dimensions and vouchers are reached over OData v4.",
                erp.ODATA,
            ),
            Statement("The address is the tenant's own.", erp.TENANT_ADDRESS),
            Statement("Sign-in is by client credentials at the tenant's own token endpoint.", erp.SIGNED_IN),
            Statement(
                "A token lives about an hour.",
                erp.RENEWED,
                Otherwise("IFS documents three minutes: the lifetime that the answer announces counts."),
            ),
            Statement(
                "Events that the ERP could send need a person in each tenant: nothing here rests on them.",
                erp.NO_EVENTS,
            ),
            Statement("It is asked for what was modified since.", erp.BY_STAMP),
            Statement("A request asks for some 5,000 elements at most.", erp.PAGED),
            Statement("Some 1,000 requests a minute are not passed.", erp.RATE_OF_THE_ERP),
            Statement("Who changes something names the version that he read.", erp.VERSIONED),
        ),
        "Airbase's side": (
            Statement(
                "Vendors and their orders, bills and what was paid, charts and subsidiaries come over REST as JSON.",
                own.PAID + own.ORDERS + own.VENDORS + own.BOTH_CHARTS,
            ),
            Statement(
                "Its address is a setting.",
                shown(
                    "systems/test_public_addresses.py",
                    "the_address_that_all_customers_share_is_known",
                    settings=("airbase.base_url",),
                ),
                Otherwise(
                    "described is an address for each tenant; recorded traffic shows one for all, which is the default."
                ),
            ),
            Statement(
                "A token that does not change is the credential, in the Authorization header.",
                own.TOKEN,
                Otherwise(
                    "recorded traffic says Token before it where the description says Bearer: a setting, and a ping "
                    "says which one is refused."
                ),
            ),
            Statement("Webhooks are registered in its portal, and ours takes them in.", own.WEBHOOKS),
            Statement("The approval of a purchase request is an event.", own.WEBHOOKS),
            Statement(
                "Other events are taken in as well, under their kind.",
                shown(
                    "web/test_proof.py",
                    "airbases_record_is_found_where_it_may_stand",
                    "an_airbase_event_without_an_id_is_known_by_its_body",
                    code=("systems/airbase/webhooks.py::event_of",),
                ),
            ),
            Statement("Charts and subsidiaries are looked at there, never written.", own.READ_ONLY),
            Statement(
                "They come from the ERP: what is missing on which side is told.",
                own.BOTH_CHARTS + shown(own.REFERENCES, "an_empty_chart_is_an_error_and_not_an_agreement"),
            ),
            Statement("Cards are issued in the portal alone.", own.NOT_OURS),
            Statement(
                "What was paid by card is read, and entered where mlc.yaml says so.",
                shown(
                    "systems/airbase/spend/test_entry_types.py",
                    "a_type_is_entered_by_the_one_flow_of_its_kind",
                    "no_type_is_entered_by_default",
                    settings=("airbase.types",),
                    flows=(own.PAYMENTS,),
                ),
            ),
            Statement("Users are provisioned elsewhere, and not by us.", own.NOT_OURS),
            Statement("Paths that only customers are told are settings, and empty they switch off.", own.PATHS),
            Statement("How its webhooks are signed is a setting, too.", own.SIGNED),
        ),
        "what moves": (
            Statement("The main direction is from the ERP into Airbase.", own.DIRECTIONS),
            Statement(
                "Suppliers are read again and again, so that the list is current.",
                own.VENDORS + own.TWO_WAY + erp.SCHEDULED,
            ),
            Statement("Orders are too, so that they are the base of what is spent.", own.ORDERS + erp.SCHEDULED),
            Statement("Approved requests become journal entries in the ERP.", own.APPROVED),
            Statement("Payments do.", own.PAID),
            Statement(
                "Vouchers are brought up to date.",
                own.NOT_EDITED,
                Otherwise(
                    "a voucher that is entered is never edited: a change is held and told, and reversed where mlc.yaml "
                    "says so."
                ),
            ),
            Statement(
                "Each row lands on the account and the dimensions that mlc.yaml says.", own.BY_TYPE + own.DIMENSIONS
            ),
            Statement("Charts are compared in both directions.", own.BOTH_CHARTS),
            Statement("Payments land on accounts and dimensions that are valid in the ERP.", own.VALID_ACCOUNTS),
            Statement("The ERP is asked by schedule.", erp.SCHEDULED + erp.NO_EVENTS),
            Statement("Airbase tells by webhook what was approved.", own.WEBHOOKS),
            Statement(
                "The ERP knows of an approval as soon as it is given.",
                own.WEBHOOKS + own.READ_ALONE + own.APPROVED + own.INVOICE_STATES + own.ONE_RECORD,
            ),
        ),
        "how it is done": (
            Statement(
                "Both sides' credentials are kept encrypted.",
                erp.SEALED
                + shown(
                    "ledger/test_credentials.py",
                    "a_secret_is_piped_in_listed_rotated_and_removed_without_being_shown",
                    secrets=("AIRBASE_TOKEN",),
                ),
            ),
            Statement("The ERP's token is renewed before it ends: at fifty of sixty minutes.", erp.RENEWED),
            Statement("Pages are followed to the end.", erp.PAGED + erp.NOTHING_LOST_PAGING),
            Statement("What is read is read with its ETag.", erp.VERSIONED),
            Statement(
                "The ETag goes with PATCH and POST.",
                erp.VERSIONED + erp.VERSIONED_ACTIONS,
                Otherwise("a POST that creates has no version to name; one that is an action does."),
            ),
            Statement("Airbase's token goes with each request.", own.TOKEN),
            Statement("Suppliers go both ways; a new one of the ERP is posted to Airbase.", own.VENDORS + own.TWO_WAY),
            Statement("Payment terms changed in Airbase change in the ERP, where its vendors have them.", own.TERMS),
            Statement("Orders go over with their rows.", own.ORDERS),
            Statement("A request's account follows from its purchase type.", own.APPROVED + own.BY_TYPE),
            Statement("Requests are sent in batches.", own.BATCHED + erp.RATE_OF_THE_ERP),
            Statement("A 429 is waited out, ever longer, with a random part.", erp.BACKED_OFF),
            Statement("A payment that has its voucher gets no second one.", own.ENTERED_ONCE),
            Statement("Each record has its trail.", erp.TRAIL),
            Statement("What failed on the way is replayed.", erp.REPLAYED),
        ),
        "the example": (
            Statement(
                "Two plants, one Airbase: each order says whose it is.",
                shown(
                    own.ORDER_TESTS,
                    "an_order_has_its_vendor_its_lines_and_its_total",
                    "an_unknown_subsidiary_is_named_with_its_company",
                    rules=("subsidiary_exists",),
                    settings=("companies.airbase.subsidiary",),
                ),
                Otherwise("Airbase has subsidiaries and no plants: the company decides which one an order is of."),
            ),
            Statement("An order is entered once, in the ERP.", own.ORDERS),
            Statement("Nothing is reconciled by hand.", own.EDITED_THERE + erp.MONTH_ENDS),
            Statement("Approvals are not typed into the ERP: they are vouchers by themselves.", own.APPROVED),
            Statement("Suppliers stay the same.", own.TWO_WAY),
            Statement(
                "The ERP is the one source: what is edited in Airbase is told, and put right by policy.",
                own.EDITED_THERE
                + shown(
                    "orchestration/test_verified.py",
                    "where_the_policy_is_restore_the_look_puts_it_back",
                    settings=("verify.flows",),
                ),
            ),
            Statement("The books close sooner, since payments are in them.", own.PAID + erp.MONTH_ENDS),
        ),
        "what one can do, and questions": (
            Statement(
                "A vendor that is entered in Airbase becomes a supplier of the ERP.",
                own.NEW_THERE,
                Otherwise("off by default: mlc.yaml says whether vendors make suppliers."),
            ),
            Statement(
                "Webhooks are believed only where they are proven, and what they name is read anew.",
                own.SIGNED + own.WEBHOOKS,
            ),
            Statement(
                "Calls are tried again, and each try is in the trail.",
                shown(own.INBOUND, "a_lost_answer_is_looked_up_and_no_second_voucher_is_made")
                + erp.BACKED_OFF
                + erp.TRAIL,
            ),
            Statement("A change of a supplier on either side reaches the other.", own.TWO_WAY),
            Statement("The number of an order in the ERP is its key in Airbase.", own.KEYED),
            Statement("Before a request's voucher is entered, one of its reference is looked for.", own.ENTERED_ONCE),
            Statement(
                "Accounts and dimensions are said beforehand, and judged before they are used.",
                own.BY_TYPE
                + own.VALID_ACCOUNTS
                + Evidence(rules=("lines_make_the_total", "voucher_balances", "period_is_open")),
            ),
            Statement("Both systems can be tried with one's own credentials.", erp.PINGED),
        ),
    },
)
