"""The promises in words: ID -> (the fault, the rule by which it passes)."""

from __future__ import annotations

PROMISES: dict[str, tuple[str, str]] = {
    "C1": (
        "kill -9 at 20 random points of read, prepare, load, and the ledger's own writes",
        "run again: 0 missing, 0 doubled; sent again: only what was in flight; the states sum",
    ),
    "C2": (
        "kill -9 while holding a lease, a pool slot or a rate budget",
        "the next run starts within 60 s; nothing stays locked",
    ),
    "C3": (
        "half of all calls answered 429 for a minute, with Retry-After in seconds, as a date, absent, 3,600",
        "the run ends, waits are capped, the limit is never passed in any window, calls at most 2.2 times the least,"
        " looks counted apart; a server that asks for longer than the cap ends the run as throttled, nothing held",
    ),
    "C4": (
        "a fifth of the calls 500/502/503, reset, hanging, truncated, broken gzip, an HTML page with status 200",
        "0 lost, 0 doubled; a truncated page is asked for again, never taken for the last one",
    ),
    "C5": (
        "a token that lives 2 s, dies in mid-page, in the retry loop, under 8 workers; a revoked one",
        "0 failures, one renewal for an expiry; revoked: AccessDenied within two tries",
    ),
    "C6": (
        "30 % answers 412; another writer changes another field, then the same field",
        "the other field kept always; the same field by policy or held; at most 3 tries; If-Match never missing",
    ),
    "C7": (
        "rows inserted, deleted, changed while paging",
        "0 live rows missed",
    ),
    "C8": (
        "7,000 and 25,000 rows with one timestamp, pages of 5,000",
        "all rows, ends, requests at most rows/5,000 + windows + 2",
    ),
    "C9": (
        "rows that appear late, behind the cursor; clocks 5 minutes apart; offsets; a missing zone",
        "0 missed inside the look-back; what is outside is found by reconciliation and counted",
    ),
    "C10": (
        "a timestamp in 2999, null, or unreadable",
        "no silent stop: the row is pulled or held, never dropped",
    ),
    "C11": (
        "a batch with 1 to 100 bad of 100: answered 207, or 400/409 as a whole",
        "every good record delivered; each bad one held alone; extra calls at most 8 for each bad one",
    ),
    "C12": (
        "the target acts, the answer is lost (timeout, reset, 502)",
        "0 doubled, on each SaaS and on IFS",
    ),
    "C13": (
        "the same load started twice at once; schedule, sensor and hand together; from two processes",
        "one writer for a record; 0 doubled; the trail says who",
    ),
    "C14": (
        "1,000 webhooks doubled, out of order, replayed, forged, oversized",
        "one effect for an event; older never over newer; a forged one changes nothing",
    ),
    "C15": (
        "a field added, removed, of another type; a new enum value",
        "by policy; a removed field never writes null over a value in the target",
    ),
    "C16": (
        "marked secrets for all six systems",
        "0 hits in logs, events, metadata, ledger, exceptions, GraphQL answers, rendered pages",
    ),
    "C17": (
        "plan, ping, dry run",
        "0 writes anywhere; the ledger unchanged byte for byte",
    ),
    "C18": (
        "an account missing, blocked, expired, or added later; a company without mapping",
        "held with its reason, the target not called; after the fix one delivery, the hold closed",
    ),
    "C19": (
        "replay of a run, a partition, a key, twice",
        "the same end; the second time 0 writes; the trail links old and new",
    ),
    "C20": (
        "disk full or read-only under storage and ledger; SQLite locked; Postgres restarted in mid-load",
        "fails loudly; nothing called delivered that is not in the ledger; clean on the next run",
    ),
    "C21": (
        "text of 1 MB, NUL, emoji, right-to-left, 38-digit decimals, -0, formulas in names, keys with quotes,"
        " slashes and percent signs",
        "exact round trip, or held with a reason; never a float in money",
    ),
    "C22": (
        "an empty source; 90 % fewer rows than usual",
        "nothing removed or archived; a guard holds the run and says so",
    ),
    "C23": (
        "both sides of a supplier edited between syncs; 50 rounds with nothing edited",
        "the owner's value, or held; 0 writes after the two agree",
    ),
    "C24": (
        "SIGTERM, and terminate from the UI",
        "the batch in flight ends, state is kept, within 30 s; the next run resumes",
    ),
    "C25": (
        "a backfill of 30 days while today's partition runs",
        "nothing newer overwritten by something older",
    ),
    "C26": (
        "two full reads of a source that rests",
        "equal",
    ),
    "C27": (
        "a row of the audit trail deleted or edited",
        "`audit verify` names it; the trail equals the target's own journal",
    ),
    "C28": (
        "an hour of mixed faults, 1,000,000 records (`make soak`; five minutes of it in CI)",
        "the states sum; memory and open files stay level",
    ),
    "C29": (
        "a ledger written by the previous release",
        "opens, migrates, sends nothing again",
    ),
    "C30": (
        "tenants that differ: the profiles of the sandbox",
        "every flow exact under each: keys, counts, sums, values; or a Misconfigured that names the setting; 0 false "
        "holds",
    ),
    "C31": (
        "every request and every sandbox answer of a demo, beside what the systems publish (contracts/)",
        "0 requests and 0 answers that do not fit, counted by certainty; a guess counts for nothing",
    ),
    "C32": (
        "the write acted, the answer proves nothing: 503 with Retry-After, 503 with JSON, 500 locked, 423,"
        " 429 of a gateway, MI_MODIFIED, 429 with partial data",
        "0 doubled, on each SaaS and on IFS, each kind of flow",
    ),
    "C33": (
        "a writer suspended, cut off from the ledger, or overtaken because of a clock, for longer than its lease,"
        " at any request",
        "0 doubled outside the measured window between check and first byte; inside it 0 where the target has a unique"
        " key, elsewhere told with both numbers within the hour; what it says of what was written is true; the trail"
        " has it",
    ),
    "C34": (
        "kill -9 of all of Dagster in mid-backfill, of a Celery worker in mid-load,"
        " of its child; reboot; with the run queue",
        "noticed and taken up within 5 minutes (detection times are settings: seconds in the test);"
        " nothing queued behind a dead run; 0 doubled",
    ),
    "C35": (
        "the clock a day ahead for one run, then right; an hour back; two hosts a minute apart",
        "the next run starts within 60 s; 0 doubled; no silent wait of more than a minute",
    ),
    "C36": (
        "an answer that drips, never ends, is a bomb of gzip, is nested 500,000 deep",
        "ended by its deadline or size, memory under 400 MB, told in one sentence",
    ),
    "C37": (
        "stored rows missing, short, of another day, with a flipped bit",
        "never taken for an empty or right day: refused, with its cure",
    ),
    "C38": (
        "a line edited, added, removed while its header's stamp stays",
        "in the target by the next cycle where lines have stamps, by the next sweep where not",
    ),
    "C39": (
        "after delivery the source deletes, voids, rejects, cancels, denies, amends, registers anew,"
        " renumbers; acknowledged or not",
        "a difference, once, with number, amount and link of the target, open until both agree or a person"
        " decides, whatever loads run meanwhile; nothing doubled, nothing silent; a mass of them is one ERROR",
    ),
    "C40": (
        "after delivery a person edits, deletes, merges, moves, archives, pays or voids in the target",
        "the next verify says which and how much; one command leads back; an unchanged neighbour is not touched",
    ),
    "C41": (
        "two keys that lead to one document: same invoice number, other case, blanks, other year",
        "two documents, or the second held; never one over the other",
    ),
    "C42": (
        "other credentials, other portal, other tenant on the same ledger; two installations on one tenant",
        "refused before the first write, until a person says same-account or new-account; a rotated credential or a"
        " renamed company of the right account is never refused",
    ),
    "C43": (
        "the run of a day fails (outage over midnight, 401 until morning), the worker is lost, a webhook's run fails",
        "loaded by itself once the cause is gone; until then the flow says how many days are due; what needs"
        " a person is said once and stands in nobody's way",
    ),
    "C44": (
        "stamps in local time, summer time's last hour, clock set back, restored backup; fiscal year from"
        " July; moments near midnight in Sydney and New York",
        "nothing lost, nothing superseded that was read later (two hosts a minute apart included); year,"
        " period and date as the company reckons them, or held",
    ),
    "C45": (
        "mlc.yaml, an account map, a tax rate of the target changed after delivery",
        "nobody's document changes by a replay or an upgrade unasked; what is stale is counted and named",
    ),
    "C46": (
        "a hold heals, a load runs alone, a failed run is run again the next morning, while its records were"
        " cancelled, deleted, voided, changed, or their account blocked",
        "judged and read again first; nothing delivered that the source does not have or the books do not take",
    ),
    "C47": (
        "hostile names and keys in a terminal, in a command to copy,"
        " in a page; plain http to another host; other users of the machine",
        "inert, quoted, refused, unreadable",
    ),
    "C48": (
        "`mlc demo`, in a folder with real settings, ledger and rows",
        "touches nothing that it did not make",
    ),
    "C49": (
        "a reading command in the wrong folder, with a wrong MLC_CONFIG, a flow or rule that is none",
        "exit 2 with the name of what is not there; makes nothing; never an all-clear",
    ),
    "C50": (
        "the load behind the hold list: 100,000 holds, 2,000,000 lines of trail, 1,826 days of 60 assets",
        "healing looks at all of them within 10 minutes; list, show, page under 2 s; memory level",
    ),
    "C51": (
        "`mlc pause` in mid-load; `mode: shadow` for a week of changes",
        "the batch in flight ends, no write after it; shadow: 0 writes, every difference told",
    ),
    "C52": (
        "bank details changed on one side, on both, by webhook, in a vendor that invites itself",
        "never carried into the ERP by itself; held, not released in bulk nor by one person; never shown"
        " whole, never stored in clear",
    ),
    "C53": (
        "`reverse`: closed period, changed rate, reversed by hand already, void and un-void, 5,000 at once",
        "exact, once, in the first open day, or held; never on absence",
    ),
    "C54": (
        "a tenant that sorts by language and compares by bytes; å, hyphens, lower case in keys",
        "0 rows lost, or the read fails with that word",
    ),
    "C55": (
        "a target that normalises what we send; a field made empty on one side; both edited to the same value",
        "no edit is seen where nobody edited; nothing bounces",
    ),
    "C56": (
        "a table that misses (department, location, bank, unit, company renamed on the other side)",
        "held with the value and the table; never the raw code in its place",
    ),
}
