"""The role every connection acts as, what it may do with tables made later, and the extensions.

``crm_app`` can read and change rows; it can neither change tables nor empty them. Later migrations take further
rights away (audit: INSERT only).
"""

from django.db import migrations

# A role belongs to the whole cluster, so two databases may be migrated at the same moment: the loser of the race
# for the catalogue row tries again.
ROLE = """
do $$
declare
    login name;
begin
    for attempt in 1 .. 20 loop
        begin
            if not exists (select from pg_roles where rolname = 'crm_app') then
                create role crm_app nologin;
            end if;
            for login in
                select r.rolname from pg_roles r
                where r.rolname in (current_user, %(login)s)
                  and not exists (select from pg_auth_members m
                                  join pg_roles g on g.oid = m.roleid
                                  where g.rolname = 'crm_app' and m.member = r.oid)
            loop
                execute format('grant crm_app to %%I', login);
            end loop;
            return;
        exception when duplicate_object or unique_violation or internal_error then
            if attempt = 20 then raise; end if;
            perform pg_sleep(0.05 * attempt);
        end;
    end loop;
end
$$
"""

RIGHTS = """
revoke create on schema public from public;
grant usage on schema public to crm_app;
alter default privileges in schema public grant select, insert, update, delete on tables to crm_app;
alter default privileges in schema public grant usage, select on sequences to crm_app;
grant select, insert, update, delete on all tables in schema public to crm_app;
grant usage, select on all sequences in schema public to crm_app;
revoke insert, update, delete on django_migrations from crm_app;
create extension if not exists pg_trgm;
create extension if not exists btree_gin;
create extension if not exists btree_gist;
"""


def make_role(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ROLE, {"login": schema_editor.connection.settings_dict["USER"]})
        cursor.execute(RIGHTS)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunPython(make_role, migrations.RunPython.noop)]
