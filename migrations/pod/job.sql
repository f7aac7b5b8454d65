-- Durable jobs (app/core/jobs). A tenant role may only insert its own; the rest goes through the definer functions.
-- Life: waiting -> rung (in the queue, or lost from it) -> running (lease kept by its worker) -> deleted | waiting | dead.
create table pod.job (
    id uuid primary key,
    tenant name not null default current_user,
    name text not null check (length(name) between 1 and 100),
    args jsonb not null default '{}',
    state text not null default 'waiting' check (state in ('waiting', 'rung', 'running', 'dead')),
    run_at timestamptz not null default now(),
    lease_until timestamptz,
    attempts integer not null default 0,
    error text,
    created_at timestamptz not null default now()
);
create index job_due on pod.job (run_at) where state = 'waiting';
create index job_leased on pod.job (lease_until) where state in ('rung', 'running');
create index job_of_tenant on pod.job (tenant);

-- Leases up to n jobs, the tenants taking turns: the due ones, those whose worker fell silent, and those rung longer than
-- patience ago that nobody started.
create function pod.due_jobs(n integer, patience interval) returns table (id uuid, name text)
    language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with ready as (
        select j.id, j.run_at, j.tenant
        from pod.job j
        where (j.state = 'waiting' and j.run_at <= now())
           or (j.state = 'running' and j.lease_until < now())
           or (j.state = 'rung' and j.lease_until < now() - patience)
        limit 10000
    ), turns as (
        select r.id, row_number() over (partition by r.tenant order by r.run_at, r.id) as turn, r.run_at from ready r
    ), chosen as (
        select j.id from pod.job j
        where j.id in (select t.id from turns t order by t.turn, t.run_at limit n)
          and (j.state = 'waiting' or j.lease_until < now())
        for update skip locked
    )
    update pod.job j set state = 'rung', lease_until = now() + interval '60 seconds'
    from chosen c where j.id = c.id
    returning j.id, j.name;
end;

-- Takes the job for one attempt; no row when another worker has it or it is gone. The attempt's number is the fence: what
-- a worker of an earlier attempt says later changes nothing.
create function pod.start_job(job uuid) returns table (tenant uuid, name text, args jsonb, attempt integer)
    language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update pod.job j
    set state = 'running', attempts = j.attempts + 1, lease_until = now() + interval '60 seconds'
    from pod.tenant t
    where j.id = job and t.role = j.tenant
      and (j.state in ('waiting', 'rung') or (j.state = 'running' and j.lease_until < now()))
    returning t.id, j.name, j.args, j.attempts;
end;

create function pod.extend_job(job uuid, attempt integer) returns boolean
    language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with kept as (
        update pod.job j set lease_until = now() + interval '60 seconds'
        where j.id = job and j.attempts = attempt and j.state = 'running' returning 1
    ) select exists (select from kept);
end;

create function pod.end_job(job uuid, attempt integer) returns boolean
    language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with ended as (
        delete from pod.job j where j.id = job and j.attempts = attempt and j.state = 'running' returning 1
    ) select exists (select from ended);
end;

-- Puts the job back for later, or aside (dead) when pause is null.
create function pod.retry_job(job uuid, attempt integer, pause interval, reason text) returns boolean
    language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with put_back as (
        update pod.job j
        set state = case when pause is null then 'dead' else 'waiting' end,
            run_at = now() + coalesce(pause, interval '0'), lease_until = null, error = left(reason, 500)
        where j.id = job and j.attempts = attempt and j.state = 'running' returning 1
    ) select exists (select from put_back);
end;
