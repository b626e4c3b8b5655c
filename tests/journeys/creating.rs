//! The create form: fields, validation messages and scope rows.

use super::{fixture::Fixture, journey::Journey};

#[test]
fn help_in_a_form_lists_its_keys_and_runs_them() {
    let mut it = Journey::at(80, 24);
    it.keys("n x <C-g>").sees("Forms and dialogs").sees("go to the scopes of the new token");
    it.keys("<Esc>").sees("Create token").keys("<C-g>").types("clear").never_sees("revoke");
    it.types("<BS>").keys("<Esc> <Esc> <C-g>");
    let mut it = Journey::on(super::fixture::Fixture::Few, 80, 24);
    it.keys("e <C-g>").sees("submit from any field").keys("<Esc>").sees("Edit ");
}

#[test]
fn a_token_is_created_with_every_field_filled_in() {
    let mut it = Journey::at(80, 24);
    it.sees("No tokens yet.").keys("n prod-ci <Tab> 45m");
    it.sees("Expires in 45 min, 24 Nov 2026 12:45 UTC").keys("<Tab>");
    it.types("Publishes builds").keys("<C-j>").types("ask the ci team");
    // First row: channels, any entity, publish and read.
    it.keys("<Tab> a").sees("Add scopes");
    it.keys("c <Tab> <Tab> p <Space> r <Space> <C-s>");
    it.sees("channels").sees("read, publish");
    // Second row: clients, c-7, list.
    it.keys("a c c <Tab>").retypes("c-7");
    it.keys("<Tab> l <Space> <C-s>").sees("c-7");
    it.keys("<C-s>").sees("Secret of prod-ci");
    it.keys("a").sees("ask the ci team");
    assert_eq!(
        it.store_dump(),
        "token prod-ci active until 2026-11-24 12:45 [channels:*:publish channels:*:read \
         clients:c-7:list] \"Publishes builds\\nask the ci team\"\n\
         event 1 created prod-ci by alice: until 2026-11-24 12:45 UTC, 3 scopes\n\
         event 2 secret saved prod-ci by alice: marked as saved"
    );
}

#[test]
fn scope_rows_are_edited_and_removed_before_creating() {
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
fn enter_moves_through_the_form_to_its_button() {
    let mut it = Journey::at(80, 24);
    it.keys("n plain <Enter> <Enter> <Enter>");
    // On the scope rows, Enter edits or adds a row; Tab moves on to the limits and the labels.
    it.keys("<Tab> <Enter>").sees("allow from: ");
    it.keys("<Enter> <Enter> <Enter> <Enter>").sees("KEY=VALUE");
    it.keys("<Enter> <Enter> <Enter>").sees("Secret of plain");
}

#[test]
fn a_name_that_mixes_scripts_is_created_with_a_hint() {
    let mut it = Journey::at(80, 24);
    it.keys("n").sees("Must be unique");
    it.types("p\u{430}ypal").sees("Mixes scripts: check each letter");
    it.keys("<C-s>").sees("mixes scripts: a letter may not be what it looks like");
}

#[test]
fn an_invalid_name_is_reported_and_no_input_is_lost() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("n <C-s>").sees("missing name");
    it.types("CI-Deploy").never_sees("missing name");
    it.keys("<Tab> <Tab> kept <C-s>")
        .sees("another token is already named CI-Deploy: choose another name")
        .sees("kept");
    it.retypes(&"n".repeat(65));
    it.keys("<C-s>").sees("too long (65 characters): use at most 64");
    it.retypes("abc\u{202e}");
    it.keys("<C-s>").sees("U+202E is invisible or a control character");
    it.keys("<Backspace> <C-s> a");
    assert_eq!(it.token("abc").description.as_str(), "kept");
}

#[test]
fn an_invalid_lifetime_is_reported_below_its_field() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> 0d").sees("lifetime is below the minimum of 1 minute");
    it.retypes("367d").sees("lifetime exceeds the maximum of 366d: choose a shorter one");
    it.retypes("soon").sees("invalid lifetime `soon`");
    it.retypes("2026-11-23").sees("2026-11-23 is in the past");
    it.retypes("-5d").sees("lifetime is below the minimum of 1 minute");
    it.keys("<C-s>").never_sees("Secret of").sees("-5d");
    assert_eq!(it.store_dump(), "");
    it.retypes("2026-12-24").sees("Expires in 30d, 24 Dec 2026 23:59 UTC");
    it.keys("<C-s>").sees("Secret of ci");
}

#[test]
fn an_invalid_scope_is_reported_below_its_field() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a <C-s>");
    it.sees("Select at least one operation with Space");
    it.keys("<S-Tab>").retypes("two words");
    it.keys("<Tab> r <Space> <C-s>")
        .sees("invalid entity: use 1 to 128 visible characters")
        .sees("two words");
    it.retypes("d-1").keys("<Tab> <Tab>").retypes("a:b");
    it.keys("<C-s>").sees("invalid domain: use 1 to 128 visible characters");
    it.retypes("").keys("<C-s>").sees("d-1");
}

#[test]
fn duplicate_scopes_are_refused_and_a_star_absorbs() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab>").retypes("c-1");
    it.keys("<Tab> r <Space> <C-s>");
    it.keys("a c <Tab>").retypes("c-1");
    it.keys("<Tab> r <Space> <C-s>").sees("channels:c-1:read is already granted");
    it.keys("<S-Tab>").retypes("*").never_sees("any (*)");
    it.keys("<C-s>").never_sees("c-1");
    it.keys("a c <Tab>").retypes("c-2");
    it.keys("<Tab> r <Space> <C-s>")
        .sees("channels:c-2:read is already covered by channels:*:read");
    it.keys("<Esc> <C-s> a");
    assert!(it.store_dump().contains("[channels:*:read]"));
}

#[test]
fn only_operations_of_the_entity_type_are_offered() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c").sees("publish");
    it.keys("<Tab> <Tab> * <S-Tab> <S-Tab> m");
    it.sees("publish").sees("subscribe").never_sees("[ ] read");
    it.keys("<C-s> <C-s> a");
    assert!(it.store_dump().contains("[messages:*:publish messages:*:subscribe]"));
}

#[test]
fn a_draft_is_kept_until_its_token_is_created() {
    let mut it = Journey::at(80, 24);
    it.keys("n half-done <Tab> 2h <Tab> text <Tab> a c <Tab> <Tab> p <Space> <C-s> <Esc>");
    it.sees("No tokens yet.").keys("4 2");
    it.sees("half-done").sees("2h").sees("text").sees("publish");
    it.keys("<C-s> a 2").never_sees("half-done");
}

#[test]
fn a_resize_keeps_the_form_content() {
    let mut it = Journey::at(80, 24);
    it.keys("n re").resize(60, 16).keys("si").resize(20, 5);
    it.sees("too small");
    it.keys("zed").resize(120, 40).sees("resized");
    it.keys("<C-s>").sees("Secret of resized");
}

#[test]
fn a_token_without_scopes_is_marked() {
    let mut it = Journey::at(80, 24);
    it.keys("n bare <C-s> a");
    it.sees("no scopes: every operation is denied");
}

#[test]
fn a_typed_entity_replaces_the_placeholder() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab>").sees("any (*)").types("c-42").sees("c-42");
    it.never_sees("any (*)").never_sees("*c-42");
    // A `*` beside other characters is a fault from the first key on.
    it.keys("*").sees("use * alone for any entity").keys("<Backspace>").never_sees("* alone");
    it.keys("<C-u>").types("c-*").keys("<C-s>").sees("use * alone for any entity");
    it.keys("<Esc> p <Tab> <Tab>").types("c-9").sees("c-9").never_sees("*c-9");
}

#[test]
fn a_pasted_entity_replaces_the_prefilled_star() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab>").paste("c-42").sees("c-42").never_sees("*c-42");
    it.keys("<Home> x").sees("xc-42");
}

#[test]
fn a_first_token_needs_few_keys_beside_its_texts() {
    let mut it = Journey::at(80, 24);
    // `n`, the name, Ctrl-O, `a`, the type, two Tabs with the entity, the operation, twice Ctrl-S,
    // `y` and Esc are 12 keys beside the two typed texts.
    let keys = ["n", "<C-o>", "a", "c", "<Tab>", "<Tab>", "p", "<Space>", "<C-s>", "<C-s>"];
    it.keys(keys[0]).types("ci").keys(&keys[1..5].join(" ")).types("c-42");
    it.keys(&keys[5..].join(" ")).sees("Secret of ci").keys("y <Esc>").never_sees("Secret of ci");
    assert!(keys.len() + 2 <= 12);
    assert!(it.store_dump().contains("[channels:c-42:publish]"));
}

#[test]
fn entities_in_use_are_suggested() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("n ci <C-o> a c <Tab>").sees("lists 1 in use");
    it.keys("<Down>").sees("c-42").keys("<Enter> <Tab> p <Space>").sees("may publish to c-42");
    it.keys("<C-s>").sees("channels    c-42");
    // Esc closes the list, then the dialog; an arrow leaves an input without suggestions.
    it.keys("a c <Tab> <Down> <Esc>").sees("Add scopes").keys("x <Down>").sees("Space toggles");
    it.keys("<Esc>").never_sees("Add scopes");
}

#[test]
fn several_entities_become_several_rows() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <C-o> a c <Tab>").types("c-1, c-2").keys("<Tab> p <Space> <C-s>");
    it.sees("channels    c-1").sees("channels    c-2");
    // The same in a changed row.
    it.keys("e <Tab>").retypes("c-3,c-4").keys("<C-s> <C-s> a");
    let dump = it.store_dump();
    assert!(dump.contains("channels:c-3:publish channels:c-4:publish"), "{dump}");
}

#[test]
fn arrows_move_in_the_grid_of_operations() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <C-o> a c <Tab> <Tab> <Down> <Space> <Up> <Space> <Up>").sees("any (*)");
    it.keys("<C-s> <C-s> a");
    assert_eq!(it.token("ci").scopes.len(), 2);
}

#[test]
fn leaving_says_that_the_draft_is_kept_and_clear_empties_it() {
    let mut it = Journey::at(80, 24);
    it.keys("n half-done <Esc>").sees("Draft kept: 2 returns to it").sees("2 Create\u{2022}");
    it.keys("n").sees("This is the draft that you left").sees("half-done");
    it.keys("<S-Tab>").clicks("[ Clear ]").never_sees("half-done").sees("The form is empty");
    it.never_sees("2 Create\u{2022}").keys("<Esc>").never_sees("Draft kept");
    it.keys("n again <C-x>").never_sees("again");
}

#[test]
fn the_buttons_are_directly_below_the_last_field() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut it = Journey::at(width, height);
        it.keys("n");
        let screen = it.screen();
        let line = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap();
        let below = line("[ Create token ]") - line("Labels");
        assert!(below <= 2, "{screen}");
    }
}

#[test]
fn a_large_paste_names_its_size() {
    let mut it = Journey::at(80, 24);
    it.keys("n").paste(&"z".repeat(1_000_000));
    it.sees("Only the first 4,096 of 1,000,000 pasted characters fit");
}

#[test]
fn an_empty_custom_lifetime_shows_examples_and_no_error() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Left> <Left>");
    for _ in 0..8 {
        if it.shows("45m, 24h, 30d") {
            break;
        }
        it.keys("<Right>");
    }
    it.sees("45m, 24h, 30d, 8w, 1y or 2027-01-31").never_sees("is not a lifetime");
}

#[test]
fn the_preset_dialog_starts_without_an_entity() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> p <Tab> <Tab>").sees("any (*)").types("c-9");
    it.keys("<C-s>").sees("c-9").never_sees("*c-9");
}

#[test]
fn the_form_describes_the_token_with_its_end() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> 2027-02-28 <Tab> <Tab> a c <Tab> c-1,c-2 <Tab> p <Space> s <Space> <C-s>");
    it.sees("may publish and subscribe to channels c-1, c-2 until 28 Feb 2027");
    // A short lifetime has the time of day.
    it.keys("<S-Tab> <S-Tab> <S-Tab>").retypes("45m").sees("c-1, c-2 until 24 Nov 2026 12:45 UTC");
    it.retypes("1x").never_sees("c-2 until");
}

#[test]
fn tab_leaves_the_scope_rows_and_enter_visits_each_field() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <C-o> a <Tab>").types("c-1, c-2, c-3").keys("<Tab> p <Space> <C-s>").sees("c-3");
    it.keys("<Tab> 10.0.0.0/8 <Enter> <Enter> 3 <Enter>").types("env=prod").keys("<Enter>");
    it.types("Ann Berg").keys("<C-s> a");
    let token = it.token("ci");
    let sources = token.limits.sources.unwrap().to_string();
    assert_eq!((sources.as_str(), token.limits.max_uses), ("10.0.0.0/8", "3".parse().ok()));
    assert_eq!((token.labels.to_string(), token.owner.as_str()), ("env=prod".into(), "Ann Berg"));
}

#[test]
fn scope_rows_that_do_not_fit_are_counted() {
    let mut it = Journey::at(80, 24);
    let ids: Vec<_> = (1..=12).map(|n| format!("c-{n}")).collect();
    it.keys("n ci <C-o> a <Tab>").types(&ids.join(", ")).keys("<Tab> p <Space> <C-s>");
    it.sees("-12 of 12").keys("<Up> <Up> <Up> <Up> <Up> <Up> <Up> <Up> <Up> <Up> <Up>");
    it.sees(" 1-").sees(" of 12").never_sees("-12 of");
}
