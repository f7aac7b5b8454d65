-- The way of support into a workspace: a ticket for one use, bound to a grant of the tenant and to its host, becomes a
-- session that ends with the grant. Whether the grant is good is in the tenant's own table, read here and at each entry.
create function pod.support_until(p_schema text, p_grant uuid)
returns timestamptz language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $body$
declare
  until timestamptz;
begin
  execute format($grant$
    select g.expires_at from %1$I.support_grant g join %1$I.member m on m.id = g.by and m.status = 'active'
     where g.id = $1 and g.revoked_at is null and g.expires_at > clock_timestamp() $grant$, p_schema)
    into until using p_grant;
  return until;
end
$body$
--;
-- p_visit is the tenant's row about it. Null when there is no such active tenant or open grant.
create function pod.put_support_ticket(p_tenant uuid, p_visit uuid, p_grant uuid, p_hash bytea, p_name text,
  p_life interval)
returns uuid language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
declare
  t record;
begin
  select x.id, x.schema, h.host into t
    from pod.tenant x join pod.host h on h.tenant = x.id and h.kind = 'primary'
   where x.id = p_tenant and x.state = 'active';
  if not found or pod.support_until(t.schema, p_grant) is null then
    return null;
  end if;
  insert into pod.credential (id, kind, hash, tenant, support, name, expires_at, host)
  values (p_visit, 'support_ticket', p_hash, p_tenant, p_grant, p_name,
          clock_timestamp() + least(p_life, interval '5 minutes'), t.host);
  return p_visit;
end
$body$
--;
-- As pod.redeem_ticket; the session's id is the visit's. Null when the ticket is unknown, spent, too old or of another
-- host, or its grant is over.
create function pod.redeem_support_ticket(p_host text, p_ticket bytea, p_session bytea, p_idle interval,
  p_user_agent text, p_address text)
returns uuid language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
declare
  c record;
  t record;
  until timestamptz;
begin
  delete from pod.credential x where x.kind = 'support_ticket' and x.hash = p_ticket returning x.* into c;
  if not found or c.expires_at <= clock_timestamp() or c.host is distinct from lower(p_host) then
    return null;
  end if;
  select x.id, x.schema into t
    from pod.tenant x join pod.host h on h.tenant = x.id and h.host = c.host and h.kind <> 'redirect'
   where x.id = c.tenant and x.state = 'active';
  if not found then
    return null;
  end if;
  until := pod.support_until(t.schema, c.support);
  if until is null then
    return null;
  end if;
  insert into pod.credential (id, kind, hash, tenant, support, name, expires_at, idle, user_agent, address)
  values (c.id, 'support', p_session, t.id, c.support, c.name, until, p_idle, coalesce(p_user_agent, ''),
          coalesce(p_address, ''));
  return c.id;
end
$body$
--;
-- The sessions of support that are open in a workspace now.
create function pod.list_support(p_tenant uuid)
returns table (id uuid, seen_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select id, seen_at from pod.credential
   where tenant = p_tenant and kind = 'support' and expires_at > clock_timestamp()
     and (idle is null or seen_at + idle > clock_timestamp())
$body$
