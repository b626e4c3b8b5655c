//! The command line beside every dialog: what it says, that the program takes it, and that it
//! does the same as the dialog.

use std::{path::Path, process::Command as Process};

use clap::Parser as _;
use patdeck::{
    cli::{Args, CliCommand},
    domain::{self, Description, Name, NewToken, Scope, Scopes, Token},
    output::command_line::{of_command, of_token},
};
use proptest::prelude::*;

use super::{fixture::Fixture, journey::Journey};

/// Each dialog and view: the keys that lead there, the keys that copy, and the twin.
const TWINS: &[(Fixture, &str, &str, &str)] = {
    use Fixture::{Few, Many, One};
    &[
        (Few, "j r", "<C-y>", "patdeck revoke ci-deploy"),
        (Few, "j r", "y c", "patdeck revoke ci-deploy"),
        (Few, "j R", "<C-y>", "patdeck regenerate ci-deploy --lifetime 30d"),
        (
            Few,
            "j R 2h <Tab> <Right> <Right>",
            "<C-y>",
            "patdeck regenerate ci-deploy --lifetime 2h --overlap 1h",
        ),
        (Few, "j D", "<C-y>", "patdeck delete ci-deploy"),
        (Few, "X", "<C-y>", "patdeck delete --all"),
        (Few, "j e", "<C-y>", "patdeck edit ci-deploy --name ci-deploy"),
        (Few, "j e x", "<C-y>", "patdeck edit ci-deploy --name ci-deployx"),
        (
            Few,
            "j e <Tab> <C-j> it's",
            "<C-y>",
            "patdeck edit ci-deploy --description 'Publishes builds\nit'\\''s'",
        ),
        (
            Few,
            "a c <Tab> x <Tab> r <Space> l <Space> <Tab> factory",
            "<C-y>",
            "patdeck scope add grafana 'channels:*x:read,list@factory'",
        ),
        (Few, "j <Enter> d", "y c", "patdeck scope remove ci-deploy 'channels:*:publish'"),
        (Few, "j <Enter> X", "<C-y>", "patdeck scope clear ci-deploy"),
        (Few, "j <Enter> T", "<C-y>", "patdeck verify --scope 'channels:*:publish'"),
        (
            One,
            "R <Tab> <Right> <Tab> <Right> <Enter> a O",
            "<C-y>",
            "patdeck revoke --old ci-deploy",
        ),
        (
            One,
            "n nightly <Tab> 45m <Tab> two <Space> words <Tab> a c <Tab> <Tab> p <Space> r <Space> <C-s>",
            "<C-y>",
            "patdeck create nightly --lifetime 45m --description 'two words' --scope 'channels:*:read,publish'",
        ),
        (Few, "", "y c", "patdeck list --status active --sort=-issued"),
        (
            Many,
            "f / ci <Space> -0 <Enter> s s",
            "y c",
            "patdeck list --status expired --search 'ci -0' --sort=-last-used",
        ),
        (Few, "j <Enter>", "y c", "patdeck show ci-deploy"),
        (Few, "4", "y c", "patdeck audit"),
    ]
};

/// The words that a shell makes of `line`.
fn words(line: &str) -> Vec<String> {
    let script = format!("for word in {line}; do printf '%s\\0' \"$word\"; done");
    let ran = Process::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(ran.status.success(), "{line}: {ran:?}");
    let text = String::from_utf8(ran.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn parsed(line: &str) -> CliCommand {
    let args = Args::try_parse_from(words(line));
    args.unwrap_or_else(|error| panic!("`{line}`: {error}")).command.unwrap()
}

#[test]
fn every_dialog_shows_and_copies_its_command() {
    for (fixture, keys, copy, wanted) in TWINS {
        let mut it = Journey::on(*fixture, 120, 24);
        it.keys(keys);
        if *copy == "<C-y>" {
            it.sees(&format!("$ {}", wanted.replace('\n', " ")));
        }
        it.keys(copy).sees("command: Sent to your terminal's clipboard");
        assert_eq!(it.sent(), [*wanted], "after {keys}");
        parsed(wanted);
    }
}

#[test]
fn the_command_follows_the_fields_and_waits_for_sound_ones() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("n").never_sees("$ patdeck").keys("<C-y>");
    it.sees("there is no command for this as it stands");
    it.keys("x").sees("$ patdeck create x --lifetime 30d");
    it.keys("<Tab> 9d").sees("$ patdeck create x --lifetime 9d");
    it.keys("<Backspace> q").never_sees("$ patdeck");
    assert_eq!(it.sent(), Vec::<String>::new());
}

#[test]
fn a_change_to_many_names_them_by_their_ids() {
    for (keys, before, after) in [
        ("* r", "patdeck revoke ", ""),
        ("* D", "patdeck delete ", ""),
        ("* R <Tab> <Tab> <C-u> new.tsv", "patdeck regenerate ", "--secret-file new.tsv"),
    ] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys(keys).keys("<C-y>");
        let sent = it.sent();
        let line = sent.first().unwrap();
        assert!(line.starts_with(before) && line.ends_with(after), "{line}");
        assert!(["grafana", "ci-deploy"].iter().all(|name| line.contains(it.id(name).as_str())));
        parsed(line);
    }
}

#[test]
fn a_trail_that_no_command_can_show_is_not_claimed_to_have_one() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 f y c").keys("a y c").sees("filters the trail by token only");
    assert_eq!(it.sent(), [format!("patdeck audit --token {}", it.id("grafana"))]);
}

#[test]
fn the_footer_names_the_key_in_every_dialog() {
    for keys in ["r", "R", "D", "X", "e", "a", "n", "<Enter> T", "<Enter> d"] {
        let mut it = Journey::on(Fixture::One, 80, 24);
        it.keys(keys).sees("Ctrl-Y command");
    }
    // Nothing to copy: a row of the form, a file name, a new secret.
    for keys in ["n <Tab> <Tab> <Tab> a", "n x <C-s>", "n x <C-s> w", "?", ":"] {
        let mut it = Journey::on(Fixture::One, 80, 24);
        it.keys(keys).never_sees("Ctrl-Y").never_sees("$ patdeck");
        it.keys("<C-y>");
        assert_eq!(it.sent(), Vec::<String>::new());
    }
}

#[test]
fn another_store_is_named_by_the_command() {
    let it = Journey::on(Fixture::One, 80, 24);
    let options = [("--store", "/srv/my tokens/s.redb".to_owned())];
    let twin = of_token(&it.token("ci-deploy")).with(&options).to_string();
    assert_eq!(twin, "patdeck show ci-deploy --store '/srv/my tokens/s.redb'");
    let args = Args::try_parse_from(words(&twin)).unwrap();
    assert_eq!(args.store.as_deref(), Some(Path::new("/srv/my tokens/s.redb")));
}

#[test]
fn a_name_that_reads_as_something_else_is_replaced_by_the_id() {
    let it = Journey::on(Fixture::Few, 80, 24);
    let (token, other) = (it.token("ci-deploy"), it.id("grafana"));
    for name in ["--all", "-x", other.as_str()] {
        let named = Token { name: Name::parse(name).unwrap(), ..token.clone() };
        assert_eq!(of_token(&named).to_string(), format!("patdeck show {}", token.id));
    }
}

/// The twin's own words for the tokens of a store, without times.
fn tokens(it: &Journey) -> Vec<String> {
    let mut tokens = it.service().load().unwrap().tokens;
    tokens.sort_by_key(|token| token.id);
    let now = it.place.clock.now();
    let told = tokens.iter().map(|token| {
        let scopes: Vec<_> = token.scopes.iter().map(ToString::to_string).collect();
        format!("{} {} {:?} {scopes:?}", token.name, token.status(now).as_str(), token.description)
    });
    told.collect()
}

#[test]
fn the_real_program_does_with_the_command_what_the_dialog_does() {
    let rounds = [
        ("j e <Tab> <C-j> it's", "<C-s>", ""),
        ("j e <Home> <C-k> two <Space> 'words' <Space> $HOME", "<C-s>", ""),
        ("j a c <Tab> x;y <Tab> r <Space> l <Space>", "<C-s>", ""),
        ("j <Enter> d", "<Right> <Enter>", ""),
        ("j <Enter> X", "<Right> <Enter>", " --yes"),
        ("j r", "<Right> <Enter>", " --yes"),
        ("j D ci-deploy", "<Enter>", " --yes"),
        ("X 4", "<Enter>", " --yes"),
    ];
    let program = Path::new(env!("CARGO_BIN_EXE_patdeck")).parent().unwrap();
    for (keys, confirm, yes) in rounds {
        let mut by_dialog = Journey::on(Fixture::Few, 80, 24);
        by_dialog.keys(keys).keys(confirm);
        let mut by_command = Journey::on(Fixture::Few, 80, 24);
        let before = tokens(&by_command);
        by_command.keys(keys).keys("<C-y>");
        let line = by_command.sent().pop().unwrap();
        let ran = Process::new("/bin/sh")
            .arg("-c")
            .arg(format!("{line}{yes} --store \"$STORE\""))
            .env_clear()
            .env("PATH", program)
            .env("HOME", by_command.place.folder.path())
            .env("STORE", by_command.place.file())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{line}: {ran:?}");
        assert_ne!(tokens(&by_command), before, "{line}");
        assert_eq!(tokens(&by_command), tokens(&by_dialog), "{line}");
    }
}

fn scope() -> impl Strategy<Value = Scope> {
    let word = "[a-z][a-z0-9_-]{0,6}";
    (word, prop_oneof![Just("*".to_owned()), "[!-~é漢]{1,12}"], word, "(@[!-9;-?A-~é]{1,8})?")
        .prop_filter_map("no scope", |(kind, entity, operation, domain)| {
            format!("{kind}:{entity}:{operation}{domain}").parse().ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_the_shell_and_the_program_read_is_what_was_meant(
        name in "[ -~é漢]{1,20}",
        description in "[ -~\né漢]{0,40}",
        lifetime in "[1-9][0-9]?[hdw]",
        scopes in prop::collection::vec(scope(), 0..5),
    ) {
        let mut set = Scopes::default();
        for scope in scopes {
            let _ = set.add(scope);
        }
        let Ok(name) = Name::parse(&name) else { return Ok(()) };
        let new = NewToken {
            name,
            description: Description::parse(&description).unwrap(),
            lifetime: lifetime.parse().unwrap(),
            scopes: set.iter().cloned().collect(),
        };
        let command = domain::Command::Create { token: new.clone(), secret_file: None };
        let line = of_command(&command, |_| None).unwrap().to_string();
        let CliCommand::Create(read) = parsed(&line) else { panic!("{line}") };
        prop_assert_eq!(&read.name, new.name.as_str());
        prop_assert_eq!(read.description.as_deref().unwrap_or_default(), new.description.as_str());
        prop_assert_eq!(read.lifetime, Some(new.lifetime));
        let mut read: Vec<Scope> = read.scopes.iter().flat_map(|list| list.0.clone()).collect();
        let mut meant = new.scopes.clone();
        read.sort();
        meant.sort();
        prop_assert_eq!(read, meant);
    }
}
