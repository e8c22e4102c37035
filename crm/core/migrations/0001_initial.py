"""People and places, the job ledger, parameters; and the role every connection acts as.

``crm_app`` can read and change rows; it can neither change tables nor empty them. Later migrations take further
rights away (audit: INSERT only).
"""

import crm.core.models.people
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


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
                  -- Since 16 whoever makes a role may give it away, but not take it on, until he gives it to himself.
                  and not pg_has_role(r.rolname, 'crm_app', case
                      when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end)
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

    dependencies = [
    ]

    operations = [
        migrations.RunPython(make_role, migrations.RunPython.noop),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('username', models.CharField(max_length=80, unique=True)),
                ('language', models.CharField(blank=True, default='', max_length=10)),
                ('is_active', models.BooleanField(default=True)),
                ('password_set_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Branch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(default='crm', max_length=40)),
                ('batch_no', models.BigIntegerField(null=True)),
                ('known_on', models.DateField(null=True)),
                ('branch_no', models.CharField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('kind', models.CharField(choices=[('head_office', 'head office'), ('region', 'region'), ('branch', 'branch'), ('outlet', 'outlet')], max_length=20)),
                ('path', models.CharField(default='', max_length=400)),
                ('region_code', models.CharField(max_length=20, null=True)),
                ('opened_on', models.DateField(null=True)),
                ('closed_on', models.DateField(null=True)),
                ('merged_into', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='absorbed', to='core.branch')),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='core.branch')),
            ],
        ),
        migrations.CreateModel(
            name='BranchPlacement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(null=True)),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='placements', to='core.branch')),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.branch')),
            ],
        ),
        migrations.CreateModel(
            name='Parameter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('valid_from', models.DateField()),
                ('version', models.IntegerField(default=1)),
                ('value', models.JSONField()),
                ('set_at', models.DateTimeField()),
                ('why', models.CharField(max_length=300)),
                ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('business_date', models.DateField()),
                ('attempt', models.IntegerField(default=1)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'done'), ('failed', 'failed'), ('dead', 'given up')], default='waiting', max_length=8)),
                ('fence', models.BigIntegerField(default=0)),
                ('worker', models.CharField(default='', max_length=120)),
                ('lease_until', models.DateTimeField(null=True)),
                ('backend_pid', models.IntegerField(null=True)),
                ('backend_started_at', models.DateTimeField(null=True)),
                ('inputs', models.JSONField(default=dict)),
                ('code_version', models.CharField(default='', max_length=60)),
                ('parameters_version', models.CharField(default='', max_length=64)),
                ('crashes', models.IntegerField(default=0)),
                ('progress', models.CharField(default='', max_length=200)),
                ('error', models.TextField(default='')),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'running', 'failed'])), fields=['state', 'lease_until'], name='run_open'), models.Index(fields=['kind', '-business_date', '-attempt'], name='run_list_newest_first')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'business_date', 'attempt'), name='run_once_per_kind_date_and_attempt'), models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'done', 'failed', 'dead'])), name='run_state_is_known'), models.CheckConstraint(condition=models.Q(('attempt__gte', 1), ('crashes__gte', 0), ('fence__gte', 0)), name='run_counts_up'), models.CheckConstraint(condition=models.Q(('finished_at__isnull', True), ('finished_at__gte', models.F('created_at')), _connector='OR'), name='run_finishes_after_it_is_made')],
            },
        ),
        migrations.CreateModel(
            name='Chunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.IntegerField()),
                ('name', models.CharField(max_length=80)),
                ('rows', models.BigIntegerField(default=0)),
                ('ms', models.BigIntegerField(default=0)),
                ('checksum', models.CharField(default='', max_length=64)),
                ('fence', models.BigIntegerField()),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='core.run')),
            ],
            options={
                'ordering': ['run_id', 'position'],
            },
        ),
        migrations.CreateModel(
            name='Staff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(default='crm', max_length=40)),
                ('batch_no', models.BigIntegerField(null=True)),
                ('known_on', models.DateField(null=True)),
                ('employee_no', models.CharField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('post', models.CharField(choices=[('relationship_manager', 'relationship manager'), ('branch_supervisor', 'branch supervisor'), ('analyst', 'analyst'), ('teller', 'teller'), ('lobby_manager', 'lobby manager'), ('complaint_officer', 'complaint officer'), ('product_manager', 'product manager'), ('compliance_officer', 'compliance officer'), ('auditor', 'auditor'), ('administrator', 'system administrator'), ('security_officer', 'security officer')], max_length=30)),
                ('joined_on', models.DateField(null=True)),
                ('left_on', models.DateField(null=True)),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='staff', to='core.branch')),
            ],
            options={
                'verbose_name_plural': 'staff',
            },
        ),
        migrations.AddField(
            model_name='user',
            name='staff',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='user', to='core.staff'),
        ),
        migrations.AddIndex(
            model_name='branch',
            index=models.Index(fields=['path'], name='branch_path_prefix', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddConstraint(
            model_name='branch',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['head_office', 'region', 'branch', 'outlet'])), name='branch_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='branch',
            constraint=models.CheckConstraint(condition=models.Q(('closed_on__isnull', True), ('opened_on__isnull', True), ('closed_on__gte', models.F('opened_on')), _connector='OR'), name='branch_closes_after_it_opens'),
        ),
        migrations.AddConstraint(
            model_name='branch',
            constraint=models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='branch_is_not_its_own_parent'),
        ),
        migrations.AddConstraint(
            model_name='branchplacement',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('branch', '='), (crm.core.models.people.DateSpan(models.F('starts_on'), models.F('ends_on'), django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='branch_stands_in_one_place_a_day'),
        ),
        migrations.AddConstraint(
            model_name='branchplacement',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gt', models.F('starts_on')), _connector='OR'), name='placement_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='parameter',
            constraint=models.UniqueConstraint(fields=('name', 'valid_from', 'version'), name='parameter_once_per_day_and_version'),
        ),
        migrations.AddConstraint(
            model_name='parameter',
            constraint=models.CheckConstraint(condition=models.Q(('version__gte', 1)), name='parameter_version_counts_up'),
        ),
        migrations.AddConstraint(
            model_name='chunk',
            constraint=models.UniqueConstraint(fields=('run', 'name'), name='chunk_once_per_run'),
        ),
        migrations.AddIndex(
            model_name='staff',
            index=models.Index(fields=['branch', 'post'], name='staff_of_a_branch'),
        ),
        migrations.AddConstraint(
            model_name='staff',
            constraint=models.CheckConstraint(condition=models.Q(('post__in', ['relationship_manager', 'branch_supervisor', 'analyst', 'teller', 'lobby_manager', 'complaint_officer', 'product_manager', 'compliance_officer', 'auditor', 'administrator', 'security_officer'])), name='staff_post_is_known'),
        ),
        migrations.AddConstraint(
            model_name='staff',
            constraint=models.CheckConstraint(condition=models.Q(('left_on__isnull', True), ('joined_on__isnull', True), ('left_on__gte', models.F('joined_on')), _connector='OR'), name='staff_leave_after_they_join'),
        ),
    ]
