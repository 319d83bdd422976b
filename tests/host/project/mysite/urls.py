from django.urls import include, path
from uploads.views import upload

urlpatterns = [path("api/", include("django_videoq_billing.urls")), path("upload/", upload)]
