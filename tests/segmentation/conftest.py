"""A bank with nothing in it, for tests that load one of their own."""

import pytest
from django.db import connection


@pytest.fixture
def empty_bank(bank_copy):
    """The bank without what was delivered to it: migrations only, as on a new machine."""
    from crm.database.base import as_owner

    with bank_copy.connected(), as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "do $$ declare t text; begin"
            " for t in select relname from pg_class where relkind in ('r', 'p') and not relispartition"
            "   and relnamespace = 'public'::regnamespace and relname ~ '^(customers|segmentation)_'"
            " loop execute format('truncate %I cascade', t); end loop; end $$"
        )
        cursor.execute("truncate core_run, core_parameter cascade")
    return bank_copy
