//! What a package carries beside the binary: completions, man pages, and the commit that `build.rs` finds.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Desk;

#[test]
fn every_shell_is_given_completions_of_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran: crate::Ran = desk.bare(&["completions", shell]).output().unwrap().into();
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{shell}");
        for part in ["healthcheck", "reseal", "no-dashboard"] {
            assert!(ran.out.contains(part), "{shell}: {part}");
        }
    }
    let unknown: crate::Ran = desk.bare(&["completions", "tcsh"]).output().unwrap().into();
    assert!(unknown.code == Some(2) && unknown.err.contains("bash"), "{}", unknown.err);
}

#[test]
fn bash_completes_a_command_and_its_flags() {
    let desk = Desk::new();
    let script: crate::Ran = desk.bare(&["completions", "bash"]).output().unwrap().into();
    desk.write("attrsync.bash", script.out);
    let complete = |words: &str, at: usize| {
        let line = format!(
            "set -e; source attrsync.bash; COMP_WORDS=(attrsync {words}); COMP_CWORD={at}; \
             _attrsync attrsync \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[*]}}\"",
            at - 1
        );
        let output = Command::new("bash").args(["-c", &line]).current_dir(desk.path(".")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("heal", 1), "healthcheck");
    assert_eq!(complete("settings res", 2), "reseal");
    assert_eq!(complete("run --brok", 2), "--brokers");
}

#[test]
fn every_command_has_a_man_page_that_tells_its_flags_and_examples() {
    let desk = Desk::new();
    let ran: crate::Ran = desk.bare(&["man", "share/man1"]).output().unwrap().into();
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    for (page, parts) in [
        ("attrsync.1", ["attrsync\\-run(1)", "EXIT STATUS"]),
        ("attrsync-run.1", ["brokers", "attrsync topics create"]),
        ("attrsync-settings-apply.1", ["reason", ".TH"]),
    ] {
        let text = desk.read(&format!("share/man1/{page}"));
        for part in parts {
            assert!(text.contains(part), "{page}: {part}\n{text}");
        }
    }
    let refused: crate::Ran = desk.bare(&["man", "share/man1/attrsync.1"]).output().unwrap().into();
    assert!(refused.code == Some(1) && refused.err.contains("share/man1/attrsync.1 cannot be made"), "{}", refused.err);
}

/// `build.rs`, compiled by itself: what it tells in a folder, with this in `ATTRSYNC_COMMIT`.
struct Script(PathBuf);

impl Script {
    fn compile(desk: &Desk) -> Self {
        let binary = desk.path("build-script");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let status = Command::new(rustc).arg("--edition=2024").arg(source).arg("-o").arg(&binary).status().unwrap();
        assert!(status.success());
        Self(binary)
    }

    fn told(&self, folder: &Path, commit: &str) -> Vec<String> {
        let mut command = Command::new(&self.0);
        let output = command.current_dir(folder).env("ATTRSYNC_COMMIT", commit).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_commit_is_the_one_given_else_gits_else_unknown() {
    let desk = Desk::new();
    let script = Script::compile(&desk);
    let commit = |told: &[String]| told.last().unwrap().rsplit('=').next().unwrap().to_owned();

    let outside = desk.path("outside");
    fs::create_dir(&outside).unwrap();
    assert_eq!(commit(&script.told(&outside, "")), "unknown");
    assert_eq!(commit(&script.told(&outside, "1bc8e11")), "1bc8e11");

    let inside = desk.path("inside");
    fs::create_dir(&inside).unwrap();
    git(&inside, &["init", "--quiet"]);
    assert_eq!(commit(&script.told(&inside, "")), "unknown", "no commit yet");
    git(&inside, &["commit", "--quiet", "--allow-empty", "--message", "begin"]);
    let told = script.told(&inside, "");
    assert_eq!(commit(&told), git(&inside, &["rev-parse", "--short=12", "HEAD"]));
    assert!(told.contains(&"cargo::rerun-if-changed=.git/logs/HEAD".to_owned()), "{told:?}");

    let below = inside.join("vendored");
    fs::create_dir(&below).unwrap();
    assert_eq!(commit(&script.told(&below, "")), "unknown", "the commit of somebody else's repository");
}

/// The relative links of a page, without what comes after `#`.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ', '\n']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':')).map(str::to_owned).collect()
}

#[test]
fn no_link_of_a_packaged_page_leads_nowhere() {
    let desk = Desk::new();
    let script = "set -euo pipefail; . scripts/lib/pages.sh; pages \"$0\"";
    let mut command = Command::new("bash");
    let output = command.args(["-c", script]).arg(desk.path(".")).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = output.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut pages = vec!["README.md".to_owned(), "ARCHITECTURE.md".to_owned()];
    for folder in ["docs", "docs/adr"] {
        let names = fs::read_dir(desk.path(folder)).unwrap();
        let names = names.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap()));
        pages.extend(names.filter(|name| name.ends_with(".md")));
    }
    let mut seen = 0;
    for page in &pages {
        for link in links(&desk.read(page)) {
            let target = desk.path(page).parent().unwrap().join(&link);
            assert!(target.exists(), "{page} links to {link}");
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen} links");
}
