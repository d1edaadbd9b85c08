//! Tables are made once, whoever else makes them, by a role that owns nothing else.

use attrsync::store::{Address, Database};

use crate::kit::{Base, Told, block_on, try_run};

#[test]
fn several_processes_at_once_migrate_once() {
    let base = Base::empty("migrate_once");
    let processes: Vec<_> = (0..6).map(|_| base.command(&["migrate", "--json"]).spawn().unwrap()).collect();
    let applied: Vec<_> = processes
        .into_iter()
        .map(|process| Told::of(&process.wait_with_output().unwrap()).json())
        .map(|told| told.as_array().unwrap().len())
        .collect();
    assert_eq!(applied.iter().sum::<usize>(), 3, "{applied:?}");
    assert_eq!(applied.iter().filter(|applied| **applied > 0).count(), 1, "one process applies all: {applied:?}");
    assert_eq!(base.value::<i64>("select count(*) from attrsync.migrations"), 3);
}

#[test]
fn a_dry_run_and_the_status_change_nothing_and_tell_what_is_missing() {
    let base = Base::empty("migrate_dry");
    let status = base.attrsync(&["migrate", "status"]);
    assert_eq!((status.code, status.out.contains("not applied")), (Some(1), true), "{status:?}");
    let all = |word: &str| format!("{word}: 0001 settings\n{word}: 0002 history\n{word}: 0003 guards\n");
    assert_eq!(base.attrsync(&["migrate", "--dry-run"]).well(), all("to be applied"));
    assert!(base.value::<bool>("select to_regnamespace('attrsync') is null"));
    assert_eq!(base.attrsync(&["migrate"]).well(), all("applied"));
    assert_eq!(base.attrsync(&["migrate"]).well(), "all migrations are applied\n");
    assert!(base.attrsync(&["migrate", "status"]).well().contains("applied at 2"));
}

#[test]
fn without_tables_whatever_needs_them_says_so() {
    let base = Base::empty("not_migrated");
    for line in [&["settings", "export"][..], &["explain", "-"]] {
        let told = base.attrsync(line);
        assert!(told.code == Some(1) && told.err.contains("run `attrsync migrate`"), "{told:?}");
        assert!(!told.err.contains("attrsync:attrsync@"), "the password is not printed: {told:?}");
    }
}

#[test]
fn the_roles_suffice_for_what_each_is_for() {
    let base = Base::empty("roles");
    base.make_roles();
    let name = |role: &str| format!("roles_{role}_{}", std::process::id());
    for role in ["migrate", "admin", "worker"] {
        let user = name(role);
        base.sql(&format!("create role {user} login password 'p' in role attrsync_{role}")).unwrap();
    }
    base.sql(&format!("alter role {} set role attrsync_migrate", name("migrate"))).unwrap();
    let url = |role: &str| base.as_user(&name(role), "p");
    let applied = block_on(async {
        Database::connect(&Address::new(&url("migrate")).unwrap()).await.unwrap().migrate().await.unwrap().len()
    });
    assert_eq!(applied, 3);
    let add = "insert into attrsync.organizations (slug) values ('acme')";
    assert!(try_run(&url("worker"), add).unwrap_err().contains("permission denied"));
    try_run(&url("admin"), add).unwrap();
    for allowed in ["organizations", "keys", "attributes", "secrets", "versions", "migrations"] {
        try_run(&url("worker"), &format!("select * from attrsync.{allowed}")).unwrap();
    }
    for role in ["admin", "worker"] {
        let mut command = base.command(&["migrate", "status"]);
        let told = Told::of(&command.env("ATTRSYNC__SETTINGS__SOURCE", url(role)).output().unwrap());
        assert!(told.well().contains("applied at 2"), "{role}");
    }
    for refused in [
        "select * from attrsync.history",
        "select actor, reason from attrsync.revisions",
        "select attrsync.revision()",
        "select nextval('attrsync.secret_ids')",
        "update attrsync.secrets set master_key = 'x'",
        "delete from attrsync.keys",
        "create table attrsync.mine (x int)",
        "select * from attrsync.keys_at(1)",
        "select * from attrsync.keys_at(1, '{1}')",
    ] {
        let told = try_run(&url("worker"), refused).unwrap_err();
        assert!(told.contains("permission denied"), "{refused}: {told}");
    }
    for refused in
        ["drop table attrsync.keys", "delete from attrsync.organizations", "update attrsync.secrets set key = 'x'"]
    {
        let told = try_run(&url("admin"), refused).unwrap_err();
        assert!(told.contains("permission denied") || told.contains("must be owner"), "{refused}: {told}");
    }
    for role in ["migrate", "admin", "worker"] {
        base.sql(&format!("drop owned by {0}; drop role {0}", name(role))).unwrap();
    }
}

#[test]
fn an_administrator_who_is_no_superuser_makes_the_roles() {
    let base = Base::empty("roles_plain");
    // The roles belong to the whole server, and may be there: the test has some of its own.
    let (user, prefix) = (format!("plain_dba_{}", std::process::id()), format!("plain_{}_", std::process::id()));
    base.sql(&format!("create role {user} login password 'p' createrole")).unwrap();
    let own = format!("do $$ begin execute format('alter database %I owner to {user}', current_database()); end $$");
    base.sql(&own).unwrap();
    let roles = base.attrsync(&["migrate", "roles"]).well().replace("attrsync_", &prefix);
    for _ in 0..2 {
        try_run(&base.as_user(&user, "p"), &roles).unwrap();
    }
    let owner = "select nspowner::regrole::text from pg_namespace where nspname = 'attrsync'";
    assert_eq!(base.value::<String>(owner), format!("{prefix}migrate"));
    let more = format!("select has_database_privilege('{prefix}migrate', current_database(), 'create')");
    assert!(!base.value::<bool>(&more), "it may make this schema's tables, and no other schema");
    let member = format!("select pg_has_role('{user}', '{prefix}migrate', 'usage')");
    assert!(!base.value::<bool>(&member), "it was in the role for this moment alone");
    base.sql(&format!(
        "drop schema attrsync; reassign owned by {user} to current_user;
         drop role {prefix}migrate, {prefix}admin, {prefix}worker; drop owned by {user}; drop role {user}"
    ))
    .unwrap();
}
