-- The role a key goes by: its own, or its maker's where that is the weaker one of the standard roles. It is a name; what
-- the key may do is what its own role and its maker's roles both hold. A key made without a member has its own.
-- One expression without settings of its own, so that it is inlined; only definer functions call it.
create function pod.key_role(p_key text, p_makers text[])
returns text language sql immutable as $body$
  select case
    when p_makers is null or p_key = any (p_makers) then p_key
    when p_key = any (array['read_only', 'member', 'manager', 'admin', 'owner'])
     and p_makers[1] = any (array['read_only', 'member', 'manager', 'admin', 'owner'])
    then (array['read_only', 'member', 'manager', 'admin', 'owner'])[least(
      array_position(array['read_only', 'member', 'manager', 'admin', 'owner'], p_key),
      array_position(array['read_only', 'member', 'manager', 'admin', 'owner'], p_makers[1]))]
    when p_key in ('owner', 'admin') then p_makers[1]
    else p_key end
$body$
--;
-- One active tenant, member and metadata version, or nothing. The lock is taken by a statement of its own, before the
-- ones that read: in one statement the snapshot would be older than the lock. Its look-ups by key are planned once: the
-- login's force_custom_plan is for tenants' statements. A key ends with its maker's membership and is never above their
-- roles. A session of support is good as long as the tenant's own grant is, and holds what the grant's role (makers) and
-- whoever made the grant (roles) both hold.
create function pod.enter(p_host text, p_credential bytea, p_write boolean)
returns table (tenant uuid, schema text, role text, slug text, name text, currency text, timezone text, locale text,
               host text, version bigint, member uuid, member_name text, member_email text, member_role text,
               preferences jsonb, credential uuid, kind text, credential_name text, effective_role text, roles text,
               makers text, team uuid, support jsonb)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
declare
  c record;
  m record;
  granter text;
  granters text;
  given jsonb;
  instant timestamptz := clock_timestamp();
begin
  if p_write then
    perform pg_advisory_xact_lock_shared(1, (
      select y.lock from pod.credential x join pod.tenant y on y.id = x.tenant where x.hash = p_credential));
  end if;
  select x.id, x.kind, x.member, x.support, x.role, x.name, x.seen_at, t.id as tenant, t.schema,
         t.role as tenant_role, t.slug, t.name as tenant_name, t.currency, t.timezone, t.locale, t.version, h.host into c
    from pod.credential x
    join pod.tenant t on t.id = x.tenant and t.state = 'active'
    join pod.host h on h.tenant = t.id and h.kind = 'primary'
   where x.hash = p_credential and x.kind in ('session', 'key', 'support')
     and (x.expires_at is null or x.expires_at > instant) and (x.idle is null or x.seen_at + x.idle > instant)
     and (p_host is null or h.host = lower(p_host) or exists (
       select from pod.host o where o.host = lower(p_host) and o.tenant = t.id and o.kind <> 'redirect'));
  if not found then
    return;
  end if;
  execute format('select id, name, email, role, preferences, team, role || roles as all_roles from %I.member where id = $1 and status = ''active''', c.schema)
    into m using c.member;
  if m.id is null and (c.kind = 'session' or c.member is not null) then
    return;
  end if;
  if c.kind = 'support' then
    execute format($grant$
      select m.role, array_to_string(m.role || m.roles, ','),
             jsonb_build_object('grant', g.id, 'until', g.expires_at, 'role', g.role)
        from %1$I.support_grant g join %1$I.member m on m.id = g.by and m.status = 'active'
       where g.id = $1 and g.revoked_at is null and g.expires_at > $2 $grant$, c.schema)
      into granter, granters, given using c.support, instant;
    if given is null then
      return;
    end if;
  end if;
  if c.seen_at < instant - interval '3 minutes' then
    -- Requests of one session come in parallel: one of them is enough, nobody waits.
    update pod.credential x set seen_at = instant
     where x.id = (select y.id from pod.credential y where y.id = c.id for update skip locked);
  end if;
  return query select c.tenant::uuid, c.schema::text, c.tenant_role::text, c.slug::text, c.tenant_name::text,
    c.currency::text, c.timezone::text, c.locale::text, c.host::text, c.version::bigint,
    m.id::uuid, m.name::text, m.email::text, m.role::text, m.preferences::jsonb,
    c.id::uuid, c.kind::text, c.name::text,
    (case c.kind when 'key' then pod.key_role(c.role, m.all_roles) when 'support' then granter else m.role end)::text,
    (case c.kind when 'key' then c.role when 'support' then granters else array_to_string(m.all_roles, ',') end)::text,
    (case c.kind when 'key' then array_to_string(m.all_roles, ',') when 'support' then given ->> 'role' end)::text,
    m.team::uuid, given;
end
$body$
--;
-- Why pod.enter gave nothing: 'credential' when that is to blame ('support' when that of support is), else 'tenant'.
create function pod.refusal(p_host text, p_credential bytea)
returns text language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $body$
declare
  c record;
begin
  select x.tenant, x.kind, y.state into c
    from pod.credential x join pod.tenant y on y.id = x.tenant
   where x.hash = p_credential and x.kind in ('session', 'key', 'support');
  if not found then
    return 'credential';
  end if;
  if c.state <> 'active' or (p_host is not null and not exists (
    select from pod.host h where h.host = lower(p_host) and h.tenant = c.tenant and h.kind <> 'redirect')) then
    return 'tenant';
  end if;
  return case c.kind when 'support' then 'support' else 'credential' end;
end
$body$
--;
create function pod.enter_job(p_tenant uuid, p_kind text, p_actor uuid, p_write boolean)
returns table (tenant uuid, schema text, role text, slug text, name text, currency text, timezone text, locale text,
               host text, version bigint, member uuid, member_name text, member_email text, member_role text,
               preferences jsonb, credential uuid, kind text, credential_name text, effective_role text, roles text,
               makers text, team uuid, support jsonb)
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
  execute format('select id, name, email, role, preferences, team, role || roles as all_roles from %I.member where id = $1 and status = ''active''', t.schema)
    into m using case when p_kind = 'member' then p_actor when p_kind = 'key' then c.member end;
  if m.id is null and (p_kind = 'member' or c.member is not null) then
    return;
  end if;
  return query select t.id, t.schema, t.role, t.slug, t.name, t.currency, t.timezone, t.locale, t.host, t.version,
    m.id::uuid, m.name::text, m.email::text, m.role::text, m.preferences::jsonb,
    c.id::uuid, (case when p_kind = 'key' then 'key' else 'job' end)::text, c.name::text,
    (case p_kind when 'member' then m.role when 'key' then pod.key_role(c.role, m.all_roles) else 'owner' end)::text,
    (case p_kind when 'member' then array_to_string(m.all_roles, ',') when 'key' then c.role else 'owner' end)::text,
    (case when p_kind = 'key' then array_to_string(m.all_roles, ',') end)::text, m.team::uuid, null::jsonb;
end
$body$
--;
create function pod.refusal_job(p_tenant uuid)
returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp
as $body$ select exists (select from pod.tenant where id = p_tenant and state = 'active') $body$
--;
-- Roles or sharing changed: from the next entry on everybody reads them anew.
create function pod.bump_version(p_tenant uuid)
returns bigint language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  update pod.tenant set version = version + 1 where id = p_tenant returning version
$body$
