import django.db.models.deletion
import django.db.models.functions.comparison
import operations.fields
import operations.ids
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('brokers', '0001_initial'),
        ('market', '0001_initial'),
        ('orders', '0002_initial'),
        ('portfolio', '0001_initial'),
        ('strategies', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='PositionExtreme',
            fields=[
                ('position', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='extreme', serialize=False, to='portfolio.position')),
                ('best_price', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
            ],
            options={
                'db_table': 'position_extremes',
            },
        ),
        migrations.CreateModel(
            name='RiskRule',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('rule_type', models.CharField(choices=[('MAX_POSITION_SIZE', 'Largest position'), ('MAX_DRAWDOWN', "Largest fall from the day's peak, % of capital"), ('MAX_DAILY_LOSS', 'Largest loss in a day'), ('MAX_ORDERS_PER_DAY', 'Most orders in a day'), ('MIN_CAPITAL_THRESHOLD', 'Least capital to go on trading'), ('MAX_LOTS', 'Most lots open in one instrument'), ('PROFIT_LOCK', 'Profit to keep once it has been reached'), ('TRAILING_STOP', 'Exit when the price falls this many points from its best')], max_length=25)),
                ('rule_value', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('currency', models.CharField(default='INR', help_text='Of a limit that is an amount of money', max_length=3)),
                ('is_active', models.BooleanField(default=True)),
                ('exits_positions', models.BooleanField(default=False, help_text='When it is reached, close the positions it speaks of as well')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='brokers.tradingaccount')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('user_strategy', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='strategies.userstrategy')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='risk_rules', to='accounts.workspace')),
            ],
            options={
                'db_table': 'risk_rules',
                'constraints': [models.UniqueConstraint(models.F('workspace'), django.db.models.functions.comparison.Coalesce('account', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), django.db.models.functions.comparison.Coalesce('user_strategy', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), models.F('rule_type'), models.F('currency'), name='uq_risk_rule'), models.CheckConstraint(condition=models.Q(('rule_value__gt', 0)), name='ck_risk_rule_value_positive'), models.CheckConstraint(condition=models.Q(('rule_type__in', ['MAX_POSITION_SIZE', 'MAX_DRAWDOWN', 'MAX_DAILY_LOSS', 'MAX_ORDERS_PER_DAY', 'MIN_CAPITAL_THRESHOLD', 'MAX_LOTS', 'PROFIT_LOCK', 'TRAILING_STOP'])), name='ck_risk_rule_type')],
            },
        ),
        migrations.CreateModel(
            name='PositionStop',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('confirmations', models.PositiveSmallIntegerField(default=0)),
                ('price', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('priced_at', models.DateTimeField(blank=True, null=True)),
                ('position', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stops', to='portfolio.position')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stops', to='risk.riskrule')),
            ],
            options={
                'db_table': 'position_stops',
                'constraints': [models.UniqueConstraint(fields=('position', 'rule'), name='uq_position_stop')],
            },
        ),
        migrations.CreateModel(
            name='RiskViolation',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('violation_type', models.CharField(max_length=30)),
                ('actual_value', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('limit_value', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('message', models.TextField()),
                ('action_taken', models.CharField(choices=[('ORDER_REJECTED', 'Order Rejected'), ('POSITION_EXITED', 'Position Exited'), ('TRADING_REDUCED', 'Trading Reduced'), ('KILL_SWITCH_ACTIVATED', 'Kill Switch Activated')], max_length=25)),
                ('violated_at', models.DateTimeField()),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='brokers.tradingaccount')),
                ('instrument', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='market.instrument')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='violations', to='orders.order')),
                ('rule', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='risk.riskrule')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.workspace')),
            ],
            options={
                'db_table': 'risk_violation_records',
                'indexes': [models.Index(fields=['workspace', 'violated_at'], name='idx_violations_recent')],
            },
        ),
        migrations.CreateModel(
            name='RuleStanding',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('is_live', models.BooleanField(help_text='Real money')),
                ('currency', models.CharField(max_length=3)),
                ('evaluated_on', models.DateField(blank=True, help_text='Session of the figures here', null=True)),
                ('current_value', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('peak_pnl', operations.fields.MoneyField(decimal_places=4, default=0, help_text='Best net P&L of that session', max_digits=15)),
                ('confirmations', models.PositiveSmallIntegerField(default=0, help_text='How often in a row it was found beyond its limit')),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('is_violated', models.BooleanField(default=False)),
                ('violation_message', models.TextField(blank=True)),
                ('replay', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='brokers.tradingaccount')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='standings', to='risk.riskrule')),
            ],
            options={
                'db_table': 'risk_rule_standings',
                'constraints': [models.UniqueConstraint(models.F('rule'), models.F('is_live'), models.F('currency'), django.db.models.functions.comparison.Coalesce('replay', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), name='uq_rule_standing')],
            },
        ),
        migrations.CreateModel(
            name='TraderControl',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('control_type', models.CharField(choices=[('KILL_SWITCH', 'Kill Switch'), ('RISK_LIMIT', 'Risk Limit'), ('POSITION_LIMIT', 'Position Limit')], max_length=15)),
                ('daily_loss_limit', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('position_size_limit', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('order_value_limit', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('set_by', models.CharField(choices=[('TRADER', 'a trader'), ('ADMIN', 'an admin'), ('OWNER', 'an owner'), ('RULE', 'a rule'), ('OPERATOR', 'whoever runs this server')], default='OWNER', max_length=10)),
                ('activated_at', models.DateTimeField()),
                ('deactivated_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='brokers.tradingaccount')),
                ('activated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('deactivated_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(blank=True, help_text='Empty: every desk', null=True, on_delete=django.db.models.deletion.PROTECT, to='accounts.workspace')),
            ],
            options={
                'db_table': 'traders_control',
                'constraints': [models.UniqueConstraint(django.db.models.functions.comparison.Coalesce('workspace', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), django.db.models.functions.comparison.Coalesce('account', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), models.F('control_type'), condition=models.Q(('deactivated_at', None)), name='uq_one_control_in_force'), models.CheckConstraint(condition=models.Q(('control_type__in', ['KILL_SWITCH', 'RISK_LIMIT', 'POSITION_LIMIT'])), name='ck_control_type'), models.CheckConstraint(condition=models.Q(('set_by__in', ['TRADER', 'ADMIN', 'OWNER', 'RULE', 'OPERATOR'])), name='ck_control_set_by')],
            },
        ),
        migrations.CreateModel(
            name='TradingState',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('ACTIVE', 'Active'), ('REDUCING', 'Reducing'), ('HALTED', 'Halted')], default='ACTIVE', max_length=10)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('is_live', models.BooleanField(blank=True, help_text='Empty: every kind of money', null=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('set_by', models.CharField(choices=[('TRADER', 'a trader'), ('ADMIN', 'an admin'), ('OWNER', 'an owner'), ('RULE', 'a rule'), ('OPERATOR', 'whoever runs this server')], default='OWNER', max_length=10)),
                ('changed_at', models.DateTimeField()),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='brokers.tradingaccount')),
                ('changed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('rule', models.ForeignKey(blank=True, help_text='The rule that set it: its state ends with the session, or with the rule', null=True, on_delete=django.db.models.deletion.CASCADE, to='risk.riskrule')),
                ('user_strategy', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='strategies.userstrategy')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trading_states', to='accounts.workspace')),
            ],
            options={
                'db_table': 'trading_states',
                'constraints': [models.UniqueConstraint(models.F('workspace'), django.db.models.functions.comparison.Coalesce('account', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), django.db.models.functions.comparison.Coalesce('user_strategy', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), django.db.models.functions.comparison.Coalesce('rule', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), models.F('set_by'), django.db.models.functions.comparison.Coalesce('is_live', models.Value(False)), models.F('currency'), name='uq_trading_state'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('is_live', None)), models.Q(('account', None), ('is_live__isnull', False), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='ck_trading_state_kind'), models.CheckConstraint(condition=models.Q(('state__in', ['ACTIVE', 'REDUCING', 'HALTED'])), name='ck_trading_state'), models.CheckConstraint(condition=models.Q(('set_by__in', ['TRADER', 'ADMIN', 'OWNER', 'RULE', 'OPERATOR'])), name='ck_trading_state_set_by')],
            },
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('order_id', models.UUIDField(unique=True)),
                ('user_strategy_id', models.UUIDField(blank=True, null=True)),
                ('is_outside', models.BooleanField(default=False, help_text='Nobody placed it here: it closes whichever books are open')),
                ('product', models.CharField(choices=[('MIS', 'Intraday (MIS)'), ('CNC', 'Delivery (CNC)'), ('NRML', 'Carry forward (NRML)'), ('MTF', 'Margin trading (MTF)'), ('CO', 'Cover order'), ('BO', 'Bracket order')], max_length=5)),
                ('side', models.CharField(choices=[('BUY', 'Buy'), ('SELL', 'Sell')], max_length=4)),
                ('quantity', models.PositiveBigIntegerField(help_text='Still unfilled')),
                ('price', operations.fields.MoneyField(decimal_places=4, help_text='What the order was judged at', max_digits=15)),
                ('margin', operations.fields.MoneyField(decimal_places=4, default=0, help_text='Blocked for the quantity judged', max_digits=15)),
                ('judged_quantity', models.PositiveBigIntegerField(default=0, help_text='What the margin was worked out for; 0: the quantity here')),
                ('is_exit', models.BooleanField(default=False)),
                ('session_date', models.DateField()),
                ('created_at', models.DateTimeField()),
                ('handed_over_at', models.DateTimeField(blank=True, help_text='From then on the broker blocks the margin itself', null=True)),
                ('released_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='brokers.tradingaccount')),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='market.instrument')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.workspace')),
            ],
            options={
                'db_table': 'risk_reservations',
                'indexes': [models.Index(condition=models.Q(('released_at', None)), fields=['account', 'instrument'], name='idx_reservations_held'), models.Index(fields=['account', 'session_date'], name='idx_reservations_day'), models.Index(fields=['account', 'handed_over_at'], name='idx_reservations_handed_over')],
            },
        ),
    ]
