//! What a judgement costs, counted in instructions: a guard that a noisy machine can't move, as it moves every time that is
//! measured. Valgrind runs this very program with a number of judgements and with twice as many; the difference is theirs alone.
//!
//! `CARGO_INCREMENTAL=0 ATTRSYNC_UPDATE=1 cargo test --test instructions` writes counts.tsv anew, after a change that is meant to cost
//! more, or that costs less. The counts are those of the dev profile built as a whole, as CI does: the release profile has others, about a
//! third of them.

mod events;

use std::{collections::BTreeMap, env, fmt::Write as _, fs, process::Command};

use attrsync::{domain::Arena, traffic::Kind};

use events::{KINDS, event, judged, snapshot};

const COUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/instructions/counts.tsv");

/// Says to the program that valgrind runs how many judgements of which kind are wanted.
const WANTED: &str = "ATTRSYNC_TEST_JUDGEMENTS";

/// Judgements of the shorter run.
const FEW: u64 = 200;

/// Hundredths by which a count may differ: the C library copies and compares with other instructions on other processors, and an
/// incremental build parts the crate otherwise, so that less of it is inlined (by 5 on the smallest event).
const TOLERANCE: u64 = 6;

#[test]
fn a_judgement_takes_the_instructions_that_it_took() {
    if let Ok(wanted) = env::var(WANTED) {
        let (kind, number) = wanted.split_once(' ').unwrap();
        return judgements(kind, number.parse().unwrap());
    }
    let counted: BTreeMap<_, _> = KINDS.map(|kind| (format!("{kind:?}"), count(kind))).into();
    if env::var_os("ATTRSYNC_UPDATE").is_some() {
        let lines = counted.iter().fold(String::new(), |mut lines, (kind, count)| {
            writeln!(lines, "{kind}\t{count}").unwrap();
            lines
        });
        fs::write(COUNTS, lines).unwrap();
        return;
    }
    let expected = fs::read_to_string(COUNTS).unwrap();
    let expected: BTreeMap<_, u64> = expected
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(kind, count)| (kind, count.parse().unwrap()))
        .collect();
    assert_eq!(counted.len(), expected.len(), "each kind has its count");
    let different: Vec<_> = counted
        .iter()
        .map(|(kind, count)| (kind, *count, expected[kind.as_str()]))
        .filter(|(_, count, expected)| count.abs_diff(*expected) * 100 > expected * TOLERANCE)
        .map(|(kind, count, expected)| format!("{kind}: {count}, where it took {expected}"))
        .collect();
    assert!(
        different.is_empty(),
        "{}\nIf that is meant: CARGO_INCREMENTAL=0 ATTRSYNC_UPDATE=1 cargo test --test instructions, and say why in the commit",
        different.join("\n")
    );
}

/// Instructions of one judgement.
fn count(kind: Kind) -> u64 {
    let [few, more] = [FEW, 2 * FEW].map(|number| instructions(kind, number));
    (more - few) / FEW
}

/// Instructions of a whole run.
fn instructions(kind: Kind, number: u64) -> u64 {
    let out = tempfile::NamedTempFile::new().unwrap();
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--trace-children=no"])
        .arg(format!("--callgrind-out-file={}", out.path().display()))
        .arg(env::current_exe().unwrap())
        .args(["--exact", "a_judgement_takes_the_instructions_that_it_took", "--test-threads=1"])
        .env(WANTED, format!("{kind:?} {number}"))
        .output()
        .expect("valgrind is there: scripts/test installs it");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let profile = fs::read_to_string(out.path()).unwrap();
    let total =
        profile.lines().find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")));
    total.unwrap().trim().parse().unwrap()
}

/// Judges events of one kind, the same ones every time.
fn judgements(kind: &str, number: u64) {
    let kind = KINDS.into_iter().find(|one| format!("{one:?}") == kind).unwrap();
    let (mut arena, event, snapshot) = (Arena::new(), event(kind), snapshot());
    (0..number).for_each(|_| judged(&mut arena, &event, &snapshot));
}
