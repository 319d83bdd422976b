import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videoq_billing", "0004_usage_journal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="JobRun",
            fields=[
                (
                    "name",
                    models.CharField(max_length=50, primary_key=True, serialize=False, verbose_name="name"),
                ),
                ("holder", models.CharField(blank=True, default="", editable=False, max_length=32)),
                ("leased_until", models.DateTimeField(blank=True, null=True, verbose_name="leased until")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                ("succeeded_at", models.DateTimeField(blank=True, null=True, verbose_name="last success at")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("", "none yet"), ("ok", "ok"), ("failed", "failed")],
                        default="",
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures in a row")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="done by the last run")),
                ("error", models.TextField(blank=True, default="", verbose_name="error")),
                (
                    "cursor",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Where the next run goes on.",
                        verbose_name="cursor",
                    ),
                ),
                ("report", models.JSONField(blank=True, default=dict, verbose_name="report")),
            ],
            options={
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="EmailPreference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "language",
                    models.CharField(blank=True, default="", max_length=20, verbose_name="language"),
                ),
                ("unsubscribed", models.JSONField(blank=True, default=list, verbose_name="unsubscribed")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="billing_email_preference",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "e-mail preference",
                "verbose_name_plural": "e-mail preferences",
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("upgrade_confirmed", "upgrade confirmed"),
                            ("downgrade_scheduled", "downgrade scheduled"),
                            ("downgrade_done", "downgrade done"),
                            ("cancellation_scheduled", "cancellation scheduled"),
                            ("cancellation_done", "cancellation done"),
                            ("reactivated", "reactivated"),
                            ("payment_failed", "payment failed"),
                            ("payment_authentication", "payment needs authentication"),
                            ("grace_ended", "grace period ended"),
                            ("trial_ending", "trial ending"),
                            ("refund", "refund"),
                            ("usage_warning", "usage warning"),
                        ],
                        max_length=30,
                        verbose_name="kind",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="What the e-mail is about: a second one with it is not made.",
                        max_length=100,
                        verbose_name="key",
                    ),
                ),
                ("facts", models.JSONField(blank=True, default=dict, verbose_name="facts")),
                ("message_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sending", "sending"),
                            ("sent", "sent"),
                            ("skipped", "skipped"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("next_attempt_at", models.DateTimeField(verbose_name="next attempt at")),
                ("leased_until", models.DateTimeField(blank=True, null=True, verbose_name="leased until")),
                ("error", models.TextField(blank=True, default="", verbose_name="error")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "settled_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When it was sent, skipped or given up.",
                        null=True,
                        verbose_name="settled at",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="billing_notifications",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
                "ordering": ["-created_at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "sending"])),
                        fields=["next_attempt_at"],
                        name="vqb_notification_open",
                    ),
                    models.Index(
                        condition=models.Q(("settled_at__isnull", False)),
                        fields=["settled_at"],
                        name="vqb_notification_settled",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "kind", "key"), name="vqb_notification_once_per_fact"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageAlert",
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
                ("period_end", models.DateTimeField(verbose_name="period end")),
                (
                    "threshold",
                    models.PositiveSmallIntegerField(
                        help_text="In percent of the limit.", verbose_name="threshold"
                    ),
                ),
                ("used", models.PositiveBigIntegerField(verbose_name="used")),
                ("limit", models.PositiveBigIntegerField(verbose_name="limit")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usage_alerts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "usage alert",
                "verbose_name_plural": "usage alerts",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "metric", "period_start", "threshold"),
                        name="vqb_alert_once_per_threshold",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period_end__gt", models.F("period_start"))),
                        name="vqb_alert_period_ends_after_start",
                        violation_error_message="The period must end after it starts.",
                    ),
                ],
            },
        ),
    ]
