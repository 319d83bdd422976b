from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from example_project.videos import media
from example_project.videos.models import Video

if TYPE_CHECKING:
    _UserForm = UserCreationForm[User]
    _ModelForm = forms.ModelForm[User]
else:
    _UserForm = UserCreationForm
    _ModelForm = forms.ModelForm


def focus_first_error(form: forms.BaseForm) -> None:
    """Let the page begin at the field that is wrong, whose error is then read out with it."""
    wrong = [field for name, field in form.fields.items() if name in form.errors]
    for field in form.fields.values():
        field.widget.attrs.pop("autofocus", None)
    for field in wrong[:1]:
        field.widget.attrs["autofocus"] = True


class SignUpForm(_UserForm):
    """The address is asked for so that the site can tell of plans, payments and limits."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")


class SettingsForm(_ModelForm):
    class Meta:
        model = User
        fields = ("email",)
        help_texts = {"email": _("Where we write to about your plan, your payments and your limits.")}


class UploadForm(forms.Form):
    """A file that really is a video or a sound. `info` tells what was found in it."""

    file = forms.FileField(
        label=_("Video or audio file"),
        allow_empty_file=True,  # refused in our own words below
        widget=forms.FileInput(attrs={"accept": "video/*,audio/*"}),
        error_messages={"required": _("Choose a file first.")},
    )
    title = forms.CharField(
        label=_("Title"), max_length=120, required=False, help_text=_("Leave empty to use the file's name.")
    )
    info: media.MediaInfo

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            media.check_size(file.size)
            self.info = media.probe(file.file)  # type: ignore[arg-type]
        except media.BadMedia as error:
            raise ValidationError(str(error.message), code=error.code) from error
        return file

    @property
    def status(self) -> int:
        """The HTTP status that says what is wrong with the form."""
        return 413 if self.has_error("file", "too_large") else 400

    def save(self, owner: AbstractBaseUser) -> Video:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        values: dict[str, Any] = {
            "title": self.cleaned_data["title"] or PurePath(file.name or "").stem[:120] or _("Untitled"),
            "content_type": self.info.content_type,
            "size_bytes": file.size,
            "duration_seconds": self.info.seconds,
            "declared_seconds": self.info.declared_seconds,
        }
        video = Video(owner_id=owner.pk, **values)
        video.file.save(f"upload.{self.info.extension}", file, save=False)
        try:
            video.save(force_insert=True)
        except BaseException:
            video.file.delete(save=False)
            raise
        return video
