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
                ("date", models.DateField(primary_key=True, serialize=False, verbose_name="date")),
                (
                    "measured_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="The day's last look at what is only true now; empty where nobody looked on that day.",
                        null=True,
                        verbose_name="measured at",
                    ),
                ),
                (
                    "plans",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="By slug: how many users, by what they are.",
                        verbose_name="plans",
                    ),
                ),
                (
                    "usage",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="By metric: how many users in each part of it.",
                        verbose_name="usage",
                    ),
                ),
                (
                    "trials_running",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="trials running"),
                ),
                ("trials_ended", models.PositiveIntegerField(default=0, verbose_name="trials ended")),
                ("trials_converted", models.PositiveIntegerField(default=0, verbose_name="trials converted")),
                ("trials_lost", models.PositiveIntegerField(default=0, verbose_name="trials lost")),
                ("webhooks", models.JSONField(blank=True, default=dict, verbose_name="webhooks")),
            ],
            options={
                "verbose_name": "figures of a day",
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
                ("date", models.DateField(verbose_name="date")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("measured", "measured"),
                            ("ledger", "from payments"),
                            ("unknown", "unknown"),
                        ],
                        default="unknown",
                        help_text="Where recurring revenue and its movement come from.",
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("subscriptions", models.PositiveIntegerField(default=0, verbose_name="subscriptions")),
                ("arr", models.BigIntegerField(default=0, verbose_name="a year")),
                ("new", models.BigIntegerField(default=0, verbose_name="new")),
                ("expansion", models.BigIntegerField(default=0, verbose_name="expansion")),
                ("contraction", models.BigIntegerField(default=0, verbose_name="contraction")),
                ("churn", models.BigIntegerField(default=0, verbose_name="churn")),
                (
                    "subscriptions_new",
                    models.PositiveIntegerField(default=0, verbose_name="new subscriptions"),
                ),
                (
                    "subscriptions_churned",
                    models.PositiveIntegerField(default=0, verbose_name="churned subscriptions"),
                ),
                ("payments", models.BigIntegerField(default=0, verbose_name="payments")),
                ("refunds", models.BigIntegerField(default=0, verbose_name="refunds")),
                ("disputes", models.BigIntegerField(default=0, verbose_name="disputes")),
                ("failed", models.PositiveIntegerField(default=0, verbose_name="failed")),
                ("failed_amount", models.BigIntegerField(default=0, verbose_name="failed amount")),
                ("recovered", models.PositiveIntegerField(default=0, verbose_name="recovered")),
                ("recovered_amount", models.BigIntegerField(default=0, verbose_name="recovered amount")),
            ],
            options={
                "verbose_name": "money of a day",
                "verbose_name_plural": "money by day",
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
