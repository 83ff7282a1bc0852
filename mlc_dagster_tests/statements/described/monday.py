"""monday.com: what was asked for, statement by statement."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.evidence import monday as own
from mlc_dagster_tests.statements.statement import Chapter, Evidence, Otherwise, Statement, shown

CHAPTER = Chapter(
    "monday",
    {
        "in short": (
            Statement("The ERP makes and buys, monday.com is where people work: it shows, the ERP says.", own.ONE_WAY),
            Statement("States of orders are seen on a board.", own.ORDERS + own.REFRESHED),
            Statement("Invoices that came in are seen on a board.", own.INVOICES),
            Statement("Journal entries that wait for approval are seen on a board.", own.ENTRIES + own.EACH_BOARD),
            Statement("Nobody types them there.", own.EACH_BOARD),
            Statement("Finance need not change from one system to the other.", own.EACH_BOARD + own.WITHIN_MINUTES),
            Statement(
                "Who approves there sees what the ERP has; nothing is imported by hand.",
                own.REFRESHED + own.EDITED_THERE,
            ),
        ),
        "the ERP's side": (
            Statement(
                "Posting proposals, orders, vouchers, sales orders, suppliers, accounts and code part values are read "
                "over OData v4.",
                erp.ODATA
                + Evidence(
                    flows=(
                        "monday/invoices",
                        "monday/purchase_orders",
                        "monday/journal_entries",
                        "monday/customer_orders",
                        "monday/suppliers",
                        "monday/accounts",
                    )
                )
                + shown(own.MAPPING, "every_field_that_mlc_yaml_may_name_is_mapped"),
            ),
            Statement("Each customer signs in by client credentials of its own.", erp.SIGNED_IN),
            Statement("The address is the customer's own.", erp.TENANT_ADDRESS),
            Statement("There is nothing to subscribe to, and events set up by hand are not needed.", erp.NO_EVENTS),
            Statement("No page holds more than 5,000 elements.", erp.PAGED),
            Statement("No more than some 1,000 requests leave in a minute.", erp.RATE_OF_THE_ERP),
            Statement("A refusal for the rate is a 429, and understood.", erp.BACKED_OFF),
            Statement("A change needs an ETag.", erp.VERSIONED),
        ),
        "monday.com's side": (
            Statement(
                "A board holds items, and an item has columns of types.",
                own.COLUMNS + own.INVOICES,
            ),
            Statement(
                "What an invoice or an order looks like there is for people to say: boards and columns stand in "
                "mlc.yaml.",
                own.OWN_BOARDS + own.COLUMNS,
            ),
            Statement("It is spoken to in GraphQL at its one address.", own.GRAPHQL),
            Statement("A personal token or one of an app by OAuth 2 signs in.", own.SIGN_IN),
            Statement(
                "Webhooks of boards are taken in where somebody wants them: items made, columns changed.",
                own.WEBHOOKS,
            ),
            Statement(
                "Nothing rests on them: what is there is asked for.",
                own.NEVER_TWICE + own.EDITED_THERE,
            ),
            Statement("How many requests a minute allows depends on the plan, and is a setting.", own.LIMITS),
            Statement("What a request costs is counted in points.", own.COMPLEXITY),
            Statement(
                "It knows no orders and no invoices: each is mapped field by field.", own.COLUMNS + own.OWN_BOARDS
            ),
        ),
        "what moves": (
            Statement("The direction is from the ERP to monday.com.", own.ONE_WAY),
            Statement(
                "Posting proposals go to the board of invoices at the time that mlc.yaml says: daily, or otherwise.",
                own.INVOICES + erp.SCHEDULED,
            ),
            Statement(
                "They go when somebody asks, too.",
                erp.REPLAYED
                + shown(
                    "orchestration/test_plan.py",
                    "a_plan_is_applied_as_it_was_shown",
                    commands=("mlc replay", "mlc apply"),
                ),
            ),
            Statement("Orders go the same way.", own.ORDERS + own.EACH_BOARD),
            Statement("Vouchers do.", own.ENTRIES + own.EACH_BOARD),
            Statement("A change of state in the ERP changes the item.", own.REFRESHED),
            Statement(
                "Suppliers and accounts are kept on boards of their own, for links and filters.",
                own.REFERENCE_BOARDS + own.REFRESHED,
            ),
            Statement(
                "What people change on a board is not written into the ERP.",
                own.ONE_WAY + own.EDITED_THERE + own.PUT_RIGHT,
            ),
        ),
        "how it is done": (
            Statement("The ERP's credentials are kept encrypted.", erp.SEALED),
            Statement("Its token is renewed before it ends, so that reads go on.", erp.RENEWED),
            Statement("It is asked again and again, at the times that mlc.yaml says.", erp.SCHEDULED + erp.NO_EVENTS),
            Statement("Only what was modified is read.", erp.BY_STAMP),
            Statement("Large results come page by page.", erp.PAGED + erp.NOTHING_LOST_PAGING),
            Statement("A 429 is followed by waits that grow.", erp.BACKED_OFF),
            Statement("Each record of the ERP becomes an item with its columns.", own.COLUMNS + own.EACH_BOARD),
            Statement(
                "An invoice's item has number, amount and state in columns.",
                own.INVOICES,
            ),
            Statement(
                "It has the supplier's name in one as well.", own.REFERENCE_BOARDS + own.INVOICES + own.NAMED_SUPPLIERS
            ),
            Statement("A mutation stays below 5,000,000 points.", own.COMPLEXITY),
            Statement("Each record that went over has its trail.", erp.TRAIL),
            Statement("What failed in monday.com is replayed.", erp.REPLAYED + own.RETRIED),
        ),
        "the example": (
            Statement(
                "Three plants: the board says whose order it is.",
                shown(
                    own.MAPPING,
                    "every_field_that_mlc_yaml_may_name_is_mapped",
                    flows=("monday/purchase_orders",),
                    settings=("monday.boards.purchase_orders.columns.site",),
                )
                + own.SITES,
            ),
            Statement("Approvals of invoices are followed there.", own.INVOICES + own.REFRESHED),
            Statement("Receipts of orders are followed there.", own.ORDERS + own.PROGRESS),
            Statement(
                "Tasks of the month's end are followed there.",
                erp.MONTH_ENDS,
                Otherwise(
                    "tasks are items that people make for themselves, and are left alone; what a month comes to, and "
                    "who signed for it, is kept by the close."
                ),
            ),
            Statement("An invoice that arrived in the ERP need not be entered on the board.", own.INVOICES),
            Statement("Nobody calls the warehouse to hear what shipped.", own.ORDERS + own.PROGRESS + own.SHIPPED),
            Statement("A new invoice or order is on its board within minutes.", own.WITHIN_MINUTES + own.EACH_BOARD),
            Statement(
                "States are at most an hour behind.",
                own.REFRESHED
                + own.WITHIN_MINUTES
                + shown(
                    "orchestration/test_stock.py",
                    "a_loaded_asset_turns_yellow_then_red_where_its_schedule_stops",
                    settings=("schedules.fresh_minutes",),
                ),
            ),
            Statement(
                "Each item bears the key of its record in the ERP, by which all that happened to it is found.",
                shown(own.DAY, "each_board_gets_its_items", settings=("monday.key_column",))
                + erp.TRAIL
                + shown("ledger/test_decisions.py", "history_tells_of_a_key_over_all_flows_and_of_a_run"),
            ),
        ),
        "what one can do, and questions": (
            Statement("State and amount of an invoice are renewed with each cycle.", own.REFRESHED),
            Statement(
                "Orders show their state, and when they are wanted.",
                own.ORDERS + shown(own.MAPPING, "every_field_that_mlc_yaml_may_name_is_mapped") + own.PROGRESS,
            ),
            Statement(
                "Journal entries are mapped to the right account and department.",
                own.ENTRIES
                + shown(
                    "orchestration/test_one_rule.py",
                    "an_unknown_account_is_held_before_cin7_hubspot_and_monday_by_the_same_rule",
                    rules=("gl_accounts_exist",),
                ),
            ),
            Statement("Both sign-ins are looked after.", erp.SIGNED_IN + own.SIGN_IN),
            Statement(
                "The times follow the cycles of finance, with tries and trail.",
                erp.SCHEDULED + own.RETRIED + erp.TRAIL,
            ),
            Statement("Asking by modified timestamp works for any tenant alike.", erp.BY_STAMP + erp.TENANT_ADDRESS),
            Statement(
                "What a mutation will cost is known before it is sent.",
                own.COMPLEXITY + shown(own.CLIENT, "requests_shrink_to_what_a_write_is_learned_to_cost"),
            ),
            Statement("Large batches are split into smaller ones.", own.COMPLEXITY),
            Statement(
                "A record that alone is above the limit is written with fewer columns, and the rest with the next "
                "load.",
                own.FEWER_COLUMNS,
            ),
            Statement(
                "Invoices, orders and vouchers have a board each.",
                own.EACH_BOARD + own.OWN_BOARDS,
            ),
            Statement(
                "A field has a column of a type that fits: text, link, number, status; another is refused.",
                own.COLUMNS + shown(own.CLIENT, "a_column_that_does_not_fit_stops_the_run_before_anything_is_sent"),
            ),
            Statement("Both systems are tried with one's own credentials first.", erp.PINGED),
        ),
    },
)
