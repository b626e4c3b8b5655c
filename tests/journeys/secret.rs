//! The secret panel: when it can be closed, how the secret is delivered, and that no copy of the
//! secret remains.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

/// A journey with the secret panel of a new token `ci` open, and the secret.
fn with_new_token() -> (Journey, String) {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <C-s>");
    let secret = it.secret().unwrap();
    (it, secret)
}

#[track_caller]
fn assert_wiped(it: &mut Journey, secret: &str) {
    it.never_sees("Secret of");
    assert!(!it.contains_secret(secret), "the app still holds the secret");
    let file = fs::read(it.store.file()).unwrap();
    let random = &secret.as_bytes()[17..];
    assert!(!file.windows(random.len()).any(|bytes| bytes == random));
    assert!(!it.store_dump().contains(&secret[17..]));
    assert!(!it.terminal_text().contains(&secret[17..]));
}

/// The secret is in no text on the terminal, but still kept to be printed.
#[track_caller]
fn assert_hidden(it: &mut Journey, secret: &str) {
    it.never_sees("Secret of");
    assert!(!it.terminal_text().contains(&secret[17..]));
}

#[test]
fn no_stray_key_closes_an_unsaved_secret() {
    let (mut it, secret) = with_new_token();
    assert!(it.contains_secret(&secret), "otherwise the later check proves nothing");
    it.sees("Shown once. Save it now; patdeck keeps only its SHA-256.");
    it.keys("<Esc>").sees("Not closed: the secret would be lost");
    it.keys("q <Enter> x D 1 <Tab> <Space>");
    assert_eq!(it.secret(), Some(secret.clone()));
    it.keys("a");
    assert_wiped(&mut it, &secret);
    assert!(it.token("ci").delivered);
}

#[test]
fn the_secret_can_be_hidden_and_shown() {
    let (mut it, secret) = with_new_token();
    it.keys("s").never_sees(&secret).sees("•••");
    it.keys("s").sees(&secret);
}

#[test]
fn copying_sends_exactly_the_secret() {
    let (mut it, secret) = with_new_token();
    it.keys("y").sees("Sent the secret to your terminal's clipboard");
    it.keys("y");
    assert_eq!(it.copied_texts(), [secret.clone(), secret.clone()]);
    it.keys("<Esc>");
    assert_wiped(&mut it, &secret);
    let dump = it.store_dump();
    let event = "event 2 secret saved ci by alice: sent to the clipboard";
    assert!(dump.ends_with(event), "copying twice is one event: {dump}");
}

#[test]
fn writing_creates_a_0600_file_and_never_overwrites() {
    let (mut it, secret) = with_new_token();
    let (taken, free) = (it.path("taken"), it.path("ci.secret"));
    fs::write(&taken, "mine").unwrap();
    it.keys("w").sees("./ci.secret");
    it.retypes(taken.to_str().unwrap());
    it.keys("<Enter>").sees("already exists and was not changed");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");
    it.retypes("/no/such/folder/x").keys("<Enter>");
    it.sees("does not exist: create it");
    it.retypes("").keys("<Enter>").sees("Enter a file name");
    it.keys("<Esc> w").retypes(free.to_str().unwrap()).keys("<C-s>");
    it.never_sees("New file").sees("mode 0600");
    assert_eq!(fs::read_to_string(&free).unwrap(), format!("{secret}\n"));
    let mode = free.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    it.keys("<Esc>");
    assert_wiped(&mut it, &secret);
}

#[test]
fn a_printed_secret_appears_only_after_quitting() {
    let (mut it, secret) = with_new_token();
    it.keys("p").sees("The secret will be printed when patdeck exits. Esc closes this panel.");
    it.sees("Secret of ci").keys("<Esc>");
    assert_hidden(&mut it, &secret);
    assert_eq!(it.exits_after("q"), [secret]);
}

#[test]
fn a_promise_to_print_is_not_recorded_as_a_delivery() {
    let (mut it, secret) = with_new_token();
    // Both keys only close the panel; no later screen gets the one that is left.
    it.keys("p a").never_sees("Add scopes").sees("printed on exit").never_sees("may be lost");
    assert_hidden(&mut it, &secret);
    assert!(!it.store_dump().contains("secret saved"), "{}", it.store_dump());
    let mut next = it.restarted();
    drop(it);
    next.sees("Secret of ci may be lost");
}

#[test]
fn quitting_with_the_panel_open_prints_the_promised_secret() {
    let (mut it, secret) = with_new_token();
    assert_eq!(it.keys("p").exits_after("<C-c> <C-c>"), [secret]);
}

#[test]
fn only_the_newest_secret_of_a_token_is_printed() {
    let (mut it, old) = with_new_token();
    it.keys("p <Esc> R <Enter> <Enter> <Right> <Enter>");
    let new = it.secret().unwrap();
    assert_ne!(old, new);
    it.keys("p <Esc>");
    assert_eq!(it.exits_after("q"), [new]);
}

#[test]
fn a_replaced_secret_is_not_printed() {
    let (mut it, _) = with_new_token();
    it.keys("p <Esc> R <Enter> <Enter> <Right> <Enter> a");
    assert_eq!(it.exits_after("q"), Vec::<String>::new());
}

#[test]
fn losing_an_unsaved_secret_needs_ctrl_c_three_times() {
    let (mut it, secret) = with_new_token();
    it.keys("<C-c>").sees("The secret would be lost. Press Ctrl-C twice more to quit anyway.");
    it.keys("<C-c>").sees("Press Ctrl-C once more to quit anyway.").sees(&secret);
    assert_eq!(it.exits_after("<C-c>"), Vec::<String>::new());
    assert!(!it.token("ci").delivered);
}

#[test]
fn a_panel_covers_no_line_of_a_message() {
    let mut it = Journey::at(40, 10);
    it.keys("n ci <C-s> <C-c>");
    it.sees("The secret would be lost. Press Ctrl-C twice more to quit anyway.");
}

#[test]
fn ctrl_z_hides_the_secret_before_suspending() {
    let (mut it, secret) = with_new_token();
    it.keys("<C-z>").never_sees(&secret);
    it.sees("Not suspended");
}

#[test]
fn a_secret_wider_than_the_screen_is_shown_in_two_rows() {
    let (mut it, secret) = with_new_token();
    it.resize(40, 10);
    let (first, second) = secret.split_at(36);
    it.sees(first).sees(second).sees("Shown once.").sees("y copy");
    it.keys("y").sees("Sent the secret");
    assert_eq!(it.copied_texts(), [secret]);
}

#[test]
fn the_secret_is_copied_as_the_line_that_a_client_reads() {
    let (mut it, secret) = with_new_token();
    let id = it.id("ci");
    it.keys("Y").sees("h header").sees("n .netrc");
    it.keys("h").sees("Sent the HTTP header to your terminal's clipboard");
    it.keys("Y e Y n Y u Y j");
    assert_eq!(
        it.copied_texts(),
        [
            format!("Authorization: Bearer {secret}"),
            format!("CI_TOKEN={secret}"),
            format!("machine HOST login {id} password {secret}"),
            format!("{id}:{secret}"),
            format!("{{\"schema\":1,\"id\":\"{id}\",\"name\":\"ci\",\"secret\":\"{secret}\"}}"),
        ]
    );
    it.keys("<Esc>");
    assert_wiped(&mut it, &secret);
    assert_eq!(it.store_dump().matches("secret saved").count(), 1);
}

#[test]
fn a_secret_without_a_key_for_a_minute_is_hidden() {
    let (mut it, secret) = with_new_token();
    it.clock_forward(TimeDelta::seconds(59)).sees(&secret);
    it.keys("x").clock_forward(TimeDelta::seconds(59)).sees(&secret);
    it.clock_forward(TimeDelta::seconds(1)).never_sees(&secret).sees("•••");
    it.sees("Hidden, because no key was pressed for 60 s.");
    // The key that shows it does nothing else.
    it.keys("p").sees(&secret).never_sees("will be printed");
    it.clock_forward(TimeDelta::seconds(60)).never_sees(&secret);
    it.keys("<C-c>").sees("The secret would be lost");
}

#[test]
fn an_undelivered_secret_is_reported_at_the_next_start() {
    let mut it = Journey::on(Fixture::Undelivered, 80, 24);
    it.sees("Secret of left-behind may be lost: ! goes to it");
    it.keys("! R <Enter> <Enter> <Right> <Enter> a 1");
    it.never_sees("never confirmed");
}

#[test]
fn a_hang_up_leaves_the_token_ready_to_revoke() {
    let (it, secret) = with_new_token();
    let mut next = it.restarted();
    drop(it);
    next.sees("Secret of ci may be lost: ! goes to it, Esc hides this line");
    assert_eq!(next.secret(), None, "a secret is shown only once");
    // The keys act on this token only after going to it.
    next.keys("! r").sees("Revoke ci?").keys("<Right> <Enter>").never_sees("never confirmed");
    assert!(next.store_dump().contains("revoked ci by alice: was active"));
    assert!(!next.contains_secret(&secret));
}

#[test]
fn a_secret_lost_in_a_rotation_keeps_the_previous_one() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a R <Tab> <Right> <Right> <Tab> <Right> <Enter>").sees("Secret of ci");
    let mut next = it.restarted();
    drop(it);
    next.sees("Secret of ci may be lost");
    assert_eq!(next.access_result(&old, "channels:c-1:publish"), "allowed");
    next.keys("! R <Enter> <Enter> <Right> <Enter> y <Esc>").never_sees("never confirmed");
    next.restarted().never_sees("never confirmed");
}

#[test]
fn several_undelivered_secrets_are_reported_in_turn() {
    let (it, _) = with_new_token();
    let mut second = it.restarted();
    second.keys("n cd <C-s>");
    let mut third = second.restarted();
    third.sees("may be lost (and 1 other)");
    third.keys("! r <Right> <Enter> 1").clock_forward(TimeDelta::seconds(5));
    third.sees("may be lost").never_sees("other)");
}

#[test]
fn leaving_the_file_dialog_is_not_a_delivery() {
    let (mut it, secret) = with_new_token();
    it.keys("w <Esc> <Esc>").sees("Not closed: the secret would be lost");
    assert_eq!(it.secret(), Some(secret));
    assert!(!it.token("ci").delivered);
}

#[test]
fn the_line_about_a_lost_secret_can_be_dismissed() {
    let mut it = Journey::on(Fixture::Undelivered, 80, 24);
    // The line is only where its keys work.
    it.sees("may be lost").keys("4").never_sees("may be lost").keys("1 j").sees("may be lost");
    it.keys("r").never_sees("may be lost").keys("<Esc> j").sees("may be lost");
    it.keys("<Esc>").never_sees("may be lost").keys("4 1").never_sees("may be lost");
    it.keys("! r").sees("Revoke left-behind?");
}

#[test]
fn a_lost_secret_is_regenerated_or_marked_as_saved() {
    let mut it = Journey::on(Fixture::Undelivered, 60, 16);
    it.sees("A secret may be lost: ! go to it, Esc hide").sees("1 of 1");
    it.resize(40, 10).sees("A secret may be lost: ! go, Esc hide").resize(60, 16).keys("!");
    it.sees("Its secret may be lost: R issues a new one, ! says that you saved it.");
    // The app holds the new secret: it is not lost.
    it.keys("R <C-s> <C-s>").sees("Secret of left-behind").never_sees("may be lost");
    let mut it = Journey::on(Fixture::Undelivered, 60, 16);
    it.keys("! !").sees("Mark the secret of left-behind as saved?");
    it.keys("<Right> <Enter>").sees("The secret of left-behind is marked as saved.");
    assert!(it.token("left-behind").delivered);
    it.keys("1").never_sees("may be lost");
}

#[test]
fn the_file_of_a_replaced_secret_gets_another_name() {
    let mut it = Journey::on(Fixture::Empty, 80, 24);
    it.keys("n ci <C-s> w").sees("./ci.secret").never_sees("Enter next").keys("<Esc> a");
    it.clock_forward(TimeDelta::minutes(1)).keys("R <C-s> w");
    it.sees("./ci-20261124-120100.secret");
}
