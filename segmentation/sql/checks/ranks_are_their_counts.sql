-- A contribution score is what its counts say; those level with a customer are counted again, and the counts of a kind are
-- those of one ranking: over its n open customers twice the lower ones and the level ones come to n².
-- grain   no row
-- reads   segmentation_standing
-- writes  none
-- params  run_id
select s.customer_id, s.contribution_score, s.contribution_less, s.contribution_equal, e.level, k.customers, k.pairs
from segmentation_standing as s
join (
    select
        g.kind,
        count(*) filter (where not g.is_closed) as customers,
        coalesce(sum(2 * g.contribution_less + g.contribution_equal) filter (where not g.is_closed), 0) as pairs
    from segmentation_standing as g
    where g.run_id = %(run_id)s
    group by g.kind
) as k on k.kind = s.kind
join (
    select g.kind, g.contribution, count(*) filter (where not g.is_closed) as level
    from segmentation_standing as g
    where g.run_id = %(run_id)s
    group by g.kind, g.contribution
) as e on e.kind = s.kind and e.contribution = s.contribution
where s.run_id = %(run_id)s
  and (s.contribution_score is distinct from
           round(50.0 * (2 * s.contribution_less + s.contribution_equal) / nullif(s.contribution_among, 0), 4)
       or s.contribution_among <> k.customers
       or s.contribution_equal <> e.level
       or k.pairs <> k.customers * k.customers
       -- Who has a value has a place; nobody else does. A closed one may find nobody to be compared with.
       or (s.loyalty is null and s.loyalty_percentile is not null)
       or (s.loyalty_percentile is null and s.loyalty is not null and not s.is_closed)
       or (s.risk is null and s.risk_percentile is not null)
       or (s.risk_percentile is null and s.risk is not null and not s.is_closed))
limit 5
