-- The three roles of the settings, with the least that each needs. Run once by a database administrator, in the database of
-- the settings, before the first `attrsync migrate`:
--
--   attrsync migrate roles | psql DATABASE
--
-- They can't log in by themselves; give each to the users that may:
--
--   create role worker_1 login password '…' in role attrsync_worker;
--
-- attrsync_migrate owns the tables (`attrsync migrate`; its users say `alter role … set role attrsync_migrate`, so that what
-- they make belongs to it), attrsync_admin changes settings (`attrsync settings`), attrsync_worker reads what judges
-- (`attrsync run`) and nothing else. What each may do to the tables is granted by every `attrsync migrate`.

do $$
declare
  name text;
begin
  foreach name in array array['attrsync_migrate', 'attrsync_admin', 'attrsync_worker'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
  end loop;
end $$;

create schema if not exists attrsync;
alter schema attrsync owner to attrsync_migrate;
