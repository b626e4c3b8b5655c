//! Making tokens: the form, its faults beside their fields, its scope rows.

use super::{fixture::Fixture, journey::Journey};

#[test]
fn a_token_with_its_own_lifetime_two_lines_and_two_scope_rows_is_created() {
    let mut it = Journey::at(80, 24);
    it.sees("No tokens yet.").keys("n prod-ci <Tab> 45m");
    it.sees("expires Tue 24 Nov 2026 12:45 +00:00").keys("<Tab>");
    it.types("Publishes builds").keys("<C-j>").types("ask the ci team");
    // The first row: channels, any, publish and read.
    it.keys("<Tab> a").sees("Add scopes");
    it.keys("c <Tab> <Tab> p <Space> r <Space> <C-s>");
    it.sees("channels").sees("read, publish");
    // The second row: clients c-7, list.
    it.keys("a c c <Tab>").retypes("c-7");
    it.keys("<Tab> l <Space> <C-s>").sees("c-7");
    it.keys("<C-s>").sees("The secret of prod-ci");
    it.keys("a").sees("ask the ci team");
    assert_eq!(
        it.store_dump(),
        "token prod-ci active until 2026-11-24 12:45 [channels:*:publish channels:*:read \
         clients:c-7:list] \"Publishes builds\\nask the ci team\"\n\
         event 1 created prod-ci by alice: until 2026-11-24 12:45 UTC, 3 scopes\n\
         event 2 claimed prod-ci by alice: said to be saved"
    );
}

#[test]
fn a_scope_row_is_changed_and_another_removed_before_creating() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Enter> <Enter> <Enter> a c <Tab> <Tab> p <Space> <C-s>");
    it.keys("a u <Tab> <Tab> r <Space> <C-s>").sees("users");
    it.keys("<Up> e").sees("Change scopes").keys("<Tab>");
    it.retypes("c-42").keys("<C-s>").sees("c-42");
    it.keys("<Down> d").never_sees("users");
    it.keys("<C-s> a");
    assert_eq!(it.token("ci").scopes.as_slice().len(), 1);
    assert!(it.store_dump().contains("[channels:c-42:publish]"));
}

#[test]
fn enter_alone_leads_through_the_form_to_its_button() {
    let mut it = Journey::at(80, 24);
    it.keys("n plain <Enter> <Enter> <Enter>");
    // On the scopes Enter changes or adds a row; Tab goes on to the button.
    it.keys("<Tab> <Enter>").sees("The secret of plain");
}

#[test]
fn a_faulty_name_is_told_beside_it_and_keeps_what_was_typed() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("n <C-s>").sees("a name is needed");
    it.types("CI-Deploy").never_sees("a name is needed");
    it.keys("<Tab> <Tab> kept <C-s>")
        .sees("another token is called CI-Deploy: choose another name")
        .sees("kept");
    it.retypes(&"n".repeat(65));
    it.keys("<C-s>").sees("65 characters are too many: shorten it to 64");
    it.retypes("abc\u{202e}");
    it.keys("<C-s>").sees("U+202E is invisible or controls the terminal");
    it.keys("<Backspace> <C-s> a");
    assert_eq!(it.token("abc").description.as_str(), "kept");
}

#[test]
fn a_faulty_lifetime_is_told_beside_it() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> 0d").sees("a lifetime is at least 1 minute");
    it.retypes("367d").sees("longer than the 366d allowed here");
    it.retypes("soon").sees("`soon` is not a lifetime");
    it.retypes("2026-11-23").sees("2026-11-23 is past");
    it.retypes("-5d").sees("a lifetime is at least 1 minute");
    it.keys("<C-s>").never_sees("The secret of").sees("-5d");
    assert_eq!(it.store_dump(), "");
    it.retypes("2026-12-24").sees("expires Thu 24 Dec 2026 23:59");
    it.keys("<C-s>").sees("The secret of ci");
}

#[test]
fn a_faulty_scope_is_told_beside_its_field() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a <C-s>");
    it.sees("tick at least one operation with Space");
    it.keys("<S-Tab>").retypes("two words");
    it.keys("<Tab> r <Space> <C-s>")
        .sees("an entity is 1 to 128 visible characters")
        .sees("two words");
    it.retypes("").keys("<C-s>").sees("an entity is needed");
    it.retypes("d-1").keys("<Tab> <Tab>").retypes("a:b");
    it.keys("<C-s>").sees("a domain is 1 to 128 visible characters");
    it.retypes("").keys("<C-s>").sees("d-1");
}

#[test]
fn a_duplicate_or_covered_scope_is_refused_in_the_dialog_and_a_star_absorbs() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab>").retypes("c-1");
    it.keys("<Tab> r <Space> <C-s>");
    it.keys("a c <Tab>").retypes("c-1");
    it.keys("<Tab> r <Space> <C-s>").sees("channels:c-1:read is there already");
    it.keys("<S-Tab>").retypes("*");
    it.keys("<C-s>").never_sees("c-1");
    it.keys("a c <Tab>").retypes("c-2");
    it.keys("<Tab> r <Space> <C-s>").sees("channels:c-2:read is covered by channels:*:read");
    it.keys("<Esc> <C-s> a");
    assert!(it.store_dump().contains("[channels:*:read]"));
}

#[test]
fn only_operations_that_the_type_offers_can_be_chosen() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c").sees("publish");
    it.keys("<Tab> <Tab> * <S-Tab> <S-Tab> m");
    it.sees("publish").sees("subscribe").never_sees("[ ] read");
    it.keys("<C-s> <C-s> a");
    assert!(it.store_dump().contains("[messages:*:publish messages:*:subscribe]"));
}

#[test]
fn a_draft_outlives_leaving_the_tab_and_a_created_one_is_gone() {
    let mut it = Journey::at(80, 24);
    it.keys("n half-done <Tab> 2h <Tab> text <Tab> a c <Tab> <Tab> p <Space> <C-s> <Esc>");
    it.sees("No tokens yet.").keys("4 2");
    it.sees("half-done").sees("2h").sees("text").sees("publish");
    it.keys("<C-s> a 2").never_sees("half-done");
}

#[test]
fn a_resize_in_the_middle_of_the_form_loses_nothing() {
    let mut it = Journey::at(80, 24);
    it.keys("n re").resize(60, 16).keys("si").resize(20, 5);
    it.sees("too small");
    it.keys("zed").resize(120, 40).sees("resized");
    it.keys("<C-s>").sees("The secret of resized");
}

#[test]
fn a_token_without_scopes_is_clearly_marked() {
    let mut it = Journey::at(80, 24);
    it.keys("n bare <C-s> a");
    it.sees("no scopes: every operation is denied");
}
