from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from example_project.videos.models import Video


@admin.register(Video)
class VideoAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    list_display = ["title", "owner", "duration_seconds", "content_type", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["title", "owner__username"]
    readonly_fields = [
        "owner", "file", "content_type", "size_bytes", "duration_seconds", "declared_seconds", "created_at"
    ]  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # an upload here would be counted for nobody
