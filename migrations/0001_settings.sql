-- The settings: organizations, their keys and attributes, their secrets (sealed), and every change of them.
--
-- Every transaction that changes something has one revision. Revisions are numbered in the order of commit: whoever changes
-- something first waits for the lock that its predecessor holds until it has committed. So a worker that has read revision n
-- has read all changes up to n, and asks for those after n.

create table attrsync.organizations (
  id bigint generated always as identity primary key,
  slug text not null check (char_length(slug) between 1 and 255),
  app_id text check (char_length(app_id) between 1 and 255),
  enforcement text not null default 'enforced' check (enforcement in ('enforced', 'observe', 'off')),
  on_rejected_attribute text not null default 'attribute' check (on_rejected_attribute in ('attribute', 'event')),
  require_expiry boolean not null default false,
  max_age_s bigint check (max_age_s between 0 and 4294967295),
  audiences text[] not null default '{}' check (array_position(audiences, '') is null and array_position(audiences, null) is null),
  issuers text[] not null default '{}' check (array_position(issuers, '') is null and array_position(issuers, null) is null),
  membership_locked boolean not null default true,
  jwks text check (jwks <> ''),
  archived_at timestamptz
);
comment on column attrsync.organizations.jwks is 'public keys, a JWK Set; no secret';

-- An archived organization keeps its names, and another may take them.
create unique index organizations_slug on attrsync.organizations (slug) where archived_at is null;
create unique index organizations_app_id on attrsync.organizations (app_id) where archived_at is null;

-- A secret is sealed for one key, and opens for no other. A row outlives its key: the settings as they were need it.
create sequence attrsync.secret_ids;
create table attrsync.secrets (
  id bigint primary key,
  organization_id bigint not null references attrsync.organizations,
  kind text not null,
  key text not null,
  sealed bytea not null check (octet_length(sealed) > 29),
  master_key text not null check (master_key <> ''),
  unique (organization_id, kind, key, id)
);
create index secrets_master_key on attrsync.secrets (master_key, id);

create table attrsync.keys (
  organization_id bigint not null references attrsync.organizations,
  kind text not null check (kind in ('jwt', 'identity')),
  id text not null check (char_length(id) between 1 and 255),
  algorithm text not null
    check (algorithm in ('HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA')),
  secret_id bigint,
  public_key text check (public_key <> ''),
  valid_from timestamptz,
  retired_at timestamptz,
  revoked_at timestamptz,
  primary key (organization_id, kind, id),
  foreign key (organization_id, kind, id, secret_id) references attrsync.secrets (organization_id, kind, key, id),
  constraint identity_secrets_are_hs256 check (kind = 'jwt' or algorithm = 'HS256'),
  constraint hs_has_a_secret check ((secret_id is not null) = (algorithm like 'HS%')),
  constraint others_have_a_public_key check ((public_key is not null) = (algorithm not like 'HS%')),
  constraint retired_after_valid_from check (retired_at >= valid_from)
);

create table attrsync.attributes (
  organization_id bigint not null references attrsync.organizations,
  owner text not null check (owner in ('user', 'company')),
  name text not null check (char_length(name) between 1 and 255),
  type text not null check (type in ('text', 'number', 'boolean', 'date', 'text_list')),
  max_chars bigint check (max_chars > 0),
  options text[] check (cardinality(options) > 0 and array_position(options, null) is null),
  locked boolean not null,
  archived boolean not null default false,
  primary key (organization_id, owner, name),
  constraint only_texts_have_limits check (type in ('text', 'text_list') or (max_chars is null and options is null))
);

create table attrsync.revisions (
  number bigint primary key,
  at timestamptz not null,
  transaction xid8 not null,
  actor text not null,
  role text not null,
  reason text not null
);
comment on column attrsync.revisions.actor is 'who, as the client says; role is who logged in';

create table attrsync.history (
  number bigint generated always as identity primary key,
  revision bigint not null references attrsync.revisions,
  relation text not null,
  organization_id bigint not null,
  entry text not null,
  before jsonb,
  after jsonb
);
create index history_organization on attrsync.history (organization_id, revision);
create index history_entry on attrsync.history (relation, organization_id, entry, number);

-- The latest revision of each organization. A table of its own: to write it is no change of the organization.
create table attrsync.versions (
  organization_id bigint primary key,
  revision bigint not null
);
create index versions_revision on attrsync.versions (revision);

-- The revision of this transaction; the first change makes it. A transaction's number may come again in a restored database,
-- a time within the transaction can't.
create function attrsync.revision() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  last attrsync.revisions;
  following bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('attrsync.revisions', 0));
  select * into last from attrsync.revisions order by number desc limit 1;
  if last.transaction = pg_current_xact_id() and last.at >= now() then
    return last.number;
  end if;
  following := coalesce(last.number, 0) + 1;
  insert into attrsync.revisions values (
    following,
    greatest(clock_timestamp(), last.at + interval '1 microsecond'),
    pg_current_xact_id(),
    coalesce(nullif(current_setting('attrsync.actor', true), ''), session_user),
    session_user,
    coalesce(current_setting('attrsync.reason', true), '')
  );
  perform pg_notify('attrsync_settings', following::text);
  return following;
end $$;

-- Before any row is locked: two transactions would else each hold what the other waits for.
create function attrsync.begin_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform attrsync.revision();
  return null;
end $$;

create function attrsync.organization_of(relation text, image jsonb) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select (image ->> case relation when 'organizations' then 'id' else 'organization_id' end)::bigint
$$;

create function attrsync.entry_of(relation text, image jsonb) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case relation
    when 'keys' then (image ->> 'kind') || '/' || (image ->> 'id')
    when 'attributes' then (image ->> 'owner') || '/' || (image ->> 'name')
    else ''
  end
$$;

-- Keeps what a statement changed: the rows as they were and as they are.
create function attrsync.keep_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  this bigint := attrsync.revision();
begin
  if tg_op = 'INSERT' then
    insert into attrsync.history (revision, relation, organization_id, entry, before, after)
    select this, tg_table_name, attrsync.organization_of(tg_table_name, image), attrsync.entry_of(tg_table_name, image), null, image
    from (select to_jsonb(added) as image from added) as images;
  elsif tg_op = 'DELETE' then
    insert into attrsync.history (revision, relation, organization_id, entry, before, after)
    select this, tg_table_name, attrsync.organization_of(tg_table_name, image), attrsync.entry_of(tg_table_name, image), image, null
    from (select to_jsonb(removed) as image from removed) as images;
  else
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
    where removed.image is distinct from added.image;
  end if;
  insert into attrsync.versions
  select distinct organization_id, this from attrsync.history
  where revision = this and relation = tg_table_name
  on conflict (organization_id) do update set revision = excluded.revision where versions.revision <> excluded.revision;
  return null;
end $$;

create index history_revision on attrsync.history (revision);

do $$
declare
  relation text;
begin
  foreach relation in array array['organizations', 'keys', 'attributes'] loop
    execute format('create trigger begin_change before insert or update or delete on attrsync.%I
      for each statement execute function attrsync.begin_change()', relation);
    execute format('create trigger keep_insert after insert on attrsync.%I
      referencing new table as added for each statement execute function attrsync.keep_change()', relation);
    execute format('create trigger keep_update after update on attrsync.%I
      referencing old table as removed new table as added for each statement execute function attrsync.keep_change()', relation);
    execute format('create trigger keep_delete after delete on attrsync.%I
      referencing old table as removed for each statement execute function attrsync.keep_change()', relation);
  end loop;
end $$;

-- What happened has happened, for the owner of the tables too.
create function attrsync.refuse() returns trigger
language plpgsql as $$
begin
  raise exception 'attrsync.%: % is refused; history is only ever added to', tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege';
end $$;

do $$
declare
  relation text;
begin
  foreach relation in array array['revisions', 'history'] loop
    execute format('create trigger stays_as_it_is before update or delete or truncate on attrsync.%I
      for each statement execute function attrsync.refuse()', relation);
  end loop;
  foreach relation in array array['organizations', 'keys', 'attributes', 'secrets', 'versions'] loop
    execute format('create trigger is_not_truncated before truncate on attrsync.%I
      for each statement execute function attrsync.refuse()', relation);
  end loop;
end $$;

-- The rows as they were at a revision.
create function attrsync.organizations_at(bigint) returns setof attrsync.organizations
language sql stable set search_path = pg_catalog, pg_temp as $$
  select image.* from (
    select distinct on (organization_id, entry) after from attrsync.history
    where relation = 'organizations' and revision <= $1
    order by organization_id, entry, number desc
  ) as latest cross join lateral jsonb_populate_record(null::attrsync.organizations, after) as image
  where after is not null
$$;

create function attrsync.keys_at(bigint) returns setof attrsync.keys
language sql stable set search_path = pg_catalog, pg_temp as $$
  select image.* from (
    select distinct on (organization_id, entry) after from attrsync.history
    where relation = 'keys' and revision <= $1
    order by organization_id, entry, number desc
  ) as latest cross join lateral jsonb_populate_record(null::attrsync.keys, after) as image
  where after is not null
$$;

create function attrsync.attributes_at(bigint) returns setof attrsync.attributes
language sql stable set search_path = pg_catalog, pg_temp as $$
  select image.* from (
    select distinct on (organization_id, entry) after from attrsync.history
    where relation = 'attributes' and revision <= $1
    order by organization_id, entry, number desc
  ) as latest cross join lateral jsonb_populate_record(null::attrsync.attributes, after) as image
  where after is not null
$$;

-- Functions are everybody's unless told otherwise; a revision is made by those who change something.
revoke execute on function attrsync.revision() from public;
