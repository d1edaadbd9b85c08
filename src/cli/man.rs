//! `attrsync man`: a man page for each command, made of the tree that parses them.
//!
//! ```text
//! attrsync man /usr/local/share/man/man1
//! attrsync man . && man -l attrsync-run.1
//! ```
//!
//! What stands below a help is prose, examples, and what the command ends with: each has the section that a man page has for it.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Arg, Args, Command, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use super::{Cli, output::print};

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync man /usr/local/share/man/man1    then: man attrsync, man attrsync-run
  attrsync man . && man -l attrsync-run.1   without installing anything";

/// Write the man pages, one for each command
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ManArgs {
    /// The folder that they go to; it is made where it is missing
    #[arg(value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl ManArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let folder = self.folder.display();
        fs::create_dir_all(&self.folder).with_context(|| format!("{folder} cannot be made"))?;
        let mut tree = Cli::command().disable_help_subcommand(true);
        tree.build();
        write(&tree, &self.folder).with_context(|| format!("the man pages cannot be written to {folder}"))?;
        print(&format!("{folder}/attrsync.1, and one for each command beside it\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the page of a command, and those of the commands below it.
fn write(command: &Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write(below, folder)?;
    }
    let (man, mut page) = (man(command), Vec::new());
    render(command, &man, &mut page)?;
    fs::write(folder.join(man.get_filename()), page)
}

fn man(command: &Command) -> Man {
    Man::new(command.clone().mut_args(with_aliases)).source(concat!("attrsync ", env!("CARGO_PKG_VERSION")))
}

/// The option with its other names told as its help tells them, which a man page leaves out.
fn with_aliases(option: Arg) -> Arg {
    let aliases = option.get_visible_aliases().unwrap_or_default();
    let Some(help) = option.get_help().filter(|_| !aliases.is_empty()) else { return option };
    let word = if aliases.len() == 1 { "alias" } else { "aliases" };
    let aliases = aliases.iter().map(|alias| format!("--{alias}")).collect::<Vec<_>>().join(", ");
    let help = format!("{help} [{word}: {aliases}]");
    option.help(help)
}

fn render(command: &Command, man: &Man, page: &mut dyn Write) -> io::Result<()> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (prose, sections) = parts(&help);
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    if !prose.is_empty() {
        // A paragraph of its own, and not the end of the line before it.
        paragraphs(&[&[""], &prose[..]].concat()).to_writer(page)?;
    }
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    for (heading, lines) in &sections {
        section(heading, lines).to_writer(page)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(page)?;
    }
    Ok(())
}

/// The headings that stand below a help, each with that of its section.
const HEADINGS: [(&str, &str); 4] =
    [("Examples:", EXAMPLES), ("Example:", EXAMPLES), ("Exit codes:", EXIT_STATUS), ("Environment:", "ENVIRONMENT")];
const EXAMPLES: &str = "EXAMPLES";
const EXIT_STATUS: &str = "EXIT STATUS";

/// Lines of a help, and those under a heading.
type Lines<'h> = Vec<&'h str>;
type Section<'h> = (&'static str, Lines<'h>);

/// What stands below a help: the lines before any heading, and those of each.
fn parts(help: &str) -> (Lines<'_>, Vec<Section<'_>>) {
    let (mut prose, mut sections) = (Lines::new(), Vec::<Section<'_>>::new());
    for line in help.lines() {
        let begun = HEADINGS.iter().find_map(|(begin, heading)| Some((*heading, line.strip_prefix(begin)?)));
        match (begun, sections.last_mut()) {
            (Some((heading, rest)), _) => sections.push((heading, vec![rest])),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => prose.push(line),
        }
    }
    (prose, sections)
}

fn section(heading: &str, lines: &[&str]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    roff.extend([match heading {
        EXAMPLES => as_they_are(lines),
        EXIT_STATUS => codes(lines),
        _ => paragraphs(lines),
    }]);
    roff
}

/// Lines that are to be copied: neither filled nor hyphenated.
fn as_they_are(lines: &[&str]) -> Roff {
    let mut roff = Roff::new();
    roff.control("nf", []);
    for line in lines.iter().filter(|line| !line.is_empty()) {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    roff
}

/// `0 all went well; 1 a fault`: each code with what it means beside it.
fn codes(lines: &[&str]) -> Roff {
    let (mut roff, told) = (Roff::new(), lines.join(" "));
    for (code, meaning) in told.trim().trim_end_matches('.').split("; ").filter_map(|told| told.split_once(' ')) {
        roff.control("TP", []);
        roff.text([roman(code)]);
        roff.text([roman(meaning)]);
    }
    roff
}

fn paragraphs(lines: &[&str]) -> Roff {
    let mut roff = Roff::new();
    for line in lines {
        match line.trim() {
            "" => roff.control("PP", []),
            text => roff.text([roman(text)]),
        };
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page of a command, by the words that call it.
    fn page(words: &[&str]) -> String {
        let mut tree = Cli::command();
        tree.build();
        let command = words.iter().fold(&tree, |command, word| command.find_subcommand(word).unwrap());
        let mut page = Vec::new();
        render(command, &man(command), &mut page).unwrap();
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn an_option_is_told_by_its_other_names_too() {
        for command in ["replay", "advise"] {
            assert!(page(&[command]).contains(r"[alias: \-\-since]"), "{command}");
        }
    }

    #[test]
    fn examples_stand_as_they_are_and_each_exit_code_beside_what_it_means() {
        let page = page(&["traffic"]);
        let examples = ".SH EXAMPLES\n.nf\nattrsync traffic \\-\\-brokers kafka:9092          ten events a second until ctrl\\-C\n";
        let codes = ".TP\n1\nan event did not arrive\n.TP\n2\nusage or configuration\n";
        for part in [examples, "\n.fi\n", ".SH \"EXIT STATUS\"\n.TP\n0\n", codes] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        let prose = "made\\-up events, signed and forged, to the input topic of a cluster\n";
        let described = page.split_once(".SH DESCRIPTION\n").unwrap().1.split_once(".SH OPTIONS").unwrap().0;
        assert!(described.contains(prose) && described.contains("\n.PP\nIt goes to the first of"), "{described}");
        assert!(!page.contains("EXTRA"), "{page}");
    }

    #[test]
    fn every_line_below_a_help_is_of_a_part() {
        let help = "Some prose,\nand more.\n\nExample:\n  attrsync x\n\nExit codes: 0 fine; 2 not, or\nnot at all.\nEnvironment: X\nY";
        let (prose, sections) = parts(help);
        assert_eq!(prose, ["Some prose,", "and more.", ""]);
        let expected = [
            ("EXAMPLES", vec!["", "  attrsync x", ""]),
            ("EXIT STATUS", vec![" 0 fine; 2 not, or", "not at all."]),
            ("ENVIRONMENT", vec![" X", "Y"]),
        ];
        assert_eq!(sections, expected);
        assert!(codes(&sections[1].1).to_roff().ends_with(".TP\n0\nfine\n.TP\n2\nnot, or not at all\n"));
    }
}
