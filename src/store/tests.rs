//! Loading and reloading, as a process sees it.

use std::{
    fs,
    path::Path,
    sync::{Arc, mpsc::channel},
    time::Duration,
};

use super::{EXAMPLE, Reload, Settings, SettingsError, Source, settings::Kept};
use crate::domain::Policy;

const KEY: &str = "[[organizations.jwt_keys]]\nid = \"k1\"\nalgorithm = \"HS256\"\nsecret = { file = \"k1\" }\n";
const DEADLINE: Duration = Duration::from_secs(20);

/// A folder with a settings file of one organization and its secret.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("k1"), "0123456789abcdef0123456789abcdef\n").unwrap();
    write(folder.path(), &format!("[[organizations]]\nslug = \"acme\"\n{KEY}"));
    folder
}

/// Puts the text in the place of what is there at once, so that no watch reads a half of it.
fn write(folder: &Path, text: &str) {
    let beside = folder.join("settings.new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, folder.join("settings.toml")).unwrap();
}

fn load(folder: &Path) -> Result<Settings, SettingsError> {
    Settings::load(Source::File(folder.join("settings.toml")), Policy::default())
}

fn version_of(text: &'static str, policy: Policy) -> u64 {
    Settings::load(Source::Embedded(text), policy).unwrap().current().version()
}

/// The second of two looks: the first only sees that something is about to change.
fn refreshed(settings: &Settings) -> Reload {
    assert!(matches!(settings.refresh(), Reload::Unchanged));
    settings.refresh()
}

#[test]
fn a_missing_file_or_a_folder_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let error = load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("settings.toml cannot be read: No such file"), "{error}");
    let error = Settings::load(Source::File(folder.path().into()), Policy::default()).unwrap_err().to_string();
    assert!(error.contains("cannot be read: Is a directory"), "{error}");
}

#[test]
fn a_file_without_end_is_given_up() {
    let error = Settings::load(Source::File("/dev/zero".into()), Policy::default()).unwrap_err().to_string();
    assert!(error.contains("/dev/zero cannot be read: it has more than"), "{error}");
}

#[test]
fn a_broken_file_lists_everything_that_is_wrong() {
    let folder = folder();
    write(folder.path(), "[[organizations]]\nslug = \"\"\nlokced = 1\n");
    let error = load(folder.path()).unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    assert!(lines[0].ends_with("settings.toml has 2 problems:"), "{error}");
    assert!(lines[1].starts_with("  line 3: organization : lokced: is not known"), "{error}");
    assert_eq!(lines[2], "  organization : slug: is empty");
}

#[test]
fn the_version_follows_what_the_settings_mean_and_fits_a_double() {
    let text = "[[organizations]]\nslug = \"a\"\n[[organizations]]\nslug = \"b\"\nattributes.x.type = \"text\"";
    let version = version_of(text, Policy::default());
    assert!(version > 0 && version < 1 << 53);
    let same = "# a comment\n[[organizations]]\nslug = \"b\"\nenforcement = \"enforced\"\n[organizations.attributes]\n\
                x = { type = \"text\", max_chars = 255, locked = false }\n[[organizations]]\nslug = \"a\"";
    assert_eq!(version_of(same, Policy::default()), version);
    let other = "[[organizations]]\nslug = \"a\"\n[[organizations]]\nslug = \"b\"\nattributes.x.type = \"date\"";
    assert_ne!(version_of(other, Policy::default()), version);
    assert_ne!(version_of(text, Policy { leeway_s: 61, ..Policy::default() }), version);
    let typed = [("events".into(), "boot".into())].into();
    assert_ne!(version_of(text, Policy { topic_types: typed, ..Policy::default() }), version);
}

#[test]
fn a_change_is_taken_once_it_has_come_to_rest() {
    let folder = folder();
    let settings = load(folder.path()).unwrap();
    let before = settings.current();
    assert!(matches!(settings.refresh(), Reload::Unchanged));
    write(folder.path(), "[[organizations]]\nslug = \"ac");
    assert!(matches!(settings.refresh(), Reload::Unchanged), "half a file is not looked at");
    write(
        folder.path(),
        "[[organizations]]\nslug = \"acme\"\nattributes.x.type = \"text\"\n[[organizations]]\nslug = \"new\"",
    );
    let Reload::Applied { changes, warnings, .. } = refreshed(&settings) else { panic!("not applied") };
    assert_eq!(changes, ["organization acme +attributes.x, -jwt_keys[k1]", "organization new added"]);
    assert_eq!(warnings.len(), 2);
    assert_ne!(settings.current().version(), before.version());
    assert!(before.by_slug("new").is_none() && settings.current().by_slug("new").is_some());
    assert!(matches!(settings.refresh(), Reload::Unchanged));
}

#[test]
fn a_change_that_means_nothing_changes_nothing() {
    let folder = folder();
    let settings = load(folder.path()).unwrap();
    write(folder.path(), &format!("# new\n[[organizations]]\nslug = \"acme\"\n{KEY}"));
    assert!(matches!(refreshed(&settings), Reload::Unchanged));
}

#[test]
fn a_broken_file_leaves_the_settings_as_they_are_and_is_told_once() {
    let folder = folder();
    let settings = load(folder.path()).unwrap();
    let before = settings.current().version();
    for broken in ["not toml", "[[organizations]]\nslug = \"\"", ""] {
        write(folder.path(), broken);
        assert!(matches!(refreshed(&settings), Reload::Refused(SettingsError::Broken { .. })), "{broken:?}");
        assert!(matches!(refreshed(&settings), Reload::Unchanged), "{broken:?}");
        assert!(settings.refusing(), "{broken:?} is still there");
    }
    fs::remove_file(folder.path().join("settings.toml")).unwrap();
    assert!(matches!(refreshed(&settings), Reload::Refused(SettingsError::Unreadable { .. })));
    assert_eq!(settings.current().version(), before);
    write(folder.path(), &format!("[[organizations]]\nslug = \"acme\"\n{KEY}"));
    assert!(matches!(refreshed(&settings), Reload::Unchanged), "what judges is in the file again");
    assert!(!settings.refusing());
}

#[test]
fn a_secret_file_is_watched_too() {
    let folder = folder();
    let settings = load(folder.path()).unwrap();
    fs::write(folder.path().join("k1"), "fedcba9876543210fedcba9876543210").unwrap();
    let Reload::Applied { changes, .. } = refreshed(&settings) else { panic!("not applied") };
    assert_eq!(changes, ["organization acme ~jwt_keys[k1].secret"]);
    fs::remove_file(folder.path().join("k1")).unwrap();
    assert!(matches!(refreshed(&settings), Reload::Refused(_)));
    fs::write(folder.path().join("k1"), "0123456789abcdef0123456789abcdef").unwrap();
    assert!(matches!(refreshed(&settings), Reload::Applied { .. }));
}

#[test]
fn a_file_of_public_keys_is_watched_too() {
    let folder = folder();
    let set = |kid: &str| {
        // The key of RFC 8037, appendix A.2.
        let jwk = format!(
            r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
        );
        fs::write(folder.path().join("set.json"), format!(r#"{{"keys":[{jwk}]}}"#)).unwrap();
    };
    set("one");
    write(folder.path(), "[[organizations]]\nslug = \"acme\"\njwks = { file = \"set.json\" }");
    let settings = load(folder.path()).unwrap();
    assert_eq!(settings.warnings(), []);
    set("two");
    let Reload::Applied { changes, .. } = refreshed(&settings) else { panic!("not applied") };
    assert_eq!(changes, ["organization acme ~jwks"]);
    assert_eq!(settings.current().by_slug("acme").unwrap().jwt_keys[0].id.as_str(), "two");
}

#[test]
fn a_swapped_symbolic_link_is_a_change() {
    let folder = folder();
    for (name, slug) in [("one", "acme"), ("two", "beta")] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("settings.toml"), format!("[[organizations]]\nslug = \"{slug}\""))
            .unwrap();
    }
    let link = |target| {
        std::os::unix::fs::symlink(target, folder.path().join("next")).unwrap();
        fs::rename(folder.path().join("next"), folder.path().join("data")).unwrap();
    };
    link("one");
    let settings = Settings::load(Source::File(folder.path().join("data/settings.toml")), Policy::default()).unwrap();
    link("two");
    let Reload::Applied { changes, .. } = refreshed(&settings) else { panic!("not applied") };
    assert_eq!(changes, ["organization acme removed", "organization beta added"]);
}

#[test]
fn a_watch_takes_up_changes_by_itself_and_ends_when_it_is_dropped() {
    let folder = folder();
    let settings = Arc::new(load(folder.path()).unwrap());
    let (tell, told) = channel();
    let watch = settings.watch(Duration::from_millis(5), move |reload| {
        let _ = tell.send(matches!(reload, Reload::Applied { .. }));
    });
    let watch = watch.unwrap();
    write(folder.path(), "broken");
    assert_eq!(told.recv_timeout(DEADLINE), Ok(false));
    write(folder.path(), "[[organizations]]\nslug = \"beta\"");
    assert_eq!(told.recv_timeout(DEADLINE), Ok(true));
    assert!(settings.current().by_slug("beta").is_some());
    drop(watch);
    assert!(told.recv_timeout(DEADLINE).is_err(), "the thread is gone, and what it told with");
}

#[test]
fn nothing_prints_a_secret() {
    let settings = Settings::load(Source::Embedded(EXAMPLE), Policy::default()).unwrap();
    let Kept::Document(reread) = &settings.kept else { panic!("a document") };
    let printed = format!("{settings:?}{reread:?}{:?}{:?}", settings.current(), super::file::parse(EXAMPLE).unwrap());
    assert!(printed.contains("2024-06") && !printed.contains("sample-acme") && !printed.contains("iv_sample"));
}
