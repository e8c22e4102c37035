"""Databases of their own for the tests of the feed's door that need real commits more than once."""

import pytest

from tests.conftest import _cloned


@pytest.fixture
def bank_copies(django_db_setup, django_db_blocker):
    """Return a function that clones the test database, as a context manager. Not together with ``db``."""
    return lambda: _cloned(django_db_blocker)
