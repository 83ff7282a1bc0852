"""Cin7: what was asked for, statement by statement."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.evidence import cin7 as own
from mlc_dagster_tests.statements.statement import Chapter, Evidence, Otherwise, Statement, shown

CHAPTER = Chapter(
    "cin7",
    {
        "in short": (
            Statement(
                "The ERP buys, makes and keeps the ledger by department and cost centre; Cin7 keeps stock, purchases "
                "and their accounting: the main direction is from the ERP into Cin7.",
                own.DIRECTIONS,
            ),
            Statement("Suppliers are the same on both sides, and nobody types them twice.", own.TWO_WAY),
            Statement("So are purchase orders.", own.ORDERS + own.AGREE),
            Statement("So are accounts: each that a document names is looked for in both charts.", own.CHART),
            Statement("A new order arrives as a purchase of the right supplier.", own.OF_ITS_SUPPLIER),
            Statement("What changes of a supplier in the ERP changes in Cin7 by itself.", own.TWO_WAY),
            Statement(
                "The month's close begins where both agree on purchases, invoices and their accounts.",
                erp.MONTH_ENDS + own.AGREE,
            ),
        ),
        "the ERP's side": (
            Statement("Read over OData v4: suppliers with their orders and invoices, charts, vouchers.", erp.ODATA),
            Statement("Each tenant has an address of its own.", erp.TENANT_ADDRESS),
            Statement("Sign-in is OAuth 2 by client credentials.", erp.SIGNED_IN),
            Statement(
                "A token is good for about an hour.",
                erp.RENEWED,
                Otherwise(
                    "IFS documents tokens of three minutes: what the answer announces counts, an hour where it does."
                ),
            ),
            Statement("There are no webhooks to subscribe to: the ERP is asked by modified timestamp.", erp.BY_STAMP),
            Statement("Nothing rests on events that somebody would set up by hand in each tenant.", erp.NO_EVENTS),
            Statement("An answer holds fewer than 5,000 elements.", erp.PAGED),
            Statement("About 1,000 calls a minute are made of one tenant, and no more.", erp.RATE_OF_THE_ERP),
            Statement("A 429 is understood as: later.", erp.BACKED_OFF),
            Statement("Each record of finance belongs to a company code.", erp.COMPANIES_JUDGED + own.CODED),
            Statement("Changes carry the ETag.", erp.VERSIONED + erp.VERSIONED_ACTIONS),
        ),
        "Cin7's side": (
            Statement(
                "It is asked over REST at its one public address.",
                shown(
                    "systems/cin7/test_client.py",
                    "a_wrong_address_is_named_at_the_first_call",
                    "a_list_of_several_pages_is_read_whole",
                    settings=("cin7.base_url",),
                ),
            ),
            Statement("Two headers with account and application key are the credential, on each call.", own.KEYS),
            Statement(
                "Suppliers, purchases, products and the chart of accounts are used.",
                own.ORDERS
                + own.CHART
                + shown("systems/cin7/test_client.py", "the_books_hold_what_may_be_used_and_nothing_else"),
                Otherwise(
                    "sales and customers are offered too and left alone: nothing between the two systems needs them."
                ),
            ),
            Statement("Its chart is read, never written.", own.CHART_READ_ONLY),
            Statement("Its webhooks are taken in: suppliers and purchases that change there.", own.WEBHOOKS),
            Statement(
                "They are set up in its own pages and not by us; a ping says which are there, and which are off.",
                shown(
                    "systems/ping/test_cin7_account.py",
                    "a_webhook_that_is_off_is_told_and_so_is_how_documents_are_taxed",
                    commands=("mlc ping",),
                ),
            ),
            Statement(
                "They bear no signature, so a secret of ours is asked for.",
                shown(
                    "web/test_webhooks.py",
                    "the_secret_comes_in_the_header_or_in_the_path",
                    "a_wrong_or_missing_secret_is_refused_and_kept_nowhere",
                    settings=("web.cin7",),
                ),
            ),
            Statement(
                "A purchase goes from order over receipt and invoice to payment.",
                own.ORDERS + own.INVOICES + own.PROGRESS,
                Otherwise("an attribute of the purchase says what was received; stock is booked in Cin7 itself."),
            ),
            Statement(
                "How a purchase goes on is said by its approach: order, invoice or receipt first.",
                shown("systems/cin7/purchases/test_purchases.py", "an_order_becomes_a_purchase_in_two_steps")
                + Evidence(flows=("cin7/purchases",), code=("systems/cin7/purchases/request_bodies.py::new_header",)),
                Otherwise("Cin7 publishes two approaches, invoice first and stock first; ours are invoice first."),
            ),
            Statement("Limits are of each application key, and several keys share the work.", own.RATES),
        ),
        "what moves": (
            Statement("Suppliers are read by schedule and become suppliers.", own.SUPPLIERS + erp.SCHEDULED),
            Statement("Purchase orders are, and become purchases.", own.ORDERS + erp.SCHEDULED),
            Statement("Supplier invoices are, and become invoices of purchases.", own.INVOICES + erp.SCHEDULED),
            Statement("Accounts of both systems are kept alike.", own.CHART + own.CHARTS_COMPARED),
            Statement("Names of suppliers go both ways.", own.TWO_WAY),
            Statement("Payment terms of suppliers go both ways.", own.TERMS),
            Statement(
                "Contacts of suppliers go both ways.",
                own.CONTACTS + own.PERSONS_AND_ADDRESSES,
                Otherwise("contact persons, phones and addresses do where mlc.yaml asks for it."),
            ),
            Statement("An order goes over with header and rows.", own.ORDERS),
            Statement(
                "Each row stands on the right account.",
                own.ON_THEIR_ACCOUNT,
                Otherwise(
                    "rows of orders have no account in Cin7: it is judged, stands in the row's comment, and the "
                    "invoice's rows are booked on it."
                ),
            ),
            Statement("Each row says its company code.", own.CODED),
            Statement(
                "Vouchers of the ERP are compared with Cin7's chart: an account that it does not have is told.",
                own.VOUCHERS + own.FOLLOWED,
            ),
            Statement("No part of Cin7's chart is carried into the ERP.", own.CHART_READ_ONLY + own.DIRECTIONS),
        ),
        "how it is done": (
            Statement("The ERP's credentials are kept encrypted.", erp.SEALED),
            Statement("Its token is renewed at fifty of sixty minutes.", erp.RENEWED),
            Statement("Calls are counted key by key.", own.RATES),
            Statement("Large reads are pages, one after the other and side by side.", erp.PAGED),
            Statement("Refusals for the rate are waited out, ever longer, and drawn by chance.", erp.BACKED_OFF),
            Statement("A record of the ERP is read, and its ETag sent with the change.", erp.VERSIONED),
            Statement(
                "That is so of bank details, too.",
                own.BANK_DETAILS + own.OUTWARDS,
                Otherwise("they go one way, out of the ERP; what differs is held, and changed there by hand."),
            ),
            Statement("A supplier's number in the ERP is its key in Cin7.", own.SUPPLIERS),
            Statement("An order's number is the key of its purchase.", own.KEYED + own.OF_ITS_KEY),
            Statement("The same again makes no second record, and leaves no half one.", own.NOTHING_TWICE),
            Statement("Accounts are judged when records are prepared, before anything is sent.", own.CHART),
            Statement(
                "What names an account that Cin7 does not have is held for a person, and heals when the account is "
                "there.",
                own.HELD,
            ),
            Statement("Company codes are taken from the record and looked up in mlc.yaml.", erp.COMPANIES_JUDGED),
            Statement("The trail has the filter that the ERP was asked with.", erp.PULLS),
            Statement("The trail has when it was asked, and how many rows of each set came.", erp.PULLS),
            Statement("The trail has what became of each record.", erp.TRAIL),
        ),
        "the example": (
            Statement(
                "Three plants buy and make: each has its place in Cin7.",
                shown(
                    "systems/cin7/test_mapping.py",
                    "the_company_says_where_goods_are_received",
                    settings=("companies.cin7.location", "cin7.location"),
                    rules=("location_exists",),
                )
                + own.SITES,
            ),
            Statement(
                "The value of stock rests on purchases: goods go over as products, with their cost.",
                shown(
                    "systems/cin7/purchases/test_invoiced_products.py",
                    "goods_go_over_as_products_and_what_is_no_product_as_a_charge",
                    "what_another_invoice_took_is_not_invoiced_again",
                    settings=("cin7.invoice_lines",),
                    flows=("cin7/purchase_invoices",),
                ),
            ),
            Statement("Nobody exports orders monthly to enter them again.", own.ORDERS + erp.SCHEDULED),
            Statement("One supplier does not stand twice.", own.ONE_SUPPLIER),
            Statement("Terms of payment do not differ.", own.TERMS + own.AGREE),
            Statement(
                "Each new order fills Cin7's purchases on the right account.",
                own.ORDERS + own.ON_THEIR_ACCOUNT,
                Otherwise(
                    "the account is judged and shown with the order's row; Cin7's ledger has it with the invoice."
                ),
            ),
            Statement("A supplier that was renamed is renamed on the other side.", own.TWO_WAY),
            Statement("The close needs no typing: both sides' sums stand side by side.", erp.MONTH_ENDS + own.AGREE),
        ),
        "what one can do, and questions": (
            Statement("Details of suppliers match, and what does not is told.", own.AGREE + own.BOTH_CHANGED),
            Statement(
                "Accounts are judged in Cin7 before vouchers are posted.",
                own.VOUCHERS + own.FOLLOWED,
                Otherwise("ours are, where Cin7 follows the company; what people enter is told afterwards."),
            ),
            Statement(
                "Sign-ins, renewals and limits of both sides are looked after.", erp.RENEWED + own.KEYS + own.RATES
            ),
            Statement("Suppliers, purchases and accounts leave a whole trail.", erp.TRAIL + erp.PULLS),
            Statement("What is not right waits for a person.", erp.HELD),
            Statement("After a refusal the read goes on, and loses no record.", erp.RESUMED + erp.NOTHING_LOST_PAGING),
            Statement("Each record of finance says its company, so that it lands in the right books.", own.CODED),
            Statement(
                "An order on a missing account is not sent in part either.",
                own.HELD
                + shown(
                    "systems/cin7/purchases/test_purchases.py", "lines_that_cin7_refuses_leave_no_half_made_purchase"
                ),
            ),
            Statement("The trail names the account and the order that it was missing for.", own.NAMED_IN_THE_TRAIL),
            Statement(
                "After the mapping is corrected the record is replayed, and delivered once.", erp.REPLAYED + own.HELD
            ),
            Statement("Credentials are tried on the real systems before anything moves.", erp.PINGED),
        ),
    },
)
