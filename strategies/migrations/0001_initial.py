import django.db.models.deletion
import operations.fields
import operations.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('brokers', '0001_initial'),
        ('market', '0001_initial'),
        ('orders', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Strategy',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('slug', models.SlugField(unique=True)),
                ('name', models.CharField(max_length=100)),
                ('description', models.TextField()),
                ('category', models.CharField(max_length=50)),
                ('type', models.CharField(choices=[('built-in', 'Built In'), ('custom', 'Custom'), ('connector', 'Connector')], default='built-in', max_length=10)),
                ('algorithm', models.CharField(help_text='The code that decides, by name', max_length=50)),
                ('risk_level', models.CharField(choices=[('Low', 'Low'), ('Medium', 'Medium'), ('High', 'High')], max_length=20)),
                ('min_capital', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('expected_return_annual', models.DecimalField(decimal_places=2, default=0, help_text='% a year; 0: not measured', max_digits=7)),
                ('max_drawdown', models.DecimalField(decimal_places=2, default=0, help_text='%; 0: not measured', max_digits=7)),
                ('symbols', models.JSONField(default=list, help_text='Instrument keys it trades by default')),
                ('parameters', models.JSONField(default=dict)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(blank=True, help_text='Empty: for all', null=True, on_delete=django.db.models.deletion.CASCADE, to='accounts.workspace')),
            ],
            options={
                'db_table': 'strategies',
            },
        ),
        migrations.CreateModel(
            name='UserStrategy',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('interval', models.CharField(choices=[('1m', '1 minute'), ('3m', '3 minutes'), ('5m', '5 minutes'), ('10m', '10 minutes'), ('15m', '15 minutes'), ('30m', '30 minutes'), ('1h', '1 hour'), ('1d', '1 day')], default='5m', max_length=4)),
                ('product', models.CharField(choices=[('MIS', 'Intraday (MIS)'), ('CNC', 'Delivery (CNC)'), ('NRML', 'Carry forward (NRML)'), ('MTF', 'Margin trading (MTF)'), ('CO', 'Cover order'), ('BO', 'Bracket order')], default='MIS', max_length=5)),
                ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('PAUSED', 'Paused'), ('STOPPED', 'Stopped')], default='ACTIVE', max_length=10)),
                ('allocation_amount', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('custom_parameters', models.JSONField(blank=True, default=dict)),
                ('total_orders', models.PositiveIntegerField(default=0)),
                ('successful_orders', models.PositiveIntegerField(default=0)),
                ('total_pnl', operations.fields.MoneyField(decimal_places=4, default=0, help_text='Realised, after charges', max_digits=15)),
                ('activated_at', models.DateTimeField()),
                ('deactivated_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='user_strategies', to='brokers.tradingaccount')),
                ('instruments', models.ManyToManyField(related_name='+', to='market.instrument')),
                ('strategy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='activations', to='strategies.strategy')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='user_strategies', to='accounts.workspace')),
            ],
            options={
                'db_table': 'user_strategies',
                'indexes': [models.Index(fields=['status'], name='idx_user_strategies_status')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'STOPPED'), _negated=True), fields=('user', 'strategy', 'account'), name='uq_one_running_activation'), models.CheckConstraint(condition=models.Q(('allocation_amount__gte', 0)), name='ck_allocation_not_negative'), models.CheckConstraint(condition=models.Q(('status__in', ['ACTIVE', 'PAUSED', 'STOPPED'])), name='ck_activation_status'), models.CheckConstraint(condition=models.Q(('successful_orders__lte', models.F('total_orders'))), name='ck_activation_counters')],
            },
        ),
        migrations.CreateModel(
            name='Signal',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('signal_type', models.CharField(choices=[('BUY', 'Buy'), ('SELL', 'Sell')], max_length=10)),
                ('price', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('quantity', models.PositiveBigIntegerField()),
                ('is_exit', models.BooleanField(default=False)),
                ('candle_at', models.DateTimeField(help_text='Opening time of the candle that gave it')),
                ('reason', models.CharField(max_length=300)),
                ('status', models.CharField(choices=[('RECORDED', 'Recorded'), ('ORDERED', 'Order placed'), ('REFUSED', 'Refused'), ('EXPIRED', 'Too late')], default='RECORDED', max_length=10)),
                ('outcome', models.CharField(blank=True, max_length=300)),
                ('expires_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='market.instrument')),
                ('order', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signal', to='orders.order')),
                ('user_strategy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signals', to='strategies.userstrategy')),
            ],
            options={
                'db_table': 'strategy_signals',
                'indexes': [models.Index(fields=['user_strategy', '-created_at'], name='idx_signals_recent'), models.Index(condition=models.Q(('status', 'RECORDED')), fields=['created_at'], name='idx_signals_waiting')],
                'constraints': [models.UniqueConstraint(fields=('user_strategy', 'instrument', 'candle_at', 'signal_type'), name='uq_signal_per_candle'), models.CheckConstraint(condition=models.Q(('price__gt', 0), ('quantity__gt', 0)), name='ck_signal_positive')],
            },
        ),
        migrations.CreateModel(
            name='CandleEvaluation',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('candle_at', models.DateTimeField()),
                ('evaluated_at', models.DateTimeField()),
                ('note', models.CharField(blank=True, help_text='Why nothing came of it', max_length=200)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='market.instrument')),
                ('user_strategy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='evaluations', to='strategies.userstrategy')),
            ],
            options={
                'db_table': 'candle_evaluations',
                'constraints': [models.UniqueConstraint(fields=('user_strategy', 'instrument', 'candle_at'), name='uq_candle_evaluation')],
            },
        ),
    ]
