//! Tables are made once, whoever else makes them, by a role that owns nothing else.

use attrsync::store::{Address, Database};

use crate::kit::{Base, block_on, try_run};

#[test]
fn several_processes_at_once_migrate_once() {
    let base = Base::empty("migrate_once");
    let processes: Vec<_> = (0..6).map(|_| base.command(&["migrate", "--json"]).spawn().unwrap()).collect();
    let applied: Vec<_> = processes
        .into_iter()
        .map(|process| crate::kit::Told::of(&process.wait_with_output().unwrap()).json())
        .map(|told| told.as_array().unwrap().len())
        .collect();
    assert_eq!(applied.iter().sum::<usize>(), 1, "{applied:?}");
    assert_eq!(base.value::<i64>("select count(*) from attrsync.migrations"), 1);
}

#[test]
fn a_dry_run_and_the_status_change_nothing_and_tell_what_is_missing() {
    let base = Base::empty("migrate_dry");
    let status = base.attrsync(&["migrate", "status"]);
    assert_eq!((status.code, status.out.contains("not applied")), (Some(1), true), "{status:?}");
    assert_eq!(base.attrsync(&["migrate", "--dry-run"]).well(), "to be applied: 0001 settings\n");
    assert!(base.value::<bool>("select to_regnamespace('attrsync') is null"));
    assert_eq!(base.attrsync(&["migrate"]).well(), "applied: 0001 settings\n");
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
    let roles = base.attrsync(&["migrate", "roles"]).well();
    base.sql(&roles).unwrap();
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
    assert_eq!(applied, 1);
    let add = "insert into attrsync.organizations (slug) values ('acme')";
    assert!(try_run(&url("worker"), add).unwrap_err().contains("permission denied"));
    try_run(&url("admin"), add).unwrap();
    for allowed in ["organizations", "keys", "attributes", "secrets", "versions"] {
        try_run(&url("worker"), &format!("select * from attrsync.{allowed}")).unwrap();
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
