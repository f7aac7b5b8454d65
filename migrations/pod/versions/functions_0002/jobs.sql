-- Jobs to be rung into the queue, tenants taking turns. A rung one that nobody started within its lease plus
-- p_patience was lost with the queue; a running one whose lease ran out lost its worker.
create function pod.due_jobs(p_limit integer, p_patience interval)
returns table (id uuid, tenant uuid, name text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  chosen uuid[];
begin
  select array_agg(d.id) into chosen from (
    select j.id from pod.job j join pod.tenant t on t.role = j.tenant and t.state = 'active'
     where (j.state = 'waiting' and j.run_at <= clock_timestamp())
        or (j.state = 'rung' and j.lease_until + p_patience <= clock_timestamp())
        or (j.state = 'running' and j.lease_until <= clock_timestamp())
     order by row_number() over (partition by j.tenant order by j.run_at, j.id), j.run_at limit p_limit) d;
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
-- Take a job for one attempt; its number is the fence that makes late words of earlier attempts void.
create function pod.start_job(p_job uuid)
returns table (tenant uuid, name text, args jsonb, attempt integer)
language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  update pod.job j
     set state = 'running', attempt = j.attempt + 1, lease_until = clock_timestamp() + interval '20 seconds'
    from pod.tenant t
   where j.id = p_job and t.role = j.tenant and t.state = 'active'
     and (j.state in ('waiting', 'rung') or (j.state = 'running' and j.lease_until <= clock_timestamp()))
  returning t.id, j.name, j.args, j.attempt
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
create function pod.list_jobs(p_state text, p_limit integer)
returns table (id uuid, tenant uuid, name text, args jsonb, state text, attempt integer, run_at timestamptz,
               lease_until timestamptz, error text, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select j.id, t.id, j.name, j.args, j.state, j.attempt, j.run_at, j.lease_until, j.error, j.created_at
    from pod.job j join pod.tenant t on t.role = j.tenant
   where p_state is null or j.state = p_state
   order by j.id desc limit p_limit
$body$
--;
create function pod.replay_job(p_job uuid)
returns boolean language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with put as (
    update pod.job set state = 'waiting', run_at = clock_timestamp(), attempt = 0, error = null
     where id = p_job and state = 'failed' returning 1)
  select exists (select from put)
$body$
