//! Snapshots of the help of every command, the manual page and the completions, which clap
//! generates from one definition.

use clap::CommandFactory as _;
use patdeck::cli::Args;

use crate::{Home, run};

/// Returns the words of every command; those of the program itself are empty and come first.
fn commands() -> Vec<Vec<String>> {
    fn collect(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        all.push(words.to_vec());
        for sub in command.get_subcommands() {
            let words = [words, &[sub.get_name().to_owned()]].concat();
            collect(sub, &words, all);
        }
    }
    let mut all = Vec::new();
    collect(&Args::command(), &[], &mut all);
    all
}

#[test]
fn the_short_help_fits_on_one_screen() {
    let home = Home::new();
    let help = run(&home, &["-h"]).success();
    assert!(help.lines().count() <= 42, "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    insta::assert_snapshot!(help);
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let home = Home::new();
    for words in commands() {
        let mut arguments: Vec<_> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = run(&home, &arguments).success();
        assert!(help.contains("\nExample"), "{words:?} has no example:\n{help}");
        let name = [&["help".to_owned()], words.as_slice()].concat().join("-");
        insta::assert_snapshot!(name, help);
    }
}

#[test]
fn the_manual_has_a_part_for_every_command() {
    let home = Home::new();
    let page = run(&home, &["man"]).success();
    for words in commands().iter().skip(1) {
        let heading = format!(".SS \"patdeck {}\"", words.join(" "));
        assert!(page.contains(&heading), "{heading}");
    }
    insta::assert_snapshot!(page);
}

#[test]
fn the_completions_know_every_command() {
    let home = Home::new();
    for shell in ["elvish", "powershell"] {
        let script = run(&home, &["completions", shell]).success();
        for words in commands().iter().skip(1) {
            assert!(script.contains(words.last().unwrap()), "{shell}: {words:?}");
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&home, &["completions", shell]).success();
        insta::assert_snapshot!(format!("completions-{shell}"), script);
    }
}

#[test]
fn examples_use_only_existing_options() {
    let home = Home::new();
    let all = run(&home, &["man"]).success();
    for words in commands() {
        let mut arguments: Vec<_> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = run(&home, &arguments).success();
        for line in help.lines().filter(|line| line.starts_with("  patdeck ")) {
            // Only the words before the first shell operator belong to patdeck.
            let words = line.split_whitespace().skip(1);
            let own = words.take_while(|word| !["&&", "||", "|", "<", ">"].contains(word));
            let flags = own.filter(|word| word.starts_with("--"));
            for flag in flags {
                let known = flag.replace('-', "\\-");
                assert!(all.contains(&known), "{line}: {flag}");
            }
        }
    }
}
