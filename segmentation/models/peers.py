"""Peers: the groups customers are compared within, and each figure's average there. Kept per run, so that a comparison
can be told again as it was."""

from django.db import models

from customers.models.parties import PartyKind


class PeerGroup(models.Model):
    """Open customers of a kind, tier and branch; without branch the whole bank's; without tier the kind's."""

    pk = models.CompositePrimaryKey("run_id", "peer_id")
    run_id = models.BigIntegerField()
    peer_id = models.IntegerField()  # counts from 1 within the run, in a fixed order
    kind = models.CharField(max_length=10, choices=PartyKind.choices)
    tier = models.CharField(max_length=12)  # empty: every tier
    branch_id = models.BigIntegerField(null=True)  # null: every branch
    size = models.IntegerField()

    class Meta:
        managed = False
        db_table = "segmentation_peergroup"


class PeerFigure(models.Model):
    """Mean, and for the figures people compare also median and quartiles, of one figure in a group.

    ``figure`` is a column of the standing (``contribution``, ``loyalty``, …) or ``<score>.<component>`` for the points of
    a component; ``n`` counts the members that have it.
    """

    pk = models.CompositePrimaryKey("run_id", "peer_id", "figure")
    run_id = models.BigIntegerField()
    peer_id = models.IntegerField()
    figure = models.CharField(max_length=40)
    n = models.IntegerField()
    mean = models.DecimalField(max_digits=38, decimal_places=10)
    p25 = models.DecimalField(max_digits=38, decimal_places=10, null=True)
    median = models.DecimalField(max_digits=38, decimal_places=10, null=True)
    p75 = models.DecimalField(max_digits=38, decimal_places=10, null=True)

    class Meta:
        managed = False
        db_table = "segmentation_peerfigure"
