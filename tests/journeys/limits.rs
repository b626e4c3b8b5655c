//! Limits in the app: fields of the create form and the edit dialog, what list and detail show, the
//! address in the access check, clones and undo.

use patdeck::{
    domain::{Description, Labels, LimitChange, LimitChanges, MaxUses, Name, NewToken, Owner},
    testing::ServiceTestExt as _,
};
use zeroize::Zeroizing;

use super::{fixture::Fixture, journey::Journey};

fn few() -> Journey {
    Journey::on(Fixture::Few, 120, 40)
}

/// Creates a token with these limits by another process. Returns its secret.
fn create(it: &Journey, name: &str, sources: &str, uses: u32) -> String {
    let limits = LimitChanges {
        sources: sources.parse().map_or(LimitChange::Keep, LimitChange::Set),
        not_before: LimitChange::Keep,
        max_uses: MaxUses::new(uses).map_or(LimitChange::Keep, LimitChange::Set),
    };
    let token = NewToken {
        name: Name::parse(name).unwrap(),
        description: Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec!["channels:*:publish".parse().unwrap()],
        limits,
        labels: Labels::default(),
        owner: Owner::default(),
    };
    it.service().create(&token).unwrap().secret.reveal().to_owned()
}

#[test]
fn a_token_is_created_with_limits() {
    let mut it = few();
    it.keys("n limited <Tab> <Tab> <Tab>").sees("Limits").never_sees("allow from");
    // The focus passes the limits in one step, and a key opens them.
    it.keys("<Tab>").sees("Enter sets allow from, not before and max uses");
    it.keys("<Tab>").sees("Enter sets labels and owner").keys("<S-Tab> <Enter>");
    it.sees("allow from: networks such as 10.0.0.0/8, or empty");
    it.types("10.0.0.0/8, 2001:db8::1").keys("<Tab>").types("2h");
    it.sees("Valid from 24 Nov 2026 14:00 UTC").keys("<Tab> 5");
    it.sees("--lifetime 30d --allow-from 10.0.0.0/8 --allow-from 2001:db8::1/128 --not-before 2h");
    it.keys("<C-s>").sees("Secret of limited").keys("a");
    let limits = it.token("limited").limits;
    assert_eq!(limits.sources.unwrap().to_string(), "10.0.0.0/8, 2001:db8::1/128");
    assert_eq!(limits.max_uses, MaxUses::new(5));
    it.sees("Not yet 1");
    // The filter is offered while there are such tokens.
    it.keys("1 f f f").sees("[Not yet 1]").sees("starts in 2h").sees("5 of 5 uses left");
    it.keys("t t").sees("from 2026-11-24").keys("t");
    it.keys("R").sees("The token gets a new secret and lifetime; its start").keys("<Esc>");
    it.keys("f").sees("[Exp 1]");
}

#[test]
fn invalid_limits_are_shown_and_nothing_is_created() {
    let mut it = few();
    it.keys("n x <Tab> <Tab> <Tab> <Tab>").types("10.0.0.1/8");
    it.sees("networks such as 10.0.0.0/8").keys("<S-Tab>");
    it.sees("10.0.0.1/8 has bits beyond its prefix: use 10.0.0.0/8");
    it.keys("<C-s>").sees("allow from").sees("has bits beyond its prefix");
    it.keys("<C-u> <Tab>").types("2020-01-01").keys("<C-s>").sees("2020-01-01 is in the past");
    it.keys("<C-u>").types("90d").keys("<C-s>");
    it.sees("the token would expire before it becomes valid");
    it.keys("<C-u> <Tab>").types("0").keys("<C-s>").sees("invalid number of uses");
    it.keys("<C-u> <C-s>").sees("Secret of x");
}

#[test]
fn limits_are_edited_removed_and_undone() {
    let mut it = few();
    it.keys("j e <Tab> <Tab>")
        .types("10.0.0.0/8")
        .keys("<Tab> <Tab> 3 <C-s>")
        .sees("Saved ci-deploy");
    it.keys("<Enter>").sees("10.0.0.0/8").sees("3 of 3 uses left");
    // Only the changed limit is part of the command.
    it.keys("e <Tab> <Tab> <C-u>").sees("--allow-from none").never_sees("--max-uses");
    it.keys("<C-s>").never_sees("10.0.0.0/8").sees("3 of 3 uses left");
    it.keys("u").sees("Undone: ci-deploy has its previous limits again").sees("10.0.0.0/8");
    it.keys("u").never_sees("uses left");
    assert!(it.token("ci-deploy").limits.is_empty());
}

#[test]
fn an_unsaved_limit_needs_a_second_escape() {
    let mut it = few();
    it.keys("j e <Tab> <Tab>").types("10.0.0.0/8").keys("<Esc>").sees("Not saved.");
    it.keys("<Esc>").never_sees("Edit ci-deploy");
    assert!(it.token("ci-deploy").limits.is_empty());
}

#[test]
fn a_clone_copies_the_limits() {
    let mut it = few();
    create(&it, "gate", "10.0.0.0/8", 7);
    it.waits_for("gate").keys("g c").sees("allow from 10.0.0.0/8; max uses 7");
    it.keys("<C-s>").sees("Secret of gate-2").keys("a");
    assert_eq!(it.token("gate-2").limits, it.token("gate").limits);
}

#[test]
fn the_access_check_asks_for_an_address() {
    let mut it = few();
    create(&it, "gate", "10.0.0.0/8", 1);
    it.waits_for("gate").keys("g <Enter> T").sees("From");
    it.sees("Denied: source not allowed: no address was given: enter one in From");
    it.keys("<S-Tab>").types("192.0.2.7").sees("Denied: source not allowed: 192.0.2.7");
    it.retypes("10.1.2.3").sees("Allowed by channels:*:publish");
    it.sees("--from 10.1.2.3");
    // The check takes no use.
    it.keys("<Esc>").sees("1 of 1 use left");
}

#[test]
fn a_used_up_token_shows_that_no_use_is_left() {
    let mut it = few();
    let secret = create(&it, "once", "", 1);
    let checked = it.service().check(Zeroizing::new(secret), None, None).unwrap();
    assert!(checked.decision.is_allowed());
    it.waits_for("used up").sees("[Active 3]");
    it.keys("g <Enter>").sees("0 of 1 use left").sees("active, used up");
    it.resize(60, 16).keys("1").sees("used up");
}

#[test]
fn limits_fit_on_small_screens() {
    for (width, height) in [(80, 24), (60, 16), (40, 10)] {
        let mut it = Journey::on(Fixture::Few, width, height);
        it.keys("n limited <Tab> <Tab> <Tab> <Tab>").types("10.0.0.0/8");
        it.sees("allow from").sees("10.0.0.0/8").keys("<Tab> <Tab> 5").sees("max uses");
        it.keys("<C-s>").sees("limited").keys("a");
        assert_eq!(it.token("limited").limits.max_uses, MaxUses::new(5));
        it.keys("1 g e <Tab> <Tab> <Enter>")
            .sees("allow from")
            .keys("<Tab> <Tab>")
            .sees("max uses");
    }
}
