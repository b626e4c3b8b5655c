//! The list of search terms, and the term that was probably meant.

use super::{fixture::Fixture, journey::Journey};

#[test]
fn a_term_of_the_list_is_appended_to_the_search() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/").types("ci").keys("<C-g>").sees("Search terms").sees("has a label with this key");
    it.keys("<Down> <Down> <Down> <Enter>").never_sees("Search terms").sees("/ci op:");
    it.types("publish").sees("/ci op:publish").keys("<Enter>").sees("ci-deploy");
}

#[test]
fn the_list_of_terms_closes_without_a_change() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/").types("ci").keys("<C-g> G <Esc>").sees("/ci").types("-d").sees("/ci-d");
}

#[test]
fn the_audit_trail_lists_its_own_terms() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 / <C-g>").sees("since:7d").never_sees("unsaved");
    it.keys("<Down> <Down> <Enter>").types("ci-deploy").sees("/token:ci-deploy");
}

#[test]
fn the_term_that_was_meant_is_taken_by_a_key() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/").types("ci").never_sees("take term");
    it.types(" owner=alice").sees("Did you mean owner:alice? Tab takes it.");
    it.keys("<Tab>").sees("/ci owner:alice").sees("ci-deploy").never_sees("Did you mean");
}
