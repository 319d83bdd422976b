from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videoq_billing", "0005_notifications_and_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="usersubscription",
            name="reconciled_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When reconciliation last saw the subscription at Stripe.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="pruned_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the body was reduced to ids, for its age.",
                null=True,
                verbose_name="pruned at",
            ),
        ),
        migrations.RemoveIndex(model_name="webhookevent", name="vqb_webhook_waiting"),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(
                condition=models.Q(("state__in", ["received", "failed", "processing"])),
                fields=["next_attempt_at"],
                name="vqb_webhook_open",
            ),
        ),
        migrations.AddIndex(
            model_name="usagealert",
            index=models.Index(fields=["period_end"], name="vqb_alert_period_end"),
        ),
        migrations.AddIndex(
            model_name="usagerecord",
            index=models.Index(fields=["billing_period_end"], name="vqb_usage_period_end"),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(
                condition=models.Q(("pruned_at__isnull", True)),
                fields=["created_at"],
                name="vqb_webhook_to_prune",
            ),
        ),
    ]
