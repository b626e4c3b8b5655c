//! The command line that `output::command_line` prints for a change is parsed to the same change. The
//! exit code of a job.

use clap::Parser as _;
use proptest::{collection::vec, option, prelude::*, sample::subsequence};

use super::command;
use crate::{
    cli::{Args, change_results::print_counts, exit::Exit, print::Output},
    domain::{
        Command, Description, Entity, FieldChanges, LabelChanges, Labels, Lifetime, LimitChange,
        LimitChanges, MaxUses, Name, NewToken, Owner, Plan, Scope, ScopesToRemove, SecretOverlap,
        Token, TokenId, TokensToDelete, TokensToRestore, label::tests::any_labels, plan::JobPlan,
    },
    output::command_line::of_command,
    service::Service,
    testing::{ServiceTestExt as _, memory_service},
};

/// Names with a special meaning for a shell, for clap or for the lookup of a token.
const NAMES: [&str; 8] = [
    "ci-prod",
    "two words",
    "--yes",
    "it's",
    "-",
    "abcdefghijkl",
    "übergröße \"x\" $HOME",
    "--$(touch x)=y; z",
];

/// A service with a token of each name in [`NAMES`], and a deleted token.
fn service() -> (Service, Vec<Token>, TokenId) {
    let service = memory_service();
    let create = |name: &str| {
        let token = NewToken {
            name: Name::parse(name).unwrap(),
            description: Description::default(),
            lifetime: "30d".parse().unwrap(),
            scopes: Vec::new(),
            limits: LimitChanges::default(),
            labels: Labels::default(),
            owner: Owner::default(),
        };
        service.create(&token).unwrap().token
    };
    let tokens = NAMES.map(create).to_vec();
    let deleted = create("deleted").id;
    service.delete(&deleted).unwrap();
    (service, tokens, deleted)
}

fn scope() -> impl Strategy<Value = Scope> {
    let entity = prop_oneof![Just("*".to_owned()), "[!-~]{1,9}"];
    let entity = entity.prop_filter_map("an entity", |text| Entity::parse(&text).ok());
    let domain = option::of("[a-z-]{1,5}");
    (prop::sample::select(vec!["channels", "clients"]), entity, "[a-z]{1,6}", domain).prop_map(
        |(entity_type, entity, operation, domain)| {
            let domain = domain.map_or_else(String::new, |domain| format!("@{domain}"));
            format!("{entity_type}:{entity}:{operation}{domain}").parse().unwrap()
        },
    )
}

fn lifetime() -> impl Strategy<Value = Lifetime> {
    let texts =
        prop_oneof!["[1-9][0-9]?[mhdwy]", Just("2027-01-31".to_owned()), Just("never".to_owned())];
    texts.prop_map(|text| text.parse().unwrap())
}

fn text() -> impl Strategy<Value = Description> {
    let texts = prop_oneof!["[ -~äß\n]{0,20}", "--?[a-z ]{0,3}=?[ -~]{0,9}"];
    texts.prop_filter_map("a description", |text| Description::parse(&text).ok())
}

fn name() -> impl Strategy<Value = Name> {
    let texts = prop_oneof!["[ -~äß]{1,20}", "--?[a-z ]{0,3}=?[ -~]{0,9}"];
    texts.prop_filter_map("a name", |text| Name::parse(&text).ok())
}

fn change<T: std::fmt::Debug + Clone + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = LimitChange<T>> {
    prop_oneof![
        Just(LimitChange::Keep),
        Just(LimitChange::Remove),
        values.prop_map(LimitChange::Set),
    ]
}

fn limits() -> impl Strategy<Value = LimitChanges> {
    let network = prop_oneof![
        any::<u32>().prop_map(|bits| std::net::Ipv4Addr::from(bits).to_string()),
        any::<u128>().prop_map(|bits| std::net::Ipv6Addr::from(bits).to_string()),
        Just("10.0.0.0/8".to_owned()),
        Just("2001:db8::/32".to_owned()),
    ];
    let sources = vec(network, 1..4).prop_map(|all| all.join(",").parse().unwrap());
    let start = prop::sample::select(vec![
        "2h",
        "90m",
        "2100-01-31",
        "2100-01-31T09:30",
        "2100-01-31T09:30:15.5Z",
    ]);
    let start = start.prop_map(|text| text.parse().unwrap());
    let max_uses = (1..=MaxUses::LARGEST).prop_map(|count| MaxUses::new(count).unwrap());
    (change(sources), change(start), change(max_uses))
        .prop_map(|(sources, not_before, max_uses)| LimitChanges { sources, not_before, max_uses })
}

fn file() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["./new.tsv", "-x", "~/a b"]).prop_map(str::to_owned)
}

fn owner() -> impl Strategy<Value = Owner> {
    let texts = prop_oneof!["[ -~äß]{0,20}", "--?[a-z ]{0,3}=?[ -~]{0,9}"];
    texts.prop_filter_map("an owner", |text| Owner::parse(&text).ok())
}

fn label_changes() -> impl Strategy<Value = LabelChanges> {
    let keys = vec("[a-zA-Z0-9][a-z._/-]{0,9}", 0..3);
    (any_labels(), keys).prop_map(|(labels, keys)| LabelChanges {
        set: labels.iter().cloned().collect(),
        removed: keys.iter().map(|key| key.parse().unwrap()).collect(),
    })
}

fn create() -> impl Strategy<Value = Command> {
    let token = (name(), text(), lifetime(), vec(scope(), 0..5), any_labels(), owner());
    (token, limits(), option::of(file())).prop_map(|(token, limits, secret_file)| {
        let (name, description, lifetime, scopes, labels, owner) = token;
        let token = NewToken { name, description, lifetime, scopes, limits, labels, owner };
        Command::Create { token, secret_file }
    })
}

fn field_changes() -> impl Strategy<Value = FieldChanges> {
    let names = (option::of(name()), option::of(text()), option::of(owner()));
    (names, limits(), label_changes())
        .prop_map(|((name, description, owner), limits, labels)| FieldChanges {
            name,
            description,
            limits,
            labels,
            owner,
        })
        .prop_filter("an edit", |changes| !changes.is_empty())
}

fn on_tokens(tokens: &[Token], deleted: TokenId) -> impl Strategy<Value = Command> + use<> {
    let ids: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
    let some = || subsequence(ids.clone(), 1..=ids.len());
    let one = || prop::sample::select(ids.clone());
    let edit = (one(), field_changes());
    let overlap = prop::sample::select(SecretOverlap::ALL.to_vec());
    let regenerate = (some(), option::of(lifetime()), overlap, option::of(file()))
        .prop_filter("a file for several", |(ids, .., file)| ids.len() == 1 || file.is_some());
    prop_oneof![
        edit.prop_map(|(token, changes)| Command::Edit { token, changes }),
        (some(), vec(scope(), 1..5))
            .prop_map(|(tokens, scopes)| Command::AddScopes { tokens, scopes }),
        (one(), vec(scope(), 1..5)).prop_map(|(token, scopes)| Command::RemoveScopes {
            tokens: vec![token],
            scopes: ScopesToRemove::Listed(scopes),
        }),
        (one(), vec(scope(), 0..4), vec(scope(), 0..4))
            .prop_filter("a change", |(_, added, removed)| !(added.is_empty()
                && removed.is_empty()))
            .prop_map(|(token, added, removed)| Command::ChangeScopes { token, added, removed }),
        one().prop_map(|token| Command::RemoveScopes {
            tokens: vec![token],
            scopes: ScopesToRemove::All
        }),
        some().prop_map(|tokens| Command::Revoke { tokens }),
        some().prop_map(|tokens| Command::EndOverlap { tokens }),
        some().prop_map(|ids| Command::Delete { tokens: TokensToDelete::Listed(ids) }),
        Just(Command::Delete { tokens: TokensToDelete::All }),
        Just(Command::Restore(TokensToRestore::Token(deleted))),
        regenerate.prop_map(|(tokens, lifetime, overlap, secret_file)| Command::Regenerate {
            tokens,
            lifetime,
            overlap,
            secret_file,
        }),
    ]
}

#[test]
fn a_printed_command_line_is_parsed_to_the_same_change() {
    let (service, tokens, deleted) = service();
    let find = |id: &TokenId| tokens.iter().find(|token| token.id == *id);
    let any_command = prop_oneof![create(), on_tokens(&tokens, deleted)];
    let config = ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() };
    let mut runner = prop::test_runner::TestRunner::new(config);
    let checked = runner.run(&any_command, |expected| {
        let line = of_command(&expected, find).unwrap();
        // Users copy the text, and their shell splits it into words.
        let words = shlex::split(&line.to_string());
        let arguments = Args::try_parse_from(words.unwrap());
        let arguments = arguments.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let parsed = command(&service, &arguments.command.unwrap());
        prop_assert_eq!(parsed.unwrap(), Some(expected), "{}", line);
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn a_job_that_skipped_tokens_was_done_in_part() {
    for (skipped, expected) in [(0, Exit::Done), (8, Exit::Incomplete)] {
        let command = Command::Delete { tokens: TokensToDelete::All };
        let job = JobPlan { tokens: 6_000, skipped, ..JobPlan::default() };
        let plan = Plan::of_job(&command, None, job);
        let out = Output { json: false, width: None, styled: false };
        assert_eq!(print_counts(&plan, &out).unwrap(), expected);
    }
}
