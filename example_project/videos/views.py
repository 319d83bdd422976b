"""A user's library. `upload` is the whole integration: one decorator above an ordinary view."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.exceptions import BillingError, QuotaExceeded
from django_videoq_billing.services.usage_tracker import UsageTracker
from example_project.videos.forms import UploadForm, focus_first_error
from example_project.videos.models import Video
from example_project.videos.panel import UserRequest, rows_for, usage_panel
from example_project.videos.transcriber import cancel_live_job, give_up_lost_job, transcribe


def limit_reached(request: UserRequest, error: QuotaExceeded) -> HttpResponse:
    return render(request, "videos/upload.html", {"refusal": error}, status=403)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@requires_quota("video", refused=limit_reached)
def upload(request: UserRequest) -> HttpResponse:
    """A POST is counted before it gets here, and given back if the answer is 400 or above."""
    if request.method != "POST":
        refusal = UsageTracker.advise(request.user, "video")
        return render(request, "videos/upload.html", {"form": UploadForm(), "refusal": refusal})
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        focus_first_error(form)
        return render(request, "videos/upload.html", {"form": form}, status=form.status)
    transcribe_and_tell(request, form.save(owner=request.user))
    return redirect("library")


def transcribe_and_tell(request: UserRequest, video: Video) -> None:
    """Seconds are counted apart from the upload: where they do not fit, the video stays untranscribed."""
    try:
        job = transcribe(video)
    except BillingError as error:
        text = _("“%(title)s” is stored but not transcribed. %(why)s")
        messages.warning(request, text % {"title": video.title, "why": error.message})
        return
    if job.status != job.Status.COMPLETED:
        text = _("“%(title)s” is stored; its transcription failed. %(why)s")
        messages.error(request, text % {"title": video.title, "why": job.error_message})
        return
    text = ngettext(
        "“%(title)s” was transcribed: %(n)d second counted.",
        "“%(title)s” was transcribed: %(n)d seconds counted.",
        job.duration_seconds,
    )
    messages.success(request, text % {"title": video.title, "n": job.duration_seconds})


@login_required
@require_safe
def library(request: UserRequest) -> HttpResponse:
    report = UsageTracker.report(request.user)
    videos = list(Video.objects.filter(owner=request.user))
    context = {"rows": rows_for(videos, report), "panel": usage_panel(request.user, report)}
    return render(request, "videos/library.html", context)


def own_video(request: UserRequest, pk: UUID) -> Video:
    """Somebody else's video is answered like one that does not exist."""
    return get_object_or_404(Video.objects.select_related("owner"), pk=pk, owner=request.user)


@login_required
@require_safe
def detail(request: UserRequest, pk: UUID) -> HttpResponse:
    video = own_video(request, pk)
    row = rows_for([video], UsageTracker.report(request.user))[0]
    return render(request, "videos/detail.html", {"row": row, "video": video})


@login_required
@require_safe
def content(request: UserRequest, pk: UUID) -> FileResponse:
    video = own_video(request, pk)
    try:
        return FileResponse(video.file.open("rb"), content_type=video.content_type)
    except FileNotFoundError as error:
        raise Http404 from error


@login_required
@require_POST
def try_again(request: UserRequest, pk: UUID) -> HttpResponse:
    video = own_video(request, pk)
    give_up_lost_job(video)
    transcribe_and_tell(request, video)
    return redirect("library")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: UserRequest, pk: UUID) -> HttpResponse:
    """Deleting frees space, not quota: what was uploaded and transcribed stays counted."""
    video = own_video(request, pk)
    if request.method != "POST":
        return render(request, "videos/delete.html", {"video": video})
    cancel_live_job(video)
    video.delete()
    messages.success(request, _("“%(title)s” was deleted. Its usage stays counted.") % {"title": video.title})
    return redirect("library")
