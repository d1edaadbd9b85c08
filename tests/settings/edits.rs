//! Changes from the command line: planned, applied, edited one by one, by several at once.

use attrsync::{
    domain::{Policy, snapshot::Enforcement},
    store::{DatabaseError, EXAMPLE, FileSettings, Removal},
};
use sqlx::{Connection, PgConnection};

use crate::kit::{Base, MASTER, OTHER_MASTER, Told, author, block_on, edit, master_keys};

#[test]
fn a_plan_tells_what_would_change_by_its_exit_code_and_changes_nothing() {
    let base = Base::new("plan");
    base.file(EXAMPLE);
    let plan = base.attrsync(&["settings", "plan", "settings.toml"]);
    assert_eq!(plan.code, Some(2), "{plan:?}");
    assert!(
        plan.out.starts_with("+ organization acme\n") && plan.out.contains("    + attributes.plan: archived false, "),
        "{plan:?}"
    );
    assert!(plan.out.ends_with("2 to add, 0 to change, 0 to archive; based on revision 0\n"), "{plan:?}");
    assert_eq!(base.value::<i64>("select count(*) from attrsync.revisions"), 0);
    base.attrsync(&["settings", "apply", "settings.toml", "--reason", "first", "--yes"]).well();
    let again = base.attrsync(&["settings", "plan", "settings.toml"]);
    assert_eq!(again.well(), "0 to add, 0 to change, 0 to archive; based on revision 1\n");
    base.file(
        &EXAMPLE
            .replace("monthlySpend = { type = \"number\", locked = true }\n", "")
            .replace("max_chars = 100", "max_chars = 50"),
    );
    let plan = base.attrsync(&["settings", "plan", "settings.toml"]);
    assert!(plan.out.contains("    ~ attributes.title.max_chars: 100 → 50\n"), "{plan:?}");
    assert!(plan.out.contains("    - attributes.monthlySpend: archived false, locked true, type number\n"), "{plan:?}");
}

#[test]
fn organizations_that_the_file_does_not_name_stay_unless_they_are_pruned() {
    let base = Base::new("prune");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    base.file("[[organizations]]\nslug = \"globex\"\n");
    let apply = ["settings", "apply", "settings.toml", "--reason", "r", "--json"];
    let told = base.attrsync(&[&apply[..], &["--yes"]].concat()).json();
    assert_eq!(told["kept"], serde_json::json!(["acme"]));
    let told = base.attrsync(&[&apply[..], &["--yes", "--prune"]].concat()).json();
    assert_eq!((&told["changes"][0]["organization"], &told["changes"][0]["archived"]), (&"acme".into(), &true.into()));
    assert_eq!(base.attrsync(&["settings", "org", "list"]).well(), "globex\t\n");
}

/// The sample settings as they may stand in a file while a key is revoked in the database: as they were, without the key, and with
/// a later time.
fn stale() -> [String; 3] {
    let (key, secret) = ("[[organizations.jwt_keys]]\n", "secret = \"sample-acme-jwt-secret-of-june-2025\"\n");
    let (before, rest) = EXAMPLE.split_once(&format!("{key}id = \"2025-06\"")).unwrap();
    let (_, after) = rest.split_once(key).unwrap();
    let later = EXAMPLE.replace(secret, &format!("{secret}revoked_at = 9999-01-01T00:00:00Z\n"));
    [EXAMPLE.to_owned(), format!("{before}{key}{after}"), later]
}

#[test]
fn a_file_that_takes_a_revocation_back_is_refused_unless_that_is_asked_for() {
    let base = Base::new("unrevoke");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let revoke = ["settings", "key", "revoke", "acme", "--reason", "leaked", "--yes"];
    base.attrsync(&[&revoke[..], &["2025-06"]].concat()).well();
    base.attrsync(&[&revoke[..], &["iv-1", "--identity"]].concat()).well();
    let revoked = || base.value::<i64>("select count(*) from attrsync.keys where revoked_at < now()");
    assert_eq!(revoked(), 3, "one was from the start");
    let plan = ["settings", "plan", "settings.toml"];
    let apply = ["settings", "apply", "settings.toml", "--reason", "r", "--yes"];
    for text in stale() {
        base.file(&text);
        for line in [&plan[..], &apply, &[&apply[..], &["--unrevoke", "acme:iv-1"]].concat()] {
            let told = base.attrsync(line);
            let said = "organization acme: jwt_keys[2025-06].revoked_at: it was revoked at 2";
            assert!(told.code == Some(1) && told.err.contains(said), "{told:?}");
            assert!(told.err.contains("--unrevoke acme:2025-06"), "the way out: {told:?}");
            let both = !line.contains(&"--unrevoke");
            assert_eq!(told.err.contains("identity_secrets[iv-1]"), both, "{told:?}");
        }
        assert_eq!(revoked(), 3);
    }
    // What is exported knows of them, and of which revision it is.
    base.file(&base.attrsync(&["settings", "export"]).well());
    let told = base.attrsync(&plan).well();
    assert_eq!(told, "0 to add, 0 to change, 0 to archive; based on revision 3, the file was exported at 3\n");
    base.file(EXAMPLE);
    // Nor does an organization that was archived bring its keys back, by its slug or its app id.
    base.attrsync(&["settings", "org", "archive", "acme", "--reason", "gone", "--yes"]).well();
    for text in [EXAMPLE.to_owned(), EXAMPLE.replace("slug = \"acme\"", "slug = \"acme-inc\"")] {
        base.file(&text);
        let told = base.attrsync(&plan);
        assert!(told.code == Some(1) && told.err.contains("jwt_keys[2025-06].revoked_at: it was revoked"), "{told:?}");
    }
    base.file(EXAMPLE);
    base.attrsync(&[&apply[..], &["--unrevoke", "acme:iv-1", "--unrevoke", "acme:2025-06"]].concat()).well();
    assert_eq!(
        base.value::<i64>("select count(*) from attrsync.keys where revoked_at < now()"),
        4,
        "the archived keep theirs"
    );
    let told = base.attrsync(&[&apply[..], &["--unrevoke", "2025-06"]].concat());
    assert!(told.code == Some(2) && told.err.contains("expected ORGANIZATION:ID"), "{told:?}");
}

/// A secret under two ids, and as a secret of the other kind.
const LEAKED: &str = r#"
[[organizations]]
slug = "acme"
[[organizations.jwt_keys]]
id = "a"
algorithm = "HS256"
secret = "one secret under three ids, of 32 bytes"
[[organizations.jwt_keys]]
id = "b"
algorithm = "HS256"
secret = "one secret under three ids, of 32 bytes"
[[organizations.identity_secrets]]
id = "iv"
secret = "one secret under three ids, of 32 bytes"
"#;

#[test]
fn a_secret_that_leaked_is_revoked_under_every_id_that_it_has() {
    let base = Base::new("leaked");
    base.apply(LEAKED, &master_keys(&[("m", MASTER)]));
    let told = base.attrsync(&["settings", "key", "revoke", "acme", "a", "--reason", "leaked", "--yes"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    for other in ["jwt_keys[b]", "identity_secrets[iv]"] {
        assert!(told.err.contains(&format!("{other} holds the same")), "{told:?}");
        assert!(told.out.contains(&format!("{other}.revoked_at")), "{told:?}");
    }
    assert_eq!(base.value::<i64>("select count(*) from attrsync.keys where revoked_at is null"), 0);
    assert!(base.load(master_keys(&[("m", MASTER)])).unwrap().current().by_slug("acme").is_some(), "it can be used");
}

#[test]
fn secrets_that_only_history_needs_do_not_keep_a_rotation_from_its_end() {
    let base = Base::new("rotated");
    let (old, new) = (("m", MASTER), ("n", OTHER_MASTER));
    base.apply(LEAKED, &master_keys(&[old]));
    let resealed = || block_on(async { base.connect().await.reseal(&master_keys(&[new]), 10, |_| {}).await.unwrap() });
    let first = resealed();
    assert_eq!((first.problems.len(), first.left, first.left_in_history, first.is_done()), (3, 3, 0, false));
    let other = "a secret of the new master key, of 32 bytes";
    let file = format!(
        "[[organizations]]\nslug = \"acme\"\n[[organizations.jwt_keys]]\nid = \"c\"\nalgorithm = \"HS256\"\nsecret = \"{other}\"\n"
    );
    base.apply(&file, &master_keys(&[old, new]));
    let second = resealed();
    assert_eq!((second.problems.len(), second.left, second.left_in_history, second.is_done()), (3, 0, 3, true));
}

#[test]
fn what_was_wrong_before_keeps_nobody_from_a_revocation_and_from_nothing_else_that_is_right() {
    let base = Base::new("emergency");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    // As this deployment doesn't allow it, and as an upgrade may find it: a name that settings refuse by now.
    base.sql("update attrsync.organizations set enforcement = 'off' where slug = 'acme'").unwrap();
    base.sql("update attrsync.attributes set name = 'userHash' where organization_id = 1 and name = 'title'").unwrap();
    let told = base.attrsync(&["settings", "key", "revoke", "acme", "2025-06", "--reason", "leaked", "--yes"]);
    assert!(told.code == Some(0) && told.err.contains("attributes.userHash"), "{told:?}");
    assert!(
        base.value::<bool>("select revoked_at is not null from attrsync.keys where id = '2025-06' and kind = 'jwt'")
    );
    let worse = ["settings", "attribute", "add", "acme", "companyHash", "--type", "text", "--reason", "r"];
    let told = base.attrsync(&worse);
    assert!(told.code == Some(1) && told.err.contains("companyHash") && !told.err.contains("userHash"), "{told:?}");
}

#[test]
fn a_key_of_a_set_is_listed_revoked_and_remembered() {
    let base = Base::new("set_revoked");
    let key = |kid: &str, x: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}"#);
    let one = key("one", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let other = key("other", "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw");
    let file = |keys: &str| format!("[[organizations]]\nslug = \"acme\"\njwks = '{{\"keys\":[{keys}]}}'\n");
    base.apply(&file(&format!("{one},{other}")), &master_keys(&[("m", MASTER)]));
    let ids = |list: &str| {
        let keys = base.attrsync(&["settings", "key", "list", "acme", "--json"]).json();
        let ids = keys[list].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids("jwks"), ["one", "other"]);
    base.attrsync(&["settings", "key", "revoke", "acme", "one", "--reason", "leaked", "--yes"]).well();
    assert_eq!((ids("jwt_keys"), ids("jwks")), (vec!["one".to_owned()], vec!["other".to_owned()]));
    let settings = base.load(master_keys(&[("m", MASTER)])).unwrap();
    let snapshot = settings.current();
    let keys: Vec<_> = snapshot.by_slug("acme").unwrap().jwt_keys.iter().map(|key| key.validity.revoked).collect();
    assert_eq!(keys, [true, false]);
    // A file of before doesn't know of it.
    base.file(&file(&one));
    let told = base.attrsync(&["settings", "plan", "settings.toml"]);
    assert!(told.code == Some(1) && told.err.contains("jwt_keys[one].revoked_at"), "{told:?}");
}

#[test]
fn a_file_that_has_another_secret_for_what_was_revoked_is_refused_unless_that_is_asked_for() {
    let base = Base::new("forgotten");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    base.attrsync(&["settings", "key", "revoke", "acme", "2025-06", "--reason", "leaked", "--yes"]).well();
    let leaked = "sample-acme-jwt-secret-of-june-2025";
    let known = base.attrsync(&["settings", "export", "--secrets"]).well();
    assert!(known.contains(leaked));
    base.file(&known.replace(leaked, "a-placeholder-in-the-place-of-june-2025"));
    let apply = ["settings", "apply", "settings.toml", "--reason", "r", "--yes"];
    for line in [&["settings", "plan", "settings.toml"][..], &apply] {
        let told = base.attrsync(line);
        let said = "organization acme: jwt_keys[2025-06].secret: the key was revoked at 2";
        assert!(told.code == Some(1) && told.err.contains(said), "{told:?}");
        assert!(told.err.contains("--unrevoke acme:2025-06"), "the way out: {told:?}");
        assert!(!told.err.contains("placeholder") && !told.err.contains(leaked), "{told:?}");
    }
    // So whoever got hold of it finds it closed under any other id, too.
    let back = ["settings", "key", "add", "acme", "k2", "--secret-file", "-", "--reason", "r"];
    let told = base.attrsync_with(&back, leaked);
    assert!(told.code == Some(1) && told.err.contains("which is revoked: never again"), "{told:?}");
    base.attrsync(&[&apply[..], &["--unrevoke", "acme:2025-06"]].concat()).well();
}

#[test]
fn an_organization_that_was_renamed_since_the_plan_is_not_made_a_second_time() {
    let base = Base::new("renamed");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    // Without its app id, which would be taken, nothing but the plan's revision tells that it isn't new.
    let file = EXAMPLE.replace("app_id = \"65f1c0de65f1c0de65f1c0de\"\n", "");
    assert_ne!(file, EXAMPLE);
    base.file(&file);
    base.attrsync(&["settings", "org", "rename", "acme", "acme-inc", "--reason", "meanwhile", "--yes"]).well();
    let apply = ["settings", "apply", "settings.toml", "--reason", "r", "--yes", "--since"];
    let lock = ["settings", "attribute", "lock", "acme", "title", "--reason", "r", "--yes", "--since"];
    for line in [&apply[..], &lock] {
        let told = base.attrsync(&[line, &["1"]].concat());
        assert!(told.code == Some(1) && told.err.contains("changed since revision 1: acme;"), "{told:?}");
    }
    let count = || base.value::<i64>("select count(*) from attrsync.organizations");
    assert_eq!(count(), 2);
    base.attrsync(&[&apply[..], &["2"]].concat()).well();
    assert_eq!(count(), 3, "whoever has seen that it is gone may make another");
}

#[test]
fn a_change_sees_what_is_there_when_its_turn_comes_and_is_taken_back_where_its_client_falls_silent() {
    let base = Base::new("turn");
    // What its transaction is like when it has its turn; and a default of the login that would show it what was there before.
    base.sql(
        "create table public.seen (isolation text, silence text);
         create function public.see() returns trigger language plpgsql as $$ begin
             insert into public.seen
                 values (current_setting('transaction_isolation'), current_setting('idle_in_transaction_session_timeout'));
             return null;
         end $$;
         create trigger see after insert on attrsync.revisions for each row execute function public.see();
         do $$ begin
             execute format('alter database %I set default_transaction_isolation to %L', current_database(), 'repeatable read');
         end $$;",
    )
    .unwrap();
    base.attrsync(&["settings", "org", "add", "acme", "--reason", "r"]).well();
    let seen = "select isolation || ', ' || silence from public.seen";
    assert_eq!(base.value::<String>(seen), "read committed, 2min");
}

#[test]
fn a_change_does_not_wait_for_ever_for_another_and_says_how_to_find_it() {
    let base = Base::new("held_up");
    base.attrsync(&["settings", "org", "add", "acme", "--reason", "r"]).well();
    block_on(async {
        let mut holder = PgConnection::connect(&base.url).await.unwrap();
        sqlx::query("begin").execute(&mut holder).await.unwrap();
        sqlx::query("select attrsync.revision()").execute(&mut holder).await.unwrap();
        let (mut database, author) = (base.connect().await, author("r"));
        let (policy, keys) = (Policy::default(), master_keys(&[]));
        let change = edit(&author, &policy, &keys);
        let refused = database.archive_organization(&change, "acme").await.unwrap_err();
        assert!(matches!(refused, DatabaseError::Busy), "{refused}");
        assert!(refused.to_string().contains("pg_locks"), "{refused}");
        sqlx::query("rollback").execute(&mut holder).await.unwrap();
        // The connection that waited in vain is as good as new.
        database.archive_organization(&change, "acme").await.unwrap();
    });
    assert_eq!(base.attrsync(&["settings", "org", "list"]).well(), "");
}

#[test]
fn what_changed_since_the_plan_stops_the_change_whole() {
    let base = Base::new("conflict");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    base.file(
        &EXAMPLE
            .replace("max_chars = 100", "max_chars = 50")
            .replace("slug = \"globex\"", "slug = \"globex\"\napp_id = \"g\""),
    );
    let plan = base.attrsync(&["settings", "plan", "settings.toml", "--json"]);
    let revision = serde_json::from_str::<serde_json::Value>(&plan.out).unwrap()["revision"].to_string();
    base.attrsync(&["settings", "attribute", "lock", "acme", "title", "--reason", "meanwhile", "-y"]).well();
    let apply = ["settings", "apply", "settings.toml", "--reason", "r", "--yes", "--since", &revision];
    let told = base.attrsync(&apply);
    assert!(told.code == Some(1) && told.err.contains("changed since revision 1: acme"), "{told:?}");
    assert!(base.value::<bool>("select app_id is null from attrsync.organizations where slug = 'globex'"));
    assert!(base.value::<bool>("select locked from attrsync.attributes where organization_id = 1 and name = 'title'"));
}

#[test]
fn of_many_administrators_at_once_no_update_is_lost() {
    let base = Base::new("concurrent");
    base.attrsync(&["settings", "org", "add", "acme", "--reason", "r"]).well();
    let name = |number: usize| format!("a{}", number / 2);
    let started: Vec<_> = (0..12)
        .map(|number| {
            let line = ["settings", "attribute", "add", "acme", &name(number), "--type", "text", "--reason", "r"];
            base.command(&line).spawn().unwrap()
        })
        .collect();
    let told: Vec<_> = started.into_iter().map(|child| Told::of(&child.wait_with_output().unwrap())).collect();
    let (well, refused): (Vec<_>, Vec<_>) = told.iter().partition(|told| told.code == Some(0));
    assert_eq!((well.len(), refused.len()), (6, 6), "{told:?}");
    assert!(refused.iter().all(|told| told.err.contains("already")), "{refused:?}");
    assert_eq!(base.value::<i64>("select count(*) from attrsync.attributes"), 6);
}

#[test]
fn two_edits_of_one_revision_one_wins_and_the_other_is_told() {
    let base = Base::new("one_wins");
    base.attrsync(&["settings", "org", "add", "acme", "--reason", "r"]).well();
    let edits: [&[&str]; 2] = [&["enforcement", "acme", "observe"], &["attribute", "lock", "acme", "name"]];
    let started = edits.map(|edit| {
        let line = [&["settings"][..], edit, &["--reason", "r", "--yes", "--since", "1"]].concat();
        base.command(&line).spawn().unwrap()
    });
    let mut told = started.map(|child| Told::of(&child.wait_with_output().unwrap()));
    told.sort_unstable_by_key(|told| told.code);
    let [won, lost] = &told;
    assert!(won.code == Some(0) && lost.code == Some(1), "{told:?}");
    assert!(lost.err.contains("changed since revision 1: acme"), "{told:?}");
    assert_eq!(base.value::<i64>("select max(number) from attrsync.revisions"), 2, "nothing of the other was written");
}

#[test]
fn an_apply_under_a_concurrent_edit_is_one_or_the_other_and_never_a_mixture() {
    let base = Base::new("mixture");
    let keys = master_keys(&[("m", MASTER)]);
    base.apply(EXAMPLE, &keys);
    let file =
        FileSettings::read(&base.file(&EXAMPLE.replace("enforcement = \"enforced\"", "enforcement = \"observe\"")))
            .unwrap();
    let (policy, author) = (Policy::default(), author("r"));
    let (applied, edited) = block_on(async {
        let (mut one, mut other) = (base.connect().await, base.connect().await);
        let based = attrsync::store::Edit { since: Some(1), ..edit(&author, &policy, &keys) };
        tokio::join!(
            one.apply(&based, &file, Removal::Keep),
            other.edit_organization(&based, "acme", |acme| {
                acme.attributes.get_mut("title").unwrap().locked = Some(true);
                Ok(())
            }),
        )
    });
    let conflict = |error: &DatabaseError| matches!(error, DatabaseError::Conflict { since: 1, .. });
    let observed = base.load(keys).unwrap().current().by_slug("acme").unwrap().enforcement == Enforcement::Observe;
    let locked =
        base.value::<bool>("select locked from attrsync.attributes where organization_id = 1 and name = 'title'");
    match (applied, edited) {
        (Ok(_), Err(error)) => assert!(conflict(&error) && observed && !locked),
        (Err(error), Ok(_)) => assert!(conflict(&error) && !observed && locked),
        other => panic!("one wins and the other is told: {other:?}"),
    }
}

#[test]
fn what_is_destructive_is_not_done_without_consent() {
    let base = Base::new("consent");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    for line in [
        &["settings", "org", "archive", "acme", "--reason", "r"][..],
        &["settings", "org", "rename", "acme", "new", "--reason", "r"],
        &["settings", "key", "revoke", "acme", "2025-06", "--reason", "r"],
        &["settings", "key", "retire", "acme", "2025-06", "--reason", "r"],
        &["settings", "attribute", "unlock", "acme", "plan", "--reason", "r"],
        &["settings", "attribute", "archive", "acme", "plan", "--reason", "r"],
        &["settings", "attribute", "lock", "acme", "title", "--reason", "r"],
        &["settings", "enforcement", "acme", "observe", "--reason", "r"],
        &["settings", "enforcement", "globex", "enforced", "--reason", "r"],
    ] {
        let told = base.attrsync(line);
        assert!(told.code == Some(2) && told.err.contains("say --yes"), "{told:?}");
        assert_eq!(base.value::<i64>("select max(number) from attrsync.revisions"), 1, "{line:?}");
        let told = base.attrsync(&[line, &["--help"]].concat());
        assert_eq!(told.code, Some(0));
    }
    for line in [
        &["settings", "key", "revoke", "acme", "2025-06", "--reason", "leaked", "--yes"][..],
        &["settings", "attribute", "archive", "acme", "plan", "--reason", "r", "-y"],
        &["settings", "org", "rename", "acme", "new", "--reason", "r", "--yes"],
    ] {
        assert!(base.attrsync(line).well().starts_with("~ organization"));
    }
    let history = base.attrsync(&["settings", "history", "acme", "--json"]).json();
    assert_eq!(history.as_array().unwrap().len(), 4, "found by the slug that it had: {history}");
    assert_eq!(history[2]["reason"], "leaked");
    assert!(!history[2]["entries"][0]["after"]["revoked_at"].is_null());
}

#[test]
fn a_generated_secret_is_shown_once_and_verifies() {
    let base = Base::new("generated");
    base.attrsync(&["settings", "org", "add", "acme", "--reason", "r"]).well();
    let add = ["settings", "key", "add", "acme", "k", "--generate", "--algorithm", "HS512", "--reason", "r"];
    let told = base.attrsync(&add);
    let secret = told.out.lines().last().unwrap().to_owned();
    assert!(told.code == Some(0) && secret.len() == 86, "{told:?}");
    let exported = base.attrsync(&["settings", "export", "acme", "--secrets"]).well();
    assert!(exported.contains(&secret));
    assert!(!base.attrsync(&["settings", "export", "acme"]).well().contains(&secret));
    let argument = base.attrsync(&["settings", "key", "add", "acme", "k2", "--secret", "s3cret", "--reason", "r"]);
    assert_eq!(argument.code, Some(2), "a secret is no argument");
}

#[test]
fn what_is_wrong_is_refused_with_the_way_out_and_leaves_no_trace() {
    let base = Base::new("refused");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    for (line, said) in [
        (&["settings", "org", "add", "acme", "--reason", "r"][..], "another organization has the slug `acme`"),
        (
            &["settings", "org", "add", "new", "--app-id", "65f1c0de65f1c0de65f1c0de", "--reason", "r"],
            "another organization has the app_id",
        ),
        (&["settings", "org", "rename", "nobody", "new", "--reason", "r", "-y"], "there is no organization `nobody`"),
        (&["settings", "attribute", "add", "acme", "userHash", "--type", "text", "--reason", "r"], "is a credential"),
        (
            &["settings", "attribute", "lock", "acme", "unheard", "--reason", "r", "-y"],
            "attributes.unheard.type: is missing",
        ),
        (
            &["settings", "attribute", "add", "acme", "plan", "--type", "text", "--reason", "r"],
            "has an attribute `plan` already",
        ),
        (&["settings", "key", "revoke", "acme", "nokey", "--reason", "r", "-y"], "acme has no key `nokey`"),
        (&["settings", "enforcement", "acme", "off", "--reason", "r", "-y"], "security.allow_off"),
    ] {
        let told = base.attrsync(line);
        assert!(told.code == Some(1) && told.err.contains(said), "{said}: {told:?}");
    }
    let told = base.attrsync(&["sign", "--organization", "acme", "--hash", "1"]);
    assert!(told.code == Some(2) && told.err.contains("only keys of a settings file sign"), "{told:?}");
    assert_eq!(base.value::<i64>("select count(*) from attrsync.revisions"), 1);
}

#[test]
fn locking_and_enforcing_say_what_to_look_at_first_and_ask() {
    let base = Base::new("advice");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    for (line, named) in [
        (&["settings", "attribute", "lock", "globex", "plan", "--reason", "r"][..], "replay"),
        (
            &["settings", "enforcement", "globex", "enforced", "--reason", "r"],
            "attrsync advise --since 7d --organization globex",
        ),
    ] {
        let told = base.attrsync(line);
        let (advice, question) = told.err.split_once("\nerror: ").unwrap_or_else(|| panic!("{told:?}"));
        assert!(advice.starts_with("before you do this:") && advice.contains(named), "{told:?}");
        assert!(told.code == Some(2) && question.contains("say --yes"), "{told:?}");
        let told = base.attrsync(&[line, &["--yes"]].concat());
        assert!(told.code == Some(0) && !told.err.contains("before you do this:"), "{told:?}");
    }
}

#[test]
fn settings_as_they_were_are_compared_with_those_that_are() {
    let base = Base::new("compare");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let before = jiff::Timestamp::now().to_string();
    base.attrsync(&["settings", "attribute", "lock", "globex", "plan", "--reason", "r", "-y"]).well();
    let event = "{\"organization\":\"globex\",\"userId\":\"1\",\"plan\":\"Free\"}\n";
    let line = ["replay", "--from-file", "-", "--type", "identify", "--json", "--compare"];
    let at = format!("at:{before}");
    for (sides, from, to, events) in [
        ([at.as_str(), "now"], "accepted", "partial", 1),
        (["now", at.as_str()], "partial", "accepted", 1),
        (["now", "now"], "", "", 0),
    ] {
        let told = base.attrsync_with(&[&line[..], &sides].concat(), event).json();
        assert_eq!(told["changed"]["events"], events, "{sides:?}: {told}");
        if events > 0 {
            let kind = &told["kinds"][0];
            assert_eq!((&kind["from"]["verdict"], &kind["to"]["verdict"]), (&from.into(), &to.into()), "{sides:?}");
        }
    }
}
