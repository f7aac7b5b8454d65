-- Sessions, keys and tickets are kept as sha256 only. A ticket or session needs an active member; p_member may be left
-- out for a ticket and is then found by p_person. Null when there is no such active tenant or member.
create function pod.put_credential(p_tenant uuid, p_kind text, p_hash bytea, p_member uuid, p_person uuid, p_role text,
  p_name text, p_expires timestamptz, p_browser bytea default null, p_host text default null, p_id uuid default null,
  p_origin uuid default null)
returns uuid language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
declare
  t record;
  m uuid := p_member;
  made uuid;
begin
  select x.id, x.schema into t from pod.tenant x where x.id = p_tenant and x.state = 'active';
  if not found then
    return null;
  end if;
  if p_kind <> 'key' then
    execute format('select id from %I.member where status = ''active'' and (id = $1 or person = $2)', t.schema)
      into m using p_member, p_person;
    if m is null then
      return null;
    end if;
  end if;
  if p_kind = 'ticket' and (p_browser is null or p_host is null) then
    raise exception 'a ticket is bound to a browser and a host';
  end if;
  delete from pod.credential x where x.tenant = p_tenant and x.expires_at < clock_timestamp() - interval '1 day';
  insert into pod.credential (id, kind, hash, tenant, member, role, name, expires_at, browser, host, origin)
  values (coalesce(p_id, uuidv7()), p_kind, p_hash, p_tenant, m, p_role, coalesce(p_name, ''),
          case when p_kind = 'ticket' then least(p_expires, clock_timestamp() + interval '60 seconds') else p_expires end,
          p_browser, lower(p_host), p_origin)
  returning id into made;
  return made;
end
$body$
--;
-- A single-use ticket becomes a session, in one statement: of two takers one gets it. Null when it is unknown, spent,
-- too old, or of another host, browser or an inactive member.
create function pod.redeem_ticket(p_host text, p_ticket bytea, p_browser bytea, p_session bytea, p_expires timestamptz,
  p_idle interval, p_user_agent text, p_address text)
returns uuid language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
declare
  c record;
  t record;
  m uuid;
  made uuid;
begin
  -- Spent by whoever shows it, right or wrong: a stolen one is worth a single try.
  delete from pod.credential x where x.kind = 'ticket' and x.hash = p_ticket returning x.* into c;
  if not found or c.expires_at <= clock_timestamp() or c.browser is distinct from p_browser
     or c.host is distinct from lower(p_host) then
    return null;
  end if;
  select x.id, x.schema into t
    from pod.tenant x join pod.host h on h.tenant = x.id and h.host = c.host and h.kind <> 'redirect'
   where x.id = c.tenant and x.state = 'active';
  if not found then
    return null;
  end if;
  execute format('select id from %I.member where status = ''active'' and id = $1', t.schema) into m using c.member;
  if m is null then
    return null;
  end if;
  insert into pod.credential (kind, hash, tenant, member, expires_at, idle, user_agent, address, origin)
  values ('session', p_session, t.id, m, p_expires, p_idle, coalesce(p_user_agent, ''), coalesce(p_address, ''),
          c.origin)
  returning id into made;
  return made;
end
$body$
--;
-- One credential by id, every session and ticket of a member, or those that came from some sessions of the base host;
-- keys go by id only. How many went.
create function pod.drop_credential(p_tenant uuid, p_credential uuid, p_member uuid, p_origins uuid[] default null)
returns integer language sql volatile security definer set search_path = pg_catalog, pg_temp as $body$
  with gone as (
    delete from pod.credential
     where tenant = p_tenant and (id = p_credential or (kind <> 'key' and (member = p_member or origin = any(p_origins))))
    returning 1)
  select count(*)::integer from gone
$body$
--;
create function pod.list_credential(p_tenant uuid, p_member uuid)
returns table (id uuid, member uuid, user_agent text, address text, created_at timestamptz, seen_at timestamptz,
               expires_at timestamptz, origin uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select id, member, user_agent, address, created_at, seen_at, expires_at, origin from pod.credential
   where tenant = p_tenant and kind = 'session' and (p_member is null or member = p_member)
     and expires_at > clock_timestamp() and (idle is null or seen_at + idle > clock_timestamp())
   order by seen_at desc
$body$
