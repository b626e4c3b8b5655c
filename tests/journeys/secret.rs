//! The one time at which a secret is seen: what closes its panel, where it can go, and that
//! nothing of it is left.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

/// A journey that has just created a token called `ci`, and the secret.
fn created() -> (Journey, String) {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <C-s>");
    let secret = it.secret().unwrap();
    (it, secret)
}

#[track_caller]
fn gone(it: &mut Journey, secret: &str) {
    it.never_sees("The secret of");
    assert!(!it.holds(secret), "the app still holds the secret");
    let file = fs::read(it.place.file()).unwrap();
    let random = &secret.as_bytes()[17..];
    assert!(!file.windows(random.len()).any(|bytes| bytes == random));
    assert!(!it.store_dump().contains(&secret[17..]));
    assert!(!it.on_the_terminal().contains(&secret[17..]));
}

#[test]
fn no_stray_key_closes_the_panel_before_the_secret_is_safe() {
    let (mut it, secret) = created();
    assert!(it.holds(&secret), "or the check that it is gone proves nothing");
    it.sees("Copy it now: it will not be shown again.");
    it.keys("<Esc>").sees("Not closed: the secret would be lost");
    it.keys("q <Enter> x D 1 <Tab> <Space>");
    assert_eq!(it.secret(), Some(secret.clone()));
    it.keys("a");
    gone(&mut it, &secret);
    assert!(it.token("ci").delivered);
}

#[test]
fn the_secret_is_hidden_and_shown_again() {
    let (mut it, secret) = created();
    it.keys("s").never_sees(&secret).sees("•••");
    it.keys("s").sees(&secret);
}

#[test]
fn copying_sends_exactly_the_secret_and_then_esc_closes() {
    let (mut it, secret) = created();
    it.keys("y").sees("Sent to your terminal's clipboard");
    it.keys("y");
    assert_eq!(it.sent(), [secret.clone(), secret.clone()]);
    it.keys("<Esc>");
    gone(&mut it, &secret);
    let dump = it.store_dump();
    assert!(dump.ends_with("event 3 claimed ci by alice: sent to the clipboard"));
}

#[test]
fn writing_makes_a_file_for_its_owner_alone_and_refuses_one_that_is_there() {
    let (mut it, secret) = created();
    let (taken, free) = (it.path("taken"), it.path("ci.secret"));
    fs::write(&taken, "mine").unwrap();
    it.keys("w").sees("./ci.secret");
    it.retypes(taken.to_str().unwrap());
    it.keys("<Enter>").sees("exists already and was left as it is");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");
    it.retypes("/no/such/folder/x").keys("<Enter>");
    it.sees("does not exist: make it first");
    it.retypes("").keys("<Enter>").sees("a file name is needed");
    it.keys("<Esc> w").retypes(free.to_str().unwrap()).keys("<C-s>");
    it.never_sees("New file").sees("mode 0600");
    assert_eq!(fs::read_to_string(&free).unwrap(), format!("{secret}\n"));
    let mode = free.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    it.keys("<Esc>");
    gone(&mut it, &secret);
}

#[test]
fn printing_keeps_it_until_the_app_has_ended() {
    let (mut it, secret) = created();
    it.keys("p").sees("the secret is printed when patdeck ends");
    it.never_sees(&secret);
    assert!(!it.on_the_terminal().contains(&secret[17..]));
    assert_eq!(it.ends_with("q"), [secret]);
}

#[test]
fn of_a_token_regenerated_twice_only_the_newest_secret_is_printed() {
    let (mut it, old) = created();
    it.keys("p R <Enter> <Enter> <Right> <Enter>");
    let new = it.secret().unwrap();
    assert_ne!(old, new);
    it.keys("p");
    assert_eq!(it.ends_with("q"), [new]);
}

#[test]
fn ctrl_c_must_be_pressed_three_times_while_nobody_has_the_secret() {
    let (mut it, secret) = created();
    it.keys("<C-c>").sees("the secret would be lost");
    it.keys("<C-c>").sees(&secret);
    assert_eq!(it.ends_with("<C-c>"), Vec::<String>::new());
    assert!(!it.token("ci").delivered);
}

#[test]
fn ctrl_z_hides_the_secret_before_the_shell_has_the_screen() {
    let (mut it, secret) = created();
    it.keys("<C-z>").never_sees(&secret);
    it.sees("patdeck was not suspended");
}

#[test]
fn where_the_secret_does_not_fit_on_a_line_it_is_not_broken() {
    let (mut it, secret) = created();
    it.resize(50, 16).sees("too narrow to show");
    assert_eq!(it.secret(), None);
    it.keys("y");
    assert_eq!(it.sent(), [secret]);
}

#[test]
fn a_secret_that_nobody_confirmed_is_named_at_the_next_start() {
    let mut it = Journey::on(Fixture::Unclaimed, 80, 24);
    it.sees("the secret of left-behind was never confirmed as saved");
    it.keys("R <Enter> <Enter> <Right> <Enter> a 1");
    it.never_sees("never confirmed");
}

#[test]
fn a_line_that_drops_while_a_secret_is_shown_leaves_its_token_to_be_revoked_or_regenerated() {
    let (it, secret) = created();
    let mut next = it.again();
    drop(it);
    next.sees("the secret of ci was never confirmed as saved: R regenerates it, r revokes it");
    assert_eq!(next.secret(), None, "it was shown once");
    // The one that was left is selected: both are one key away.
    next.keys("r").sees("Revoke ci?").keys("<Right> <Enter>").never_sees("never confirmed");
    assert!(next.store_dump().contains("revoked ci by alice: was active"));
    assert!(!next.holds(&secret));
}

#[test]
fn a_secret_lost_in_a_rotation_is_named_too_and_the_old_one_still_works() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a R <Tab> <Right> <Right> <Tab> <Right> <Enter>").sees("The secret of ci");
    let mut next = it.again();
    drop(it);
    next.sees("the secret of ci was never confirmed as saved");
    assert_eq!(next.verdict(&old, "channels:c-1:publish"), "allowed");
    next.keys("R <Enter> <Enter> <Right> <Enter> y <Esc>").never_sees("never confirmed");
    next.again().never_sees("never confirmed");
}

#[test]
fn of_several_that_were_left_each_is_named_in_its_turn() {
    let (it, _) = created();
    let mut second = it.again();
    second.keys("n cd <C-s>");
    let mut third = second.again();
    third.sees("(and of 1 more) was never confirmed as saved");
    third.keys("r <Right> <Enter>").clock_forward(TimeDelta::seconds(5));
    third.sees("was never confirmed as saved").never_sees("more)");
}

#[test]
fn leaving_the_file_dialog_does_not_say_that_somebody_has_the_secret() {
    let (mut it, secret) = created();
    it.keys("w <Esc> <Esc>").sees("Not closed: the secret would be lost");
    assert_eq!(it.secret(), Some(secret));
    assert!(!it.token("ci").delivered);
}
