"""Who changed what: Django's own log, written by every action and read in one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from django_videoq_billing.admin.csv_answers import csv_response

PER_PAGE = 100
READ = "admin.view_logentry"

Text = str | Promise


def write_down(request: HttpRequest, rows: Iterable[Model], sentence: Text) -> None:
    """Write one entry for each row, in the site's language: it is read by more people than its author."""
    author: Any = request.user.pk
    with override(settings.LANGUAGE_CODE):
        LogEntry.objects.log_actions(author, list(rows), CHANGE, change_message=str(sentence))


class ChangesForm(forms.Form):
    """What to look for in the log. It is a filter: what makes no sense finds everything."""

    of = forms.ModelChoiceField(
        ContentType.objects.none(), required=False, label=_("kind"), empty_label=_("everything")
    )
    q = forms.CharField(required=False, label=_("who, what or which"))
    since = forms.DateField(
        required=False, label=_("since"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    field_order = ("of", "since", "q")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds: Any = self.fields["of"]
        kinds.queryset = _kinds()
        kinds.label_from_instance = lambda kind: capfirst(kind.name)

    def found(self) -> QuerySet[LogEntry]:
        entries = LogEntry.objects.filter(content_type__in=_kinds()).select_related("user", "content_type")
        if not self.is_valid():
            return entries
        wanted = self.cleaned_data
        if wanted["of"]:
            entries = entries.filter(content_type=wanted["of"])
        if wanted["since"]:
            entries = entries.filter(action_time__date__gte=wanted["since"])
        if wanted["q"]:
            name = f"user__{get_user_model().USERNAME_FIELD}__icontains"
            texts = Q(object_repr__icontains=wanted["q"]) | Q(change_message__icontains=wanted["q"])
            entries = entries.filter(texts | Q(**{name: wanted["q"]}))
        return entries


def changes_view(model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponseBase:
    """Everything that people have changed in our tables, newest first; as CSV with `format=csv`."""
    if not request.user.has_perm(READ):
        raise PermissionDenied
    form = ChangesForm(request.GET)
    entries = form.found().order_by("-action_time", "-pk")
    if request.GET.get("format") == "csv":
        return csv_response("billing-changes.csv", [_HEADER], map(_line, entries.iterator(1000)))
    query = request.GET.copy()
    query.pop("p", None)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("What was changed"),
        "opts": model_admin.opts,
        "form": form,
        "page": Paginator(entries, PER_PAGE).get_page(request.GET.get("p")),
        "query": query.urlencode(),
    }
    return TemplateResponse(request, "admin/videoq_billing/changes.html", context)


def changes_link(admin_site: AdminSite, request: HttpRequest) -> list[tuple[str | Promise, str]]:
    """Return the way to the log, for whoever may read it."""
    if not request.user.has_perm(READ):
        return []
    return [(_("What was changed"), reverse(f"{admin_site.name}:videoq_billing_changes"))]


_HEADER = ["when", "who", "kind", "id", "what", "change"]


def _line(entry: LogEntry) -> list[object]:
    kind = entry.content_type.model if entry.content_type else ""
    with override(settings.LANGUAGE_CODE):
        change = entry.get_change_message() or entry.get_action_flag_display()
    when = entry.action_time.isoformat()
    return [when, entry.user.get_username(), kind, entry.object_id, entry.object_repr, change]


def _kinds() -> QuerySet[ContentType]:
    ours = apps.get_app_config("videoq_billing").get_models()
    names = [model._meta.model_name for model in ours]
    return ContentType.objects.filter(app_label="videoq_billing", model__in=names).order_by("model")
