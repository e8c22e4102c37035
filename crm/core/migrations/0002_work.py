"""Ending the database connection of a worker that lost its lease.

A frozen worker keeps the locks of its unfinished piece. Whoever takes its run over must be able to end that connection,
and only that one: the server checks that the process is one of ours and the very one that was recorded.
"""

from django.db import migrations

END_BACKEND = """
create function core_end_backend(held_by integer, since timestamptz) returns boolean
language sql security definer set search_path = pg_catalog as $$
    select coalesce(bool_or(pg_terminate_backend(pid)), false)
    from pg_stat_activity
    where pid = held_by and backend_start = since and pid <> pg_backend_pid() and datname = current_database()
$$;
revoke execute on function core_end_backend(integer, timestamptz) from public;
grant execute on function core_end_backend(integer, timestamptz) to crm_app;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(END_BACKEND, "drop function core_end_backend(integer, timestamptz)")]
