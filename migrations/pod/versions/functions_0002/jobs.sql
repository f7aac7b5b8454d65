-- Jobs to be rung into the queue, tenants taking turns: a tenant has at most six entries there, so that many jobs of one
-- never stand before another's. A rung one that nobody started within its lease plus p_patience was lost with the queue;
-- a running one whose lease ran out lost its worker. With an empty queue (no patience) nothing stands in it.
create function pod.due_jobs(p_limit integer, p_patience interval)
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
-- Take a job for one attempt; its number is the fence that makes late words of earlier attempts void. Attempts that
-- made way for others don't count against the job.
create function pod.start_job(p_job uuid)
returns table (tenant uuid, name text, args jsonb, attempt integer, cancelled boolean, yields integer)
language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  update pod.job j
     set state = 'running', attempt = j.attempt + 1, lease_until = clock_timestamp() + interval '20 seconds'
    from pod.tenant t
   where j.id = p_job and t.role = j.tenant and t.state = 'active'
     and (j.state in ('waiting', 'rung') or (j.state = 'running' and j.lease_until <= clock_timestamp()))
  returning t.id, j.name, j.args, j.attempt, j.cancelled, j.yields
$body$
--;
create function pod.extend_job(p_job uuid, p_attempt integer)
returns boolean language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with kept as (
    update pod.job set lease_until = clock_timestamp() + interval '20 seconds'
     where id = p_job and attempt = p_attempt and state = 'running' returning 1)
  select exists (select from kept)
$body$
--;
create function pod.end_job(p_job uuid, p_attempt integer)
returns boolean language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with gone as (
    delete from pod.job where id = p_job and attempt = p_attempt and state = 'running' returning 1)
  select exists (select from gone)
$body$
--;
-- Back for later, or aside for an operator when p_pause is null.
create function pod.retry_job(p_job uuid, p_attempt integer, p_pause interval, p_error text)
returns boolean language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with put as (
    update pod.job set state = case when p_pause is null then 'failed' else 'waiting' end, lease_until = null,
           run_at = clock_timestamp() + coalesce(p_pause, interval '0'), error = left(p_error, 2000)
     where id = p_job and attempt = p_attempt and state = 'running' returning 1)
  select exists (select from put)
$body$
--;
-- A running job says how far it is and hears whether it was cancelled and whether another job waits for a worker.
-- Nothing when the attempt is not the present one any more.
create function pod.progress_job(p_job uuid, p_attempt integer, p_done bigint, p_total bigint)
returns table (cancelled boolean, others_wait boolean)
language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  update pod.job j set done = coalesce(p_done, j.done), total = coalesce(p_total, j.total)
   where j.id = p_job and j.attempt = p_attempt and j.state = 'running'
  returning j.cancelled, exists (
    select from pod.job o join pod.tenant t on t.role = o.tenant and t.state = 'active'
     where o.id <> j.id and (o.state = 'rung' or (o.state = 'waiting' and o.run_at <= clock_timestamp())))
$body$
--;
-- The attempt makes way: the job waits again, behind those that wait now.
create function pod.yield_job(p_job uuid, p_attempt integer)
returns boolean language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with put as (
    update pod.job set state = 'waiting', lease_until = null, run_at = clock_timestamp(), yields = yields + 1
     where id = p_job and attempt = p_attempt and state = 'running' returning 1)
  select exists (select from put)
$body$
--;
-- Marks the job; it is run once more at once so that what it was for hears of it. The state it was in, null when gone.
create function pod.cancel_job(p_job uuid)
returns text language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with old as (select j.id, j.state from pod.job j where j.id = p_job for update)
  update pod.job j
     set cancelled = true,
         state = case when j.state = 'failed' then 'waiting' else j.state end,
         run_at = case when j.state in ('waiting', 'failed') then clock_timestamp() else j.run_at end
    from old where j.id = old.id
  returning old.state
$body$
--;
-- As pod.cancel_job, for a job of that tenant only. Called as the login in a tenant's own transaction, before it commits.
create function pod.cancel_job_of(p_tenant uuid, p_job uuid)
returns text language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  select pod.cancel_job(j.id) from pod.job j join pod.tenant t on t.role = j.tenant
   where j.id = p_job and t.id = p_tenant
$body$
--;
create function pod.list_jobs(p_state text, p_limit integer)
returns table (id uuid, tenant uuid, name text, args jsonb, state text, attempt integer, run_at timestamptz,
               lease_until timestamptz, error text, created_at timestamptz, cancelled boolean, done bigint, total bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select j.id, t.id, j.name, j.args, j.state, j.attempt - j.yields, j.run_at, j.lease_until, j.error, j.created_at,
         j.cancelled, j.done, j.total
    from pod.job j join pod.tenant t on t.role = j.tenant
   where p_state is null or j.state = p_state
   order by j.id desc limit p_limit
$body$
--;
create function pod.replay_job(p_job uuid)
returns boolean language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with put as (
    update pod.job set state = 'waiting', run_at = clock_timestamp(), yields = attempt, error = null
     where id = p_job and state = 'failed' returning 1)
  select exists (select from put)
$body$
--;
-- Asks for a recurring job of every active tenant, once a slot however many ask: null when it was asked for before.
create function pod.tick(p_name text, p_slot timestamptz, p_spread interval)
returns integer language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
declare
  asked integer;
begin
  insert into pod.schedule as s (name, slot) values (p_name, p_slot)
  on conflict (name) do update set slot = excluded.slot where s.slot < excluded.slot;
  if not found then
    return null;
  end if;
  insert into pod.job (tenant, name, run_at)
  select t.role, p_name, clock_timestamp() + random() * p_spread from pod.tenant t where t.state = 'active';
  get diagnostics asked = row_count;
  return asked;
end
$body$
