"""Screens of the ground floor: sign-in, staff and org tree, audit, approvals, language."""

from django.urls import path

from crm.core.views import approvals, audit, parameters, people, reveal, sign_in

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("welcome/<str:token>/", sign_in.welcome, name="welcome"),
    path("password/", sign_in.change_password, name="change_password"),
    path("language/", sign_in.set_language, name="set_language"),
    path("reveal/<str:model>/<str:field>/<str:key>/", reveal.reveal_value, name="reveal"),
    path("audit/", audit.audit_list, name="audit"),
    path("audit/chain/", audit.audit_chain_page, name="audit_chain"),
    path("audit/verify/", audit.audit_verify, name="audit_verify"),
    path("audit/<int:pk>/", audit.audit_entry, name="audit_entry"),
    path("approvals/", approvals.approval_list, name="approvals"),
    path("approvals/<int:pk>/", approvals.approval_page, name="approval"),
    path("approvals/<int:pk>/decide/", approvals.approval_decide, name="approval_decide"),
    path("approvals/<int:pk>/withdraw/", approvals.approval_withdraw, name="approval_withdraw"),
    path("staff/", people.staff_list, name="staff"),
    path("staff/<int:staff_id>/", people.staff_page, name="staff_page"),
    path("staff/<int:staff_id>/invite/", people.staff_invite, name="staff_invite"),
    path("staff/<int:staff_id>/suspend/", people.staff_suspend, name="staff_suspend"),
    path("staff/<int:staff_id>/restore/", people.staff_restore, name="staff_restore"),
    path("staff/<int:staff_id>/end-sessions/", people.staff_end_sessions, name="staff_end_sessions"),
    path("org/", people.org_tree, name="org"),
    path("parameters/", parameters.parameter_list, name="parameters"),
    path("parameters/<str:parameter>/", parameters.parameter_page, name="parameter"),
    path("parameters/<str:parameter>/propose/", parameters.parameter_propose, name="parameter_propose"),
    path("rights/", people.rights_table, name="rights"),
]
