from functools import partial

from django.contrib import admin
from django.urls import include, path
from django.views.defaults import page_not_found, server_error

admin.site.enable_nav_sidebar = False  # the lists need its room on a laptop

urlpatterns = [
    path("", include("example_project.videos.urls")),
    path("api/", include("django_videoq_billing.urls")),
    path("billing/", include("django_videoq_billing.pages.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]

handler404 = partial(page_not_found, template_name="videos/404.html")
handler500 = partial(server_error, template_name="videos/500.html")
