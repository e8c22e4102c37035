"""The verbs of the night, each done once."""

from crm.core import clock
from segmentation import ordering
from tests.bank import LAST_DAY
from tests.core.somebody import somebody
from tests.verbs import verb_case


@verb_case("nights.start")
def start():
    adam = somebody("adam")
    return lambda: ordering.order(actor=adam, business_date=LAST_DAY, at=clock.now())
