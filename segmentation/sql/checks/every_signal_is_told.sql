-- Every signal of an open customer is told tonight, or an earlier published night within its cool-down has told it as gravely.
-- grain   one row per signal nobody is told of
-- reads   segmentation_signal, segmentation_standing, segmentation_alert, segmentation_publishednight
-- writes  none
-- params  run_id, as_of, alert_cooldowns
select g.customer_id, g.kind, g.account_id, g.level
from segmentation_signal as g
join segmentation_standing as s on s.run_id = g.run_id and s.customer_id = g.customer_id and not s.is_closed
where g.run_id = %(run_id)s
  and not exists (
      select from segmentation_alert as a
      left join segmentation_publishednight as p on p.run_id = a.run_id
      where a.customer_id = g.customer_id and a.kind = g.kind and coalesce(a.account_id, 0) = g.account_id
        and array_position(array['red', 'orange', 'yellow', 'blue', 'note'], a.level::text)
            <= array_position(array['red', 'orange', 'yellow', 'blue', 'note'], g.level::text)
        and (
            a.run_id = g.run_id
            or (
                p.run_id is not null and a.raised_on < %(as_of)s
                and a.raised_on > %(as_of)s - (%(alert_cooldowns)s::jsonb ->> a.kind)::int
            )
        )
  )
