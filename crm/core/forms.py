"""Forms of signing in, choosing a password and asking to see a masked value."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.core.models.sign_in import RevealPurpose
from crm.core.passwords import LONGEST, BankPasswordValidator


def _password(label, autocomplete: str, **options) -> forms.CharField:
    # Spaces count, and nothing is cut: people use sentences.
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=LONGEST, widget=widget, **options)


class SignInForm(forms.Form):
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = _password(_("Password"), "current-password")
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class NewPasswordForm(forms.Form):
    password = _password(_("New password"), "new-password")
    again = _password(_("New password, once more"), "new-password")

    def __init__(self, *args, profile: str = "cn-mlps3", **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = BankPasswordValidator(profile).get_help_text()

    def clean_again(self) -> str:
        if self.cleaned_data.get("password") != self.cleaned_data["again"]:
            raise ValidationError(_("The two are not the same."))
        return self.cleaned_data["again"]


class ChangePasswordForm(NewPasswordForm):
    current = _password(_("Present password"), "current-password")
    field_order = ("current", "password", "again")


class RevealForm(forms.Form):
    purpose = forms.ChoiceField(label=_("What for"), choices=[("", "—"), *RevealPurpose.choices])
    note = forms.CharField(label=_("Note"), required=False, max_length=200)
