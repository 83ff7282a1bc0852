"""What must be true of a record before it is loaded. Pure: a rule sees the source, the target and the facts.

A rule asks the records only for what it needs, by name: `source.postings()`, `target.skus()`. Any flow whose records
answer can use it. A docstring is what the UI shows; a reason names the code, the line, the company, the date, and what
to do.
"""

from mlc_dagster.rules.account_demands import Booking as Booking
from mlc_dagster.rules.account_demands import account_demands_are_met as account_demands_are_met
from mlc_dagster.rules.bank_details import bank_details_confirmed as bank_details_confirmed
from mlc_dagster.rules.company_calendar import accounting_year_is_known as accounting_year_is_known
from mlc_dagster.rules.company_calendar import posting_day_is_sure as posting_day_is_sure
from mlc_dagster.rules.dates import Dated as Dated
from mlc_dagster.rules.dates import dates_can_be_meant as dates_can_be_meant
from mlc_dagster.rules.namesakes import is_not_known_under_another_key as is_not_known_under_another_key
from mlc_dagster.rules.payables import payable_is_net_plus_tax as payable_is_net_plus_tax
from mlc_dagster.rules.payables import placed_difference as placed_difference
from mlc_dagster.rules.postings import Dimension as Dimension
from mlc_dagster.rules.postings import code_parts_exist as code_parts_exist
from mlc_dagster.rules.postings import company_amount_is_known as company_amount_is_known
from mlc_dagster.rules.postings import currency_is_known as currency_is_known
from mlc_dagster.rules.postings import dimensions_of as dimensions_of
from mlc_dagster.rules.postings import may_be_there_already as may_be_there_already
from mlc_dagster.rules.postings import not_posted_already as not_posted_already
from mlc_dagster.rules.postings import period_is_open as period_is_open
from mlc_dagster.rules.postings import supplier_exists as supplier_exists
from mlc_dagster.rules.postings import voucher_balances as voucher_balances
from mlc_dagster.rules.problems import SHOWN as SHOWN
from mlc_dagster.rules.records import amounts_add_up as amounts_add_up
from mlc_dagster.rules.records import amounts_fit as amounts_fit
from mlc_dagster.rules.records import is_not_a_credit_note as is_not_a_credit_note
from mlc_dagster.rules.records import is_not_cancelled as is_not_cancelled
from mlc_dagster.rules.records import order_is_a_purchase as order_is_a_purchase
from mlc_dagster.rules.records import required_fields_are_given as required_fields_are_given
from mlc_dagster.rules.records import texts_fit as texts_fit
from mlc_dagster.rules.reference_books import (
    accounts_are_in_the_following_ledger as accounts_are_in_the_following_ledger,
)
from mlc_dagster.rules.reference_books import company_is_mapped as company_is_mapped
from mlc_dagster.rules.reference_books import gl_accounts_exist as gl_accounts_exist
from mlc_dagster.rules.reference_books import location_exists as location_exists
from mlc_dagster.rules.reference_books import payment_term_has_a_name as payment_term_has_a_name
from mlc_dagster.rules.reference_books import payment_term_is_mapped as payment_term_is_mapped
from mlc_dagster.rules.reference_books import products_exist as products_exist
from mlc_dagster.rules.reference_books import site_is_mapped as site_is_mapped
from mlc_dagster.rules.reference_books import tax_rule_is_mapped as tax_rule_is_mapped
from mlc_dagster.rules.references import currency_is_the_suppliers as currency_is_the_suppliers
from mlc_dagster.rules.references import order_is_delivered as order_is_delivered
from mlc_dagster.rules.references import payment_term_has_a_code as payment_term_has_a_code
from mlc_dagster.rules.references import supplier_is_delivered as supplier_is_delivered
from mlc_dagster.rules.registrations import is_not_registered_anew as is_not_registered_anew
