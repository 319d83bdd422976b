import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [
        ("videoq_billing", "0006_retention_and_reconciliation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="usersubscription",
            name="assigned_until",
            field=models.DateTimeField(
                blank=True,
                help_text="A plan that was given falls back to the default plan by itself; empty is for good.",
                null=True,
                verbose_name="assigned until",
            ),
        ),
        migrations.AddField(
            model_name="usersubscription",
            name="extra_changes_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="usersubscription",
            name="extra_transcription_seconds",
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="usersubscription",
            name="extra_videos",
            field=models.PositiveBigIntegerField(
                default=0,
                editable=False,
                help_text="The running extra allowances together, until they change.",
            ),
        ),
        migrations.AddField(
            model_name="usersubscription",
            name="grace_extended_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Set by support; holds where it is later than the days of grace, until it is paid.",
                null=True,
                verbose_name="grace extended until",
            ),
        ),
        migrations.CreateModel(
            name="ExtraAllowance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "metric",
                    models.CharField(
                        choices=[("video", "videos"), ("transcription", "transcription seconds")],
                        max_length=20,
                        verbose_name="metric",
                    ),
                ),
                (
                    "amount",
                    models.PositiveBigIntegerField(
                        help_text="Videos, or seconds of transcription.", verbose_name="amount"
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="extra_allowances",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "extra allowance",
                "verbose_name_plural": "extra allowances",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 1)),
                        name="vqb_extra_amount_positive",
                        violation_error_message="The amount must be at least 1.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="vqb_extra_has_reason",
                        violation_error_message="Say why.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "metric",
                    models.CharField(
                        choices=[("video", "videos"), ("transcription", "transcription seconds")],
                        max_length=20,
                        verbose_name="metric",
                    ),
                ),
                ("period_start", models.DateTimeField(verbose_name="period start")),
                ("before", models.PositiveBigIntegerField(verbose_name="before")),
                ("after", models.PositiveBigIntegerField(verbose_name="after")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usage_corrections",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "usage correction",
                "verbose_name_plural": "usage corrections",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("before", models.F("after")), _negated=True),
                        name="vqb_correction_changes_something",
                        violation_error_message="The counter stands there already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="vqb_correction_has_reason",
                        violation_error_message="Say why.",
                    ),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="paymenttransaction",
            options={
                "base_manager_name": "objects",
                "ordering": ["-created_at", "-pk"],
                "permissions": [("export_payments", "Can export payments")],
                "verbose_name": "payment transaction",
                "verbose_name_plural": "payment transactions",
            },
        ),
        migrations.AlterModelOptions(
            name="subscriptionplan",
            options={
                "ordering": ["sort_order"],
                "permissions": [("sync_plans", "Can sync plans to Stripe")],
                "verbose_name": "subscription plan",
                "verbose_name_plural": "subscription plans",
            },
        ),
        migrations.AlterModelOptions(
            name="usersubscription",
            options={
                "permissions": [
                    ("assign_plan", "Can assign a plan without payment"),
                    ("cancel_subscription", "Can cancel and reactivate subscriptions"),
                    ("correct_usage", "Can correct usage"),
                    ("extend_grace", "Can extend the grace period"),
                    ("grant_allowance", "Can grant and revoke extra allowances"),
                    ("view_dashboard", "Can view the billing dashboard"),
                ],
                "verbose_name": "user subscription",
                "verbose_name_plural": "user subscriptions",
            },
        ),
        migrations.AlterModelOptions(
            name="webhookevent",
            options={
                "ordering": ["-created_at", "-pk"],
                "permissions": [("replay_events", "Can process webhook events again and ignore them")],
                "verbose_name": "webhook event",
                "verbose_name_plural": "webhook events",
            },
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(
                Coalesce(KT("payload__data__object__customer"), KT("payload__data__object__id")),
                models.F("created_at"),
                name="vqb_webhook_customer",
            ),
        ),
    ]
