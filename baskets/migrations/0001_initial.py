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
        ('orders', '0002_initial'),
        ('portfolio', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Basket',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('description', models.TextField(blank=True)),
                ('category', models.CharField(blank=True, max_length=50)),
                ('min_investment', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('risk_level', models.CharField(blank=True, max_length=20)),
                ('is_active', models.BooleanField(default=True)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'smallcases',
            },
        ),
        migrations.CreateModel(
            name='Investment',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('investment_amount', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('active', 'Active'), ('partial', 'Partial'), ('closed', 'Closed'), ('failed', 'Failed')], default='pending', max_length=10)),
                ('execution_mode', models.CharField(choices=[('paper', 'Paper'), ('live', 'Live')], default='paper', max_length=5)),
                ('invested_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='brokers.tradingaccount')),
                ('basket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='investments', to='baskets.basket')),
                ('portfolio', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='portfolio.portfolio')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='investments', to='accounts.workspace')),
            ],
            options={
                'db_table': 'user_smallcase_investments',
                'constraints': [models.CheckConstraint(condition=models.Q(('investment_amount__gt', 0)), name='ck_investment_positive')],
            },
        ),
        migrations.CreateModel(
            name='ExecutionRun',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('run_type', models.CharField(choices=[('invest', 'Invest'), ('add', 'Add'), ('rebalance', 'Rebalance'), ('partial_exit', 'Partial Exit'), ('exit', 'Exit')], max_length=15)),
                ('status', models.CharField(choices=[('planned', 'Planned'), ('running', 'Running'), ('completed', 'Completed'), ('partial', 'Partial'), ('failed', 'Failed')], default='planned', max_length=10)),
                ('total_amount', operations.fields.MoneyField(decimal_places=4, default=0, max_digits=15)),
                ('execution_plan', models.JSONField(default=dict)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('completed_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('investment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='baskets.investment')),
            ],
            options={
                'db_table': 'smallcase_execution_runs',
            },
        ),
        migrations.CreateModel(
            name='ExecutionOrder',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('order_metadata', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='execution_order', to='orders.order')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='baskets.executionrun')),
            ],
            options={
                'db_table': 'smallcase_execution_orders',
            },
        ),
        migrations.CreateModel(
            name='PositionSnapshot',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('quantity', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('average_price', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('market_value', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('unrealized_pnl', operations.fields.MoneyField(decimal_places=4, max_digits=15)),
                ('snapshot_date', models.DateTimeField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='market.instrument')),
                ('investment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='baskets.investment')),
            ],
            options={
                'db_table': 'user_smallcase_position_history',
                'constraints': [models.UniqueConstraint(fields=('investment', 'instrument', 'snapshot_date'), name='uq_basket_snapshot')],
            },
        ),
        migrations.CreateModel(
            name='Constituent',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('weight_percentage', models.DecimalField(decimal_places=4, max_digits=7)),
                ('rationale', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('basket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='constituents', to='baskets.basket')),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='market.instrument')),
            ],
            options={
                'db_table': 'smallcase_constituents',
                'constraints': [models.UniqueConstraint(fields=('basket', 'instrument'), name='uq_constituent'), models.CheckConstraint(condition=models.Q(('weight_percentage__gt', 0), ('weight_percentage__lte', 100)), name='ck_constituent_weight')],
            },
        ),
    ]
