import django.db.models.deletion
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
            name='Notification',
            fields=[
                ('id', models.UUIDField(default=operations.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('notification_type', models.CharField(choices=[('ORDER_FILLED', 'Order Filled'), ('ORDER_REJECTED', 'Order Rejected'), ('SERVICE_DOWN', 'Service Down'), ('SERVICE_RESTORED', 'Service Restored'), ('SYSTEM_ERROR', 'System Error'), ('STRATEGY_SIGNAL', 'Strategy Signal'), ('RISK_ALERT', 'Risk Alert')], max_length=20)),
                ('alert_level', models.CharField(choices=[('INFO', 'Info'), ('WARNING', 'Warning'), ('ERROR', 'Error'), ('CRITICAL', 'Critical')], default='INFO', max_length=10)),
                ('title', models.CharField(max_length=200)),
                ('message', models.TextField()),
                ('data', models.JSONField(blank=True, default=dict)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('user', models.ForeignKey(blank=True, help_text='Empty: system-wide', null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='accounts.workspace')),
            ],
            options={
                'db_table': 'notifications',
                'indexes': [models.Index(fields=['user', 'read_at'], name='idx_notifications_unread'), models.Index(fields=['created_at'], name='idx_notifications_created_at')],
                'constraints': [models.CheckConstraint(condition=models.Q(('notification_type__in', ['ORDER_FILLED', 'ORDER_REJECTED', 'SERVICE_DOWN', 'SERVICE_RESTORED', 'SYSTEM_ERROR', 'STRATEGY_SIGNAL', 'RISK_ALERT'])), name='ck_notification_type'), models.CheckConstraint(condition=models.Q(('alert_level__in', ['INFO', 'WARNING', 'ERROR', 'CRITICAL'])), name='ck_alert_level')],
            },
        ),
        migrations.CreateModel(
            name='NotificationReceipt',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('read_at', models.DateTimeField()),
                ('notification', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='notifications.notification')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'notification_receipts',
                'constraints': [models.UniqueConstraint(fields=('notification', 'user'), name='uq_receipt')],
            },
        ),
    ]
