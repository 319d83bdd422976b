from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("example_project.videos.urls")),
    path("api/", include("django_videoq_billing.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
