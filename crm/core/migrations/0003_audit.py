"""The audit trail, its seals, approvals and the outbox."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import crm.core.models.audit

# Refused by grant to the app's role, and by trigger to whoever owns the table. Statement triggers, so that a change of
# no row is refused as well, and TRUNCATE with it.
APPEND_ONLY = """
create function core_refuse_change() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    raise exception '% on % is refused: what was recorded stays as it was.', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_entries_stay before update or delete or truncate on core_auditentry
    for each statement execute function core_refuse_change();
create trigger audit_seals_stay before update or delete or truncate on core_auditseal
    for each statement execute function core_refuse_change();

-- Nobody dates an entry back, nor hides it below the sealer's horizon.
create function core_date_entry() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    new.at := clock_timestamp();
    new.txid := pg_current_xact_id();
    return new;
end
$$;
create trigger audit_entry_is_of_now before insert on core_auditentry
    for each row execute function core_date_entry();

revoke all on core_auditentry, core_auditseal from crm_app;
-- Time, transaction and number of an entry are the database's own: the app cannot even say them.
grant select, insert (actor_id, verb, object_type, object_id, customer_id, payload, request_id, outcome)
    on core_auditentry to crm_app;
grant select, insert on core_auditseal to crm_app;
"""

# Four eyes, held by the database: what was proposed is what is carried out, and only once.
FROZEN_APPROVALS = """
create function core_hold_approval() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'proposed' then
            raise exception 'An approval begins as a proposal, not as %.', new.state using errcode = 'check_violation';
        end if;
        return new;
    end if;
    if (new.id, new.verb, new.payload, new.payload_hash, new.target_type, new.target_id, new.maker_id, new.reason,
        new.proposed_at)
        is distinct from
       (old.id, old.verb, old.payload, old.payload_hash, old.target_type, old.target_id, old.maker_id, old.reason,
        old.proposed_at)
    then
        raise exception 'Approval % is frozen: propose anew instead.', old.id using errcode = 'check_violation';
    end if;
    if (old.state, new.state) not in (
        ('proposed', 'approved'), ('proposed', 'rejected'), ('proposed', 'withdrawn'), ('approved', 'executed')
    ) then
        raise exception 'Approval % cannot go from % to %.', old.id, old.state, new.state
            using errcode = 'check_violation';
    end if;
    if old.state = 'approved' and (new.checker_id, new.decided_at, new.decision)
        is distinct from (old.checker_id, old.decided_at, old.decision)
    then
        raise exception 'Approval % is decided already.', old.id using errcode = 'check_violation';
    end if;
    return new;
end
$$;

create trigger approval_is_held before insert or update on core_approval
    for each row execute function core_hold_approval();
create trigger approvals_stay before delete or truncate on core_approval
    for each statement execute function core_refuse_change();
revoke delete, truncate on core_approval from crm_app;
"""

UNDO = """
drop trigger approvals_stay on core_approval;
drop trigger approval_is_held on core_approval;
drop function core_hold_approval();
drop trigger audit_entry_is_of_now on core_auditentry;
drop function core_date_entry();
drop trigger audit_seals_stay on core_auditseal;
drop trigger audit_entries_stay on core_auditentry;
drop function core_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("core", "0002_work"),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=crm.core.models.audit.ClockTimestamp())),
                ('txid', crm.core.models.audit.TransactionId(db_default=crm.core.models.audit.CurrentTransaction())),
                ('verb', models.CharField(max_length=80)),
                ('object_type', models.CharField(default='', max_length=80)),
                ('object_id', models.CharField(default='', max_length=200)),
                ('customer_id', models.BigIntegerField(null=True)),
                ('payload', models.JSONField(default=dict)),
                ('request_id', models.CharField(default='', max_length=40)),
                ('outcome', models.CharField(choices=[('ok', 'done'), ('denied', 'denied'), ('failed', 'failed')], default='ok', max_length=6)),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
            },
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False)),
                ('below', crm.core.models.audit.TransactionId()),
                ('hash', models.BinaryField(max_length=32)),
                ('sealed_at', models.DateTimeField()),
                ('entry', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='seal', to='core.auditentry')),
            ],
        ),
        migrations.CreateModel(
            name='OutboxItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('key', models.CharField(max_length=200)),
                ('payload', models.JSONField(default=dict)),
                ('at_least_once', models.BooleanField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('sent_at', models.DateTimeField(null=True)),
                ('attempts', models.IntegerField(default=0)),
                ('error', models.CharField(default='', max_length=500)),
                ('given_up', models.BooleanField(default=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('given_up', False), ('sent_at__isnull', True)), fields=['due_at', 'id'], name='outbox_waiting')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='outbox_once_per_kind_and_key'), models.CheckConstraint(condition=models.Q(('attempts__gte', 0)), name='outbox_attempts_count_up')],
            },
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(max_length=80)),
                ('payload', models.JSONField()),
                ('payload_hash', models.BinaryField(max_length=32)),
                ('target_type', models.CharField(default='', max_length=80)),
                ('target_id', models.CharField(default='', max_length=200)),
                ('reason', models.CharField(max_length=300)),
                ('proposed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('state', models.CharField(choices=[('proposed', 'waiting'), ('approved', 'approved'), ('executed', 'carried out'), ('rejected', 'rejected'), ('withdrawn', 'withdrawn')], default='proposed', max_length=9)),
                ('decision', models.CharField(default='', max_length=300)),
                ('decided_at', models.DateTimeField(null=True)),
                ('executed_at', models.DateTimeField(null=True)),
                ('checker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='checked', to=settings.AUTH_USER_MODEL)),
                ('maker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposed', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'verb', '-id'], name='approvals_on_a_desk')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'approved', 'executed', 'rejected', 'withdrawn'])), name='approval_state_is_known'), models.CheckConstraint(condition=models.Q(('checker__isnull', True), models.Q(('checker', models.F('maker')), _negated=True), _connector='OR'), name='approval_takes_two_people'), models.CheckConstraint(condition=models.Q(models.Q(('checker__isnull', True), ('decided_at__isnull', True), ('state', 'proposed')), models.Q(('checker__isnull', True), ('decided_at__isnull', False), ('state', 'withdrawn')), models.Q(('checker__isnull', False), ('decided_at__isnull', False), ('state__in', ['approved', 'executed', 'rejected'])), _connector='OR'), name='approval_is_decided_by_somebody'), models.CheckConstraint(condition=models.Q(models.Q(('executed_at__isnull', False), ('state', 'executed')), models.Q(models.Q(('state', 'executed'), _negated=True), ('executed_at__isnull', True)), _connector='OR'), name='approval_executed_says_when')],
            },
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['txid'], name='audit_unsealed'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['actor', 'id'], name='audit_of_an_actor'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['verb', 'id'], name='audit_of_a_verb'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['object_type', 'object_id', 'id'], name='audit_of_an_object'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(condition=models.Q(('customer_id__isnull', False)), fields=['customer_id', 'id'], name='audit_of_a_customer'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['at'], name='audit_of_a_day'),
        ),
        migrations.AddConstraint(
            model_name='auditentry',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['ok', 'denied', 'failed'])), name='audit_outcome_is_known'),
        ),
        migrations.AddConstraint(
            model_name='auditseal',
            constraint=models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='audit_seal_counts_from_one'),
        ),
        migrations.RunSQL(APPEND_ONLY + FROZEN_APPROVALS, UNDO),
    ]
