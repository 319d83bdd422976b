from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VideoQBillingConfig(AppConfig):
    name = "django_videoq_billing"
    label = "videoq_billing"
    verbose_name = _("Billing")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_videoq_billing import checks, instruments, receivers, recorder
        from django_videoq_billing.conf import get_settings
        from django_videoq_billing.pages import checks as page_checks
        from django_videoq_billing.services import health
        from django_videoq_billing.webhooks import djstripe_bridge, handlers  # noqa: F401 (handlers register)

        get_settings()  # a misspelt or impossible setting stops the process here
        checks.register()
        page_checks.register()
        receivers.connect()
        recorder.connect()
        djstripe_bridge.connect()
        instruments.expose(health.figures)
