import brokers.gateway
import brokers.models.paper
import brokers.registry
import django.db.models.deletion
import operations.fields
import operations.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='BrokerConnection',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('broker_type', models.CharField(choices=brokers.registry.broker_choices, max_length=20)),
                ('alias', models.CharField(max_length=50)),
                ('client_code', models.CharField(blank=True, max_length=50)),
                ('credentials', models.TextField(blank=True, help_text='Sealed; never shown')),
                ('paper_trading', models.BooleanField(default=True)),
                ('status', models.CharField(choices=[('connected', 'Connected'), ('expired', 'Expired'), ('error', 'Error'), ('disconnected', 'Disconnected')], default='disconnected', max_length=15)),
                ('connection_metadata', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='broker_connections', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='broker_connections', to='accounts.workspace')),
            ],
            options={
                'db_table': 'user_broker_connections',
                'constraints': [models.UniqueConstraint(fields=('user', 'alias'), name='uq_connection_alias'), models.CheckConstraint(condition=models.Q(('status__in', ['connected', 'expired', 'error', 'disconnected'])), name='ck_connection_status')],
            },
        ),
        migrations.CreateModel(
            name='TradingAccount',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('account_type', models.CharField(choices=[('individual', 'Individual'), ('leader', 'Leader'), ('follower', 'Follower')], default='individual', max_length=10)),
                ('margin', operations.fields.MoneyField(decimal_places=4, default=0, help_text='Free margin as the broker last told it', max_digits=15)),
                ('currency', models.CharField(default='INR', max_length=3)),
                ('is_active', models.BooleanField(default=True)),
                ('live_enabled', models.BooleanField(default=False, help_text='Real money: a person has turned it on for this account')),
                ('own_clock', models.BooleanField(default=False, help_text='A replay lives on its own clock: timed jobs leave it alone')),
                ('reconciled_at', models.DateTimeField(blank=True, help_text='Entries wait until the account has been reconciled', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='brokers.brokerconnection')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='accounts.workspace')),
            ],
            options={
                'db_table': 'accounts',
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='uq_account_name'), models.CheckConstraint(condition=models.Q(('account_type__in', ['individual', 'leader', 'follower'])), name='ck_account_type')],
            },
        ),
        migrations.CreateModel(
            name='PaperAccount',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('cash', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('opening_cash', operations.fields.MoneyField(decimal_places=4, default=0, help_text='Cash when the day began', max_digits=15)),
                ('opened_on', models.DateField(blank=True, help_text='The day it began', null=True)),
                ('order_count', models.PositiveBigIntegerField(default=0)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='paper_account', to='brokers.tradingaccount')),
            ],
            options={
                'db_table': 'paper_accounts',
            },
        ),
        migrations.CreateModel(
            name='PaperContract',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=120, unique=True)),
                ('exchange', models.CharField(max_length=10)),
                ('segment', models.CharField(max_length=10)),
                ('trading_symbol', models.CharField(max_length=100)),
                ('instrument_type', models.CharField(max_length=10)),
                ('lot_size', models.PositiveIntegerField()),
                ('tick_size', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('freeze_quantity', models.PositiveIntegerField(blank=True, null=True)),
                ('expiry', models.DateField(blank=True, null=True)),
                ('strike', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('currency', models.CharField(default='INR', max_length=3)),
            ],
            options={
                'db_table': 'paper_contracts',
            },
        ),
        migrations.CreateModel(
            name='BrokerCall',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('action', models.CharField(max_length=50)),
                ('module', models.CharField(max_length=50)),
                ('request', models.JSONField(blank=True, default=dict)),
                ('response', models.JSONField(blank=True, default=dict)),
                ('duration_ms', models.PositiveIntegerField(default=0)),
                ('status_code', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('error_message', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='brokers.brokerconnection')),
            ],
            options={
                'db_table': 'audit_log',
            },
        ),
        migrations.CreateModel(
            name='AuthToken',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('access_token', models.TextField(blank=True, help_text='Sealed; never shown')),
                ('refresh_token', models.TextField(blank=True, help_text='Sealed; never shown')),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='auth_tokens', to='brokers.brokerconnection')),
            ],
            options={
                'db_table': 'auth_tokens',
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('connection',), name='uq_one_active_token')],
            },
        ),
        migrations.CreateModel(
            name='LoginAttempt',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('at_broker', 'At Broker'), ('done', 'Done'), ('failed', 'Failed')], default='queued', max_length=10)),
                ('answer', models.TextField(blank=True, help_text='Sealed; never shown')),
                ('page', models.TextField(blank=True, help_text='Where the person signs in')),
                ('words', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('moved_at', models.DateTimeField()),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='login_attempts', to='brokers.brokerconnection')),
            ],
            options={
                'db_table': 'broker_logins',
                'indexes': [models.Index(fields=['connection', '-created_at'], name='ix_login_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'at_broker', 'done', 'failed'])), name='ck_login_status'), models.UniqueConstraint(condition=models.Q(('status__in', ('queued', 'running', 'at_broker'))), fields=('connection',), name='uq_one_open_login')],
            },
        ),
        migrations.CreateModel(
            name='PaperDelivery',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('quantity', models.PositiveBigIntegerField()),
                ('cost', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('settles_on', models.DateField()),
                ('book', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='brokers.paperaccount')),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='brokers.papercontract')),
            ],
            options={
                'db_table': 'paper_deliveries',
                'constraints': [models.UniqueConstraint(fields=('book', 'contract', 'settles_on'), name='uq_paper_delivery')],
            },
        ),
        migrations.CreateModel(
            name='PaperOrder',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveBigIntegerField()),
                ('broker_order_id', models.CharField(max_length=30)),
                ('tag', models.CharField(blank=True, max_length=20)),
                ('session_date', models.DateField()),
                ('side', models.CharField(choices=[('BUY', 'Buy'), ('SELL', 'Sell')], max_length=4)),
                ('order_type', models.CharField(choices=[('MARKET', 'Market'), ('LIMIT', 'Limit'), ('SL', 'Stop-loss limit'), ('SL-M', 'Stop-loss market')], max_length=6)),
                ('product', models.CharField(choices=[('MIS', 'Intraday (MIS)'), ('CNC', 'Delivery (CNC)'), ('NRML', 'Carry forward (NRML)'), ('MTF', 'Margin trading (MTF)'), ('CO', 'Cover order'), ('BO', 'Bracket order')], max_length=5)),
                ('validity', models.CharField(choices=[('DAY', 'Day'), ('IOC', 'Immediate or cancel')], max_length=3)),
                ('quantity', models.PositiveBigIntegerField()),
                ('price', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('trigger_price', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('disclosed_quantity', models.PositiveBigIntegerField(default=0)),
                ('is_square_off', models.BooleanField(default=False)),
                ('status', models.CharField(choices=brokers.models.paper.status_choices, max_length=20)),
                ('filled_quantity', models.PositiveBigIntegerField(default=0)),
                ('turnover', operations.fields.MoneyField(decimal_places=4, default=0, help_text='Value of what is filled', max_digits=15)),
                ('charges', operations.fields.MoneyField(decimal_places=4, default=0, help_text='Charged on it so far', max_digits=15)),
                ('blocked', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('cap', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('is_resting', models.BooleanField(default=False, help_text='In the book, waiting for others')),
                ('triggered_at', models.DateTimeField(blank=True, null=True)),
                ('message', models.CharField(blank=True, max_length=200)),
                ('sequence', models.PositiveBigIntegerField(default=1)),
                ('is_untold', models.BooleanField(default=False, help_text='A change nobody was told of yet')),
                ('is_live', models.GeneratedField(db_persist=True, expression=models.ExpressionWrapper(models.Q(('status__in', (brokers.gateway.BrokerStatus['PLACED'], brokers.gateway.BrokerStatus['QUEUED_AMO'], brokers.gateway.BrokerStatus['OPEN'], brokers.gateway.BrokerStatus['TRIGGER_PENDING'], brokers.gateway.BrokerStatus['PARTIALLY_FILLED'])), ('is_untold', True), _connector='OR'), output_field=models.BooleanField()), output_field=models.BooleanField())),
                ('placed_at', models.DateTimeField()),
                ('live_at', models.DateTimeField(help_text='When the exchange has it; no tick before fills it')),
                ('updated_at', models.DateTimeField()),
                ('book', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='orders', to='brokers.paperaccount')),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='brokers.papercontract')),
            ],
            options={
                'db_table': 'paper_orders',
                'indexes': [models.Index(condition=models.Q(('is_live', True)), fields=['contract', 'book'], name='idx_paper_orders_live'), models.Index(condition=models.Q(('is_live', True)), fields=['book', 'status'], name='idx_paper_orders_book'), models.Index(fields=['book', 'session_date'], name='idx_paper_orders_session')],
                'constraints': [models.UniqueConstraint(fields=('book', 'broker_order_id'), name='uq_paper_broker_order'), models.UniqueConstraint(condition=models.Q(('tag', ''), _negated=True), fields=('book', 'tag'), name='uq_paper_order_tag'), models.CheckConstraint(condition=models.Q(('filled_quantity__lte', models.F('quantity'))), name='ck_paper_order_not_overfilled')],
            },
        ),
        migrations.CreateModel(
            name='PaperPosition',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('product', models.CharField(choices=[('MIS', 'Intraday (MIS)'), ('CNC', 'Delivery (CNC)'), ('NRML', 'Carry forward (NRML)'), ('MTF', 'Margin trading (MTF)'), ('CO', 'Cover order'), ('BO', 'Bracket order')], max_length=5)),
                ('session_date', models.DateField(help_text='The session of its last fill')),
                ('quantity', models.BigIntegerField(default=0)),
                ('cost', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('buy_quantity', models.PositiveBigIntegerField(default=0)),
                ('sell_quantity', models.PositiveBigIntegerField(default=0)),
                ('realized_pnl', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('book', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='positions', to='brokers.paperaccount')),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='positions', to='brokers.papercontract')),
            ],
            options={
                'db_table': 'paper_positions',
                'indexes': [models.Index(fields=['product', 'quantity'], name='idx_paper_positions_open')],
                'constraints': [models.UniqueConstraint(fields=('book', 'contract', 'product'), name='uq_paper_position')],
            },
        ),
        migrations.CreateModel(
            name='PaperTrade',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('quantity', models.PositiveBigIntegerField()),
                ('price', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('charges', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('session_date', models.DateField()),
                ('traded_at', models.DateTimeField()),
                ('book', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trades', to='brokers.paperaccount')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trades', to='brokers.paperorder')),
            ],
            options={
                'db_table': 'paper_trades',
                'indexes': [models.Index(fields=['book', 'session_date'], name='idx_paper_trades_session')],
                'constraints': [models.UniqueConstraint(fields=('order', 'number'), name='uq_paper_trade'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='ck_paper_trade_quantity')],
            },
        ),
        migrations.CreateModel(
            name='PaperLedgerEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('TRANSFER', 'Money in or out'), ('TRADE', 'Trade'), ('CHARGES', 'Charges'), ('SETTLEMENT', 'Settlement of an expired contract')], max_length=10)),
                ('amount', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('at', models.DateTimeField()),
                ('book', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='brokers.paperaccount')),
                ('trade', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='brokers.papertrade')),
            ],
            options={
                'db_table': 'paper_ledger',
            },
        ),
        migrations.CreateModel(
            name='PostbackConfig',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('webhook_url', models.URLField(max_length=500)),
                ('secret', models.TextField(blank=True, help_text='Sealed; never shown')),
                ('event_types', models.JSONField(blank=True, default=list)),
                ('is_active', models.BooleanField(default=True)),
                ('last_triggered_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='postback_configs', to='brokers.brokerconnection')),
            ],
            options={
                'db_table': 'postback_configs',
            },
        ),
        migrations.CreateModel(
            name='PostbackEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('event_type', models.CharField(max_length=50)),
                ('payload', models.JSONField(default=dict)),
                ('signature_valid', models.BooleanField(null=True)),
                ('processing_status', models.CharField(choices=[('RECEIVED', 'Received'), ('PROCESSED', 'Processed'), ('DUPLICATE', 'Duplicate'), ('FAILED', 'Failed')], default='RECEIVED', max_length=10)),
                ('error_message', models.TextField(blank=True)),
                ('body_hash', models.CharField(max_length=64, unique=True)),
                ('received_at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('config', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='brokers.postbackconfig')),
            ],
            options={
                'db_table': 'postback_events',
            },
        ),
        migrations.CreateModel(
            name='RateLimitWindow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('endpoint', models.CharField(max_length=50)),
                ('window_seconds', models.PositiveIntegerField(default=1)),
                ('window_start', models.DateTimeField()),
                ('request_count', models.PositiveIntegerField(default=0)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='brokers.brokerconnection')),
            ],
            options={
                'db_table': 'rate_limit_tracking',
                'constraints': [models.UniqueConstraint(fields=('connection', 'endpoint', 'window_seconds', 'window_start'), name='uq_rate_window')],
            },
        ),
        migrations.CreateModel(
            name='StreamConnection',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('CONNECTING', 'Connecting'), ('CONNECTED', 'Connected'), ('DISCONNECTED', 'Disconnected'), ('ERROR', 'Error')], default='CONNECTING', max_length=15)),
                ('subscribed_events', models.JSONField(blank=True, default=list)),
                ('last_heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('reconnect_attempts', models.PositiveIntegerField(default=0)),
                ('connected_at', models.DateTimeField(blank=True, null=True)),
                ('disconnected_at', models.DateTimeField(blank=True, null=True)),
                ('error_message', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='streams', to='brokers.brokerconnection')),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='brokers.tradingaccount')),
            ],
            options={
                'db_table': 'websocket_connections',
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['CONNECTING', 'CONNECTED', 'DISCONNECTED', 'ERROR'])), name='ck_stream_status')],
            },
        ),
        migrations.CreateModel(
            name='StreamMessage',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('message_type', models.CharField(max_length=30)),
                ('payload', models.JSONField(default=dict)),
                ('sequence', models.PositiveBigIntegerField()),
                ('broker_order_id', models.CharField(blank=True, max_length=100)),
                ('processing_status', models.CharField(choices=[('RECEIVED', 'Received'), ('PROCESSED', 'Processed'), ('DUPLICATE', 'Duplicate'), ('FAILED', 'Failed')], default='RECEIVED', max_length=10)),
                ('received_at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('stream', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='brokers.streamconnection')),
            ],
            options={
                'db_table': 'websocket_messages',
                'constraints': [models.UniqueConstraint(fields=('stream', 'sequence'), name='uq_stream_sequence')],
            },
        ),
    ]
