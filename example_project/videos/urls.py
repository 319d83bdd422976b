from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from example_project.videos import billing, mailbox, pages, views

urlpatterns = [
    path("", pages.home, name="home"),
    path("plans/", pages.plans, name="plans"),
    path("plans/<slug:slug>/choose/", billing.choose, name="choose-plan"),
    path("plans/<slug:slug>/change/", billing.change, name="change-plan"),
    path("billing/plain/", billing.overview, name="plain-billing"),
    path("billing/plain/done/", billing.checkout_done, name="checkout-done"),
    path("billing/plain/back/", billing.portal_return, name="portal-return"),
    path("billing/plain/cancel/", billing.cancel, name="cancel"),
    path("billing/plain/reactivate/", billing.reactivate, name="reactivate"),
    path("billing/plain/portal/", billing.portal, name="portal"),
    path("settings/", pages.settings, name="settings"),
    path("mail/", mailbox.inbox, name="mailbox"),
    path("mail/<int:number>/", mailbox.letter, name="letter"),
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
