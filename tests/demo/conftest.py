from datetime import date

import pytest

from crm.demo.build import build
from tests.demo.contract import Reading

AS_OF = date(2026, 11, 23)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory):
    """A bank of 1,300 customers and five months, with what only its maker knows beside it."""
    folder = tmp_path_factory.mktemp("demo") / "bank"
    built = build(folder, customers=1_300, months=5, seed=11, as_of=AS_OF, truth=True)
    return folder, built


@pytest.fixture(scope="session")
def reading(demo_folder):
    return Reading(demo_folder[0])
