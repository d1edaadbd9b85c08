-- The three roles of the settings, with the least that each needs. Run once by a database administrator, in the database of
-- the settings, before the first `attrsync migrate`:
--
--   attrsync migrate roles | psql -v ON_ERROR_STOP=1 DATABASE
--
-- They can't log in by themselves; give each to the users that may:
--
--   create role worker_1 login password '…' in role attrsync_worker;
--
-- attrsync_migrate owns the tables (`attrsync migrate`; its users say `alter role … set role attrsync_migrate`, so that what
-- they make belongs to it), attrsync_admin changes settings (`attrsync settings`), attrsync_worker reads what judges
-- (`attrsync run`) and nothing else. What each may do to the tables is granted by every `attrsync migrate`.
--
-- The administrator needs no superuser: CREATEROLE, and the database as its owner, are enough (RDS, Cloud SQL).

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

-- Who is no superuser may give a schema only to a role that they are in, and that may make schemas here: for this moment alone.
do $$
declare
  plain boolean := not (select rolsuper from pg_roles where rolname = current_user);
  member boolean := exists (
    select from pg_auth_members
    where roleid = 'attrsync_migrate'::regrole and pg_auth_members.member = current_user::regrole
      -- Whoever made a role is in it from PostgreSQL 16 on, by another's grant, which stays.
      and (grantor = current_user::regrole or current_setting('server_version_num')::integer < 160000)
  );
begin
  if plain then
    grant attrsync_migrate to current_user;
    execute format('grant create on database %I to attrsync_migrate', current_database());
  end if;
  alter schema attrsync owner to attrsync_migrate;
  if plain then
    execute format('revoke create on database %I from attrsync_migrate', current_database());
    if not member then
      revoke attrsync_migrate from current_user;
    end if;
  end if;
end $$;
