-- Every alert of the night is of an open customer and of something that holds tonight: a signal, or a tier that moved or is
-- about to.
-- grain   one row per alert without its fact
-- reads   segmentation_alert, segmentation_standing, segmentation_signal, segmentation_tierchange
-- writes  none
-- params  run_id
select a.customer_id, a.kind, a.account_id
from segmentation_alert as a
left join segmentation_standing as s on s.run_id = a.run_id and s.customer_id = a.customer_id
where a.run_id = %(run_id)s
  and (
      s.is_closed is distinct from false
      or not case
          when a.kind in ('tier_won', 'tier_lost') then exists (
              select from segmentation_tierchange as c
              where c.run_id = a.run_id and c.customer_id = a.customer_id and c.was = a.was and c.becomes = a.becomes
          )
          when a.kind = 'near_up' then s.next_gap is not distinct from a.amount
          when a.kind = 'near_down' then s.drop_gap is not distinct from a.amount
          else exists (
              select from segmentation_signal as g
              where g.run_id = a.run_id and g.customer_id = a.customer_id and g.kind = a.kind
                and g.account_id = coalesce(a.account_id, 0) and g.level = a.level
          )
      end
  )
