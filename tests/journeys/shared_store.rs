//! Two apps on one store, and a store file that is moved, replaced or damaged while in use.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;

use patdeck::{
    domain::{Actor, Job, JobKind},
    store::Store,
    testing::ServiceTestExt as _,
};

use super::{
    fixture::{Fixture, TestStore, new_token, start_time},
    journey::Journey,
};

#[test]
fn a_change_appears_in_the_other_app_without_a_key() {
    let mut one = Journey::on(Fixture::Few, 80, 24);
    let mut two = one.second_on_same_store();
    two.sees("[Active 2]");
    one.keys("j r <Right> <Enter>").sees("[Active 1]");
    two.waits_for("[Active 1]").sees("Revoked 2");
    two.keys("n from-bob <C-s> a");
    one.waits_for("from-bob").sees("[Active 2]");
}

#[test]
fn polling_an_unchanged_store_draws_nothing() {
    let mut one = Journey::on(Fixture::Few, 80, 24);
    assert!(!one.receives_event());
    assert_eq!(one.redraw_bytes(), 0);
    let mut two = one.second_on_same_store();
    assert!(!one.receives_event() && !two.receives_event());
    assert_eq!((one.redraw_bytes(), two.redraw_bytes()), (0, 0));
}

#[test]
fn the_detail_reports_a_concurrent_delete() {
    let mut one = Journey::on(Fixture::One, 80, 24);
    one.keys("<Enter>").sees("Publishes builds");
    one.second_on_same_store().keys("D ci-deploy <Enter>");
    one.waits_for("This token was deleted.");
}

#[test]
fn a_dialog_reports_a_concurrent_delete() {
    let mut one = Journey::on(Fixture::One, 80, 24);
    one.keys("r <Right>");
    one.second_on_same_store().keys("D ci-deploy <Enter>");
    one.keys("<Enter>").sees("it was deleted in the meantime");
    one.keys("<Esc>").sees("No tokens yet.");
}

#[test]
fn the_old_name_does_not_confirm_a_delete_after_a_rename() {
    let mut one = Journey::on(Fixture::One, 80, 24);
    one.keys("D").types("ci-deploy");
    one.second_on_same_store().keys("e").retypes("ci-prod").keys("<C-s>").sees("Saved ci-prod");
    one.keys("<Enter>").sees("the store was changed in the meantime").sees("Delete ci-prod?");
    assert!(one.store_dump().contains("token ci-prod"));
}

#[test]
fn regenerating_a_concurrently_revoked_token_asks_again() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j R").sees("Regenerate ci-deploy (active)?");
    it.second_on_same_store().keys("j r <Right> <Enter>").sees("Revoked ci-deploy");
    it.keys("<C-s>")
        .sees("the store was changed in the meantime")
        .sees("Regenerate ci-deploy (revoked)?");
    assert!(it.store_dump().contains("revoked"));
    it.keys("<C-s> a").sees("● active").sees("was revoked, until");
}

#[test]
fn a_concurrently_taken_name_is_refused_in_the_form() {
    let mut one = Journey::at(80, 24);
    one.keys("n same");
    one.second_on_same_store().keys("n same <C-s> a");
    one.keys("<C-s>").sees("another token is already named same");
}

#[test]
fn a_moved_store_is_reported_and_reopened() {
    let mut it = Journey::on(Fixture::Few, 200, 24);
    let (file, aside) = (it.store.file(), it.path("aside"));
    fs::rename(&file, &aside).unwrap();
    it.waits_for("no store at ");
    fs::rename(&aside, &file).unwrap();
    it.keys("j");
    it.second_on_same_store().keys("r <Right> <Enter>").sees("Revoked grafana");
    it.waits_for("[Active 1]");
}

#[test]
fn a_missing_store_is_reported_and_the_app_continues() {
    let mut it = Journey::on(Fixture::One, 200, 24);
    let (file, aside) = (it.store.file(), it.path("aside"));
    fs::rename(&file, &aside).unwrap();
    it.keys("r <Right> <Enter>").sees("no store at ");
    it.keys("<Esc> 4 1").sees("ci-deploy");
    fs::rename(&aside, &file).unwrap();
    it.keys("r <Right> <Enter>").sees("Revoked ci-deploy");
}

#[test]
fn a_replaced_store_is_reloaded() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let other = TestStore::with(Fixture::Few);
    fs::rename(other.file(), it.store.file()).unwrap();
    it.waits_for("grafana").sees("All 4");
}

#[test]
fn a_corrupt_store_is_reported_and_the_app_continues() {
    let mut it = Journey::on(Fixture::One, 200, 24);
    let file = it.store.file();
    fs::remove_file(&file).unwrap();
    fs::write(&file, [b'x'; 8192]).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    it.keys("r <Right> <Enter>").sees("is not a patdeck store");
    it.keys("<Esc> ? <Esc>").sees("ci-deploy");
}

/// Replaces the store of `it` by a new file with these bytes.
fn replace_store(it: &Journey, bytes: &[u8]) {
    let new = it.path("new");
    fs::write(&new, bytes).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&new, it.store.file()).unwrap();
}

#[test]
fn delete_all_deletes_a_damaged_record_too() {
    let first = Journey::on(Fixture::Few, 120, 24);
    let mut bytes = fs::read(first.store.file()).unwrap();
    let needle = b"Publishes builds";
    for at in 0..bytes.len() - needle.len() {
        if bytes[at..].starts_with(needle) {
            bytes[at] ^= 1;
        }
    }
    replace_store(&first, &bytes);
    let mut it = first.second_on_same_store();
    it.resize(160, 24).waits_for("Damaged: ");
    it.keys("X").sees("Delete all 3 tokens and 1 damaged record?");
    it.sees("1 record is damaged.").keys("4 <Enter>");
    it.sees("Deleted 3 tokens and 1 damaged record").never_sees("Damaged: ");
    it.keys("u").sees("Restored 3 tokens");
}

#[test]
fn a_history_that_went_back_is_reported() {
    let mut it = Journey::on(Fixture::Few, 120, 24);
    let old = fs::read(it.store.file()).unwrap();
    it.keys("e <C-u> other <C-s>").sees("Saved other");
    replace_store(&it, &old);
    it.keys("j").waits_for("replaced by another state of itself");
}

#[test]
fn an_interrupted_job_is_shown_until_it_is_finished() {
    let mut it = Journey::on(Fixture::Few, 160, 24);
    let job = Job {
        kind: JobKind::DeleteAll { deletion: start_time(), after_event: 0 },
        actor: Actor::named("carol"),
        started: start_time(),
        total: 60_000,
        done: 34_000,
        skipped: 0,
        cursor: None,
        lock: 0,
    };
    let number = Store::open(&it.store.file()).unwrap().write(|tx| tx.add_job(&job)).unwrap();
    it.waits_for("interrupted: deletion of all tokens").sees("34,000 of 60,000 tokens done");
    it.sees("`patdeck doctor --repair` finishes it");
    it.store.observer().finish_job(number).unwrap();
    let mut next = it.second_on_same_store();
    next.resize(160, 24).sees("[Active 2]").never_sees("interrupted");
}

#[test]
fn a_clock_set_back_is_reported_and_can_be_accepted() {
    let mut it = Journey::on(Fixture::One, 120, 24);
    it.clock_forward(TimeDelta::hours(2)).keys("e x <C-s>");
    it.clock_forward(TimeDelta::hours(-2));
    let mut again = it.second_on_same_store();
    again.resize(160, 24).sees("The system clock is behind the newest time");
    again.keys("R").sees("is behind the newest time in the store (");
    again.keys("C").sees("Accept this machine's clock?");
    again.sees("No expired token will become valid again.");
    again.keys("accept <Enter>").sees("tokens expire by this clock again");
    again.never_sees("is behind");
}

#[test]
fn accepting_the_clock_names_the_tokens_that_it_affects() {
    let mut it = Journey::on(Fixture::One, 120, 24);
    it.clock_forward(TimeDelta::days(400));
    it.service().create(&new_token("glitch", "1d", "", &[])).unwrap();
    it.clock_forward(TimeDelta::days(-400));
    let mut again = it.second_on_same_store();
    again.resize(160, 24).keys("C").sees("1 expired token will become valid again.");
    again.sees("1 token issued in the future: glitch. Revoke or regenerate what");
    again.sees("you did not expect.");
    again.keys("accept <Enter>").sees("tokens expire by this clock again");
}

#[test]
fn a_store_that_cannot_be_used_is_reported_and_read_again() {
    type Change = fn(&std::path::Path);
    let changes: [(Change, Change, &str); 4] = [
        (
            |file| fs::rename(file, file.with_extension("aside")).unwrap(),
            |file| fs::rename(file.with_extension("aside"), file).unwrap(),
            "no store at ",
        ),
        (
            |file| {
                fs::copy(file, file.with_extension("aside")).unwrap();
                fs::write(file, "").unwrap();
            },
            |file| fs::rename(file.with_extension("aside"), file).unwrap(),
            "is not a patdeck store",
        ),
        (
            |file| fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap(),
            |file| fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap(),
            "is accessible to other users",
        ),
        (
            |file| fs::rename(folder(file), folder(file).with_extension("aside")).unwrap(),
            |file| fs::rename(folder(file).with_extension("aside"), folder(file)).unwrap(),
            "no store at ",
        ),
    ];
    for (spoil, repair, message) in changes {
        let mut it = Journey::on(Fixture::Few, 200, 24);
        let file = it.store.file();
        spoil(&file);
        it.waits_for(message);
        repair(&file);
        it.keys("j").second_on_same_store().keys("r <Right> <Enter>").sees("Revoked grafana");
        it.waits_for("[Active 1]");
    }
}

#[test]
fn another_failure_of_the_store_is_reported_too() {
    let mut it = Journey::on(Fixture::Few, 200, 24);
    let file = it.store.file();
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    it.waits_for("no store at ");
    fs::write(&file, "text").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    it.waits_for("is not a patdeck store");
    fs::rename(&aside, &file).unwrap();
    it.keys("j r <Right> <Enter>").sees("Revoked ");
}

fn folder(file: &std::path::Path) -> &std::path::Path {
    file.parent().unwrap()
}
