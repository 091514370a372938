import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('name', models.CharField(max_length=50, primary_key=True, serialize=False)),
                ('holder', models.CharField(max_length=100)),
                ('token', models.PositiveBigIntegerField(default=1)),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'leases',
            },
        ),
        migrations.CreateModel(
            name='Setting',
            fields=[
                ('key', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('value', models.TextField(blank=True)),
                ('data_type', models.CharField(choices=[('string', 'String'), ('integer', 'Integer'), ('decimal', 'Decimal'), ('boolean', 'Boolean'), ('json', 'Json')], default='string', max_length=10)),
                ('category', models.CharField(default='system', max_length=30)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('is_sensitive', models.BooleanField(default=False)),
                ('version', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'config',
            },
        ),
        migrations.CreateModel(
            name='AuditChain',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('first_hash', models.CharField(blank=True, max_length=64)),
                ('last_hash', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'db_table': 'audit_chain',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='ck_one_audit_chain')],
            },
        ),
        migrations.CreateModel(
            name='ErrorLog',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('error_type', models.CharField(max_length=100)),
                ('error_code', models.CharField(blank=True, max_length=50)),
                ('message', models.TextField(blank=True)),
                ('stack_trace', models.TextField(blank=True)),
                ('context', models.JSONField(blank=True, default=dict)),
                ('severity', models.CharField(choices=[('DEBUG', 'Debug'), ('INFO', 'Info'), ('WARNING', 'Warning'), ('ERROR', 'Error'), ('CRITICAL', 'Critical')], default='ERROR', max_length=10)),
                ('related_order_id', models.UUIDField(blank=True, null=True)),
                ('related_account_id', models.UUIDField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                'db_table': 'error_log',
                'indexes': [models.Index(fields=['error_type', 'created_at'], name='idx_errors_type')],
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=50)),
                ('workspace_id', models.UUIDField(blank=True, null=True)),
                ('subject_id', models.CharField(blank=True, max_length=64)),
                ('payload', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'db_table': 'events',
                'indexes': [models.Index(fields=['workspace_id', 'id'], name='idx_events_workspace')],
            },
        ),
        migrations.CreateModel(
            name='RequestLog',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('event_type', models.CharField(max_length=50)),
                ('request_id', models.UUIDField()),
                ('client_ip', models.GenericIPAddressField(null=True)),
                ('user_agent', models.TextField(blank=True)),
                ('path', models.CharField(max_length=500)),
                ('method', models.CharField(max_length=10)),
                ('status_code', models.PositiveSmallIntegerField()),
                ('processing_time_ms', models.DecimalField(decimal_places=3, max_digits=12)),
                ('success', models.BooleanField()),
                ('error_message', models.TextField(blank=True)),
                ('previous_hash', models.CharField(blank=True, max_length=64)),
                ('row_hash', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_index=True)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'audit_logs',
            },
        ),
        migrations.CreateModel(
            name='SystemLog',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('level', models.CharField(choices=[('DEBUG', 'Debug'), ('INFO', 'Info'), ('WARNING', 'Warning'), ('ERROR', 'Error'), ('CRITICAL', 'Critical')], default='INFO', max_length=20)),
                ('type', models.CharField(choices=[('auth', 'Auth'), ('order', 'Order'), ('rms', 'Rms'), ('broker', 'Broker'), ('system', 'System')], default='system', max_length=10)),
                ('message', models.TextField()),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'system_logs',
            },
        ),
        migrations.CreateModel(
            name='Installation',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('identity', models.UUIDField(help_text='Of this database since a person last confirmed it')),
                ('place', models.CharField(blank=True, help_text='Where it lay when it was made', max_length=100)),
                ('pulse', models.PositiveBigIntegerField(default=0, help_text='Grows while it is in use')),
                ('seen_at', models.DateTimeField()),
                ('doubt', models.CharField(blank=True, max_length=200)),
                ('doubted_at', models.DateTimeField(blank=True, null=True)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('confirmed_reason', models.CharField(blank=True, max_length=300)),
                ('confirmed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'installation',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='ck_one_installation')],
            },
        ),
        migrations.CreateModel(
            name='SettingChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('old_value', models.TextField(blank=True)),
                ('new_value', models.TextField(blank=True)),
                ('changed_at', models.DateTimeField(auto_now_add=True)),
                ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('setting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='operations.setting')),
            ],
            options={
                'db_table': 'config_changes',
                'constraints': [models.UniqueConstraint(fields=('setting', 'version'), name='uq_config_version')],
            },
        ),
    ]
