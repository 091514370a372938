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
            name='Quote',
            fields=[
                ('instrument_key', models.CharField(max_length=120, primary_key=True, serialize=False)),
                ('ltp', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('bid', operations.fields.MoneyField(decimal_places=4, max_digits=15, null=True)),
                ('ask', operations.fields.MoneyField(decimal_places=4, max_digits=15, null=True)),
                ('bid_quantity', models.PositiveBigIntegerField(default=0)),
                ('ask_quantity', models.PositiveBigIntegerField(default=0)),
                ('open', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('high', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('low', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('previous_close', operations.fields.MoneyField(decimal_places=4, max_digits=15, null=True)),
                ('volume', models.PositiveBigIntegerField(default=0)),
                ('session_date', models.DateField()),
                ('as_of', models.DateTimeField()),
            ],
            options={
                'db_table': 'quotes',
            },
        ),
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('kite_master', 'Kite instruments (CSV)'), ('dhan_master', 'Dhan scrip master (CSV)'), ('angel_master', 'Angel One scrip master (JSON)'), ('alpaca_master', 'Alpaca assets (JSON)'), ('daily_prices', 'Daily prices (NSE archive)'), ('intraday_prices', 'Intraday prices (three header lines)'), ('bhavcopy_cash', 'NSE bhavcopy, cash'), ('bhavcopy_futures', 'NSE bhavcopy, futures'), ('bhavcopy_options', 'NSE bhavcopy, options'), ('ohlcv', 'Prices from any CSV (you name the columns)')], max_length=20)),
                ('file_name', models.CharField(max_length=255)),
                ('file_size', models.PositiveBigIntegerField(default=0)),
                ('file_hash', models.CharField(blank=True, max_length=64)),
                ('status', models.CharField(choices=[('QUEUED', 'Queued'), ('RUNNING', 'Running'), ('COMPLETED', 'Completed'), ('FAILED', 'Failed'), ('UNDONE', 'Undone')], default='QUEUED', max_length=10)),
                ('options', models.JSONField(blank=True, default=dict, help_text='Symbol, columns, interval or day, where given')),
                ('bytes_read', models.PositiveBigIntegerField(default=0)),
                ('rows_read', models.PositiveIntegerField(default=0)),
                ('rows_written', models.PositiveIntegerField(default=0)),
                ('rows_unchanged', models.PositiveIntegerField(default=0)),
                ('rows_skipped', models.PositiveIntegerField(default=0)),
                ('error_message', models.TextField(blank=True)),
                ('started_at', models.DateTimeField()),
                ('progress_at', models.DateTimeField(blank=True, help_text='When it last gave a sign of life', null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='accounts.workspace')),
            ],
            options={
                'db_table': 'import_runs',
                'indexes': [models.Index(fields=['workspace', 'started_at'], name='idx_imports_recent')],
            },
        ),
        migrations.CreateModel(
            name='ImportIssue',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('line', models.PositiveIntegerField()),
                ('reason', models.CharField(max_length=300)),
                ('raw', models.CharField(blank=True, max_length=500)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='issues', to='market.importrun')),
            ],
            options={
                'db_table': 'import_issues',
                'indexes': [models.Index(fields=['run', 'line'], name='idx_import_issues_line')],
            },
        ),
        migrations.CreateModel(
            name='Instrument',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('key', models.CharField(help_text='NSE:RELIANCE', max_length=120, unique=True)),
                ('trading_symbol', models.CharField(max_length=100)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('exchange', models.CharField(choices=[('NSE', 'Nse'), ('BSE', 'Bse'), ('NFO', 'Nfo'), ('BFO', 'Bfo'), ('MCX', 'Mcx'), ('CDS', 'Cds'), ('NASDAQ', 'Nasdaq'), ('NYSE', 'Nyse'), ('SIM', 'Simulated exchange')], max_length=10)),
                ('segment', models.CharField(choices=[('NSE_EQ', 'NSE equity'), ('NSE_FNO', 'NSE futures and options'), ('BSE_EQ', 'BSE equity'), ('BSE_FNO', 'BSE futures and options'), ('MCX_COMM', 'MCX commodity'), ('CDS_FUT', 'Currency derivatives'), ('IDX', 'Index'), ('US_EQ', 'US equity')], max_length=10)),
                ('instrument_type', models.CharField(choices=[('EQ', 'Share'), ('INDEX', 'Index'), ('FUT', 'Future'), ('CE', 'Call option'), ('PE', 'Put option')], max_length=10)),
                ('lot_size', models.PositiveIntegerField(default=1)),
                ('tick_size', operations.fields.MoneyField(decimal_places=4, default='0.05', max_digits=15)),
                ('freeze_quantity', models.PositiveIntegerField(blank=True, null=True)),
                ('isin', models.CharField(blank=True, max_length=12)),
                ('expiry', models.DateField(blank=True, null=True)),
                ('strike', operations.fields.MoneyField(blank=True, decimal_places=4, max_digits=15, null=True)),
                ('option_type', models.CharField(blank=True, max_length=2)),
                ('underlying', models.CharField(blank=True, help_text='Symbol of what it is on', max_length=100)),
                ('currency', models.CharField(default='INR', max_length=3)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('is_active', models.BooleanField(default=True)),
                ('refreshed_on', models.DateField(blank=True, help_text='Day of its last master', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'instruments',
                'indexes': [models.Index(fields=['trading_symbol'], name='idx_instruments_symbol'), models.Index(fields=['underlying', 'expiry'], name='idx_instruments_contract')],
                'constraints': [models.CheckConstraint(condition=models.Q(('lot_size__gte', 1)), name='ck_instrument_lot_positive'), models.CheckConstraint(condition=models.Q(('tick_size__gt', 0)), name='ck_instrument_tick_positive')],
            },
        ),
        migrations.CreateModel(
            name='CorporateAction',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('ex_date', models.DateField()),
                ('kind', models.CharField(choices=[('SPLIT', 'Split'), ('BONUS', 'Bonus'), ('DIVIDEND', 'Dividend'), ('RIGHTS', 'Rights')], max_length=10)),
                ('factor', models.DecimalField(decimal_places=8, default=1, max_digits=15)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='market.instrument')),
            ],
            options={
                'db_table': 'corporate_actions',
                'constraints': [models.UniqueConstraint(fields=('instrument', 'ex_date', 'kind'), name='uq_corporate_action'), models.CheckConstraint(condition=models.Q(('factor__gt', 0)), name='ck_corporate_action_factor')],
            },
        ),
        migrations.CreateModel(
            name='Candle',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('interval', models.CharField(choices=[('1m', '1 minute'), ('3m', '3 minutes'), ('5m', '5 minutes'), ('10m', '10 minutes'), ('15m', '15 minutes'), ('30m', '30 minutes'), ('1h', '1 hour'), ('1d', '1 day')], max_length=4)),
                ('timestamp', models.DateTimeField()),
                ('open', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('high', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('low', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('close', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('volume', models.PositiveBigIntegerField(default=0)),
                ('open_interest', models.PositiveBigIntegerField(blank=True, null=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='candles', to='market.instrument')),
            ],
            options={
                'db_table': 'price_history',
                'constraints': [models.UniqueConstraint(fields=('instrument', 'interval', 'timestamp'), name='uq_candle'), models.CheckConstraint(condition=models.Q(('high__gte', models.F('low')), ('low__gt', 0)), name='ck_candle_range')],
            },
        ),
        migrations.CreateModel(
            name='BrokerInstrument',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('broker_type', models.CharField(max_length=20)),
                ('exchange', models.CharField(max_length=20)),
                ('security_id', models.CharField(max_length=50)),
                ('broker_symbol', models.CharField(blank=True, max_length=100)),
                ('refreshed_on', models.DateField(blank=True, help_text="Day of the broker's last list that had it", null=True)),
                ('is_listed', models.BooleanField(default=True, help_text="No longer once the broker's list leaves it out")),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='broker_instruments', to='market.instrument')),
            ],
            options={
                'db_table': 'broker_instruments',
                'constraints': [models.UniqueConstraint(fields=('broker_type', 'exchange', 'security_id'), name='uq_broker_token')],
            },
        ),
        migrations.CreateModel(
            name='InstrumentTerms',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('effective_from', models.DateField()),
                ('lot_size', models.PositiveIntegerField()),
                ('tick_size', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('freeze_quantity', models.PositiveIntegerField(blank=True, null=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='market.instrument')),
            ],
            options={
                'db_table': 'instrument_terms',
                'constraints': [models.UniqueConstraint(fields=('instrument', 'effective_from'), name='uq_instrument_terms')],
            },
        ),
        migrations.CreateModel(
            name='OptionChainRow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('expiry', models.DateField()),
                ('strike', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('call_oi', models.BigIntegerField(null=True)),
                ('call_chgoi', models.BigIntegerField(null=True)),
                ('call_iv', models.DecimalField(decimal_places=4, max_digits=10, null=True)),
                ('call_delta', models.DecimalField(decimal_places=6, max_digits=8, null=True)),
                ('call_ltp', operations.fields.MoneyField(decimal_places=4, max_digits=15, null=True)),
                ('put_oi', models.BigIntegerField(null=True)),
                ('put_chgoi', models.BigIntegerField(null=True)),
                ('put_iv', models.DecimalField(decimal_places=4, max_digits=10, null=True)),
                ('put_delta', models.DecimalField(decimal_places=6, max_digits=8, null=True)),
                ('put_ltp', operations.fields.MoneyField(decimal_places=4, max_digits=15, null=True)),
                ('timestamp', models.DateTimeField()),
                ('underlying', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='market.instrument')),
            ],
            options={
                'db_table': 'option_chain',
                'constraints': [models.UniqueConstraint(fields=('underlying', 'expiry', 'timestamp', 'strike'), name='uq_option_chain_row')],
            },
        ),
        migrations.CreateModel(
            name='PriceBandRow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('trading_day', models.DateField()),
                ('lower', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('upper', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bands', to='market.instrument')),
            ],
            options={
                'db_table': 'price_bands',
                'constraints': [models.UniqueConstraint(fields=('instrument', 'trading_day'), name='uq_price_band'), models.CheckConstraint(condition=models.Q(('upper__gte', models.F('lower'))), name='ck_price_band_order')],
            },
        ),
        migrations.CreateModel(
            name='ScheduleOverride',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('exchange', models.CharField(choices=[('NSE', 'Nse'), ('BSE', 'Bse'), ('NFO', 'Nfo'), ('BFO', 'Bfo'), ('MCX', 'Mcx'), ('CDS', 'Cds'), ('NASDAQ', 'Nasdaq'), ('NYSE', 'Nyse'), ('SIM', 'Simulated exchange')], max_length=10)),
                ('day', models.DateField()),
                ('is_open', models.BooleanField()),
                ('opens_at', models.TimeField(blank=True, null=True)),
                ('closes_at', models.TimeField(blank=True, null=True)),
                ('reason', models.CharField(max_length=200)),
            ],
            options={
                'db_table': 'schedule_overrides',
                'constraints': [models.UniqueConstraint(fields=('exchange', 'day'), name='uq_schedule_override'), models.CheckConstraint(condition=models.Q(('is_open', False), models.Q(('closes_at__gt', models.F('opens_at')), ('opens_at__isnull', False)), _connector='OR'), name='ck_schedule_override_hours')],
            },
        ),
        migrations.CreateModel(
            name='Tick',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('ltp', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('bid', operations.fields.MoneyField(decimal_places=4, max_digits=15, null=True)),
                ('ask', operations.fields.MoneyField(decimal_places=4, max_digits=15, null=True)),
                ('volume', models.PositiveBigIntegerField(default=0)),
                ('timestamp', models.DateTimeField()),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='market.instrument')),
            ],
            options={
                'db_table': 'ticks',
                'indexes': [models.Index(fields=['instrument', 'timestamp'], name='idx_ticks_time')],
            },
        ),
        migrations.CreateModel(
            name='Watchlist',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watchlists', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.workspace')),
            ],
            options={
                'db_table': 'watchlists',
                'constraints': [models.UniqueConstraint(fields=('workspace', 'user', 'name'), name='uq_watchlist')],
            },
        ),
        migrations.CreateModel(
            name='WatchlistItem',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='market.instrument')),
                ('watchlist', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='market.watchlist')),
            ],
            options={
                'db_table': 'watchlist_items',
                'constraints': [models.UniqueConstraint(fields=('watchlist', 'instrument'), name='uq_watchlist_item')],
            },
        ),
    ]
