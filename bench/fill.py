"""What a workspace is filled with, written straight into its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata.catalog import platform
from tenants.scope import SYSTEM, Tenant, enter_job

if TYPE_CHECKING:
    from app.core.ports import Runtime


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many records of each object."""

    companies: int
    contacts: int
    deals: int
    notes: int = 0

    def scaled(self, scale: float) -> Sizes:
        """The same, smaller; never quite empty."""
        return Sizes(*(max(10, int(size * scale)) if size else 0 for size in self.as_tuple()))

    def as_tuple(self) -> tuple[int, int, int, int]:
        """In order."""
        return self.companies, self.contacts, self.deals, self.notes

    @property
    def all(self) -> int:
        """Records in sum."""
        return sum(self.as_tuple())


#: The budgets of DESIGN §12 speak of the first, its peers were measured with the second.
LARGE: Final = Sizes(10_000, 100_000, 20_000, 50_000)
PEERS: Final = Sizes(10_000, 50_000, 20_000)
SMALL: Final = Sizes(20, 100, 40)

_COMPANIES: Final = """
insert into o_company (name, kind, industry, domain, employees)
select 'Company ' || md5(i::text), 'organisation', (array['education','retail','energy'])[mod(i, 3) + 1],
       'd' || i || '.example', i
  from generate_series(1, {companies}) i
"""
_CONTACTS: Final = """
insert into o_contact (first_name, last_name, email, emails, emails__all, job_title, lifecycle, do_not_email, company)
select (array['Anna','Bernd','Clara','Doris','Emil'])[mod(i, 5) + 1], md5(i::text), 'p' || i || '@example.org',
       jsonb_build_array(jsonb_build_object('value', 'p' || i || '@example.org', 'primary', true, 'valid', true)),
       array['p' || i || '@example.org'], 'Engineer ' || mod(i, 100),
       (array['lead','customer','other'])[mod(i, 3) + 1], mod(i, 7) = 0, c.id
  from generate_series(1, {contacts}) i
  join (select id, row_number() over (order by id) as n from o_company) c on c.n = mod(i, {companies}) + 1
"""
_DEALS: Final = """
insert into o_deal (name, pipeline, stage, stage_status, amount, amount__currency, close_on, opened_on, company)
select 'Deal ' || md5(i::text), 'sales',
       (array['new','qualified','meeting','proposal','negotiation','won','lost'])[mod(i, 7) + 1],
       (array['open','open','open','open','open','won','lost'])[mod(i, 7) + 1], mod(i * 37, 9000), 'EUR',
       date '2016-10-01' + mod(i, 500), date '2016-09-01', c.id
  from generate_series(1, {deals}) i
  join (select id, row_number() over (order by id) as n from o_company) c on c.n = mod(i, {companies}) + 1
"""
#: Forty words each, made of syllables, a few as common as in a company's notes; the first are the most frequent.
_NOTES: Final = """
with vocabulary as materialized (
  select word, row_number() over (order by md5(word)) as n
    from (select a || b || c as word
            from unnest('{{ka,re,mo,ti,lu,so,ven,dar,pel,min,ros,tal}}'::text[]) a,
                 unnest('{{ber,cin,fo,gra,hul,jan,ket,lor,mif,nup}}'::text[]) b,
                 unnest('{{a,en,ik,or,us,el,im,y,ot,an}}'::text[]) c
          union all
          select unnest('{{customer,meeting,invoice,contract,renewal,delivery,payment,support,password,account,
                          refund,training,upgrade,price,offer,machine,license,warranty}}'::text[])) as made),
written as (
  select i, j, 1 + floor(1218 * power(mod(abs(hashint8extended(i * 100 + j, 7)), 1000000) / 1000000.0::float8, 3)) as n
    from generate_series(1, {notes}) i, generate_series(1, 40) j)
insert into o_note (title, body)
select initcap(string_agg(word, ' ' order by j) filter (where j <= 4)),
       '<p>' || string_agg(word, ' ' order by j) || '</p>'
  from written join vocabulary using (n)
 group by i
"""


def fill(runtime: Runtime, tenant: Tenant, sizes: Sizes) -> None:
    """Write the records, then let PostgreSQL look at them as autovacuum would."""
    companies, contacts, deals, notes = sizes.as_tuple()
    numbers = {"companies": companies, "contacts": contacts, "deals": deals, "notes": notes}
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=600) as scope:
        for statement in (_COMPANIES, _CONTACTS, _DEALS, _NOTES):
            scope.connection.execute(statement.format(**numbers).encode())
    vacuum(runtime, tenant)


def vacuum(runtime: Runtime, tenant: Tenant, *names: str) -> None:
    """Vacuum and analyze the tables of all objects, or of those named."""
    with runtime.databases.pod_owner(1).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for obj in platform().objects.values():
            if not names or obj.name in names:
                connection.exec_driver_sql(f'vacuum analyze "{tenant.schema}"."{obj.table}"')
