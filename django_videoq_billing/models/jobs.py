from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    """One row for each job: who works on it now, how its last run ended, and where it goes on."""

    class Outcome(models.TextChoices):
        NONE = "", _("none yet")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    holder = models.CharField(max_length=32, blank=True, default="", editable=False)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    succeeded_at = models.DateTimeField(_("last success at"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome.choices, blank=True, default=Outcome.NONE
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    done = models.PositiveIntegerField(_("done by the last run"), default=0)
    error = models.TextField(_("error"), blank=True, default="")
    cursor = models.JSONField(
        _("cursor"), default=dict, blank=True, help_text=_("Where the next run goes on.")
    )
    report = models.JSONField(_("report"), default=dict, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
