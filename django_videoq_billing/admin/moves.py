"""Moves: buttons on the page of one row, each with its permission, its form and its line in the log.

A move is asked for on a page of its own and carried out by POST; one without a form is carried out by its button.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from django_videoq_billing.admin.audit import Text, write_down
from django_videoq_billing.admin.base import BillingAdmin, M
from django_videoq_billing.exceptions import BillingError


@dataclass(frozen=True, slots=True)
class Done:
    """What a move tells, what the log says of it and of which row, and where it leads.

    `logged` is lazy, for the log has a language of its own, and None where the move has written the log itself.
    `about` is for what has made a row that tells the same.
    """

    told: Any
    logged: Text | None
    to: str | None = None
    about: Model | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The occasion of a move: the row, who asks, and what the form says."""

    row: Any
    request: HttpRequest
    data: dict[str, Any]

    @property
    def author(self) -> Any:
        return self.request.user


class MoveForm(forms.Form):
    """Knows the row that it is about."""

    required_css_class = "required"

    def __init__(self, *args: Any, row: Any, request: HttpRequest, admin_site: Any, **kwargs: Any) -> None:
        self.row, self.request, self.admin_site = row, request, admin_site
        super().__init__(*args, **kwargs)
        self.prepare()

    def prepare(self) -> None:
        """Fill in what depends on the row."""


@dataclass(frozen=True, slots=True)
class Move:
    name: str
    title: Text
    permission: str
    run: Callable[[Asked], Done]
    form: type[MoveForm] | None = MoveForm
    explanation: Text = ""
    fits: Callable[[Any], bool] = lambda row: True
    """Whether the button makes sense for the row. The service has the last word."""

    def allowed(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"videoq_billing.{self.permission}"))


class MovesAdmin(BillingAdmin[M]):
    """An admin with moves on its rows' pages."""

    moves: ClassVar[tuple[Move, ...]] = ()
    change_form_template = "admin/videoq_billing/moves_change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.move_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_move"
        return [path("<path:object_id>/moves/<slug:name>/", view, name=name), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        if row is not None:
            fitting = [move for move in self.moves if move.allowed(request) and move.fits(row)]
            context["moves"] = [(move, self.move_url(row, move.name)) for move in fitting]
            context["links"] = self.links_of(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def links_of(self, request: HttpRequest, row: Any) -> list[tuple[Text, str]]:
        """Return what else to show beside the moves: a text and an address each."""
        return []

    def page_of(self, row: Model) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[quote(row.pk)])

    def move_url(self, row: Model, name: str) -> str:
        view = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_move"
        return reverse(view, args=[quote(row.pk), name])

    def move_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        move = next((move for move in self.moves if move.name == name), None)
        row: Any = self.get_object(request, unquote(object_id))
        if move is None or row is None:
            raise Http404
        if not (move.allowed(request) and self.has_view_or_change_permission(request, row)):
            raise PermissionDenied
        if move.form is None:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            return self._carried_out(request, row, move, None)
        given = request.POST if request.method == "POST" else None
        initial = {} if given else request.GET.dict()
        form = move.form(given, row=row, request=request, admin_site=self.admin_site, initial=initial)
        if given is not None and form.is_valid():
            return self._carried_out(request, row, move, form)
        return self._asked(request, row, move, form)

    def _carried_out(self, request: HttpRequest, row: Any, move: Move, form: MoveForm | None) -> HttpResponse:
        try:
            done = move.run(Asked(row, request, form.cleaned_data if form else {}))
        except BillingError as refusal:
            if form is None:
                self.message_user(request, refusal.message, messages.ERROR)
                return HttpResponseRedirect(self.page_of(row))
            form.add_error(None, refusal.message)
            return self._asked(request, row, move, form)
        if done.logged is not None:
            write_down(request, [done.about or row], done.logged)
        self.message_user(request, done.told, messages.SUCCESS)
        return HttpResponseRedirect(done.to or self.page_of(row))

    def _asked(self, request: HttpRequest, row: Any, move: Move, form: MoveForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": move.title,
            "subtitle": str(row),
            "opts": self.opts,
            "original": row,
            "move": move,
            "form": form,
            "page_url": self.page_of(row),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/videoq_billing/move.html", context)
