//! Secrets in the database: sealed for whom they are, and nowhere else to be found.

use attrsync::{domain::hex, store::EXAMPLE};
use sqlx::{Connection, PgConnection};

use crate::kit::{Base, MASTER, OTHER_MASTER, Told, block_on, master_keys};

/// What must not be found: the sample secrets all begin or end so.
const PLANTED: [&str; 2] = ["sample-acme", "sample-globex"];

fn applied(test: &str) -> Base {
    let base = Base::new(test);
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    base
}

/// Organizations that can't be used, with what is said of them.
fn unusable(base: &Base, keys: attrsync::store::MasterKeys) -> Vec<String> {
    let snapshot = base.load(keys).unwrap().current();
    let mut slugs: Vec<_> = snapshot.unusable().slugs.iter().map(ToString::to_string).collect();
    slugs.sort();
    assert!(slugs.iter().all(|slug| snapshot.by_slug(slug).is_none()));
    slugs
}

/// Every row of every table as a dump has it, in hexadecimal where it is bytes. `pg_dump` itself refuses a server that is newer.
fn dump(base: &Base) -> String {
    let tables = "select string_agg(table_name, ' ') from information_schema.tables where table_schema = 'attrsync'";
    let rows = |table: &str| format!("select coalesce(string_agg(t::text, E'\\n'), '') from attrsync.{table} t");
    base.value::<String>(tables).split(' ').map(|table| base.value::<String>(&rows(table))).collect()
}

#[test]
fn a_dump_holds_no_secret_in_clear() {
    let base = applied("dump");
    base.attrsync_with(
        &["settings", "key", "add", "acme", "new", "--secret-file", "-", "--reason", "r"],
        "planted-in-the-dump\n",
    )
    .well();
    let dump = dump(&base);
    assert!(dump.contains("2025-06") && dump.contains("acme"), "the rows are in it");
    for planted in PLANTED.into_iter().chain(["planted-in-the-dump", MASTER]) {
        let hex = hex::encode(planted.as_bytes());
        assert!(!dump.contains(planted) && !dump.contains(&hex), "{planted}");
    }
}

#[test]
fn swapped_truncated_and_changed_ciphertexts_do_not_open() {
    for (what, sql) in [
        (
            "swapped between organizations",
            "update attrsync.secrets a set sealed = b.sealed from attrsync.secrets b
             where a.organization_id = 1 and a.key = '2025-06' and b.organization_id = 2",
        ),
        (
            "swapped between keys of one organization",
            "update attrsync.secrets a set sealed = b.sealed from attrsync.secrets b
             where a.organization_id = 1 and a.key = '2025-06' and b.organization_id = 1 and b.key = '2024-06'",
        ),
        (
            "truncated",
            "update attrsync.secrets set sealed = substr(sealed, 1, 30) where organization_id = 1 and key = '2025-06'",
        ),
        (
            "changed in one bit",
            "update attrsync.secrets set sealed = set_bit(sealed, 200, 1 - get_bit(sealed, 200))
             where organization_id = 1 and key = '2025-06'",
        ),
    ] {
        let base = applied("swapped");
        base.sql(sql).unwrap();
        assert_eq!(unusable(&base, master_keys(&[("m", MASTER)])), ["acme"], "{what}");
    }
}

#[test]
fn a_secret_that_was_replaced_does_not_come_back_by_its_number() {
    let base = applied("replaced");
    base.make_roles();
    base.attrsync(&["migrate"]).well();
    let of = |number: &str| {
        format!(
            "select {number}(id) from attrsync.secrets where organization_id = 1 and kind = 'jwt' and key = '2025-06'"
        )
    };
    let leaked = base.value::<i64>(&of("min"));
    base.apply(
        &EXAMPLE.replace("sample-acme-jwt-secret-of-june-2025", "the-one-that-took-its-place-in-july"),
        &master_keys(&[("m", MASTER)]),
    );
    let new = base.value::<i64>(&of("max"));
    assert!(new > leaked);
    let key = "organization_id = 1 and kind = 'jwt' and id = '2025-06'";
    let again = format!(
        "insert into attrsync.keys (organization_id, kind, id, algorithm, secret_id) values (1, 'jwt', '2025-06', 'HS256', {leaked})"
    );
    for back in [
        format!("update attrsync.keys set secret_id = {leaked} where {key}"),
        format!("delete from attrsync.keys where {key}; {again}"),
        format!("{again} on conflict (organization_id, kind, id) do update set secret_id = excluded.secret_id"),
    ] {
        for role in ["attrsync_admin", "attrsync"] {
            let told = base.sql(&format!("set role {role}; {back}")).unwrap_err();
            assert!(told.contains("a secret that was replaced is refused"), "{role}: {back}: {told}");
        }
    }
    let held = format!("select secret_id from attrsync.keys where {key}");
    assert_eq!(base.value::<i64>(&held), new, "the key that was deleted is back with the statement that failed");
    // A newer secret that no key has keeps nobody from changing the rest.
    base.sql(
        "insert into attrsync.secrets (id, organization_id, kind, key, sealed, master_key)
         select nextval('attrsync.secret_ids'), 1, 'jwt', '2025-06', decode(repeat('ab', 40), 'hex'), 'm'",
    )
    .unwrap();
    base.attrsync(&["settings", "key", "revoke", "acme", "2025-06", "--reason", "leaked", "--yes"]).well();
    assert_eq!(base.value::<i64>(&held), new);
}

#[test]
fn a_lost_or_wrong_master_key_is_one_clear_error_an_organization_and_the_rest_goes_on() {
    let base = applied("lost_key");
    base.attrsync(&["settings", "org", "add", "keyless", "--reason", "r"]).well();
    for (keys, said) in [
        (format!("{{\"m\" = \"{OTHER_MASTER}\"}}"), "does not open with the master key `m`"),
        (
            format!("{{\"x\" = \"{MASTER}\"}}"),
            "is sealed with the master key `m`, which is not among settings.master_keys",
        ),
    ] {
        std::fs::write(base.folder().join("event"), r#"{"organization": "keyless", "anonymousId": "a"}"#).unwrap();
        let mut command = base.command(&[
            "explain",
            "event",
            "--type",
            "boot",
            "--set",
            &format!("settings.master_keys={keys}"),
            "--json",
        ]);
        command.env_remove("ATTRSYNC__SETTINGS__MASTER_KEYS__M__ENV");
        let told = Told::of(&command.output().unwrap());
        assert_eq!(told.code, Some(0), "{told:?}");
        for slug in ["acme", "globex"] {
            assert!(
                told.err.contains(&format!("organization {slug}: jwt_keys[")) && told.err.contains(said),
                "{told:?}"
            );
        }
        for secret in PLANTED.into_iter().chain([MASTER, OTHER_MASTER]) {
            assert!(!told.err.contains(secret) && !told.out.contains(secret), "{told:?}");
        }
    }
}

#[test]
fn resealing_goes_on_where_it_stopped_while_either_key_opens() {
    let base = applied("reseal");
    let both = || master_keys(&[("m", MASTER), ("n", OTHER_MASTER)]);
    let left = || base.value::<i64>("select count(*) from attrsync.secrets where master_key = 'm'");
    let all = left();
    assert!(all >= 5, "{all}");
    // The third batch can't be written: what came before it stays.
    base.sql("alter table attrsync.secrets add constraint stop check (master_key = 'm' or id < 3)").unwrap();
    block_on(async { base.connect().await.reseal(&both(), 1, |_| ()).await.unwrap_err() });
    assert_eq!(left(), all - 2);
    assert_eq!(unusable(&base, both()), [""; 0], "workers that have both go on");
    base.sql("alter table attrsync.secrets drop constraint stop").unwrap();
    let resealed = block_on(async { base.connect().await.reseal(&both(), 2, |_| ()).await.unwrap() });
    assert_eq!((resealed.resealed, resealed.left, left()), (u64::try_from(all - 2).unwrap(), 0, 0));
    assert_eq!(unusable(&base, master_keys(&[("n", OTHER_MASTER)])), [""; 0]);
    assert_eq!(base.value::<i64>("select count(*) from attrsync.revisions"), 1, "it is no change of settings");
}

#[test]
fn resealing_says_what_is_left_until_nothing_is() {
    let base = applied("reseal_left");
    let keys = format!("settings.master_keys={{\"m\" = \"{MASTER}\", \"n\" = \"{OTHER_MASTER}\"}}");
    let reseal = || {
        let line = ["settings", "reseal", "--set", &keys, "--set", "settings.master_key=n"];
        let mut command = base.command(&line);
        Told::of(&command.env_remove("ATTRSYNC__SETTINGS__MASTER_KEYS__M__ENV").output().unwrap())
    };
    block_on(async {
        // Somebody holds a secret, as another process that reseals would.
        let mut holder = PgConnection::connect(&base.url).await.unwrap();
        sqlx::query("begin").execute(&mut holder).await.unwrap();
        let hold = "select id from attrsync.secrets order by id limit 1 for update";
        sqlx::query(hold).execute(&mut holder).await.unwrap();
        let told = reseal();
        assert!(told.code == Some(1) && told.out.ends_with("0 did not open, 1 left\n"), "{told:?}");
        assert!(told.err.contains("has to be kept until none is"), "{told:?}");
        sqlx::query("rollback").execute(&mut holder).await.unwrap();
    });
    // Whoever still has the old key alone makes more to do; that the other secrets don't open is no hindrance.
    let add = ["settings", "key", "add", "acme", "late", "--generate", "--algorithm", "HS512", "--reason", "r"];
    base.attrsync(&add).well();
    let told = reseal();
    assert!(told.code == Some(0) && told.out == "2 secrets sealed anew, 0 did not open, 0 left\n", "{told:?}");
}

#[test]
fn a_login_that_is_refused_is_told_without_the_user() {
    let base = Base::new("login");
    for line in [&["settings", "export"][..], &["migrate", "status"], &["config", "check", "--database"]] {
        let url = base.as_user("planted_user", "planted-password");
        let told = Told::of(&base.command(line).env("ATTRSYNC__SETTINGS__SOURCE", url).output().unwrap());
        assert!(told.code == Some(1) && told.err.contains("the login is refused"), "{told:?}");
        assert!(!told.err.contains("planted") && !told.out.contains("planted"), "{told:?}");
    }
}

#[test]
fn config_check_reads_a_database_where_that_is_asked_for() {
    let base = applied("check_database");
    let check = ["config", "check", "--database"];
    let told = base.attrsync(&check).well();
    assert!(told.contains(" can be used (organizations: 2)\n"), "{told}");
    base.sql(
        "update attrsync.secrets set sealed = set_bit(sealed, 200, 1 - get_bit(sealed, 200)) where organization_id = 1",
    )
    .unwrap();
    let told = base.attrsync(&check);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("can be used in part (organizations: 1, and 1 that can't be used)"), "{told:?}");
    assert!(told.err.contains("error: organization acme: jwt_keys["), "{told:?}");
    assert!(base.attrsync(&["config", "check"]).well().contains("which was not asked"));
    let told = base.attrsync(&[&check[..], &["--set", "settings.master_keys.m=short"]].concat());
    assert_eq!(told.code, Some(2), "the configuration is at fault: {told:?}");
    let nobody = "postgres://attrsync@127.0.0.1:1/attrsync";
    let told = Told::of(&base.command(&check).env("ATTRSYNC__SETTINGS__SOURCE", nobody).output().unwrap());
    assert!(told.code == Some(1) && told.err.contains("can't be reached"), "{told:?}");
}

#[test]
fn what_commands_and_errors_print_holds_no_secret() {
    let base = applied("prints");
    let secret = "planted-secret-of-a-new-key-0123456789";
    let mut all = Vec::new();
    for (line, input) in [
        (&["settings", "key", "add", "acme", "p", "--secret-file", "-", "--reason", "r"][..], secret),
        (&["settings", "key", "add", "acme", "p", "--secret-file", "-", "--reason", "r", "--json"], secret),
        (
            &["settings", "key", "add", "acme", "p", "--secret-file", "-", "--algorithm", "RS256", "--reason", "r"],
            secret,
        ),
        (
            &["settings", "key", "add", "acme", "q", "--public-key-file", "-", "--algorithm", "RS256", "--reason", "r"],
            secret,
        ),
        (&["settings", "key", "list", "acme", "--json"], ""),
        (&["settings", "key", "list", "acme"], ""),
        (&["settings", "export"], ""),
        (&["settings", "history", "acme", "--json"], ""),
        (&["settings", "history", "acme"], ""),
        (&["config", "show"], ""),
        (&["config", "show", "--json"], ""),
        (&["settings", "export", "--set", "settings.master_keys={\"m\" = \"planted-secret\"}"], ""),
    ] {
        all.push(base.attrsync_with(line, input));
    }
    base.file(&EXAMPLE.replace("sample-acme-jwt-secret-of-june-2025", secret));
    all.push(base.attrsync(&["settings", "plan", "settings.toml"]));
    all.push(base.attrsync(&["settings", "apply", "settings.toml", "--reason", "r", "--yes", "--json"]));
    for told in &all {
        for planted in PLANTED.into_iter().chain(["planted-secret", MASTER, "attrsync:attrsync@"]) {
            assert!(!told.out.contains(planted) && !told.err.contains(planted), "{planted}: {told:?}");
        }
    }
    assert!(all.iter().any(|told| told.out.contains("[another secret]")), "a changed secret is told as changed");
}
