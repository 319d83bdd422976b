"""The form fields that moves have in common."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models import UserSubscription


class MomentField(forms.DateTimeField):
    """A moment still to come, picked with the browser's own calendar, in the site's time zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment is not None and moment <= timezone.now():
            raise forms.ValidationError(_("The end must lie in the future."))
        return moment


class ReasonField(forms.CharField):
    """Why something is done by hand; it is kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}), **kwargs
        )


def user_field(request: HttpRequest, admin_site: Any) -> forms.ModelChoiceField[Any]:
    """Offer users by name as one types, where the project's user admin can search and may be looked at.

    Otherwise the whole user name is typed.
    """
    model = get_user_model()
    users, label = model._default_manager.all(), _("User")
    if admin_site.is_registered(model):
        user_admin = admin_site.get_model_admin(model)
        if user_admin.get_search_fields(request) and user_admin.has_view_permission(request):
            relation = UserSubscription._meta.get_field("user")
            return forms.ModelChoiceField(users, label=label, widget=AutocompleteSelect(relation, admin_site))
    typed = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.ModelChoiceField(users, label=label, widget=typed, to_field_name=model.USERNAME_FIELD)
