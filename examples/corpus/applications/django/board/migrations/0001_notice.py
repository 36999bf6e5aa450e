"""The first table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [  # noqa: RUF012
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=40)),
                ("text", models.TextField()),
                ("posted", models.DateTimeField()),
            ],
        ),
    ]
