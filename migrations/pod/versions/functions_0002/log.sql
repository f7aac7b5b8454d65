create function pod.pending()
returns setof uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select t.id from pod.tenant t
   where t.state = 'active' and exists (select from pod.outbox o where o.tenant = t.role)
$body$
--;
-- Deletes and returns the oldest of what is visible, in order, as much as one transaction can seal in time (some 20,000
-- events; the next call takes on); null when another sealer is at work in this tenant.
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
  with oldest as (
    select o.id, o.events from pod.outbox o where o.tenant = t.role order by o.id limit 5000
  ), few as (
    select f.id from (select o.id, sum(cardinality(o.events)) over (order by o.id) - cardinality(o.events) as before
                        from oldest o) f
     where f.before < 20000
  ), gone as (delete from pod.outbox o using few where o.id = few.id returning o.id, o.events)
  select coalesce(array_agg(e.id order by g.id, e.place), '{}') into taken
    from gone g cross join lateral unnest(g.events) with ordinality as e(id, place);
  return taken;
end
$body$
