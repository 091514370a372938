from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('risk', '0003_move_standings'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='riskrule',
            name='confirmations',
        ),
        migrations.RemoveField(
            model_name='riskrule',
            name='confirmed_at',
        ),
        migrations.RemoveField(
            model_name='riskrule',
            name='current_value',
        ),
        migrations.RemoveField(
            model_name='riskrule',
            name='evaluated_on',
        ),
        migrations.RemoveField(
            model_name='riskrule',
            name='is_violated',
        ),
        migrations.RemoveField(
            model_name='riskrule',
            name='peak_pnl',
        ),
        migrations.RemoveField(
            model_name='riskrule',
            name='violation_message',
        ),
    ]
