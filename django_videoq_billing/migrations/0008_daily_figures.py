import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videoq_billing", "0007_support"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DailyFigures",
            fields=[
                ("date", models.DateField(primary_key=True, serialize=False)),
                (
                    "measured_at",
                    models.DateTimeField(
                        help_text="The day's last look at what is only true now; empty where nobody looked on that day.",
                        null=True,
                    ),
                ),
                (
                    "plans",
                    models.JSONField(default=dict, help_text="By slug: how many users, by what they are."),
                ),
                (
                    "usage",
                    models.JSONField(
                        default=dict, help_text="By metric: how many users in each part of their limit."
                    ),
                ),
                ("trials_running", models.PositiveIntegerField(null=True)),
                ("trials_ended", models.PositiveIntegerField(default=0)),
                ("trials_converted", models.PositiveIntegerField(default=0)),
                ("trials_lost", models.PositiveIntegerField(default=0)),
                ("webhooks", models.JSONField(default=dict, help_text="As `billing_metrics` has it.")),
            ],
            options={
                "verbose_name": "dashboard",
                "verbose_name_plural": "dashboard",
                "ordering": ["date"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DailyMoney",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "source",
                    models.CharField(
                        choices=[("measured", "Measured"), ("ledger", "Ledger"), ("unknown", "Unknown")],
                        default="unknown",
                        help_text="Where recurring revenue and its movement come from.",
                        max_length=10,
                    ),
                ),
                ("subscriptions", models.PositiveIntegerField(default=0)),
                ("arr", models.BigIntegerField(default=0)),
                ("new", models.BigIntegerField(default=0)),
                ("expansion", models.BigIntegerField(default=0)),
                ("contraction", models.BigIntegerField(default=0)),
                ("churn", models.BigIntegerField(default=0)),
                ("subscriptions_new", models.PositiveIntegerField(default=0)),
                ("subscriptions_churned", models.PositiveIntegerField(default=0)),
                ("payments", models.BigIntegerField(default=0)),
                ("refunds", models.BigIntegerField(default=0)),
                ("disputes", models.BigIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("failed_amount", models.BigIntegerField(default=0)),
                ("recovered", models.PositiveIntegerField(default=0)),
                ("recovered_amount", models.BigIntegerField(default=0)),
            ],
            options={
                "ordering": ["date", "currency"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("date", "currency"), name="vqb_money_once_per_day_and_currency"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecurringAmount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("plan", models.SlugField()),
                ("currency", models.CharField(max_length=3)),
                ("a_year", models.BigIntegerField()),
                ("opening_currency", models.CharField(blank=True, default="", max_length=3)),
                ("opening_a_year", models.BigIntegerField(default=0)),
                (
                    "user",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="recurring_amount",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]
