-- What stands behind a customer is his own value and each member's weighted one, once; nobody is his own member; the
-- primary customers lead themselves, so that they partition the bank.
-- grain   no row
-- reads   segmentation_contribution, segmentation_behaviour, segmentation_related, segmentation_relatedshare
-- writes  none
-- params  run_id
select r.customer_id, r.members, m.members as found, r.contribution, m.contribution as added
from segmentation_related as r
left join segmentation_contribution as own
    on own.run_id = %(run_id)s and own.customer_id = r.customer_id and own.period = 'ytd'
left join segmentation_behaviour as mine on mine.run_id = %(run_id)s and mine.customer_id = r.customer_id
left join segmentation_related as p on p.run_id = %(run_id)s and p.customer_id = r.primary_id
left join (
    select
        s.customer_id, count(*) as lines, count(distinct s.member_id) as members,
        bool_or(s.member_id = s.customer_id) as counts_himself,
        sum(round(s.weight * c.eva, 2)) as contribution,
        sum(round(s.weight * c.eva_annual, 2)) as contribution_annual,
        sum(round(s.weight * b.points_year, 2)) as deposit_points
    from segmentation_relatedshare as s
    left join segmentation_contribution as c on c.run_id = %(run_id)s and c.customer_id = s.member_id and c.period = 'ytd'
    left join segmentation_behaviour as b on b.run_id = %(run_id)s and b.customer_id = s.member_id
    where s.run_id = %(run_id)s
    group by s.customer_id
) as m on m.customer_id = r.customer_id
where r.run_id = %(run_id)s
  and (r.members <> coalesce(m.members, 0) or coalesce(m.lines, 0) <> coalesce(m.members, 0)
       or coalesce(m.counts_himself, false)
       or r.contribution is distinct from own.eva + coalesce(m.contribution, 0)
       or r.contribution_annual is distinct from own.eva_annual + coalesce(m.contribution_annual, 0)
       or r.deposit_points is distinct from mine.points_year + coalesce(m.deposit_points, 0)
       or p.primary_id is distinct from r.primary_id)
limit 5
