"""Who looks after whom: what the feed says becomes dated rows; what the CRM assigned stands against it."""

import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm.core import audit
from crm.core.access import require
from crm.core.models.people import Post, Staff
from customers.models.assignments import Assignment, AssignmentRole
from customers.models.parties import Customer

FIRST_TOLD = 20


class RuleBroken(ValueError):
    """The assignment would break a rule of the bank; the message says which."""


def apply_feed(
    cursor, *, good: str, verdicts: str, manager_came: bool, on: datetime.date, batch_no: int
) -> dict:
    """Bring the managers of a loaded customers file into the assignments; return where the CRM's stands against the feed's.

    A new customer (the upsert has set the anchor) is looked after since he is one; a changed manager takes over on the business date.
    """
    params = {"on": on, "batch": batch_no}
    changed = f"""
        {good} as g join {verdicts} as v using (line_no) join customers_customer as c on c.customer_no = g.customer_no
    """
    cursor.execute(
        f"""
        insert into customers_assignment (customer_id, manager_id, role, starts_on, origin, reason, batch_no)
        select c.id, c.feed_manager_id, 'main', c.opened_on, 'feed', '', %(batch)s from {changed} where v.verdict = 'new'
        order by g.line_no
        """,
        params,
    )
    if not manager_came:
        return {}
    _take_over(cursor, changed, params)
    return _differences(cursor, changed)


def _take_over(cursor, changed: str, params: dict) -> None:
    cursor.execute(
        f"""
        create temp table temp_take_over on commit drop as
        select o.id as assignment_id, o.starts_on, c.id as customer_id, c.feed_manager_id
        from {changed} join customers_assignment as o on o.customer_id = c.id and o.role = 'main' and o.ends_on is null
        where v.verdict = 'changed' and o.origin = 'feed' and o.manager_id is distinct from c.feed_manager_id
        """
    )
    cursor.execute(
        """
        update customers_assignment as o set manager_id = n.feed_manager_id, batch_no = %(batch)s
        from temp_take_over as n where n.assignment_id = o.id and n.starts_on >= %(on)s
        """,
        params,
    )
    cursor.execute(
        "update customers_assignment as o set ends_on = %(on)s from temp_take_over as n "
        "where n.assignment_id = o.id and n.starts_on < %(on)s",
        params,
    )
    cursor.execute(
        """
        insert into customers_assignment (customer_id, manager_id, role, starts_on, origin, reason, batch_no)
        select customer_id, feed_manager_id, 'main', %(on)s, 'feed', '', %(batch)s from temp_take_over where starts_on < %(on)s
        order by customer_id
        """,
        params,
    )
    cursor.execute(
        "update customers_customer as c set manager_id = n.feed_manager_id from temp_take_over as n where n.customer_id = c.id"
    )
    cursor.execute("drop table temp_take_over")


def _differences(cursor, changed: str) -> dict:
    cursor.execute(
        f"""
        select g.customer_no from {changed} join customers_assignment as o
            on o.customer_id = c.id and o.role = 'main' and o.ends_on is null
        where o.origin = 'crm' and o.manager_id is distinct from g.feed_manager_id
        order by g.customer_no
        """
    )
    numbers = [number for (number,) in cursor.fetchall()]
    return {"count": len(numbers), "first": numbers[:FIRST_TOLD]} if numbers else {}


@transaction.atomic
def assign(
    *, customer: Customer, manager: Staff | None, actor, starts_on: datetime.date, reason: str
) -> Assignment:
    """Give a customer to a manager (None: to the branch's pool) from ``starts_on``; it stands against what the feed says.

    Raises RuleBroken where the manager cannot look after the customer or the day lies before the stretch that runs now.
    """
    require(actor, "customers.assign")
    customer = Customer.objects.visible_to(actor).select_for_update(of=("self",)).get(pk=customer.pk)
    if manager is not None:
        if manager.post != Post.RELATIONSHIP_MANAGER:
            raise RuleBroken(_("Only a relationship manager looks after customers."))
        if manager.branch_id != customer.branch_id:
            raise RuleBroken(_("The manager works at another branch than the customer's."))
        if manager.left_on is not None and manager.left_on <= starts_on:
            raise RuleBroken(_("The manager has left by then."))
    running = (
        customer.assignments.select_for_update()
        .filter(role=AssignmentRole.MAIN, ends_on__isnull=True)
        .first()
    )
    if running is not None and running.starts_on > starts_on:
        raise RuleBroken(_("The present assignment began later than that."))
    before = running.manager_id if running else None
    if running is not None and running.starts_on == starts_on:
        running.manager, running.origin, running.reason = manager, "crm", reason
        running.save(update_fields=["manager", "origin", "reason"])
        opened = running
    else:
        if running is not None:
            running.ends_on = starts_on
            running.save(update_fields=["ends_on"])
        opened = Assignment.rows.create(
            customer=customer,
            manager=manager,
            starts_on=starts_on,
            origin="crm",
            reason=reason,
            role=AssignmentRole.MAIN,
        )
    Customer.rows.filter(pk=customer.pk).update(manager=manager)
    audit.record(
        actor, "customers.assign", customer, customer_id=customer.pk,
        payload={"from": before, "to": manager.pk if manager else None, "starts_on": starts_on.isoformat()},
    )  # fmt: skip
    return opened
