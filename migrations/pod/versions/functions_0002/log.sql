create function pod.pending()
returns setof uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select t.id from pod.tenant t
   where t.state = 'active' and exists (select from pod.outbox o where o.tenant = t.role)
$body$
--;
-- Deletes and returns what is visible, in order; null when another sealer is at work in this tenant.
create function pod.take_outbox(p_tenant uuid)
returns uuid[] language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
declare
  t record;
  taken uuid[];
begin
  select x.role, x.lock into t from pod.tenant x where x.id = p_tenant;
  if not found or not pg_try_advisory_xact_lock(2, t.lock) then
    return null;
  end if;
  with gone as (delete from pod.outbox o where o.tenant = t.role returning o.id, o.events)
  select coalesce(array_agg(e.id order by g.id, e.place), '{}') into taken
    from gone g cross join lateral unnest(g.events) with ordinality as e(id, place);
  return taken;
end
$body$
