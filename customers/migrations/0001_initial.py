import crm.core.models.people
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0004_sign_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='Balance',
            fields=[
                ('pk', models.CompositePrimaryKey('account_id', 'on_date', 'customer_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('on_date', models.DateField()),
                ('balance', models.DecimalField(decimal_places=2, max_digits=20)),
                ('known_on', models.DateField()),
            ],
            options={
                'db_table': 'customers_balance',
                'managed': False,
            },
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Transaction',
            fields=[
                ('pk', models.CompositePrimaryKey('account_id', 'booked_on', 'txn_no', 'customer_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('booked_on', models.DateField()),
                ('txn_no', models.CharField(max_length=60)),
                ('booked_at', models.DateTimeField(null=True)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('balance_after', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('kind', models.CharField(choices=[('cash_deposit', 'cash deposit'), ('cash_withdrawal', 'cash withdrawal'), ('transfer_in', 'transfer in'), ('transfer_out', 'transfer out'), ('card_payment', 'card payment'), ('card_withdrawal', 'card withdrawal'), ('salary', 'salary'), ('pension', 'pension'), ('interest_credit', 'interest credited'), ('interest_charge', 'interest charged'), ('penalty_interest', 'penalty interest'), ('fee', 'fee'), ('standing_order', 'standing order'), ('insurance_premium', 'insurance premium'), ('loan_disbursement', 'loan disbursement'), ('loan_repayment', 'loan repayment'), ('purchase', 'purchase'), ('redemption', 'redemption'), ('fx', 'foreign exchange'), ('other', 'other')], max_length=20)),
                ('channel', models.CharField(choices=[('counter', 'counter'), ('self_service', 'self-service'), ('online', 'online banking (channel)'), ('mobile', 'mobile banking (channel)'), ('phone', 'phone'), ('card_network', 'card network'), ('batch', 'batch'), ('third_party', 'third party')], max_length=16)),
                ('counterparty_bank', models.CharField(max_length=200, null=True)),
                ('counterparty_account', models.TextField(null=True)),
                ('counterparty_account_print', models.BinaryField(null=True)),
                ('counterparty_account_mask', models.CharField(max_length=40, null=True)),
                ('counterparty_name', models.CharField(max_length=200, null=True)),
                ('memo', models.CharField(max_length=500, null=True)),
                ('reversal_of', models.CharField(max_length=60, null=True)),
                ('known_on', models.DateField()),
            ],
            options={
                'db_table': 'customers_transaction',
                'managed': False,
            },
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('customer_no', models.CharField(max_length=40, unique=True)),
                ('kind', models.CharField(choices=[('individual', 'individual'), ('corporate', 'corporate')], max_length=10)),
                ('name', models.CharField(max_length=200)),
                ('name_sort', models.CharField(default='', max_length=400)),
                ('shares', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('opened_on', models.DateField()),
                ('closed_on', models.DateField(null=True)),
                ('deceased_on', models.DateField(null=True)),
                ('restricted_on', models.DateField(null=True)),
                ('mobile', models.TextField(null=True)),
                ('mobile_print', models.BinaryField(null=True)),
                ('mobile_mask', models.CharField(max_length=40, null=True)),
                ('email', models.TextField(null=True)),
                ('email_print', models.BinaryField(null=True)),
                ('email_mask', models.CharField(max_length=200, null=True)),
                ('address', models.TextField(null=True)),
                ('address_print', models.BinaryField(null=True)),
                ('address_mask', models.CharField(max_length=200, null=True)),
                ('region_code', models.CharField(max_length=20, null=True)),
                ('risk_tolerance', models.CharField(max_length=2, null=True)),
                ('risk_assessed_on', models.DateField(null=True)),
                ('kyc_grade', models.CharField(choices=[('low', 'low'), ('medium', 'medium'), ('high', 'high')], max_length=6, null=True)),
                ('birth_on', models.DateField(null=True)),
                ('gender', models.CharField(choices=[('F', 'female'), ('M', 'male')], max_length=1, null=True)),
                ('marital_status', models.CharField(max_length=40, null=True)),
                ('education', models.CharField(max_length=60, null=True)),
                ('occupation', models.CharField(max_length=100, null=True)),
                ('employer', models.CharField(max_length=200, null=True)),
                ('annual_income', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('uscc', models.CharField(max_length=40, null=True)),
                ('industry_code', models.CharField(max_length=20, null=True)),
                ('registered_capital', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('staff_count', models.IntegerField(null=True)),
                ('annual_revenue', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('total_assets', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('legal_representative', models.CharField(max_length=200, null=True)),
                ('established_on', models.DateField(null=True)),
                ('group_no', models.CharField(max_length=60, null=True)),
                ('fact_batches', models.JSONField(default=dict)),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='customers', to='core.branch')),
                ('feed_manager', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.staff')),
                ('manager', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='customers', to='core.staff')),
                ('merged_into', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='absorbed', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('account_no', models.CharField(max_length=60, unique=True)),
                ('currency', models.CharField(max_length=3)),
                ('status', models.CharField(choices=[('open', 'open'), ('dormant', 'dormant'), ('frozen', 'frozen'), ('closed', 'closed')], max_length=10)),
                ('opened_on', models.DateField()),
                ('closed_on', models.DateField(null=True)),
                ('interest_rate', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('transfer_rate', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('principal', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('credit_limit', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('matures_on', models.DateField(null=True)),
                ('five_class', models.CharField(choices=[('normal', 'normal'), ('special_mention', 'special mention'), ('substandard', 'substandard'), ('doubtful', 'doubtful'), ('loss', 'loss')], max_length=16, null=True)),
                ('days_past_due', models.IntegerField(null=True)),
                ('collateral_value', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.branch')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Quality',
            fields=[
                ('customer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='quality', serialize=False, to='customers.customer')),
                ('as_of', models.DateField()),
                ('accuracy', models.SmallIntegerField()),
                ('completeness', models.SmallIntegerField()),
                ('timeliness', models.SmallIntegerField()),
                ('score', models.SmallIntegerField()),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='CustomerNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_no', models.CharField(max_length=40, unique=True)),
                ('since', models.DateField()),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='numbers', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='FeedBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=40)),
                ('business_date', models.DateField()),
                ('manifest_sha256', models.CharField(max_length=64)),
                ('mode', models.CharField(max_length=10)),
                ('state', models.CharField(choices=[('received', 'received'), ('staged', 'staged'), ('published', 'loaded'), ('refused', 'refused'), ('replaced', 'replaced by a correction')], default='received', max_length=12)),
                ('reason', models.TextField(default='')),
                ('reason_code', models.CharField(default='', max_length=40)),
                ('reason_values', models.JSONField(default=dict)),
                ('rows_read', models.BigIntegerField(default=0)),
                ('rows_loaded', models.BigIntegerField(default=0)),
                ('rows_unchanged', models.BigIntegerField(default=0)),
                ('rows_rejected', models.BigIntegerField(default=0)),
                ('breaks', models.BigIntegerField(default=0)),
                ('report', models.JSONField(default=dict)),
                ('is_first', models.BooleanField(default=False)),
                ('accepted_gap', models.BooleanField(default=False)),
                ('received_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(null=True)),
                ('replaces', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='customers.feedbatch')),
            ],
        ),
        migrations.AddField(
            model_name='customer',
            name='batch',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch'),
        ),
        migrations.CreateModel(
            name='AccountHolder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('role', models.CharField(choices=[('owner', 'owner'), ('joint', 'joint holder'), ('authorised', 'authorised')], max_length=10)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holders', to='customers.account')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holdings', to='customers.customer')),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='account',
            name='batch',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch'),
        ),
        migrations.CreateModel(
            name='FeedBreak',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on_date', models.DateField()),
                ('currency', models.CharField(max_length=3)),
                ('expected', models.DecimalField(decimal_places=2, max_digits=20)),
                ('found', models.DecimalField(decimal_places=2, max_digits=20)),
                ('account', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='breaks', to='customers.account')),
                ('batch', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='break_rows', to='customers.feedbatch')),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='FeedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('sha256', models.CharField(max_length=64)),
                ('rows_declared', models.BigIntegerField()),
                ('rows_read', models.BigIntegerField(default=0)),
                ('rows_loaded', models.BigIntegerField(default=0)),
                ('rows_unchanged', models.BigIntegerField(default=0)),
                ('rows_rejected', models.BigIntegerField(default=0)),
                ('control_declared', models.JSONField(default=dict)),
                ('control_loaded', models.JSONField(default=dict)),
                ('control_rejected', models.JSONField(default=dict)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='customers.feedbatch')),
            ],
        ),
        migrations.CreateModel(
            name='FeedReject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=60)),
                ('line_no', models.BigIntegerField()),
                ('column', models.CharField(default='', max_length=60)),
                ('reason_code', models.CharField(max_length=40)),
                ('raw', models.TextField()),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rejects', to='customers.feedbatch')),
            ],
        ),
        migrations.CreateModel(
            name='FeedTouch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.account')),
                ('batch', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.feedbatch')),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Identity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('id_type', models.CharField(max_length=40)),
                ('number', models.TextField()),
                ('number_print', models.BinaryField()),
                ('number_mask', models.CharField(max_length=60)),
                ('expires_on', models.DateField(null=True)),
                ('checksum_ok', models.BooleanField(null=True)),
                ('is_primary', models.BooleanField(default=True)),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='OutsideHolding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('bank_name', models.CharField(max_length=200)),
                ('family', models.CharField(choices=[('demand_deposit', 'demand deposit'), ('term_deposit', 'term deposit'), ('notice_deposit', 'notice deposit'), ('margin_deposit', 'margin deposit'), ('structured_deposit', 'structured deposit'), ('mortgage', 'mortgage'), ('consumer_loan', 'consumer loan'), ('instalment_loan', 'instalment loan'), ('business_loan', 'business loan'), ('discounted_bill', 'discounted bill'), ('credit_card', 'credit card'), ('wealth', 'wealth product'), ('fund', 'fund'), ('insurance', 'insurance'), ('precious_metal', 'precious metal'), ('treasury_bond', 'treasury bond'), ('trust', 'trust'), ('debit_card', 'debit card'), ('payroll', 'payroll service'), ('merchant', 'merchant acquiring'), ('custody', 'custody'), ('settlement', 'settlement'), ('online_banking', 'online banking'), ('mobile_banking', 'mobile banking')], max_length=24)),
                ('as_of', models.DateField()),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('currency', models.CharField(max_length=3)),
                ('source', models.CharField(max_length=16)),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='outside_holdings', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('product_code', models.CharField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('family', models.CharField(choices=[('demand_deposit', 'demand deposit'), ('term_deposit', 'term deposit'), ('notice_deposit', 'notice deposit'), ('margin_deposit', 'margin deposit'), ('structured_deposit', 'structured deposit'), ('mortgage', 'mortgage'), ('consumer_loan', 'consumer loan'), ('instalment_loan', 'instalment loan'), ('business_loan', 'business loan'), ('discounted_bill', 'discounted bill'), ('credit_card', 'credit card'), ('wealth', 'wealth product'), ('fund', 'fund'), ('insurance', 'insurance'), ('precious_metal', 'precious metal'), ('treasury_bond', 'treasury bond'), ('trust', 'trust'), ('debit_card', 'debit card'), ('payroll', 'payroll service'), ('merchant', 'merchant acquiring'), ('custody', 'custody'), ('settlement', 'settlement'), ('online_banking', 'online banking'), ('mobile_banking', 'mobile banking')], max_length=24)),
                ('risk_rating', models.CharField(max_length=2, null=True)),
                ('sales_fee_rate', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
            ],
        ),
        migrations.AddField(
            model_name='account',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='customers.product'),
        ),
        migrations.CreateModel(
            name='QualityIssue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(choices=[('identity_checksum', 'identity number fails its checksum'), ('identity_shared', 'identity number is shared with another customer'), ('identity_missing', 'identity is missing'), ('identity_expired', 'identity document has expired'), ('uscc_checksum', 'credit code fails its checksum'), ('uscc_missing', 'credit code is missing'), ('mobile_missing', 'mobile number is missing'), ('mobile_malformed', 'mobile number is malformed'), ('address_missing', 'address is missing'), ('occupation_missing', 'occupation is missing'), ('industry_missing', 'industry is missing'), ('birth_missing', 'birth date is missing'), ('risk_assessment_expired', 'risk assessment has expired'), ('no_manager', 'no manager looks after the customer'), ('account_number', 'account number contradicts customer, currency or product')], max_length=40)),
                ('since', models.DateField()),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quality_issues', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Rate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('kind', models.CharField(max_length=8)),
                ('currency', models.CharField(max_length=3)),
                ('term_days', models.IntegerField()),
                ('valid_from', models.DateField()),
                ('rate', models.DecimalField(decimal_places=8, max_digits=18)),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
            ],
        ),
        migrations.CreateModel(
            name='Relation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_on', models.DateField()),
                ('kind', models.CharField(choices=[('spouse', 'spouse'), ('parent', 'parent'), ('child', 'child'), ('household', 'household'), ('group_member', 'group member'), ('group_parent', 'group parent'), ('legal_representative', 'legal representative'), ('controller', 'controller'), ('shareholder', 'shareholder'), ('guarantor', 'guarantor'), ('supplier', 'supplier'), ('buyer', 'buyer'), ('payroll', 'payroll')], max_length=24)),
                ('share_percent', models.DecimalField(decimal_places=6, max_digits=9, null=True)),
                ('since', models.DateField(null=True)),
                ('until', models.DateField(null=True)),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='relations', to='customers.customer')),
                ('related', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='related_from', to='customers.customer')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='RowHistory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.CharField(max_length=30)),
                ('key', models.CharField(max_length=120)),
                ('row', models.JSONField()),
                ('known_on', models.DateField()),
                ('superseded_on', models.DateField()),
                ('batch', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('superseded_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.feedbatch')),
            ],
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ContactPerson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('duty', models.CharField(blank=True, default='', max_length=100)),
                ('mobile', models.TextField(null=True)),
                ('mobile_print', models.BinaryField(null=True)),
                ('mobile_mask', models.CharField(max_length=40, null=True)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(null=True)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_persons', to='customers.customer')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='contact_ends_after_start')],
            },
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('contact', 'contact'), ('personalised_marketing', 'personalised marketing'), ('sharing', 'giving data to another handler'), ('sensitive', 'sensitive personal information')], max_length=30)),
                ('channel', models.CharField(max_length=20)),
                ('text_version', models.CharField(max_length=40)),
                ('given_at', models.DateTimeField()),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('expires_on', models.DateField(null=True)),
                ('evidence', models.CharField(blank=True, default='', max_length=200)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='customers.customer')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('purpose__in', ['contact', 'personalised_marketing', 'sharing', 'sensitive'])), name='consent_purpose_is_known'), models.CheckConstraint(condition=models.Q(('withdrawn_at__isnull', True), ('withdrawn_at__gte', models.F('given_at')), _connector='OR'), name='consent_withdrawn_after_given')],
            },
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('main', 'main manager'), ('assist', 'assisting manager')], default='main', max_length=8)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(null=True)),
                ('origin', models.CharField(default='feed', max_length=4)),
                ('reason', models.CharField(blank=True, default='', max_length=200)),
                ('batch_no', models.BigIntegerField(null=True)),
                ('manager', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='core.staff')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='customers.customer')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('ends_on__isnull', True)), fields=['manager'], name='assignment_open_of_manager')],
                'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['feed', 'crm'])), name='assignment_origin_is_known'), models.CheckConstraint(condition=models.Q(('role__in', ['main', 'assist'])), name='assignment_role_is_known'), models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gt', models.F('starts_on')), _connector='OR'), name='assignment_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('role', 'main'), ('manager__isnull', False), _connector='OR'), name='assignment_to_the_pool_is_main'), models.UniqueConstraint(condition=models.Q(('ends_on__isnull', True), ('role', 'main')), fields=('customer',), name='assignment_one_open_per_customer'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('role', 'main')), expressions=[('customer', '='), (crm.core.models.people.DateSpan(models.F('starts_on'), models.F('ends_on'), django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='assignment_main_stretches_do_not_overlap')],
            },
            managers=[
                ('rows', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name='feedbatch',
            index=models.Index(fields=['-business_date', 'source'], name='batch_list_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='feedbatch',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('source', 'business_date'), name='batch_one_published_per_source_and_day'),
        ),
        migrations.AddConstraint(
            model_name='feedbatch',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['received', 'staged', 'published'])), fields=('source', 'business_date', 'manifest_sha256'), name='batch_is_known_by_its_manifest'),
        ),
        migrations.AddConstraint(
            model_name='feedbatch',
            constraint=models.CheckConstraint(condition=models.Q(('mode__in', ['full', 'delta', ''])), name='batch_mode_is_known'),
        ),
        migrations.AddConstraint(
            model_name='feedbatch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['received', 'staged', 'published', 'refused', 'replaced'])), name='batch_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='feedbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'published'), _negated=True), ('rows_read', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('rows_loaded'), '+', models.F('rows_unchanged')), '+', models.F('rows_rejected'))), _connector='OR'), name='batch_accounts_for_every_row'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['branch', 'customer_no'], name='customer_list_of_branch'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['manager', 'customer_no'], name='customer_list_of_manager'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['name_sort', 'id'], name='customer_list_by_name'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['branch', 'name_sort', 'id'], name='customer_branch_by_name'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['manager', 'name_sort', 'id'], name='customer_manager_by_name'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=django.contrib.postgres.indexes.GinIndex(fields=['shares'], name='customer_shared_with'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['mobile_print'], name='customer_by_full_phone'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['uscc'], name='customer_by_uscc'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['individual', 'corporate'])), name='customer_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('closed_on__isnull', True), ('closed_on__gte', models.F('opened_on')), _connector='OR'), name='customer_closes_after_opening'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('risk_tolerance__isnull', True), ('risk_tolerance__in', ['C1', 'C2', 'C3', 'C4', 'C5']), _connector='OR'), name='customer_risk_tolerance_is_known'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('kyc_grade__isnull', True), ('kyc_grade__in', ['low', 'medium', 'high']), _connector='OR'), name='customer_kyc_grade_is_known'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('gender__isnull', True), ('gender__in', ['F', 'M']), _connector='OR'), name='customer_gender_is_known'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into', models.F('id')), _negated=True), name='customer_is_not_merged_into_itself'),
        ),
        migrations.AddConstraint(
            model_name='accountholder',
            constraint=models.UniqueConstraint(fields=('account', 'customer'), name='holder_once_per_account'),
        ),
        migrations.AddConstraint(
            model_name='accountholder',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'joint', 'authorised'])), name='holder_role_is_known'),
        ),
        migrations.AddConstraint(
            model_name='feedbreak',
            constraint=models.UniqueConstraint(fields=('account', 'on_date'), name='break_once_per_account_and_day'),
        ),
        migrations.AddConstraint(
            model_name='feedfile',
            constraint=models.UniqueConstraint(fields=('batch', 'name'), name='file_once_per_batch'),
        ),
        migrations.AddIndex(
            model_name='feedreject',
            index=models.Index(fields=['batch', 'file_name', 'line_no'], name='reject_list_by_line'),
        ),
        migrations.AddConstraint(
            model_name='feedtouch',
            constraint=models.UniqueConstraint(fields=('batch', 'account', 'month'), name='touch_once_per_batch'),
        ),
        migrations.AddIndex(
            model_name='identity',
            index=models.Index(fields=['number_print'], name='identity_by_full_number'),
        ),
        migrations.AddConstraint(
            model_name='identity',
            constraint=models.UniqueConstraint(condition=models.Q(('is_primary', True)), fields=('customer',), name='identity_one_primary_per_customer'),
        ),
        migrations.AddConstraint(
            model_name='outsideholding',
            constraint=models.UniqueConstraint(fields=('customer', 'bank_name', 'family', 'as_of'), name='outside_holding_once'),
        ),
        migrations.AddConstraint(
            model_name='outsideholding',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['declared', 'credit_report', 'inferred'])), name='outside_holding_source_is_known'),
        ),
        migrations.AddConstraint(
            model_name='outsideholding',
            constraint=models.CheckConstraint(condition=models.Q(('family__in', ['demand_deposit', 'term_deposit', 'notice_deposit', 'margin_deposit', 'structured_deposit', 'mortgage', 'consumer_loan', 'instalment_loan', 'business_loan', 'discounted_bill', 'credit_card', 'wealth', 'fund', 'insurance', 'precious_metal', 'treasury_bond', 'trust', 'debit_card', 'payroll', 'merchant', 'custody', 'settlement', 'online_banking', 'mobile_banking'])), name='outside_holding_family_is_known'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('family__in', ['demand_deposit', 'term_deposit', 'notice_deposit', 'margin_deposit', 'structured_deposit', 'mortgage', 'consumer_loan', 'instalment_loan', 'business_loan', 'discounted_bill', 'credit_card', 'wealth', 'fund', 'insurance', 'precious_metal', 'treasury_bond', 'trust', 'debit_card', 'payroll', 'merchant', 'custody', 'settlement', 'online_banking', 'mobile_banking'])), name='product_family_is_known'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('risk_rating__isnull', True), ('risk_rating__in', ['R1', 'R2', 'R3', 'R4', 'R5']), _connector='OR'), name='product_risk_rating_is_known'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'dormant', 'frozen', 'closed'])), name='account_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('five_class__isnull', True), ('five_class__in', ['normal', 'special_mention', 'substandard', 'doubtful', 'loss']), _connector='OR'), name='account_five_class_is_known'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('closed_on__isnull', True), ('closed_on__gte', models.F('opened_on')), _connector='OR'), name='account_closes_after_opening'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('days_past_due__isnull', True), ('days_past_due__gte', 0), _connector='OR'), name='account_days_past_due_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='account_currency_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='qualityissue',
            constraint=models.UniqueConstraint(fields=('customer', 'rule'), name='quality_issue_once'),
        ),
        migrations.AddConstraint(
            model_name='rate',
            constraint=models.UniqueConstraint(fields=('kind', 'currency', 'term_days', 'valid_from'), name='rate_once_per_day'),
        ),
        migrations.AddConstraint(
            model_name='rate',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['fx', 'transfer'])), name='rate_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='relation',
            constraint=models.UniqueConstraint(fields=('customer', 'related', 'kind'), name='relation_once_per_kind'),
        ),
        migrations.AddConstraint(
            model_name='relation',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['spouse', 'parent', 'child', 'household', 'group_member', 'group_parent', 'legal_representative', 'controller', 'shareholder', 'guarantor', 'supplier', 'buyer', 'payroll'])), name='relation_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='relation',
            constraint=models.CheckConstraint(condition=models.Q(('customer', models.F('related')), _negated=True), name='relation_joins_two'),
        ),
        migrations.AddConstraint(
            model_name='relation',
            constraint=models.CheckConstraint(condition=models.Q(('share_percent__isnull', True), models.Q(('share_percent__gte', 0), ('share_percent__lte', 100)), _connector='OR'), name='relation_share_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='relation',
            constraint=models.CheckConstraint(condition=models.Q(('until__isnull', True), ('since__isnull', True), ('until__gte', models.F('since')), _connector='OR'), name='relation_ends_after_it_starts'),
        ),
        migrations.AddIndex(
            model_name='rowhistory',
            index=models.Index(fields=['entity', 'superseded_on'], name='history_in_force_on_a_day'),
        ),
        migrations.AddIndex(
            model_name='rowhistory',
            index=models.Index(fields=['customer', 'entity'], name='history_of_a_customer'),
        ),
        migrations.AddIndex(
            model_name='rowhistory',
            index=models.Index(fields=['entity', 'key'], name='history_of_a_row'),
        ),
    ]
