//! Generates command lines from the definition of the arguments, so that a new subcommand or option
//! is covered without a change here. Values are valid, of the wrong type, or hostile.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use clap::{Arg, ArgAction, Command, CommandFactory as _};
use patdeck::cli::Args;
use rand::{RngExt as _, rngs::StdRng};

use crate::sandbox::Template;

/// Valid values of the arguments with these value names. `TOKEN` comes from the template.
const VALUES: [(&str, &[&str]); 14] = [
    ("NAME", &["new", "ci", "Web", "two words", "ab"]),
    ("TIME", &["30d", "24h", "15m", "1h", "0", "never", "2027-01-31", "9999y", "0d"]),
    ("SCOPE", &["channels:c-42:publish", "channels:*:read,list", "users:u-1:read@eu"]),
    ("TYPE:ENTITY:OPERATION", &["channels:c-42:publish", "users:u-1:read"]),
    ("PRESET", &["publisher:c-1", "read-only:*", "full-access:channels:c-42"]),
    ("SEARCH", &["op:publish", "-idle>90d", "status:all", "ci", "may:channels:c-42:publish"]),
    ("COLUMN", &["name", "-issued", "expires"]),
    ("ADDRESS", &["192.0.2.7", "::1"]),
    ("DOMAIN", &["eu", "us-1"]),
    ("TEXT", &["a text", ""]),
    ("HASH", &["5c1d0e5c1d0e5c1d0e5c1d0e5c1d0e5c1d0e5c1d0e5c1d0e5c1d0e5c1d0e5c1d"]),
    ("FILE", FILES),
    ("PATH", FILES),
    ("ACTION", &["fail", "skip", "replace"]),
];

/// Paths below the current folder. None leads out of the sandbox.
pub(crate) const FILES: &[&str] = &[
    "new",
    "ci.token",
    "web.token",
    "ended.token",
    "export.jsonl",
    "utf16.jsonl",
    "broken.jsonl",
    "backup.redb",
    "folder",
    "folder/new",
    "no/such/file",
    "fifo",
    "link",
    "dangling",
    "zero",
    "full",
    "empty",
    "text",
    "new/",
    "./-",
    "-",
    "good.toml",
    "broken.toml",
];

/// Values that no argument expects.
const HOSTILE: [&[u8]; 16] = [
    b"",
    b"-",
    b"--",
    b"-5",
    b"--json=yes",
    b"~root/x",
    b"*",
    b" ",
    b"18446744073709551616",
    b"\xff\xfe",
    b"x\xffy.token",
    b"x\x1b[2J\x1b]0;title\x07y",
    "\u{202e}drowssap\u{200b}\u{9b}31m".as_bytes(),
    b"two\nlines\r",
    b"\x7f\x08",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(),
];

/// The arguments of a command.
#[derive(Debug)]
pub(crate) struct CommandLine {
    pub(crate) arguments: Vec<OsString>,
    /// Whether an argument contains a secret, which patdeck must refuse.
    pub(crate) has_secret: bool,
}

/// Every command and subcommand with the words that name it; the app has none.
pub(crate) fn all_commands() -> Vec<(Vec<String>, Command)> {
    let mut root = Args::command();
    root.build();
    let mut found = Vec::new();
    let mut left = vec![(Vec::new(), root)];
    while let Some((words, command)) = left.pop() {
        for each in command.get_subcommands() {
            let words = [words.as_slice(), &[each.get_name().to_owned()]].concat();
            left.push((words, each.clone()));
        }
        if !command.is_subcommand_required_set() {
            found.push((words, command));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Writes command lines for one template.
pub(crate) struct Generator<'t> {
    pub(crate) template: &'t Template,
    /// Whether `~/` leads into the sandbox.
    pub(crate) has_home: bool,
}

impl Generator<'_> {
    pub(crate) fn command_line(
        &self,
        words: &[String],
        command: &Command,
        random: &mut StdRng,
    ) -> CommandLine {
        let mut arguments: Vec<OsString> = words.iter().map(Into::into).collect();
        for argument in command.get_arguments() {
            if random.random_ratio(chance_in_100(argument), 100) {
                self.push_argument(argument, random, &mut arguments);
            }
        }
        if random.random_ratio(1, 40) {
            let at = random.random_range(0..=arguments.len());
            arguments.insert(at, self.value("", &[], random));
        }
        let mut has_secret = false;
        if random.random_ratio(1, 50) {
            let secret = pick(random, &self.template.secrets);
            arguments.push(pick(random, &["", "--description=", "--from="]).into());
            arguments.last_mut().unwrap().push(secret);
            has_secret = true;
        }
        CommandLine { arguments, has_secret }
    }

    fn push_argument(&self, argument: &Arg, random: &mut StdRng, to: &mut Vec<OsString>) {
        let flag = argument.get_long().map(|name| format!("--{name}"));
        if !takes_value(argument) {
            return to.extend(flag.map(Into::into));
        }
        let possible: Vec<String> =
            argument.get_possible_values().iter().map(|one| one.get_name().to_owned()).collect();
        let names = argument.get_value_names().unwrap_or_default();
        let name = names.first().map_or(argument.get_id().as_str(), |name| name.as_str());
        let can_repeat = matches!(argument.get_action(), ArgAction::Append);
        for _ in 0..if can_repeat { random.random_range(1..4) } else { 1 } {
            let value = self.value(name, &possible, random);
            match &flag {
                Some(flag) if random.random() => to.extend([flag.into(), value]),
                Some(flag) => {
                    let mut joined = OsString::from(format!("{flag}="));
                    joined.push(value);
                    to.push(joined);
                }
                None => to.push(value),
            }
        }
    }

    fn value(&self, name: &str, possible: &[String], random: &mut StdRng) -> OsString {
        match random.random_range(0..100) {
            0..84 => self.valid_value(name, possible, random),
            84..90 => {
                let (other, _) = pick(random, &VALUES);
                self.valid_value(other, &[], random)
            }
            90..92 => "x".repeat(100_000).into(),
            92..93 if self.has_home => "~/below-home".into(),
            _ => OsString::from_vec(pick(random, &HOSTILE).to_vec()),
        }
    }

    fn valid_value(&self, name: &str, possible: &[String], random: &mut StdRng) -> OsString {
        if !possible.is_empty() {
            return pick(random, possible).into();
        }
        let name = name.to_uppercase();
        // A value name that is not in the table gets the values of a random one.
        let values = VALUES.iter().find(|(each, _)| *each == name);
        match values {
            None if name == "TOKEN" => pick(random, &self.template.tokens).into(),
            None => {
                let (_, values) = pick(random, &VALUES);
                pick(random, values).into()
            }
            Some((_, values)) => pick(random, values).into(),
        }
    }
}

/// How often an argument is given. Most lines must get past the parser.
fn chance_in_100(argument: &Arg) -> u32 {
    match argument.get_id().as_str() {
        "help" | "version" => 1,
        "store" | "config" => 4,
        "read_only" => 5,
        "json" => 30,
        "yes" => 75,
        _ if argument.is_required_set() => 96,
        _ if argument.is_positional() => 70,
        _ if takes_value(argument) => 25,
        _ => 20,
    }
}

fn takes_value(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}

/// Returns a random element.
pub(crate) fn pick<'a, T>(random: &mut StdRng, from: &'a [T]) -> &'a T {
    &from[random.random_range(0..from.len())]
}
