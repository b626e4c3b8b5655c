//! Revoke, regenerate, overlap, delete and restore.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn revoking_needs_confirmation_and_enter_cancels() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j r").sees("Revoke ci-deploy?").sees("Last used 5 min ago");
    it.keys("<Enter>").sees("[Active 2]");
    it.keys("r <Tab> <Esc>").sees("[Active 2]");
    it.keys("r <Right> <Enter>").sees("Revoked ci-deploy");
    it.sees("[Active 1]").sees("Revoked 2");
    assert!(it.store_dump().contains("revoked ci-deploy by alice: was active"));
}

#[test]
fn a_revoked_token_cannot_be_revoked_again() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f f r").sees("old-backup is already revoked. R regenerates it");
    it.keys("<Enter>").sees("R regenerate").sees("revoked");
}

#[test]
fn a_revoked_secret_is_denied_immediately() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let secret = it.secret().unwrap();
    assert_eq!(it.access_result(&secret, "channels:c-1:publish"), "allowed");
    it.keys("a r <Right> <Enter>");
    assert_eq!(it.access_result(&secret, "channels:c-1:publish"), "denied");
}

#[test]
fn regenerating_a_revoked_token_keeps_its_other_fields() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let before = it.token("old-backup");
    it.keys("f f f R").sees("Regenerate old-backup (revoked)?");
    it.never_sees("Overlap").keys("2h <Enter>").sees("Regenerate old");
    it.keys("<Right> <Enter>").sees("Secret of old-backup").keys("a");
    let after = it.token("old-backup");
    assert_eq!(
        (after.id, &after.description, &after.scopes, after.created),
        (before.id, &before.description, &before.scopes, before.created)
    );
    assert!(it.store_dump().contains("token old-backup active until 2026-11-24 14:00"));
    it.sees("active").sees("r revoke");
}

#[test]
fn an_expired_token_is_regenerated_from_its_detail() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> 2h <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a 1").sees("[Active 1]");
    it.clock_forward(TimeDelta::minutes(121)).sees("[Active 0]");
    assert_eq!(it.access_result(&old, "channels:c-1:publish"), "denied");
    it.keys("f").sees("[Expired 1]").keys("<Enter>").sees("R regenerate");
    it.keys("R <Enter> <Enter> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("active");
    assert_eq!(it.access_result(&old, "channels:c-1:publish"), "denied");
    assert_eq!(it.access_result(&new, "channels:c-1:publish"), "allowed");
}

#[test]
fn an_overlap_keeps_the_previous_secret_valid() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a R").sees("Regenerate ci (active)?").sees("Overlap");
    it.keys("<Tab> <Right> <Right>").sees("[1h]");
    it.keys("<Tab> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("stops in 1h");
    let asks = |it: &Journey, secret: &str| it.access_result(secret, "channels:c-1:publish");
    it.clock_forward(TimeDelta::minutes(59));
    assert_eq!((asks(&it, &old), asks(&it, &new)), ("allowed".into(), "allowed".into()));
    it.clock_forward(TimeDelta::minutes(1)).never_sees("Old secret");
    assert_eq!((asks(&it, &old), asks(&it, &new)), ("denied".into(), "allowed".into()));
}

#[test]
fn an_overlap_can_be_ended_early() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a O").sees("ci has no overlap to end");
    it.keys("R <Tab> <Right> <Right> <Tab> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("Old secret").sees("O end old");
    it.keys("O").sees("End the old secret of ci?").keys("<Enter>").sees("Old secret");
    it.keys("O <Right> <Enter>").sees("Ended the old secret of ci.");
    it.never_sees("Old secret");
    assert_eq!(it.access_result(&old, "channels:c-1:publish"), "denied");
    assert_eq!(it.access_result(&new, "channels:c-1:publish"), "allowed");
}

#[test]
fn regenerate_states_the_overlap_that_would_end() {
    let mut it = Journey::on(Fixture::Rotated, 80, 24);
    it.keys("R").sees("the old secret would work until 24 Nov 2026 12:30 UTC");
    it.sees("from 192.0.2.17). It will stop working immediately.");
    it.resize(60, 16).sees("The old secret stops working, too.");
    it.resize(40, 10).sees("The old secret stops");
    it.resize(80, 24).keys("<Esc> r").sees("the old secret would work until");
}

#[test]
fn the_detail_shows_the_last_use_of_each_secret() {
    let mut it = Journey::on(Fixture::Rotated, 80, 24);
    it.keys("<Enter>");
    it.sees("stops in 30 min");
    it.sees("used 2 min ago from 192.0.2.17");
    it.sees("not used yet").sees("O end old");
    it.keys("O").sees("The old secret was last used 2 min ago from 192.0.2.17");
    it.sees("The new secret has not been used yet.");
    it.keys("<Right> <Enter>").never_sees("Old secret").never_sees("not used yet");
    it.sees("Last used").sees("2 min ago");
}

#[test]
fn the_detail_shows_an_unused_previous_secret() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    it.keys("a R <Tab> <Right> <Right> <Tab> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("not used since the regeneration").sees("not used yet");
    assert_eq!(it.access_result(&new, "channels:c-1:publish"), "allowed");
    it.waits_for("publish on channels:c-1, allowed").never_sees("not used yet");
    it.sees("not used since the regeneration");
    it.keys("O").sees("The old secret has not been used since the regeneration.");
}

#[test]
fn an_invalid_lifetime_keeps_the_dialog_open() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f f R 400d <Enter> <Right> <Enter>");
    it.sees("lifetime exceeds the maximum of 366d: choose a shorter one").never_sees("Secret of");
}

#[test]
fn deleting_needs_the_typed_name_and_can_be_undone() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j D").sees("Delete ci-deploy?").keys("<Enter>");
    it.sees("Type its name exactly: ci-deploy");
    it.types("ci-deplo").keys("<Enter>").sees("Type its name exactly");
    it.paste("y").sees("Paste ignored").never_sees("Enter to delete");
    it.types("y").sees("Enter to delete").keys("<Enter>");
    it.sees("Deleted ci-deploy. Press u within 24 hours to undo").sees("[Active 1]");
    it.keys("u").sees("Restored ci-deploy").sees("[Active 2]");
    it.sees("5 min ago");
    it.keys("u").sees("nothing to undo: no token was deleted");
}

#[test]
fn deleting_from_the_detail_returns_to_the_list() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("<Enter> <Delete>").types("grafana").keys("<Enter>");
    it.sees("Deleted grafana").sees("[Active 1]");
}

#[test]
fn a_name_with_wide_characters_can_be_typed_to_delete_it() {
    let mut it = Journey::on(Fixture::Long, 80, 24);
    it.keys("D").types(&"漢".repeat(64)).keys("<Enter>");
    it.sees("[Active 1]").keys("u").sees("[Active 2]");
}

#[test]
fn a_delete_cannot_be_undone_after_24_hours() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("D ci-deploy <Enter>").clock_forward(TimeDelta::hours(25));
    it.keys("u").sees("nothing to undo: no token was deleted");
}

#[test]
fn deleting_all_needs_the_count_and_can_be_undone() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("X").sees("Delete all 4 tokens?").sees("Active: 2. Used in the last 24 hours: 1.");
    it.keys("5 <Enter>").sees("Type the count exactly: 4");
    it.keys("<Backspace> 4 <Enter>").sees("Deleted 4 tokens");
    it.sees("Press u to undo the deletion.").keys("u").sees("Restored 4 tokens");
    it.sees("[Active 2]").sees("All 4");
}

#[test]
fn delete_all_refuses_an_outdated_count() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("X 4");
    let mut other = it.second_on_same_store();
    other.keys("n one-more <C-s> a");
    it.keys("<Enter>").sees("the store now has 5 tokens instead of 4");
    assert!(it.store_dump().contains("token grafana active"));
}

#[test]
fn a_deletion_is_confirmed_by_the_name_or_the_id() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let id = it.id("ci-deploy");
    it.keys("j D").sees("type its name or id").types(id.as_str()).sees("Enter to delete");
    it.keys("<Enter>").sees("Deleted ci-deploy");
}

#[test]
fn the_sentence_about_the_old_secret_follows_the_overlap() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j R").sees("The current secret stops working immediately");
    it.keys("<Tab> <Right>").sees("The current secret keeps working for 15m");
    it.never_sees("stops working");
}
