"""Finds customers by what somebody typed: a full phone, identity or account number, a customer number, part of a name.

What was typed decides by its shape what is asked, so a name never costs a scan and a number never a guess. Every answer
goes through the reader's scope.
"""

import re
import unicodedata

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Lower

from crm.core.privacy.fields import print_of
from crm.core.privacy.index import normalise_identity, normalise_phone
from customers.models.accounts import Account
from customers.models.parties import Customer, CustomerNumber, Identity

LONGEST = 100
SHORTEST_DOCUMENT, SHORTEST_PHONE = 6, 7
MOST_FOUND = 1_000  # people who share one document number: more than that is a mistake of the feed
_TEXTS = ArrayField(TextField())
_NUMBER_LIKE = re.compile(r"[0-9A-Za-z][0-9A-Za-z\-_./ ]*[0-9A-Za-z]|[0-9A-Za-z]", re.ASCII)
_DIGIT = re.compile(r"[0-9]", re.ASCII)
_GAPS = re.compile(r"\s+")


def find(user, text: str) -> QuerySet[Customer]:
    """Return the customers ``user`` may see that ``text`` leads to; none for an empty text."""
    return matching(Customer.objects.visible_to(user), text)


def matching(customers: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """Narrow a queryset of customers to those that ``text`` leads to."""
    text = _GAPS.sub(" ", text.replace("\0", " ")).strip()[:LONGEST]
    if not text:
        return customers.none()
    by_number = _numbers(text)
    if by_number is None:
        return customers.filter(_part_of_name(text))
    if _is_only_a_number(unicodedata.normalize("NFKC", text)):
        return customers.filter(by_number)
    return customers.filter(by_number | _part_of_name(text))


def _is_only_a_number(text: str) -> bool:
    """A long run of digits is no part of a name, and the name's index need not be asked."""
    return len(_DIGIT.findall(text)) >= 6


def _numbers(text: str) -> Q | None:
    """Return the customers a number-like text leads to; None where it holds no digit.

    Asked first and by themselves: five look-ups in five indexes, where one condition of five halves would read the table.
    """
    text = unicodedata.normalize("NFKC", text)  # full-width digits are digits
    if not _DIGIT.search(text) or not _NUMBER_LIKE.fullmatch(text.lstrip("+")):
        return None
    bare = normalise_identity(text)
    written = {text, bare, text.upper()}
    ways = [
        Customer.rows.filter(customer_no__in=written).values_list("pk"),
        CustomerNumber.rows.filter(customer_no__in=written).values_list("customer_id"),
        Account.rows.filter(account_no__in=written).values_list("customer_id"),
    ]
    if len(bare) >= SHORTEST_DOCUMENT:
        ways.append(
            Identity.rows.filter(number_print=print_of(Identity, "number", text)).values_list("customer_id")
        )
        ways.append(Customer.rows.filter(uscc=bare).values_list("pk"))
    if len(normalise_phone(text)) >= SHORTEST_PHONE:
        ways.append(Customer.rows.filter(mobile_print=print_of(Customer, "mobile", text)).values_list("pk"))
    return Q(pk__in=[pk for (pk,) in ways[0].union(*ways[1:])[:MOST_FOUND]])


def _part_of_name(text: str) -> Q:
    """Part of a name: the index finds rows that hold all its grams, LIKE keeps those that hold it whole."""
    folded = text.lower()
    grams = {folded} if len(folded) == 1 else {folded[place : place + 2] for place in range(len(folded) - 1)}
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", folded) + "%"
    has_grams = Func(
        Func(F("name"), function="customers_name_grams", output_field=_TEXTS),
        Value(sorted(grams), output_field=_TEXTS),
        template="(%(expressions)s)",
        arg_joiner=" @> ",
        output_field=BooleanField(),
    )
    holds_it = Func(
        Lower("name"),
        Value(pattern),
        template="(%(expressions)s)",
        arg_joiner=" like ",
        output_field=BooleanField(),
    )
    return Q(has_grams) & Q(holds_it)
