-- A tier differs from the one before tonight exactly where a change says so, and stands since its newest change.
-- grain   no row
-- reads   segmentation_publishednight, segmentation_standing, segmentation_tierchange
-- writes  none
-- params  run_id, as_of
select s.customer_id, s.tier, s.tier_since, b.becomes as before, t.was, t.becomes
from segmentation_standing as s
left join segmentation_tierchange as t on t.run_id = %(run_id)s and t.customer_id = s.customer_id
left join (
    select distinct on (c.customer_id) c.customer_id, c.becomes, c.on_date
    from segmentation_tierchange as c
    join segmentation_publishednight as p on p.run_id = c.run_id
    where p.business_date < %(as_of)s
    order by c.customer_id, c.on_date desc
) as b on b.customer_id = s.customer_id
where s.run_id = %(run_id)s
  and (s.tier is distinct from coalesce(t.becomes, b.becomes)
       or s.tier_since is distinct from coalesce(t.on_date, b.on_date)
       -- A tier of another kind, or one given up, counts as none.
       or (t.customer_id is not null and t.was not in ('', coalesce(b.becomes, ''))))
limit 5
