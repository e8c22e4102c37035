"""Publishes one batch inside one transaction: stage, check, write, reconcile, account for every row."""

import datetime
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from django.conf import settings

from crm.core import org
from crm.core.privacy import crypto
from customers import assignments, quality
from customers.feeds import bookings, checking, corrections, identities, reconcile, report, totals
from customers.feeds import format as feed
from customers.feeds.archive import Batch
from customers.feeds.batches import ALWAYS_KNOWN, BatchResult, Verdict
from customers.feeds.manifest import Manifest, Promise
from customers.feeds.reading import digest, raw_records
from customers.feeds.refusal import Refused
from customers.feeds.staging import Staged, Staging
from customers.feeds.targets import ACCOUNT, TARGETS
from customers.feeds.upsert import Delivery, Tally, upsert, verdict_table
from customers.models.batches import BatchState, FeedBatch, FeedFile, FeedReject

log = logging.getLogger(__name__)
WORTH_ANALYSING = 50_000
LARGE_TABLES = (
    "customers_customer",
    "customers_account",
    "customers_accountholder",
    "customers_transaction",
    "customers_balance",
)


def publish(
    cursor,
    batch: Batch,
    manifest: Manifest,
    row: FeedBatch,
    verdict: Verdict,
    result: BatchResult,
    at: datetime.datetime,
    working: Callable[[str, str, int], None] | None = None,
) -> None:
    """Write everything a batch holds and mark it published. Raises Refused; then the caller's transaction is given up."""
    cursor.execute("set local work_mem = '128MB'")
    cursor.execute("set local jit = off")
    for promise in manifest.files:
        with batch.open(promise.name) as stream:
            found = digest(stream)
        if found != promise.sha256:
            raise Refused("checksum", file=promise.name, found=found, expected=promise.sha256)
    staging = Staging(cursor, batch, manifest)
    cursor.execute(bookings.CHANGES)
    staged_files = [_timed("read", promise, working, staging.file) for promise in manifest.files]
    on = manifest.business_date
    delivery = Delivery(
        batch_id=row.pk,
        business_date=on.isoformat(),
        known_on=(ALWAYS_KNOWN if verdict.is_first else on).isoformat(),
        replaces=verdict.replaces.pk if verdict.replaces else 0,
        is_delta=manifest.mode == "delta",
    )
    if verdict.replaces is not None:
        corrections.take_back(cursor, verdict.replaces.pk, delivery)
    work = _Publication(cursor, manifest, row, delivery, verdict)
    for staged in staged_files:
        _timed("write", staged.promise, working, lambda _promise, staged=staged: work.write(staged))
    work.account_for(result)
    if verdict.replaces is not None:
        row.report["correction"] = corrections.changes(cursor, delivery)
        verdict.replaces.state = BatchState.REPLACED
        verdict.replaces.save(update_fields=["state"])
    row.breaks = result.breaks = reconcile.reconcile(cursor, row.pk, takes_back=verdict.replaces is not None)
    keep_rejects(cursor, batch, manifest, row)
    quality.judge_touched(cursor, row.pk, on)
    if verdict.is_first or result.rows_loaded > WORTH_ANALYSING:
        for table in LARGE_TABLES:
            cursor.execute("select customers_analyze(%s)", [table])
    row.state, row.published_at = BatchState.PUBLISHED, at
    row.save()
    result.report, result.batch_id = row.report, row.pk


def _timed(step: str, promise: Promise, working, work):
    if working:
        working(step, promise.name, promise.rows)
    began = time.monotonic()
    done = work(promise)
    log.debug("feed step=%s file=%s ms=%s", step, promise.name, int((time.monotonic() - began) * 1000))
    return done


class _Publication:
    """Writes the staged files of one batch in the order of their references and counts what became of the rows."""

    def __init__(
        self, cursor, manifest: Manifest, row: FeedBatch, delivery: Delivery, verdict: Verdict
    ) -> None:
        self.cursor, self.manifest, self.row, self.delivery, self.verdict = (
            cursor,
            manifest,
            row,
            delivery,
            verdict,
        )
        self.files: list[FeedFile] = []

    def write(self, staged: Staged) -> None:
        if staged.file in (feed.BRANCHES, feed.EMPLOYEES):
            tally = self._write_org(staged)
        elif staged.file.name in TARGETS:
            tally = self._write_target(staged)
        else:
            tally = self._write_ledger(staged)
        if self.manifest.mode == "full" and not self.verdict.is_first:
            report.missing_keys(self.cursor, staged, self.manifest.source, self.row)
        if tally.later:
            self.row.report.setdefault("kept_later", {})[staged.file.name] = tally.later
        found = totals.hold_against(self.cursor, staged)
        self.files.append(
            FeedFile(
                batch=self.row, name=staged.file.name, sha256=staged.promise.sha256, rows_declared=staged.promise.rows,
                rows_read=staged.rows, rows_loaded=tally.loaded, rows_unchanged=tally.unchanged,
                rows_rejected=staged.rows - tally.loaded - tally.unchanged,
                control_declared=found.declared, control_loaded=found.loaded, control_rejected=found.rejected,
            )
        )  # fmt: skip

    def _write_org(self, staged: Staged) -> Tally:
        references = TARGETS["customers.csv"].references[:1] if staged.file is feed.EMPLOYEES else ()
        checking.resolve(self.cursor, staged, references)
        rows, lines = report.rows_of(self.cursor, staged)
        judged = org.misplaced(rows) if staged.file is feed.BRANCHES else org.backwards_staff(rows)
        checking.reject_lines(self.cursor, staged, {lines[index]: told for index, told in judged.items()})
        kept = [row for index, row in enumerate(rows) if index not in judged]
        delivery = org.Delivery(
            source=self.manifest.source,
            batch_no=self.row.pk,
            known_on=datetime.date.fromisoformat(self.delivery.known_on),
            on=self.manifest.business_date,
            replaces=self.delivery.replaces or None,
        )
        take = org.take_branches if staged.file is feed.BRANCHES else org.take_staff
        outcome = take(kept, delivery)
        report.keep_org_history(
            self.row, "branch" if staged.file is feed.BRANCHES else "staff", outcome, delivery
        )
        return Tally(len(outcome.new), len(outcome.changed), len(outcome.same), len(outcome.later))

    def _write_target(self, staged: Staged) -> Tally:
        target = TARGETS[staged.file.name]
        checking.resolve(self.cursor, staged, target.references)
        if staged.file is feed.ACCOUNTS:
            self._note_new_owners(staged)
        tally = upsert(self.cursor, staged, target, self.delivery)
        if staged.file is feed.CUSTOMERS:
            identities.take_identities(self.cursor, staged, self.delivery)
            differences = assignments.apply_feed(
                self.cursor,
                good=checking.good_table(staged),
                verdicts=verdict_table(staged),
                manager_came=staged.has("manager_no"),
                on=self.manifest.business_date,
                batch_no=self.row.pk,
            )
            if differences:
                self.row.report["manager_differences"] = differences
        if staged.file is feed.ACCOUNTS and (moved := bookings.follow_new_owners(self.cursor)):
            self.row.report["owner_changes"] = moved
        return tally

    def _note_new_owners(self, staged: Staged) -> None:
        self.cursor.execute("drop table if exists temp_owner_change")
        self.cursor.execute(
            f"""
            create temp table temp_owner_change on commit drop as
            select t.id as account_id, t.customer_id as old_owner, g.customer_id as new_owner
            from {checking.good_table(staged)} as g join customers_account as t on t.account_no = g.account_no
            where t.customer_id <> g.customer_id and (t.known_on <= %(on)s::date or t.batch_id = %(replaces)s)
            """,
            self.delivery.params,
        )

    def _write_ledger(self, staged: Staged) -> Tally:
        ledger = bookings.LEDGERS[staged.file.name]
        checking.resolve(self.cursor, staged, (ACCOUNT,))
        if self.verdict.late:
            corrections.split_confirmed(self.cursor, staged, ledger, self.delivery)
        tally = bookings.write(self.cursor, staged, ledger, self.delivery)
        if tally.later:
            past = corrections.into_the_past(self.cursor, staged, ledger, self.delivery)
            # What goes between older and newer versions is loaded all the same; what already stood there is not.
            tally = replace(
                tally, changed=tally.changed + past, same=tally.same + tally.later - past, later=0
            )
        return tally

    def account_for(self, result: BatchResult) -> None:
        """Add up the files; refuse the batch where more than the allowed share of its rows fell out."""
        FeedFile.objects.filter(batch=self.row).delete()
        FeedFile.objects.bulk_create(self.files)
        for name in ("rows_read", "rows_loaded", "rows_unchanged", "rows_rejected"):
            number = sum(getattr(file, name) for file in self.files)
            setattr(self.row, name, number)
            setattr(result, name, number)
        result.files = {
            file.name: {
                "read": file.rows_read, "loaded": file.rows_loaded, "unchanged": file.rows_unchanged, "rejected": file.rows_rejected
            }
            for file in self.files
        }  # fmt: skip
        share = Decimal(str(settings.FEED_REJECT_SHARE))
        if result.rows_rejected > share * result.rows_read:
            raise Refused(
                "too_many_rejects",
                rejected=result.rows_rejected,
                read=result.rows_read,
                share=f"{(share * 100).normalize():f} %",
            )


def keep_rejects(cursor, batch: Batch, manifest: Manifest, row: FeedBatch) -> None:
    """Keep every rejected row as it came, encrypted: read from the file once more, because no table ever held it."""
    FeedReject.objects.filter(batch=row).delete()
    cursor.execute(
        "select file_name, line_no, column_name, reason from temp_reject order by file_name, line_no"
    )
    by_file: dict[str, dict[int, tuple[str, str]]] = {}
    for file_name, line, column, reason in cursor.fetchall():
        by_file.setdefault(file_name, {})[line] = (column, reason)
    for file_name, lines in by_file.items():
        kept = []
        with batch.open(file_name) as stream:
            for line, text in raw_records(stream, manifest.dialect, set(lines)):
                column, reason = lines[line]
                cell = crypto.cell("customers_feedreject", "raw", f"{row.pk}/{file_name}/{line}")
                kept.append(
                    FeedReject(
                        batch=row,
                        file_name=file_name,
                        line_no=line,
                        column=column,
                        reason_code=reason,
                        raw=crypto.encrypt(text, cell),
                    )
                )
        FeedReject.objects.bulk_create(kept, batch_size=1000)
