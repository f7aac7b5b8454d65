-- Jobs to be rung into the queue, tenants taking turns: a tenant has at most six entries there, so that many jobs of one
-- never stand before another's. A rung one that nobody started within its lease plus p_patience was lost with the queue;
-- a running one whose lease ran out lost its worker. With an empty queue (no patience) nothing stands in it.
create or replace function pod.due_jobs(p_limit integer, p_patience interval)
returns table (id uuid, tenant uuid, name text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  chosen uuid[];
begin
  select array_agg(d.id) into chosen from (
    select o.id from (
      select j.id, j.run_at,
             coalesce(q.entries, 0) + row_number() over (partition by j.tenant order by j.run_at, j.id) as turn
        from pod.job j join pod.tenant t on t.role = j.tenant and t.state = 'active'
        left join (
          select r.tenant, count(*) as entries from pod.job r
           where r.state = 'rung' and p_patience > interval '0' and r.lease_until + p_patience > clock_timestamp()
           group by r.tenant) q on q.tenant = j.tenant
       where (j.state = 'waiting' and j.run_at <= clock_timestamp())
          or (j.state = 'rung' and j.lease_until + p_patience <= clock_timestamp())
          or (j.state = 'running' and j.lease_until <= clock_timestamp())) o
     where o.turn <= 6
     order by o.turn, o.run_at limit p_limit) d;
  return query
    with free as (
      select j.id from pod.job j
       where j.id = any(chosen)
         and (j.state = 'waiting'
           or (j.state = 'rung' and j.lease_until + p_patience <= clock_timestamp())
           or (j.state = 'running' and j.lease_until <= clock_timestamp()))
       for update skip locked)
    update pod.job j set state = 'rung', lease_until = clock_timestamp() + interval '20 seconds'
      from free, pod.tenant t
     where j.id = free.id and t.role = j.tenant
    returning j.id, t.id, j.name;
end
$body$
--;
-- As pod.cancel_job, for a job of that tenant only. Called as the login in a tenant's own transaction, before it commits.
create function pod.cancel_job_of(p_tenant uuid, p_job uuid)
returns text language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  select pod.cancel_job(j.id) from pod.job j join pod.tenant t on t.role = j.tenant
   where j.id = p_job and t.id = p_tenant
$body$
