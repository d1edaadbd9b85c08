-- The users of the trial in docker-compose.yml, each with one of the three roles of migrations/roles.sql. Their passwords are
-- samples, and stand in secrets/ again.
create role attrsync_owner login password 'sample-owner-password' in role attrsync_migrate;
alter role attrsync_owner set role attrsync_migrate;
create role attrsync_admin_1 login password 'sample-admin-password' in role attrsync_admin;
create role attrsync_worker_1 login password 'sample-worker-password' in role attrsync_worker;
