//! The list with more tokens than one batch works as with few.

use std::time::Duration;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn the_first_frame_has_the_newest_then_all_load() {
    let mut it = Journey::on(Fixture::Large, 80, 24);
    it.sees("bulk-8999").sees("1-18 of 6,001").sees("[Active 6,001]  Expired 0   Revoked 3,000");
    it.never_sees("Loading the store").keys("G").sees("-6,001 of 6,001").sees("template");
    it.keys("F F").sees("[Revoked 3,000]").sees("bulk-8997").keys("<PgDn>").sees("bulk-8937");
}

#[test]
fn rows_do_not_move_while_the_store_loads() {
    let it = Journey::on(Fixture::Large, 80, 24);
    let mut again = it.second_before_first_frame();
    // Draw the first frame as soon as its rows are loaded.
    again.event_loop.wait_until_idle(Duration::ZERO).unwrap();
    let mut frames = Vec::new();
    while again.event_loop.app.is_busy() {
        again.event_loop.process_next(Duration::from_secs(20)).unwrap();
        again.event_loop.draw().unwrap();
        let screen = again.screen();
        let rows = screen.lines().skip(4).take(14);
        // The scrollbar in the last column appears once the store is loaded.
        let rows: Vec<String> = rows.map(|row| row.chars().take(78).collect()).collect();
        let rows: Vec<_> = rows.iter().map(|row| row.trim_end().to_owned()).collect();
        if rows.iter().any(|row| row.contains("bulk-")) {
            frames.push(rows);
        }
    }
    frames.dedup();
    assert_eq!(frames.len(), 1, "the rows moved\n{frames:#?}");
}

#[test]
fn search_sort_and_selection_work_as_in_a_small_list() {
    let mut it = Journey::on(Fixture::Large, 100, 24);
    it.keys("/ bulk-77 <Enter>").sees("1-18 of 75").sees("bulk-7799");
    it.keys("<Esc>").sees("of 6,001").keys("j j y n");
    let name = it.copied_texts().pop();
    // Sort by every column in both directions.
    it.keys("s s s S s s S s S y n");
    assert_eq!(it.copied_texts().pop(), name);
    it.keys("/ nobody").sees("No active tokens match the search.");
}

#[test]
fn concurrent_changes_appear_in_a_large_list() {
    let mut one = Journey::on(Fixture::Large, 80, 24);
    let mut two = one.second_on_same_store();
    two.keys("n from-bob <C-s> a");
    one.waits_for("from-bob").sees("[Active 6,002]").sees("1-18 of 6,002");
    two.keys("1 g D from-bob <Enter>").sees("Deleted");
    one.waits_for("[Active 6,001]").never_sees("from-bob");
}

#[test]
fn marks_extend_beyond_the_screen() {
    let mut it = Journey::on(Fixture::Large, 80, 24);
    it.keys("*").sees("6,001 marked").keys("r").sees("Revoke 6,001 tokens?");
    it.sees("of 6,001, arrows scroll").keys("<Esc> <Esc>").never_sees("marked");
    it.keys("v G").sees("6,001 marked").keys("<Esc> g / bulk-77 <Enter> * D");
    it.sees("Delete 75 tokens?").keys("75 <Enter>").sees("Deleted 75 tokens");
    it.sees("No active tokens match").keys("<Esc>").sees("[Active 5,926]");
    it.keys("u").sees("Restored 75 tokens").sees("[Active 6,001]");
}

#[test]
fn search_terms_filter_a_large_list() {
    let mut it = Journey::on(Fixture::Large, 80, 24);
    it.keys("/").types("status:revoked bulk-77 by:alice").sees("[All 36]").sees("bulk-7797");
    it.keys("<Esc> /").types("-by:alice").sees("No active tokens match the search.");
}
