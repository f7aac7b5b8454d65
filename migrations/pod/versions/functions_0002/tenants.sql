-- Take a spare of this version (p_blueprint) for the ledger entry p_claim; asked again it answers with the same one. No
-- row: there is no spare.
create function pod.take_spare(p_claim uuid, p_blueprint text)
returns table (tenant uuid, schema text, role text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
begin
  return query select x.id, x.schema, x.role from pod.tenant x where x.claim = p_claim;
  if found then
    return;
  end if;
  return query update pod.tenant x set claim = p_claim, state_at = now()
   where x.id = (select y.id from pod.tenant y where y.state = 'spare' and y.claim is null and y.blueprint = p_blueprint
                  order by y.id limit 1 for update skip locked)
  returning x.id, x.schema, x.role;
end
$body$
--;
-- Hosts of a tenant; a new primary one turns the old into a redirect.
create function pod.set_host(p_tenant uuid, p_host text, p_kind text)
returns void language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
begin
  if p_kind = 'primary' then
    update pod.host set kind = 'redirect' where tenant = p_tenant and kind = 'primary' and host <> lower(p_host);
  end if;
  insert into pod.host (host, tenant, kind) values (lower(p_host), p_tenant, p_kind)
  on conflict (host) do update set kind = excluded.kind where pod.host.tenant = excluded.tenant;
end
$body$
--;
-- The document of a layer a tenant is laid over.
create function pod.layer_document(p_hash text)
returns jsonb language sql stable security definer set search_path = pg_catalog, pg_temp
as $body$ select document from pod.layer where hash = p_hash $body$
