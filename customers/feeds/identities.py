"""The identity document that comes in a customer's row: one primary document a customer, in a table of its own."""

from customers.feeds.checking import good_table
from customers.feeds.staging import Staged
from customers.feeds.upsert import Delivery, verdict_table


def take_identities(cursor, staged: Staged, delivery: Delivery) -> None:
    """Write, change or take away the primary identity of the new and changed customers of a file."""
    if not {"id_type", "id_no", "id_expires_on"} & set(staged.header):
        return
    touched = f"""
        {good_table(staged)} as g join {verdict_table(staged)} as v using (line_no)
        join customers_customer as c on c.customer_no = g.customer_no
    """
    differs = _differences(staged)
    cursor.execute(
        f"""
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select 'identity', c.customer_no, c.id, to_jsonb(t), t.known_on,
            case when t.batch_id = %(replaces)s then t.known_on else greatest(t.known_on, %(on)s::date) end, t.batch_id, %(batch)s
        from {touched} join customers_identity as t on t.customer_id = c.id and t.is_primary
        where v.verdict = 'changed' and ({differs})
        """,
        delivery.params,
    )
    if staged.has("id_no"):
        cursor.execute(
            f"""
            delete from customers_identity as t using {touched}
            where t.customer_id = c.id and t.is_primary and v.verdict = 'changed' and g.id_no_print is null
            """
        )
    sets = ["batch_id = %(batch)s", "known_on = greatest(t.known_on, %(known_on)s::date)"]
    if staged.has("id_no"):
        checked = "g.id_no_ok" if staged.has("id_type") else "null"
        sets += [
            "number = g.id_no",
            "number_print = g.id_no_print",
            "number_mask = g.id_no_mask",
            f"checksum_ok = {checked}",
        ]
    if staged.has("id_type"):
        sets.append("id_type = coalesce(g.id_type, '')")
    if staged.has("id_expires_on"):
        sets.append("expires_on = g.id_expires_on")
    cursor.execute(
        f"""
        update customers_identity as t set {", ".join(sets)} from {touched}
        where t.customer_id = c.id and t.is_primary and v.verdict = 'changed' and ({differs})
        """,
        delivery.params,
    )
    if staged.has("id_no"):
        _insert(cursor, staged, touched, delivery)


def _insert(cursor, staged: Staged, touched: str, delivery: Delivery) -> None:
    """Give a primary identity to those of the touched customers who have a number and no identity yet."""
    id_type = "coalesce(g.id_type, '')" if staged.has("id_type") else "''"
    expires = "g.id_expires_on" if staged.has("id_expires_on") else "null::date"
    cursor.execute(
        f"""
        insert into customers_identity (customer_id, id_type, number, number_print, number_mask, expires_on, checksum_ok,
            is_primary, batch_id, known_on)
        select c.id, {id_type}, g.id_no, g.id_no_print, g.id_no_mask, {expires}, g.id_no_ok, true, %(batch)s, %(known_on)s::date
        from {touched}
        where v.verdict in ('new', 'changed') and g.id_no_print is not null
          and not exists (select from customers_identity as t where t.customer_id = c.id and t.is_primary)
        order by g.line_no
        """,
        delivery.params,
    )


def _differences(staged: Staged) -> str:
    rules = []
    if staged.has("id_no"):
        rules.append("t.number_print is distinct from g.id_no_print")
    if staged.has("id_type"):
        rules.append("t.id_type is distinct from coalesce(g.id_type, '')")
    if staged.has("id_expires_on"):
        rules.append("t.expires_on is distinct from g.id_expires_on")
    return " or ".join(rules)
