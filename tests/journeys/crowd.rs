//! More tokens than are read in one go: the list is the same as for few.

use std::time::Duration;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn the_newest_are_on_the_first_frame_and_all_others_come() {
    let mut it = Journey::on(Fixture::Crowd, 80, 24);
    it.sees("crowd-8999").sees("1 of 6001").sees("[Active 6001]  Expired 0   Revoked 3000");
    it.never_sees("reading the store").keys("G").sees("6001 of 6001").sees("like");
    it.keys("F F").sees("[Revoked 3000]").sees("crowd-8997").keys("<PgDn>").sees("crowd-8937");
}

#[test]
fn what_is_shown_before_everything_is_read_stays_where_it_is() {
    let it = Journey::on(Fixture::Crowd, 80, 24);
    let mut again = it.opening_another();
    // The first frame is drawn as soon as its rows are known.
    again.event_loop.settle(Duration::ZERO).unwrap();
    let mut frames = Vec::new();
    while again.event_loop.app.is_busy() {
        again.event_loop.process_next(Duration::from_secs(20)).unwrap();
        again.event_loop.draw().unwrap();
        let screen = again.screen();
        let rows = screen.lines().skip(3).take(15);
        let rows: Vec<_> = rows.map(str::to_owned).collect();
        if rows.iter().any(|row| row.contains("crowd-")) {
            frames.push(rows);
        }
    }
    frames.dedup();
    assert_eq!(frames.len(), 1, "the rows moved\n{frames:#?}");
}

#[test]
fn search_sort_and_selection_are_those_of_a_small_list() {
    let mut it = Journey::on(Fixture::Crowd, 100, 24);
    it.keys("/ crowd-77 <Enter>").sees("1 of 75").sees("crowd-7799");
    it.keys("<Esc>").sees("of 6001").keys("j j y n");
    let name = it.sent().pop();
    // Through every column both ways.
    it.keys("s s s S s s S s S y n");
    assert_eq!(it.sent().pop(), name);
    it.keys("/ nobody").sees("Nothing active matches the search.");
}

#[test]
fn changes_come_into_a_large_list() {
    let mut one = Journey::on(Fixture::Crowd, 80, 24);
    let mut two = one.second_on_same_store();
    two.keys("n from-bob <C-s> a");
    one.comes_to_see("from-bob").sees("[Active 6002]").sees("2 of 6002");
    two.keys("1 g D from-bob <Enter>").sees("Deleted");
    one.comes_to_see("[Active 6001]").never_sees("from-bob");
}

#[test]
fn marks_reach_beyond_the_screen() {
    let mut it = Journey::on(Fixture::Crowd, 80, 24);
    it.keys("*").sees("6001 marked").keys("r").sees("Revoke 6,001 tokens?");
    it.sees("of 6001, arrows scroll").keys("<Esc> <Esc>").never_sees("marked");
    it.keys("v G").sees("6001 marked").keys("<Esc> g / crowd-77 <Enter> * D");
    it.sees("Delete 75 tokens?").keys("75 <Enter>").sees("Deleted 75 tokens");
    it.sees("Nothing active matches").keys("<Esc>").sees("[Active 5926]");
    it.keys("u").sees("Restored 75 tokens").sees("[Active 6001]");
}

#[test]
fn terms_are_found_among_many() {
    let mut it = Journey::on(Fixture::Crowd, 80, 24);
    it.keys("/").types("status:revoked crowd-77 by:alice").sees("[All 36]").sees("crowd-7797");
    it.keys("<Esc> /").types("-by:alice").sees("Nothing active matches the search.");
}
