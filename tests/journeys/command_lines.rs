//! The command line shown with every dialog: its text, that the program accepts it, and that it has
//! the same effect as the dialog.

use std::{path::Path, process::Command as Process};

use clap::Parser as _;
use patdeck::{
    cli::{Args, CliCommand},
    domain::{
        self, Description, Labels, LimitChanges, Name, NewToken, Owner, Scope, Scopes, Token,
    },
    output::command_line::{of_command, of_token},
};
use proptest::prelude::*;

use super::{fixture::Fixture, journey::Journey};

/// Fixture, keys that lead to a dialog or view, keys that copy its command, and the command.
const CASES: &[(Fixture, &str, &str, &str)] = {
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
            "patdeck scope add grafana channels:x:read,list@factory",
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
            "f f / ci <Space> -0 <Enter> s s s s s",
            "y c",
            "patdeck list --status expired --search 'ci -0' --sort=-last-used",
        ),
        (Few, "j <Enter>", "y c", "patdeck show ci-deploy"),
        (Few, "4", "y c", "patdeck audit"),
    ]
};

/// The words into which a shell splits `line`.
fn shell_words(line: &str) -> Vec<String> {
    let script = format!("for word in {line}; do printf '%s\\0' \"$word\"; done");
    let ran = Process::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(ran.status.success(), "{line}: {ran:?}");
    let text = String::from_utf8(ran.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn parse_command(line: &str) -> CliCommand {
    let args = Args::try_parse_from(shell_words(line));
    args.unwrap_or_else(|error| panic!("`{line}`: {error}")).command.unwrap()
}

#[test]
fn every_dialog_shows_and_copies_its_command() {
    for (fixture, keys, copy, wanted) in CASES {
        let mut it = Journey::on(*fixture, 120, 24);
        it.keys(keys);
        if *copy == "<C-y>" {
            it.sees(&format!("$ {}", wanted.replace('\n', " ")));
        }
        it.keys(copy).sees("Sent the command to your terminal's clipboard");
        assert_eq!(it.copied_texts(), [*wanted], "after {keys}");
        parse_command(wanted);
    }
}

#[test]
fn the_command_is_shown_only_for_valid_fields() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("n").never_sees("$ patdeck").keys("<C-y>");
    it.sees("No equivalent command yet");
    it.keys("x").sees("$ patdeck create x --lifetime 30d");
    it.keys("<Tab> 9d").sees("$ patdeck create x --lifetime 9d");
    it.keys("<Backspace> q").never_sees("$ patdeck");
    assert_eq!(it.copied_texts(), Vec::<String>::new());
}

#[test]
fn a_bulk_command_lists_the_token_ids() {
    for (keys, before, after) in [
        ("* r", "patdeck revoke ", ""),
        ("* D", "patdeck delete ", ""),
        ("* R <Tab> <Tab> <C-u> new.tsv", "patdeck regenerate ", "--secret-file new.tsv"),
    ] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys(keys).keys("<C-y>");
        let sent = it.copied_texts();
        let line = sent.first().unwrap();
        assert!(line.starts_with(before) && line.ends_with(after), "{line}");
        assert!(["grafana", "ci-deploy"].iter().all(|name| line.contains(it.id(name).as_str())));
        parse_command(line);
    }
}

#[test]
fn the_filters_of_the_trail_are_in_its_command() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 f y c").keys("a w y c").keys("/").types("since:7d x").keys("<Enter> y c");
    let token = format!("patdeck audit --token {}", it.id("grafana"));
    let both = format!("{token} --action create --actor alice");
    let all = format!("{both} --search 'since:7d x'");
    assert_eq!(it.copied_texts(), [token, both, all.clone()]);
    parse_command(&all);
}

#[test]
fn the_footer_shows_the_copy_key_in_every_dialog() {
    for keys in ["r", "R", "D", "X", "e", "a", "n", "<Enter> T", "<Enter> d"] {
        let mut it = Journey::on(Fixture::One, 80, 24);
        it.keys(keys).sees("Ctrl-Y copy command");
    }
    // No command: a scope row in the create form, a file name, a new secret, a menu.
    for keys in ["n <Tab> <Tab> <Tab> a", "n x <C-s>", "n x <C-s> w", "?", ":"] {
        let mut it = Journey::on(Fixture::One, 80, 24);
        it.keys(keys).never_sees("Ctrl-Y").never_sees("$ patdeck");
        it.keys("<C-y>");
        assert_eq!(it.copied_texts(), Vec::<String>::new());
    }
}

#[test]
fn the_command_names_a_non_default_store() {
    let it = Journey::on(Fixture::One, 80, 24);
    let options = [("--store", "/srv/my tokens/s.redb".to_owned())];
    let command = of_token(&it.token("ci-deploy")).with_options(&options).to_string();
    assert_eq!(command, "patdeck show ci-deploy --store '/srv/my tokens/s.redb'");
    let args = Args::try_parse_from(shell_words(&command)).unwrap();
    assert_eq!(args.store.as_deref(), Some(Path::new("/srv/my tokens/s.redb")));
}

#[test]
fn an_ambiguous_name_is_replaced_by_the_id() {
    let it = Journey::on(Fixture::Few, 80, 24);
    let (token, other) = (it.token("ci-deploy"), it.id("grafana"));
    for name in ["--all", "-x", other.as_str()] {
        let named = Token { name: Name::parse(name).unwrap(), ..token.clone() };
        assert_eq!(of_token(&named).to_string(), format!("patdeck show {}", token.id));
    }
}

/// The tokens of a store as text, without times.
fn tokens(it: &Journey) -> Vec<String> {
    let mut tokens = it.service().load_snapshot().unwrap().tokens;
    tokens.sort_by_key(|token| token.id);
    let now = it.store.clock.now();
    let lines = tokens.iter().map(|token| {
        let scopes: Vec<_> = token.scopes.iter().map(ToString::to_string).collect();
        format!("{} {} {:?} {scopes:?}", token.name, token.status(now).as_str(), token.description)
    });
    lines.collect()
}

#[test]
fn the_copied_command_has_the_effect_of_the_dialog() {
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
        let line = by_command.copied_texts().pop().unwrap();
        let ran = Process::new("/bin/sh")
            .arg("-c")
            .arg(format!("{line}{yes} --store \"$STORE\""))
            .env_clear()
            .env("PATH", program)
            .env("HOME", by_command.store.folder.path())
            .env("STORE", by_command.store.file())
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
    fn a_command_survives_shell_quoting_and_parsing(
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
            scopes: set.iter().cloned().collect(), limits: LimitChanges::default(), labels: Labels::default(), owner: Owner::default(), };
        let command = domain::Command::Create { token: new.clone(), secret_file: None };
        let line = of_command(&command, |_| None).unwrap().to_string();
        let CliCommand::Create(read) = parse_command(&line) else { panic!("{line}") };
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

#[test]
fn an_untouched_edit_has_no_command_and_saves_nothing() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let before = it.store_dump();
    it.keys("j e").never_sees("$ patdeck edit").keys("<C-s>").never_sees("Edit ci-deploy");
    assert_eq!(it.store_dump(), before);
}
