"""What must hold of the nights at any moment, as queries that find nothing."""

from django.db.models import Max

from crm.core import parameters
from crm.core.invariants import invariant, rows
from segmentation.models import PublishedNight


@invariant("I3", "A customer stands once in a run")
def once_in_a_run() -> list[str]:
    return rows(
        """
        select run_id, customer_id from segmentation_standing group by run_id, customer_id having count(*) > 1
        """,
        "run {0}: customer {1} stands more than once",
    )


@invariant("I4", "A published night is complete")
def published_is_complete() -> list[str]:
    return rows(
        """
        select p.business_date, p.run_id, p.customers, count(s.customer_id)
        from segmentation_publishednight as p
        left join segmentation_standing as s on s.run_id = p.run_id
        where p.kept
        group by p.business_date, p.run_id, p.customers
        having count(s.customer_id) <> p.customers
        """,
        "night {0} (run {1}): {2} customers were published, {3} stand",
    ) + rows(
        """
        select p.business_date, p.run_id
        from segmentation_publishednight as p
        where not exists (select from core_chunk as c where c.run_id = p.run_id and c.name = 'checks')
        """,
        "night {0} (run {1}) was published unchecked",
    )


@invariant("I5", "The published pointer leads to the newest finished attempt")
def pointer_is_newest() -> list[str]:
    return rows(
        """
        select p.business_date, r.attempt, n.attempt
        from segmentation_publishednight as p
        join core_run as r on r.id = p.run_id
        join core_run as n on n.kind = r.kind and n.business_date = r.business_date and n.attempt > r.attempt
        where n.state = 'done'
        """,
        "night {0}: attempt {1} is published though attempt {2} is done",
    )


@invariant("I7", "What branches add up to is what their customers add up to")
def branches_add_up() -> list[str]:
    return rows(
        """
        select p.business_date, p.run_id
        from segmentation_publishednight as p
        cross join lateral (
            select sum(b.customers) as customers, sum(b.contribution) as contribution, sum(b.deposit_balance) as deposits
            from segmentation_branchsummary as b where b.run_id = p.run_id
        ) as b
        cross join lateral (
            select count(*) as customers, sum(s.contribution) as contribution, sum(s.deposit_balance) as deposits
            from segmentation_standing as s where s.run_id = p.run_id
        ) as s
        where p.kept and (b.customers, b.contribution, b.deposits) is distinct from (s.customers, s.contribution, s.deposits)
          and not (b.customers is null and s.customers = 0)
        """,
        "night {0} (run {1}): the branch summary is not the sum of the standings",
    )


@invariant("I16", "Every measured account and standing has its customer")
def no_orphans() -> list[str]:
    return rows(
        """
        select 'standing', s.run_id, s.customer_id from segmentation_standing as s
        where not exists (select from customers_customer as c where c.id = s.customer_id)
        union all
        select 'accumulator', g.account_id, g.customer_id from segmentation_accountmonth as g
        where not exists (select from customers_account as a where a.id = g.account_id and a.customer_id = g.customer_id)
          -- A batch that came since may have moved an account to another owner: the next night follows.
          and not exists (select from customers_feedbatch as b where b.state = 'published'
                          and not exists (select from segmentation_absorbed as k where k.batch_id = b.id))
        """,
        "{0} {1} belongs to customer {2}, who is not there or not the owner",
    )


@invariant("I4", "Scores outlive the other rows of a night, and no row outlives what says it is kept")
def past_scores_are_whole() -> list[str]:
    newest = PublishedNight.objects.aggregate(Max("business_date"))["business_date__max"]
    remembered = parameters.value("past_scores_kept", newest) if newest else 0
    return (
        rows(
            """
        select p.business_date, p.run_id, p.customers, k.customers
        from segmentation_publishednight as p
        cross join lateral (
            select count(*) as customers, coalesce(sum(k.contribution), 0) as contribution
            from segmentation_pastscore as k where k.run_id = p.run_id
        ) as k
        cross join lateral (
            select coalesce(sum(s.contribution), 0) as contribution
            from segmentation_standing as s where s.run_id = p.run_id
        ) as s
        where p.kept and (k.customers <> p.customers or k.contribution <> s.contribution)
        """,
            "night {0} (run {1}): {2} customers stand, the scores of {3} are written down, or their contributions differ",
        )
        + rows(
            """
        select p.business_date, p.run_id
        from (
            select * from segmentation_publishednight order by business_date desc limit %s
        ) as p
        where p.customers > 0 and not exists (select from segmentation_pastscore as k where k.run_id = p.run_id)
        """,
            "night {0} (run {1}): its scores are gone before their time",
            [remembered],
        )
        + rows(
            """
        select p.business_date, p.run_id
        from segmentation_publishednight as p
        where not p.kept and exists (select from segmentation_standing as s where s.run_id = p.run_id)
        """,
            "night {0} (run {1}) is said to be let go, its customers' rows are there",
        )
    )
