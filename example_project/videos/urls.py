from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from example_project.videos import pages, views

urlpatterns = [
    path("", pages.home, name="home"),
    path("plans/", pages.plans, name="plans"),
    path("signup/", pages.signup, name="signup"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("videos/", views.library, name="library"),
    path("videos/upload/", views.upload, name="upload"),
    path("videos/<uuid:pk>/", views.detail, name="video"),
    path("videos/<uuid:pk>/content/", views.content, name="content"),
    path("videos/<uuid:pk>/transcribe/", views.try_again, name="try-again"),
    path("videos/<uuid:pk>/delete/", views.delete, name="delete"),
]
