-- What a key may do: its own role, or its maker's where that is the weaker one. A key made without a member has its own.
-- One expression without settings of its own, so that it is inlined; only definer functions call it.
create function pod.weaker_role(p_key text, p_maker text)
returns text language sql immutable as $body$
  select case
    when p_maker is null or p_key = p_maker then p_key
    when p_key = any (array['read_only', 'member', 'admin', 'owner'])
     and p_maker = any (array['read_only', 'member', 'admin', 'owner'])
    then (array['read_only', 'member', 'admin', 'owner'])[least(
      array_position(array['read_only', 'member', 'admin', 'owner'], p_key),
      array_position(array['read_only', 'member', 'admin', 'owner'], p_maker))]
    else 'none' end
$body$
--;
-- As before, but a key ends with its maker's membership and is never above their role.
create or replace function pod.enter(p_host text, p_credential bytea, p_write boolean)
returns table (tenant uuid, schema text, role text, slug text, name text, currency text, timezone text, locale text,
               host text, version bigint, member uuid, member_name text, member_email text, member_role text,
               preferences jsonb, credential uuid, kind text, credential_name text, effective_role text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
declare
  c record;
  instant timestamptz := clock_timestamp();
begin
  if p_write then
    perform pg_advisory_xact_lock_shared(1, (
      select y.lock from pod.credential x join pod.tenant y on y.id = x.tenant where x.hash = p_credential));
  end if;
  select x.id, x.kind, x.member, x.role, x.name, x.seen_at, t.id as tenant, t.schema, t.role as tenant_role, t.slug,
         t.name as tenant_name, t.currency, t.timezone, t.locale, t.version, h.host into c
    from pod.credential x
    join pod.tenant t on t.id = x.tenant and t.state = 'active'
    join pod.host h on h.tenant = t.id and h.kind = 'primary'
   where x.hash = p_credential and x.kind in ('session', 'key')
     and (x.expires_at is null or x.expires_at > instant) and (x.idle is null or x.seen_at + x.idle > instant)
     and (p_host is null or h.host = lower(p_host) or exists (
       select from pod.host o where o.host = lower(p_host) and o.tenant = t.id and o.kind <> 'redirect'));
  if not found then
    return;
  end if;
  -- A statement whose plan is kept for as long as the connection stays with this tenant: `member` is the tenant's, which
  -- can make nothing in its schema; pg_catalog comes before it unsaid. The function's own path returns at its end.
  perform set_config('search_path', quote_ident(c.schema) || ', pg_temp', true);
  return query select c.tenant::uuid, c.schema::text, c.tenant_role::text, c.slug::text, c.tenant_name::text,
    c.currency::text, c.timezone::text, c.locale::text, c.host::text, c.version::bigint,
    m.id::uuid, m.name::text, m.email::text, m.role::text, m.preferences::jsonb,
    c.id::uuid, c.kind::text, c.name::text,
    (case when c.kind = 'key' then pod.weaker_role(c.role, m.role) else m.role end)::text
    from (select) as one left join member m on m.id = c.member and m.status = 'active'
   where m.id is not null or (c.kind = 'key' and c.member is null);
  if not found then
    return;
  end if;
  if c.seen_at < instant - interval '3 minutes' then
    -- Requests of one session come in parallel: one of them is enough, nobody waits.
    update pod.credential x set seen_at = instant
     where x.id = (select y.id from pod.credential y where y.id = c.id for update skip locked);
  end if;
end
$body$
--;
create or replace function pod.enter_job(p_tenant uuid, p_kind text, p_actor uuid, p_write boolean)
returns table (tenant uuid, schema text, role text, slug text, name text, currency text, timezone text, locale text,
               host text, version bigint, member uuid, member_name text, member_email text, member_role text,
               preferences jsonb, credential uuid, kind text, credential_name text, effective_role text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
declare
  t record;
  m record;
  c record;
begin
  if p_write then
    perform pg_advisory_xact_lock_shared(1, (select x.lock from pod.tenant x where x.id = p_tenant));
  end if;
  select x.*, h.host into t
    from pod.tenant x join pod.host h on h.tenant = x.id and h.kind = 'primary'
   where x.id = p_tenant and x.state = 'active';
  if not found then
    return;
  end if;
  select x.id, x.role, x.name, x.member into c
    from pod.credential x
   where p_kind = 'key' and x.id = p_actor and x.tenant = p_tenant and x.kind = 'key'
     and (x.expires_at is null or x.expires_at > clock_timestamp());
  if p_kind = 'key' and c.id is null then
    return;
  end if;
  execute format('select id, name, email, role, preferences from %I.member where id = $1 and status = ''active''', t.schema)
    into m using case when p_kind = 'member' then p_actor when p_kind = 'key' then c.member end;
  if m.id is null and (p_kind = 'member' or c.member is not null) then
    return;
  end if;
  return query select t.id, t.schema, t.role, t.slug, t.name, t.currency, t.timezone, t.locale, t.host, t.version,
    m.id::uuid, m.name::text, m.email::text, m.role::text, m.preferences::jsonb,
    c.id::uuid, (case when p_kind = 'key' then 'key' else 'job' end)::text, c.name::text,
    (case p_kind when 'member' then m.role when 'key' then pod.weaker_role(c.role, m.role) else 'owner' end)::text;
end
$body$
