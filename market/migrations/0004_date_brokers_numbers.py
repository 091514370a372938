from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('market', '0003_name_alpaca_assets'),
    ]

    operations = [
        migrations.AddField(
            model_name='brokerinstrument',
            name='is_listed',
            field=models.BooleanField(default=True, help_text="No longer once the broker's list leaves it out"),
        ),
        migrations.AddField(
            model_name='brokerinstrument',
            name='refreshed_on',
            field=models.DateField(blank=True, help_text="Day of the broker's last list that had it", null=True),
        ),
    ]
