//! Settings that are in a file, or nowhere: what commands that need others say of it.

use crate::{Desk, Ran};

fn ran(desk: &Desk, line: &str) -> Ran {
    desk.bare(&line.split(' ').collect::<Vec<_>>()).output().unwrap().into()
}

#[test]
fn whoever_has_settings_in_a_file_is_told_so_before_anything_is_asked() {
    let desk = Desk::new();
    for line in [
        "settings attribute lock acme plan",
        "settings attribute unlock acme plan",
        "settings attribute archive acme plan",
        "settings key retire acme 2025-06",
        "settings key revoke acme 2025-06",
        "settings org rename acme acme-inc",
        "settings org archive acme",
        "settings enforcement acme enforced",
        "settings enforcement acme off",
    ] {
        let ran = ran(&desk, &format!("{line} --reason r"));
        assert!(ran.code == Some(2) && ran.out.is_empty(), "{line}: {:?} {}", ran.code, ran.out);
        assert!(
            ran.err.starts_with("error: the settings are in the file settings.toml; name a database"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("or edit that file: a worker takes a change up by itself"), "{}", ran.err);
        for asked in ["before you do this", "say --yes"] {
            assert!(!ran.err.contains(asked), "{line}: {}", ran.err);
        }
    }
}

#[test]
fn where_a_database_is_named_the_question_comes_first() {
    let desk = Desk::new();
    let database = "--set settings.source=postgres://127.0.0.1:9/x";
    let ran = ran(&desk, &format!("settings attribute lock acme plan --reason r {database}"));
    assert!(ran.code == Some(2) && ran.err.contains("say --yes"), "{:?} {}", ran.code, ran.err);
    assert!(ran.err.contains("before you do this"), "{}", ran.err);
}

#[test]
fn a_worker_without_settings_is_told_how_to_name_them() {
    let desk = Desk::new();
    let way_out = "no settings; name a file with --settings (settings.example.toml is one)";
    let told = ran(&desk, "run");
    assert!(told.code == Some(2) && told.err.contains(way_out), "{:?} {}", told.code, told.err);
    assert!(told.err.contains("the settings file settings.toml cannot be read"), "{}", told.err);
    let told = ran(&desk, "run --settings other.toml");
    assert!(told.code == Some(2) && !told.err.contains(way_out), "{:?} {}", told.code, told.err);
    let told = ran(&desk, "config check");
    assert!(told.code == Some(2) && told.err.contains(way_out), "{:?} {}", told.code, told.err);
}
