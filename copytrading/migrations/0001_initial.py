import django.db.models.deletion
import operations.fields
import operations.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('brokers', '0001_initial'),
        ('orders', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CopyLink',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('sizing_strategy', models.CharField(choices=[('same', 'Same quantity'), ('ratio', "A ratio of the leader's"), ('capital', 'In proportion to capital'), ('fixed', 'Fixed quantity')], default='same', max_length=10)),
                ('sizing_value', operations.fields.MoneyField(decimal_places=4, default=1, max_digits=15)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('follower', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='leaders', to='brokers.tradingaccount')),
                ('leader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='followers', to='brokers.tradingaccount')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='copy_links', to='accounts.workspace')),
            ],
            options={
                'db_table': 'copy_links',
                'constraints': [models.UniqueConstraint(fields=('leader', 'follower'), name='uq_copy_link'), models.CheckConstraint(condition=models.Q(('leader', models.F('follower')), _negated=True), name='ck_copy_not_oneself')],
            },
        ),
        migrations.CreateModel(
            name='CopyMapping',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('leader_quantity', models.PositiveBigIntegerField()),
                ('follower_quantity', models.PositiveBigIntegerField(default=0)),
                ('sizing_strategy', models.CharField(choices=[('same', 'Same quantity'), ('ratio', "A ratio of the leader's"), ('capital', 'In proportion to capital'), ('fixed', 'Fixed quantity')], max_length=10)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('placed', 'Placed'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='pending', max_length=10)),
                ('error_message', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('follower_order', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='copied_from', to='orders.order')),
                ('leader_order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='copies', to='orders.order')),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mappings', to='copytrading.copylink')),
            ],
            options={
                'db_table': 'copy_mappings',
                'constraints': [models.UniqueConstraint(fields=('link', 'leader_order'), name='uq_copy_mapping')],
            },
        ),
    ]
