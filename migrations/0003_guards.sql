-- What is kept of changes is what the tables of the settings did. The functions that keep it run as the owner of the tables, and whoever
-- could name them in a trigger on a table of their own could have a change kept that never was.

create or replace function attrsync.begin_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_table_schema <> 'attrsync' then
    raise exception 'attrsync.revisions are of the tables of the settings alone' using errcode = 'insufficient_privilege';
  end if;
  perform attrsync.revision();
  return null;
end $$;

-- Keeps what a statement changed: the rows as they were and as they are.
create or replace function attrsync.keep_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  this bigint;
  changed bigint[];
begin
  if tg_table_schema <> 'attrsync' then
    raise exception 'attrsync.history is of the tables of the settings alone' using errcode = 'insufficient_privilege';
  end if;
  this := attrsync.revision();
  if tg_op = 'INSERT' then
    with kept as (
      insert into attrsync.history (revision, relation, organization_id, entry, before, after)
      select this, tg_table_name, attrsync.organization_of(tg_table_name, image), attrsync.entry_of(tg_table_name, image), null, image
      from (select to_jsonb(added) as image from added) as images
      returning organization_id
    )
    select array_agg(distinct kept.organization_id) into changed from kept;
  elsif tg_op = 'DELETE' then
    with kept as (
      insert into attrsync.history (revision, relation, organization_id, entry, before, after)
      select this, tg_table_name, attrsync.organization_of(tg_table_name, image), attrsync.entry_of(tg_table_name, image), image, null
      from (select to_jsonb(removed) as image from removed) as images
      returning organization_id
    )
    select array_agg(distinct kept.organization_id) into changed from kept;
  else
    with kept as (
      insert into attrsync.history (revision, relation, organization_id, entry, before, after)
      select this, tg_table_name, organization, entry, removed.image, added.image
      from (
        select attrsync.organization_of(tg_table_name, image) as organization, attrsync.entry_of(tg_table_name, image) as entry, image
        from (select to_jsonb(removed) as image from removed) as images
      ) as removed
      full join (
        select attrsync.organization_of(tg_table_name, image) as organization, attrsync.entry_of(tg_table_name, image) as entry, image
        from (select to_jsonb(added) as image from added) as images
      ) as added using (organization, entry)
      where removed.image is distinct from added.image
      returning organization_id
    )
    select array_agg(distinct kept.organization_id) into changed from kept;
  end if;
  insert into attrsync.versions
  select changes.organization, this from unnest(changed) as changes (organization)
  on conflict (organization_id) do update set revision = excluded.revision where versions.revision <> excluded.revision;
  return null;
end $$;

-- Asked for where a trigger is made, not where it fires: those of the tables of the settings go on for everybody. One that somebody made
-- before goes on, too; that is what the functions themselves look out for.
revoke execute on function attrsync.begin_change(), attrsync.keep_change() from public;

-- A time is one that a settings file can say. What is there is not looked at, and is read as the first or the last of those.
alter table attrsync.keys add constraint times_are_of_the_years_1_to_9999 check (
  valid_from >= '0001-01-01 00:00:00+00' and valid_from < '10000-01-01 00:00:00+00'
  and retired_at >= '0001-01-01 00:00:00+00' and retired_at < '10000-01-01 00:00:00+00'
  and revoked_at >= '0001-01-01 00:00:00+00' and revoked_at < '10000-01-01 00:00:00+00'
) not valid;

-- A secret that was replaced stays replaced: its row is still there, for the settings as they were. What a key has it keeps, whatever else
-- of it changes, so that nothing stands in the way of revoking it.
create function attrsync.refuse_older_secret() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (
    select from attrsync.keys
    where organization_id = new.organization_id and kind = new.kind and id = new.id and secret_id = new.secret_id
  ) then
    return new;
  end if;
  if exists (
    select from attrsync.secrets
    where organization_id = new.organization_id and kind = new.kind and key = new.id and secrets.id > new.secret_id
  ) then
    raise exception 'attrsync.keys: a secret that was replaced is refused; a key takes a new one'
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;

create trigger refuse_older_secret before insert or update of organization_id, kind, id, secret_id on attrsync.keys
  for each row when (new.secret_id is not null) execute function attrsync.refuse_older_secret();
