//! The detail tab: choosing changes of scopes in the matrix, applying and discarding them.

use patdeck::testing::ServiceTestExt as _;

use super::{fixture::Fixture, journey::Journey};

/// The detail of `ci-deploy`, with the cursor on `channels:*:publish`, one of its three scopes.
fn detail() -> Journey {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j <Enter>").sees("Scopes 3");
    it
}

#[test]
fn changes_are_collected_and_applied_together() {
    let mut it = detail();
    it.keys("<Space>").sees("[-]").sees("1 removed: Ctrl-S applies, Esc discards");
    it.keys("j <Space>").sees("Scopes 3 +1 -1").sees("1 added, 1 removed: Ctrl-S applies");
    it.keys("<Right> <Space>").sees("Scopes 3 +1 -2");
    it.keys("<C-s>").sees("Change the scopes of ci-deploy?");
    it.sees("Adds 1: may publish to channels c-42.");
    it.sees("Removes 2: may publish to all channels; may subscribe to")
        .sees("Afterwards, u undoes it.");
    it.sees("$ patdeck scope change ci-deploy --add channels:c-42:publish --remove");
    it.keys("<Enter>");
    it.sees("Saved the scopes of ci-deploy: 1 added, 2 removed.");
    it.sees("Scopes 2").never_sees("Ctrl-S applies").never_sees("•");
    let dump = it.store_dump();
    assert!(dump.contains("scope added ci-deploy by alice: channels:c-42:publish"), "{dump}");
    let removed = "scope removed ci-deploy by alice: channels:*:publish channels:c-42:subscribe";
    assert!(dump.contains(removed), "{dump}");
    it.keys("u").sees("Undone: ci-deploy has 3 scopes again.").sees("Scopes 3");
}

#[test]
fn an_undo_waits_for_marked_scopes() {
    let mut it = detail();
    it.keys("e x <C-s>").sees("Saved ci-deployx").keys("<Space> u");
    it.sees("Ctrl-S applies the marked scopes, Esc discards them. Then undo.");
    it.keys("<Esc> <Esc> u").sees("Undone: ci-deployx is named ci-deploy again.");
}

#[test]
fn esc_discards_the_changes_and_then_goes_back() {
    let mut it = detail();
    it.keys("<Space> <Esc>").sees("Not applied. Press Esc again to discard the changes, Ctrl-S to");
    it.keys("j <Esc>").sees("Not applied.").sees("Scopes 3 -1");
    it.keys("<Esc>").sees("Discarded the changes of the scopes.").sees("Scopes 3 ─");
    it.keys("<Esc>").sees("[Active 2]");
    it.keys("<Enter> <Space> <Space>").never_sees("Esc discards").keys("<Esc>").sees("[Active 2]");
}

#[test]
fn enter_applies_and_cancel_keeps_the_changes() {
    let mut it = detail();
    it.keys("<Enter>").sees("No changes to apply. Space adds or removes a scope.");
    it.keys("<Right> <Space> <Enter>").sees("Adds 1: may subscribe to all channels.");
    it.sees("Also removes 1 narrower scope that a new scope covers.");
    it.keys("<Esc>").sees("Scopes 3 +1").keys("<Enter> <Enter>");
    it.sees("1 added; removed 1 narrower scope covered by *.");
}

#[test]
fn entered_scopes_join_the_pending_changes() {
    let mut it = detail();
    it.keys("<Space> a").sees("Add scopes to the changes of ci-deploy");
    // The wider scope is pending removal, so that this one is not covered.
    it.keys("<Tab> c - 9 <Tab> <Space> <C-s>").sees("Scopes 3 +1 -1").sees("1 added, 1 removed");
    it.keys("p").sees("Add a preset to the changes of ci-deploy").keys("<C-s>");
    it.sees("Scopes 3 +").never_sees("Saved").keys("a <Tab> c - 9 <Tab> <Space> <C-s>");
    it.sees("The token has these scopes, or wider ones, already").keys("<Esc> <C-s>");
    it.sees("Change the scopes of ci-deploy?").keys("<Esc> <Esc> <Esc>").sees("Scopes 3 ─");
    assert!(!it.store_dump().contains("scope added ci-deploy by alice"));
    it.keys("a").sees("Add scopes to ci-deploy");
}

#[test]
fn a_row_and_a_column_are_toggled_at_once() {
    let mut it = detail();
    it.keys("-").sees("Scopes 3 +8").keys("-").sees("Scopes 3 -1").keys("<Esc> <Esc>");
    // The scope on * covers that of the other row.
    it.keys("<Left> =").sees("Scopes 3 +2").sees("2 added").keys("<Esc> <Esc>");
    it.keys("<C-s>").never_sees("Change the scopes");
}

#[test]
fn the_keys_of_scopes_say_that_they_need_a_scope() {
    let mut it = detail();
    it.keys("G <Space>").sees("Space works on a scope. Select one first.");
    it.keys("d").sees("d works on a scope. Select one first.");
}

#[test]
fn a_cell_that_cannot_be_toggled_says_why() {
    let mut it = detail();
    it.keys("j <Left> <Space>")
        .sees("channels:c-42:publish is already covered by channels:*:publish");
    it.keys("j <Space>").sees("Scopes 3 ─").sees("for clients");
}

#[test]
fn pending_changes_follow_those_of_a_colleague() {
    let mut it = detail();
    let id = it.id("ci-deploy");
    it.keys("<Space> j <Space>").sees("Scopes 3 +1 -1").keys("<C-s>").sees("Adds 1");
    let publish = "channels:*:publish".parse().unwrap();
    it.service().remove_scope(&id, &publish).unwrap();
    // The dialog refuses as a whole; the removal is not pending any more.
    it.keys("<Enter>").sees("channels:*:publish");
    it.waits_for("Scopes 2 +1").never_sees("+1 -1");
    it.keys("<C-s> <Enter>").sees("Saved the scopes of ci-deploy: 1 added.");
}

#[test]
fn changes_are_kept_while_another_screen_is_shown() {
    let mut it = detail();
    it.keys("<Space> 1 <Down> <Up> 3").sees("Scopes 3 -1");
}

#[test]
fn the_list_form_toggles_scopes_too() {
    let mut it = detail();
    it.keys("o <Space>").sees("- channels").sees("1 removed").keys("o").sees("[-]");
    let mut it = Journey::on(Fixture::Few, 40, 10);
    it.keys("j <Enter> z z <Space>").sees("1 removed: Ctrl-S applies").keys("<C-s>");
    it.sees("Change the scopes").keys("<Enter>").sees("Saved the scopes");
}

#[test]
fn a_click_on_the_selected_cell_toggles_it() {
    let mut it = detail();
    it.clicks("✓").sees("Scopes 3 -1");
}
