//! What the tables refuse, whoever asks: wrong rows, and history that is not as it was.

use crate::kit::Base;

/// One organization, a secret of it, and another organization.
const GROUND: &str = "
    insert into attrsync.organizations (slug, app_id) values ('acme', 'a1'), ('beta', 'b1');
    insert into attrsync.secrets (id, organization_id, kind, key, sealed, master_key)
        values (1, 1, 'jwt', 'k', decode(repeat('ab', 40), 'hex'), 'm');";

#[test]
fn wrong_rows_are_impossible() {
    let base = Base::new("wrong_rows");
    base.sql(GROUND).unwrap();
    let attribute = |columns: &str| {
        format!(
            "insert into attrsync.attributes (organization_id, owner, name, type, max_chars, options, locked) values (1, {columns})"
        )
    };
    let key = |columns: &str| {
        format!(
            "insert into attrsync.keys (organization_id, kind, id, algorithm, secret_id, public_key, valid_from, retired_at)
             values (1, {columns})"
        )
    };
    for (why, sql) in [
        ("two active organizations with one slug", "insert into attrsync.organizations (slug) values ('acme')".to_owned()),
        ("two with one app id", "insert into attrsync.organizations (slug, app_id) values ('new', 'a1')".to_owned()),
        ("an empty slug", "insert into attrsync.organizations (slug) values ('')".to_owned()),
        ("an unknown enforcement", "update attrsync.organizations set enforcement = 'enfroced'".to_owned()),
        ("an empty audience", "update attrsync.organizations set audiences = '{\"\"}'".to_owned()),
        ("a locked attribute without a type", attribute("'user', 'plan', null, null, null, true")),
        ("options of a number", attribute("'user', 'plan', 'number', null, '{a}', true")),
        ("no options at all", attribute("'user', 'plan', 'text', null, '{}', true")),
        ("an attribute of nobody", attribute("'team', 'plan', 'text', null, null, true")),
        ("a text of no characters", attribute("'user', 'plan', 'text', 0, null, true")),
        ("HS256 without a secret", key("'jwt', 'k', 'HS256', null, null, null, null")),
        ("HS256 with a public key", key("'jwt', 'k', 'HS256', null, 'pem', null, null")),
        ("RS256 with a secret", key("'jwt', 'k', 'RS256', 1, null, null, null")),
        ("an unknown algorithm", key("'jwt', 'k', 'none', 1, null, null, null")),
        ("an identity secret that is no HS256", key("'identity', 'k', 'HS512', 1, null, null, null")),
        ("a key retired before it is valid", key("'jwt', 'k', 'HS256', 1, null, '2026-02-01', '2026-01-01'")),
        ("a time that never comes", key("'jwt', 'k', 'HS256', 1, null, null, 'infinity'")),
        ("a time that always was", key("'jwt', 'k', 'HS256', 1, null, '-infinity', null")),
        ("a time that no file can say", key("'jwt', 'k', 'HS256', 1, null, null, '10000-01-01 00:00:00+00'")),
        ("another key's secret", key("'jwt', 'other', 'HS256', 1, null, null, null")),
        (
            "another organization's secret",
            "insert into attrsync.keys (organization_id, kind, id, algorithm, secret_id) values (2, 'jwt', 'k', 'HS256', 1)"
                .to_owned(),
        ),
    ] {
        assert!(base.sql(&sql).is_err(), "{why}");
    }
    base.sql(&key("'jwt', 'k', 'HS256', 1, null, '2026-01-01', '2026-02-01'")).unwrap();
}

#[test]
fn the_names_of_an_archived_organization_are_free() {
    let base = Base::new("names_free");
    base.sql(GROUND).unwrap();
    base.sql("update attrsync.organizations set archived_at = now() where slug = 'acme'").unwrap();
    base.sql("insert into attrsync.organizations (slug, app_id) values ('acme', 'a1')").unwrap();
}

#[test]
fn history_is_only_ever_added_to() {
    let base = Base::new("history_stays");
    base.make_roles();
    base.attrsync(&["migrate"]).well();
    base.sql(GROUND).unwrap();
    for role in ["attrsync_admin", "attrsync"] {
        for sql in [
            "update attrsync.history set after = null",
            "delete from attrsync.history",
            "truncate attrsync.history",
            "update attrsync.revisions set reason = 'nothing happened'",
            "delete from attrsync.revisions where number = 1",
            "truncate attrsync.revisions cascade",
            "truncate attrsync.organizations cascade",
        ] {
            let told = base.sql(&format!("set role {role}; {sql}")).unwrap_err();
            assert!(told.contains("permission denied") || told.contains("is refused"), "{role}: {sql}: {told}");
        }
    }
    for sql in [
        "insert into attrsync.history (revision, relation, organization_id, entry) values (1, 'keys', 1, 'jwt/k')",
        "insert into attrsync.versions values (9, 9)",
        "update attrsync.versions set revision = 0",
        "set session_replication_role = replica",
        "alter table attrsync.keys disable trigger all",
        "delete from attrsync.organizations",
    ] {
        let told = base.sql(&format!("set role attrsync_admin; {sql}")).unwrap_err();
        assert!(told.contains("permission denied") || told.contains("must be owner"), "{sql}: {told}");
    }
}

/// A table of one's own whose trigger runs a function of the settings' tables.
fn forged(function: &str) -> String {
    format!(
        "create temp table keys (organization_id bigint, kind text, id text);
         create trigger forged after insert on keys referencing new table as added
             for each statement execute function attrsync.{function}();
         insert into keys values (1, 'jwt', 'forged');"
    )
}

#[test]
fn a_table_of_somebodys_own_has_no_history_here() {
    let base = Base::new("forged");
    base.make_roles();
    base.attrsync(&["migrate"]).well();
    base.sql(GROUND).unwrap();
    for function in ["keep_change", "begin_change"] {
        for (role, said) in [
            ("attrsync_worker", "permission denied"),
            ("attrsync_admin", "permission denied"),
            // Whoever made such a trigger while they still could.
            ("attrsync", "of the tables of the settings alone"),
        ] {
            let told = base.sql(&format!("set role {role}; {}", forged(function))).unwrap_err();
            assert!(told.contains(said), "{role}: {function}: {told}");
        }
    }
    assert_eq!(base.value::<i64>("select count(*) from attrsync.history where entry = 'jwt/forged'"), 0);
    assert_eq!(base.value::<i64>("select count(*) from attrsync.revisions"), 1);
    let open = "select coalesce(string_agg(proname, ' '), '') from pg_proc
                where pronamespace = 'attrsync'::regnamespace and prosecdef and has_function_privilege('public', oid, 'execute')";
    assert_eq!(base.value::<String>(open), "", "what runs as the owner is nobody's to call");
    // The tables' own triggers go on.
    base.sql("set role attrsync_admin; update attrsync.organizations set require_expiry = true where id = 1").unwrap();
    assert_eq!(base.value::<i64>("select revision from attrsync.versions where organization_id = 1"), 2);
}

#[test]
fn every_change_is_kept_with_its_time_who_and_why() {
    let base = Base::new("kept");
    base.sql(GROUND).unwrap();
    base.sql(
        "begin; select set_config('attrsync.actor', 'ada', true), set_config('attrsync.reason', 'rotation', true);
         insert into attrsync.keys (organization_id, kind, id, algorithm, secret_id) values (1, 'jwt', 'k', 'HS256', 1);
         update attrsync.keys set revoked_at = now(); delete from attrsync.keys; commit;",
    )
    .unwrap();
    let count = |sql: &str| base.value::<i64>(sql);
    assert_eq!(count("select max(number) from attrsync.revisions"), 2, "one for each transaction");
    assert_eq!(
        count("select count(*) from attrsync.history where relation = 'keys' and entry = 'jwt/k' and revision = 2"),
        3
    );
    assert_eq!(
        count(
            "select count(*) from attrsync.revisions where number = 2 and actor = 'ada' and reason = 'rotation' and role = 'attrsync' and at > now() - interval '1 minute'"
        ),
        1
    );
    assert_eq!(count("select revision from attrsync.versions where organization_id = 1"), 2);
    assert_eq!(count("select revision from attrsync.versions where organization_id = 2"), 1);
}

/// Fails where the connection's transaction has read more rows of the history than so many.
fn history_is_read(at_most: usize) -> String {
    format!(
        "do $$ begin
           if (select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
               where schemaname = 'attrsync' and relname = 'history') > {at_most}
           then raise exception 'the history is read'; end if;
         end $$;"
    )
}

#[test]
fn a_change_costs_what_it_changes_and_a_look_back_what_is_looked_at() {
    let base = Base::new("costs");
    let one = "insert into attrsync.organizations (slug) values ('o' || n);";
    let many = format!("do $$ begin for n in 1..2000 loop {one} end loop; end $$;");
    base.sql(&format!("begin; {many} {} commit;", history_is_read(20))).unwrap();
    assert_eq!(base.value::<i64>("select count(*) from attrsync.versions where revision = 1"), 2000);
    let look = "do $$ begin perform count(*) from attrsync.organizations_at(1, array[7]::bigint[]); end $$;";
    base.sql(&format!("begin; {look} {} commit;", history_is_read(20))).unwrap();
    let then = "select sum(id)::bigint from attrsync.organizations_at(1, array[7, 9, 10000]::bigint[])";
    assert_eq!(base.value::<i64>(then), 16);
}
