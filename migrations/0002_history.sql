-- History that costs what changes, and what is looked at. Until now what a statement had changed was looked for in all that its
-- revision had changed before, so that a change of many organizations took the square of them; and the rows as they were cost
-- the history of all organizations, whoever was asked for.

-- Keeps what a statement changed: the rows as they were and as they are.
create or replace function attrsync.keep_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  this bigint := attrsync.revision();
  changed bigint[];
begin
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

-- The rows of these organizations as they were at a revision.
create function attrsync.organizations_at(bigint, bigint[]) returns setof attrsync.organizations
language sql stable set search_path = pg_catalog, pg_temp as $$
  select image.* from (
    select distinct on (organization_id, entry) after from attrsync.history
    where relation = 'organizations' and organization_id = any($2) and revision <= $1
    order by organization_id, entry, number desc
  ) as latest cross join lateral jsonb_populate_record(null::attrsync.organizations, after) as image
  where after is not null
$$;

create function attrsync.keys_at(bigint, bigint[]) returns setof attrsync.keys
language sql stable set search_path = pg_catalog, pg_temp as $$
  select image.* from (
    select distinct on (organization_id, entry) after from attrsync.history
    where relation = 'keys' and organization_id = any($2) and revision <= $1
    order by organization_id, entry, number desc
  ) as latest cross join lateral jsonb_populate_record(null::attrsync.keys, after) as image
  where after is not null
$$;

create function attrsync.attributes_at(bigint, bigint[]) returns setof attrsync.attributes
language sql stable set search_path = pg_catalog, pg_temp as $$
  select image.* from (
    select distinct on (organization_id, entry) after from attrsync.history
    where relation = 'attributes' and organization_id = any($2) and revision <= $1
    order by organization_id, entry, number desc
  ) as latest cross join lateral jsonb_populate_record(null::attrsync.attributes, after) as image
  where after is not null
$$;
