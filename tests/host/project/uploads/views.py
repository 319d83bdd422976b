from django.http import HttpRequest, HttpResponse

from django_videoq_billing.decorators import requires_quota
from uploads.models import Member, Video


@requires_quota("video")
def upload(request: HttpRequest) -> HttpResponse:
    if not request.FILES:
        return HttpResponse("There is no file.", status=400)
    assert isinstance(request.user, Member)
    Video.objects.create(owner=request.user)
    return HttpResponse("stored", status=201)
