-- What each role may do, granted anew by every `attrsync migrate`. A role that isn't there is left out: a database whose only
-- user is its owner needs none.

do $$
begin
  if exists (select from pg_roles where rolname = 'attrsync_worker') then
    grant usage on schema attrsync to attrsync_worker;
    grant select on attrsync.organizations, attrsync.keys, attrsync.attributes, attrsync.secrets, attrsync.versions to attrsync_worker;
    -- For `attrsync migrate status`.
    grant select on attrsync.migrations to attrsync_worker;
    -- Not by whom, and not why.
    grant select (number, at) on attrsync.revisions to attrsync_worker;
  end if;
  if exists (select from pg_roles where rolname = 'attrsync_admin') then
    grant usage on schema attrsync to attrsync_admin;
    grant select on all tables in schema attrsync to attrsync_admin;
    -- Organizations are archived, never deleted.
    grant insert, update on attrsync.organizations to attrsync_admin;
    grant insert, update, delete on attrsync.keys, attrsync.attributes to attrsync_admin;
    -- A secret is sealed once more under another master key, and stays whose it is.
    grant insert on attrsync.secrets to attrsync_admin;
    grant update (sealed, master_key) on attrsync.secrets to attrsync_admin;
    grant usage on sequence attrsync.secret_ids to attrsync_admin;
    grant execute on function attrsync.revision() to attrsync_admin;
  end if;
end $$;
