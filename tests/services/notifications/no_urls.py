"""The addresses of a host that has not included ours."""

urlpatterns: list[object] = []
