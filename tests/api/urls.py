"""What docs/openapi.yaml describes: the package's endpoints, mounted as the example project mounts them."""

from django.urls import include, path

urlpatterns = [path("api/", include("django_videoq_billing.urls"))]
