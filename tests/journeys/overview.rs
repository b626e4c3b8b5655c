//! The overview tab: its numbers are those of the lists that it opens, and it follows the store.

use chrono::TimeDelta;
use patdeck::{
    domain::{AuditAction, Hook, Hooks},
    testing::ServiceTestExt as _,
};
use zeroize::Zeroizing;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn a_row_opens_the_list_with_its_tokens() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("5").sees("Needs attention").sees("Expiries by week");
    let rows = [("", "expires<7d"), ("j j", "idle>90d"), ("j j j", "unrestricted")];
    for (keys, search) in rows {
        it.keys("5 g").keys(keys);
        let number: usize =
            it.selected().split_whitespace().nth(1).unwrap().parse().unwrap_or_default();
        it.keys("<Enter>").sees(&format!("/{search}"));
        it.sees(&format!("[Active {number}]"));
    }
}

#[test]
fn an_unsaved_secret_is_counted_and_its_list_shows_it() {
    let mut it = Journey::on(Fixture::Undelivered, 80, 24);
    it.keys("5").sees("1 secret was never saved").keys("j <Enter>");
    it.sees("/unsaved -status:expired -status:revoked").sees("left-behind").sees("[All 1]");
    // Here the key leads back, so it does not hide the line about the secret.
    it.never_sees("hides this line").sees("Esc overview").keys("<Esc>").sees("Needs attention");
    // The status filter was chosen by the row.
    it.keys("1").never_sees("unsaved").sees("[Active 1]");
}

#[test]
fn a_change_by_another_process_updates_the_figures() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("5").sees("none expires within 7 days").sees("Tokens 1");
    it.second_on_same_store().keys("n short <Tab> <Right> <C-s> a");
    it.waits_for("Tokens 2");
}

#[test]
fn time_alone_updates_the_figures() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("5").sees("none expires within 7 days").clock_forward(TimeDelta::days(25));
    it.waits_for("1 expires within 7 days");
}

#[test]
fn denied_checks_of_today_lead_to_their_token() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("n gate <C-s>");
    let secret = it.secret().unwrap();
    it.keys("a 1");
    let mut verifier = it.service().verifier();
    let request = "users:u-1:read".parse().unwrap();
    for _ in 0..25 {
        let presented = Zeroizing::new(secret.clone());
        verifier.check(presented, Some(&request), Some("10.0.0.7")).unwrap();
    }
    drop(verifier);
    it.keys("5").waits_for("gate: 25 denied today").sees("today, 10.0.0.7").sees("today ");
    it.keys("g j j j j <Enter>").sees("3 Detail").sees("gate");
}

#[test]
fn the_chain_row_opens_the_audit_trail() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("5").sees("audit chain verified just now");
    it.keys("G <Enter>").sees("Chain verified");
    it.keys("5 <Esc>").sees("[Active");
}

#[test]
fn the_overview_fits_the_smallest_screen() {
    let mut it = Journey::on(Fixture::Many, 40, 10);
    it.keys("5").sees("5 Overview").sees("expire within 7 days").sees("unused for 90 days");
    it.keys("G").sees("audit chain verified");
}

#[test]
fn the_command_of_the_overview_prints_the_same() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("5 y c");
    assert_eq!(it.copied_texts().last().map(String::as_str), Some("patdeck status"));
}

#[test]
fn a_zero_is_not_shown_as_a_problem() {
    let mut it = Journey::on(Fixture::Few, 120, 40);
    it.keys("5").sees("none denied often today").never_sees("! none").never_sees(" 0 tokens");
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("5").sees("Nothing needs attention").sees("every secret was saved");
}

#[test]
fn a_high_screen_shows_higher_bars() {
    let mut it = Journey::on(Fixture::Many, 120, 40);
    let screen = it.keys("5").screen();
    let last = screen.lines().position(|line| line.contains("Tokens 60")).unwrap();
    assert!(last >= 30, "the lower third is empty\n{screen}");
}

#[test]
fn the_text_of_an_empty_store_is_not_cut() {
    for (columns, lines) in [(80, 24), (60, 16), (40, 10)] {
        let mut it = Journey::on(Fixture::Empty, columns, lines);
        it.keys("5");
        let screen = it.screen();
        assert!(!screen.contains('…') || columns < 80, "{screen}");
    }
}

#[test]
fn a_hook_that_waits_needs_attention() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let command = ["/bin/true"];
    let hook = Hook::new(None, vec![AuditAction::Revoked], &command, Hook::DEFAULT_TIMEOUT);
    let service = it.store.service("ops").with_hooks(Hooks::from(vec![hook.unwrap()]));
    it.keys("5").never_sees("hook");
    service.revoke(&it.id("ci-deploy")).unwrap();
    it.waits_for("1 hook run waits")
        .keys("g j j j j j <Enter>")
        .sees("`patdeck hooks run` runs them");
}
