"""The verbs of the night, each done once."""

import datetime

from crm.core import clock
from crm.core.models import Approval, ApprovalState
from customers.models import Customer
from segmentation import ordering, overrides
from tests.bank import LAST_DAY
from tests.core.somebody import somebody
from tests.verbs import verb_case


@verb_case("nights.start")
def start():
    adam = somebody("adam")
    return lambda: ordering.order(actor=adam, business_date=LAST_DAY, at=clock.now())


@verb_case("tiers.override")
def override_tier():
    """Carried out by an approval, whose own entry is the decision's; here only what it carries out."""
    cai, rita = somebody("cai"), somebody("rita")
    customer = Customer.objects.visible_to(cai).get(customer_no="C002")
    proposal = overrides.propose(
        actor=cai, customer=customer, tier="gold", starts_on=LAST_DAY, ends_on=LAST_DAY + datetime.timedelta(days=30),
        reason="test", at=clock.now(),
    )  # fmt: skip
    decided = {"state": ApprovalState.APPROVED, "checker": rita, "decided_at": clock.now()}
    Approval.objects.filter(pk=proposal.pk).update(**decided)
    return lambda: overrides.carry_out(proposal.payload, maker=cai, checker=rita, at=clock.now())
