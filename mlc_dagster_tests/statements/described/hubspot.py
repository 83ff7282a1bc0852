"""HubSpot: what was asked for, statement by statement."""

from mlc_dagster_tests.statements.evidence import access as erp
from mlc_dagster_tests.statements.evidence import hubspot as own
from mlc_dagster_tests.statements.statement import Chapter, InPart, Otherwise, Statement

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
                "Each company carries its account in the ledger and its dimensions.",
                own.TAGGED,
                InPart(own.ONE_COMPANY_CODE),
            ),
            Statement(
                "Sales sees on the company who it is in the finance system: number, role, terms, currency.",
                own.WHO_IT_IS + own.TAGGED,
            ),
            Statement(
                "Invoices can become HubSpot's own invoices, so that revenue is seen beside the deals.",
                own.INVOICED + own.DEALS,
                Otherwise(
                    "the described set holds supplier invoices, which are payables; revenue is the flow of customers' "
                    "invoices, which is off until mlc.yaml names the tenant's set."
                ),
            ),
        ),
        "the ERP's side": (
            Statement(
                "Read over OData v4: who is bought from and sold to, orders, payables, charts, vouchers, dimensions.",
                erp.ODATA,
            ),
            Statement("Each customer has an instance at an address of its own.", erp.TENANT_ADDRESS),
            Statement("Sign-in is OAuth 2 by client credentials.", erp.SIGNED_IN),
            Statement("No webhook of the ERP is needed: it is asked what changed.", erp.NO_EVENTS),
            Statement("It is asked by modified timestamp; a set without one is compared whole.", erp.BY_STAMP),
            Statement(
                "A filter by state is possible as well.",
                own.BY_STATE,
                Otherwise(
                    "state decides what becomes of a row, not whether it is read: a row that is left out of a read "
                    "could not be told from one that was deleted."
                ),
            ),
            Statement("No request asks for more than 5,000 elements, nested lines counted.", erp.PAGED),
            Statement("Each change names the ETag of the read before it.", erp.VERSIONED),
        ),
        "HubSpot's side": (
            Statement(
                "Companies, deals, invoices and line items are kept over its REST API.",
                own.INVOICED + own.DEALS,
                Otherwise(
                    "contacts and products are offered too and not used: no record of the ERP was to become one."
                ),
            ),
            Statement(
                "Lists and searches go on by HubSpot's cursor, in pages of 200 at most.",
                own.CURSORS,
            ),
            Statement(
                "As many records as HubSpot takes go in one request.",
                own.BATCHED,
                Otherwise(
                    "HubSpot publishes a hundred for a batch of writes; the 200 of the description hold for searches."
                ),
            ),
            Statement("A private app's token is the credential, as a bearer token.", own.TOKEN),
            Statement(
                "A token belongs to one portal: another portal's is refused before the first write.",
                own.ONE_PORTAL,
            ),
            Statement(
                "What is there already is found by asking lists and searches, not by an event.",
                own.TIED + own.SEARCHED,
            ),
            Statement(
                "Invoices stand with an association to whom they concern.",
                own.INVOICED + own.ASSOCIATED,
                Otherwise(
                    "they are associated with the company; contacts are not made, and what people associate stays."
                ),
            ),
            Statement(
                "Writing invoices is a young part of HubSpot: version and rights are asked for beforehand.",
                own.BEFOREHAND,
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
                own.FROM_PROPOSALS,
            ),
            Statement("Line items are made of an invoice's rows.", own.INVOICED),
            Statement("An invoice is associated with the right company.", own.INVOICED),
            Statement(
                "It runs when mlc.yaml says: daily, after each billing cycle, or otherwise.",
                erp.SCHEDULED + own.SINCE_THE_LAST_TICK,
            ),
            Statement("Sales and finance look at the same customer: what differs later is told.", own.AGREE),
        ),
        "how it is done": (
            Statement("The ERP's client id and secret are kept encrypted.", erp.SEALED),
            Statement("They are exchanged for a token at the tenant's own endpoint.", erp.SIGNED_IN + erp.RENEWED),
            Statement(
                "HubSpot's token is kept encrypted and goes with each request.",
                erp.SEALED + own.TOKEN + own.NOT_SHOWN,
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
                erp.NOTHING_TWICE + own.MADE_ONCE,
            ),
            Statement(
                "Rows of an invoice are taken out of the OData array, or read beside it, and mapped one by one.",
                own.ROW_BY_ROW,
            ),
            Statement(
                "HubSpot's limits are kept, with waits that grow.",
                own.RATES + erp.BACKED_OFF,
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
                InPart(own.ONE_COMPANY_CODE),
            ),
            Statement("Every customer of the ERP appears as a company.", own.MADE),
            Statement(
                "Invoices become closed deals.",
                own.DEALS,
                Otherwise("off by default: HubSpot counts a won deal as revenue."),
            ),
            Statement("Invoices become commerce records as well.", own.INVOICED),
            Statement(
                "Relationship and financial position stand in one place, invoices that were paid or voided included.",
                own.STATUSES + own.INVOICED,
            ),
        ),
        "what one can do, and questions": (
            Statement(
                "Every row of an invoice arrives: sums and totals are equal to the cent, or it is held.",
                own.TO_THE_CENT,
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
                own.PROPERTIES + own.TAGGED,
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
