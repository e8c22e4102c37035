"""Screens of the ground floor: sign-in, staff and org tree, audit, approvals, language."""

from django.urls import path

from crm.core.views import reveal, sign_in

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("welcome/<str:token>/", sign_in.welcome, name="welcome"),
    path("password/", sign_in.change_password, name="change_password"),
    path("language/", sign_in.set_language, name="set_language"),
    path("reveal/<str:model>/<str:field>/<str:key>/", reveal.reveal_value, name="reveal"),
]
