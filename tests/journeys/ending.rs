//! Revoking, regenerating, rotating, deleting and bringing back.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn revoking_asks_first_and_enter_alone_does_nothing() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j r").sees("Revoke ci-deploy?").sees("Last used 5 min ago");
    it.keys("<Enter>").sees("[Active 2]");
    it.keys("r <Tab> <Esc>").sees("[Active 2]");
    it.keys("r <Right> <Enter>").sees("Revoked ci-deploy");
    it.sees("[Active 1]").sees("Revoked 2");
    assert!(it.store_dump().contains("revoked ci-deploy by alice: was active"));
}

#[test]
fn a_revoked_token_says_that_it_is_and_is_not_revoked_twice() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f r").sees("old-backup is revoked already: R regenerates it");
    it.keys("<Enter>").sees("R regenerate").sees("revoked");
}

#[test]
fn a_revoked_secret_is_denied_from_that_moment() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let secret = it.secret().unwrap();
    assert_eq!(it.verdict(&secret, "channels:c-1:publish"), "allowed");
    it.keys("a r <Right> <Enter>");
    assert_eq!(it.verdict(&secret, "channels:c-1:publish"), "denied");
}

#[test]
fn a_revoked_token_is_regenerated_and_keeps_all_but_secret_and_lifetime() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let before = it.token("old-backup");
    it.keys("f f R").sees("Regenerate old-backup (revoked)?");
    it.never_sees("Overlap").keys("2h <Enter>").sees("Regenerate old");
    it.keys("<Right> <Enter>").sees("The secret of old-backup").keys("a");
    let after = it.token("old-backup");
    assert_eq!(
        (after.id, &after.description, &after.scopes, after.created),
        (before.id, &before.description, &before.scopes, before.created)
    );
    assert!(it.store_dump().contains("token old-backup active until 2026-11-24 14:00"));
    it.sees("active").sees("r revoke");
}

#[test]
fn an_expired_token_is_found_under_expired_and_regenerated_from_its_detail() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> 2h <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a 1").sees("[Active 1]");
    it.clock_forward(TimeDelta::minutes(121)).sees("[Active 0]");
    assert_eq!(it.verdict(&old, "channels:c-1:publish"), "denied");
    it.keys("f").sees("[Expired 1]").keys("<Enter>").sees("R regenerate");
    it.keys("R <Enter> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("active");
    assert_eq!(it.verdict(&old, "channels:c-1:publish"), "denied");
    assert_eq!(it.verdict(&new, "channels:c-1:publish"), "allowed");
}

#[test]
fn rotating_with_an_overlap_keeps_the_old_secret_alive_until_then() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a R").sees("Regenerate ci (active)?").sees("Overlap");
    it.keys("<Tab> <Right> <Right>").sees("[1h]");
    it.keys("<Tab> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("works until Tue 24 Nov 2026 13:00");
    let asks = |it: &Journey, secret: &str| it.verdict(secret, "channels:c-1:publish");
    it.clock_forward(TimeDelta::minutes(59));
    assert_eq!((asks(&it, &old), asks(&it, &new)), ("allowed".into(), "allowed".into()));
    it.clock_forward(TimeDelta::minutes(1)).never_sees("works until");
    assert_eq!((asks(&it, &old), asks(&it, &new)), ("denied".into(), "allowed".into()));
}

#[test]
fn an_overlap_can_be_ended_before_its_time() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let old = it.secret().unwrap();
    it.keys("a O").sees("ci has no old secret that works");
    it.keys("R <Tab> <Right> <Right> <Tab> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("works until").sees("O end old");
    it.keys("O").sees("End the old secret of ci?").keys("<Enter>").sees("works until");
    it.keys("O <Right> <Enter>").sees("Ended the old secret of ci.");
    it.never_sees("works until");
    assert_eq!(it.verdict(&old, "channels:c-1:publish"), "denied");
    assert_eq!(it.verdict(&new, "channels:c-1:publish"), "allowed");
}

#[test]
fn the_detail_tells_who_still_uses_the_old_secret_until_its_end() {
    let mut it = Journey::on(Fixture::Rotated, 80, 24);
    it.keys("<Enter>");
    it.sees("works until Tue 24 Nov 2026 12:30");
    it.sees("last used 2 min ago from 192.0.2.17");
    it.sees("not used yet").sees("O end old");
    it.keys("O").sees("The old secret was last used 2 min ago from 192.0.2.17");
    it.sees("The new secret has not been used yet.");
    it.keys("<Right> <Enter>").never_sees("works until").never_sees("not used yet");
    it.sees("last used").sees("2 min ago");
}

#[test]
fn an_old_secret_that_nobody_uses_any_more_is_told() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    it.keys("a R <Tab> <Right> <Right> <Tab> <Right> <Enter>");
    let new = it.secret().unwrap();
    it.keys("a").sees("not used since the rotation").sees("not used yet");
    assert_eq!(it.verdict(&new, "channels:c-1:publish"), "allowed");
    it.comes_to_see("channels:c-1:publish allowed").never_sees("not used yet");
    it.sees("not used since the rotation");
    it.keys("O").sees("The old secret has not been used since the rotation.");
}

#[test]
fn a_lifetime_that_is_refused_leaves_the_dialog_open() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f R 400d <Enter> <Right> <Enter>");
    it.sees("longer than the 366d allowed").never_sees("The secret of");
}

#[test]
fn deleting_asks_for_the_typed_name_and_undo_brings_it_back() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j D").sees("Delete ci-deploy?").keys("<Enter>");
    it.sees("type its name exactly: ci-deploy");
    it.types("ci-deplo").keys("<Enter>").sees("type its name exactly");
    it.paste("y").sees("nothing was pasted").never_sees("Enter deletes");
    it.types("y").sees("Enter deletes").keys("<Enter>");
    it.sees("Deleted ci-deploy. Press u within 24 hours to undo").sees("[Active 1]");
    it.keys("u").sees("Restored ci-deploy").sees("[Active 2]");
    it.sees("5 min ago");
    it.keys("u").sees("nothing can be brought back");
}

#[test]
fn deleting_from_the_detail_goes_back_to_the_list() {
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
fn what_was_deleted_more_than_a_day_ago_stays_gone() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("D ci-deploy <Enter>").clock_forward(TimeDelta::hours(25));
    it.keys("u").sees("nothing can be brought back");
}

#[test]
fn deleting_all_asks_for_the_count_and_undo_brings_all_back() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("X").sees("Delete all 4 tokens?").sees("2 active, 1 of them used");
    it.keys("5 <Enter>").sees("type the count exactly: 4");
    it.keys("<Backspace> 4 <Enter>").sees("Deleted 4 tokens");
    it.sees("No tokens yet.").keys("u").sees("Restored 4 tokens");
    it.sees("[Active 2]").sees("All 4");
}

#[test]
fn a_count_that_changed_meanwhile_deletes_nothing() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("X 4");
    let mut other = it.second_on_same_store();
    other.keys("n one-more <C-s> a");
    it.keys("<Enter>").sees("there are 5 tokens now, not 4: nothing was deleted");
    assert!(it.store_dump().contains("token grafana active"));
}
