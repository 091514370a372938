import django.db.models.deletion
import django.db.models.functions.comparison
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('brokers', '0001_initial'),
        ('market', '0001_initial'),
        ('orders', '0001_initial'),
        ('strategies', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='user_strategy',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='strategies.userstrategy'),
        ),
        migrations.AddField(
            model_name='tradepart',
            name='user_strategy',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='trade_parts', to='strategies.userstrategy'),
        ),
        migrations.AddConstraint(
            model_name='tradepart',
            constraint=models.UniqueConstraint(models.F('trade'), django.db.models.functions.comparison.Coalesce('user_strategy', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), name='uq_trade_part'),
        ),
    ]
