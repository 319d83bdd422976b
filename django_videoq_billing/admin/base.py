"""What the admin classes share: searching by user, rows that only go with their owner, and read-only pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    BillingAdmin = admin.ModelAdmin
else:

    class BillingAdmin(admin.ModelAdmin):
        def __class_getitem__(cls, model: object) -> type:
            return cls


class OwnedByUserAdmin(BillingAdmin[M]):
    """Rows of a user. They are not deleted one by one, but they go when their user is deleted."""

    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
    search_fields: ClassVar[tuple[str, ...]] = ()
    search_help_text = _("User name or e-mail address")
    show_full_result_count = False  # these tables grow with every upload

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [*user_search_fields(), *super().get_search_fields(request)]

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Django also asks this, row by row, when somebody deletes the user on the user's own page."""
        return (
            obj is not None and not self._is_own_page(request) and super().has_delete_permission(request, obj)
        )

    def _is_own_page(self, request: HttpRequest) -> bool:
        name = request.resolver_match.url_name if request.resolver_match else None
        return (name or "").startswith(f"{self.opts.app_label}_{self.opts.model_name}_")


class HistoryAdmin(OwnedByUserAdmin[M]):
    """Pages to look at: nobody adds or changes what has happened."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))


def user_search_fields() -> list[str]:
    """Return where to look for what an operator types: in whatever the project's users log in with."""
    model = get_user_model()
    names = dict.fromkeys([model.USERNAME_FIELD, model.get_email_field_name()])
    return [f"user__{name}" for name in names if _has_field(model, name)]


def _has_field(model: type[Model], name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def limit_text(limit: int | None) -> str | Promise:
    return _("unlimited") if limit is None else number_format(limit)


def usage_text(used: float, limit: int | None, percentage: float | None) -> str | Promise:
    if limit is None or percentage is None:
        return _("%(used)s (unlimited)") % {"used": number_format(used)}
    return _("%(used)s of %(limit)s (%(percentage)s%%)") % {
        "used": number_format(used),
        "limit": number_format(limit),
        "percentage": number_format(percentage),
    }
