"""Ending the database connection of a worker that lost its lease.

A frozen worker keeps the locks of its unfinished piece. Whoever takes its run over must be able to end that connection,
and only that one: the server checks that the process is one of ours and the very one that was recorded.
"""

from django.db import migrations

END_BACKEND = """
create function core_backend_started(holder integer) returns timestamptz
language sql stable security definer set search_path = pg_catalog as $$
    select backend_start from pg_stat_activity where pid = holder and datname = current_database()
$$;
create function core_end_backend(holder integer, since timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
    found integer;
begin
    -- First find, then end: in one WHERE the server may call the function before it looks at the other conditions.
    select pid into found from pg_stat_activity
    where pid = holder and backend_start = since and pid <> pg_backend_pid() and datname = current_database();
    return found is not null and pg_terminate_backend(found, 5000);
exception when insufficient_privilege then
    -- An owner who may not signal another login: the locks then last until the idle time-out of the frozen session.
    return false;
end
$$;
revoke execute on function core_backend_started(integer), core_end_backend(integer, timestamptz) from public;
grant execute on function core_backend_started(integer), core_end_backend(integer, timestamptz) to crm_app;
"""
UNDO = "drop function core_end_backend(integer, timestamptz); drop function core_backend_started(integer)"


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(END_BACKEND, UNDO)]
