//! What an operator finds at 60x16 and 40x10: fields that do not fit can be reached, marks are visible,
//! and texts are not cut in the middle.

use patdeck::testing::ServiceTestExt as _;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn the_zoom_shows_every_fact_on_a_small_screen() {
    for (columns, lines) in [(60, 16), (40, 10)] {
        let mut it = Journey::on(Fixture::Few, columns, lines);
        let id = it.id("ci-deploy").to_string();
        it.keys("j <Enter>").sees("z all facts").never_sees(&id);
        it.keys("z");
        let mut text = it.screen();
        for _ in 0..20 {
            it.keys("j");
            text += &it.screen();
        }
        let created = "3d ago by alice";
        for fact in [&*id, "pat_", "saved", created, "publish on channels:c-7", "Publishes builds"]
        {
            assert!(text.contains(fact), "{fact}\n{text}");
        }
        it.keys("g <Space>").sees("Expires").never_sees("removed").sees("z zoom section");
        it.keys("z").sees("Scopes 3").keys("z").sees("z all facts");
        it.keys("z <Esc>").sees("z all facts").keys("<Esc>").sees("[Act");
    }
}

#[test]
fn without_hidden_facts_the_zoom_has_one_step() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j <Enter>").never_sees("all facts").keys("z").never_sees("Events");
    it.keys("z").sees("Events");
}

#[test]
fn a_title_tells_scopes_from_rows() {
    let mut it = Journey::on(Fixture::One, 60, 16);
    let id = it.id("ci-deploy");
    for n in 0..9 {
        let scopes = ["read", "update"].map(|it| format!("clients:c-{n}:{it}").parse().unwrap());
        it.service().add_scopes(&id, &scopes).unwrap();
    }
    it.keys("<Enter>").waits_for("Scopes 19: 1-4/10");
}

#[test]
fn names_in_the_matrix_have_room_before_headings() {
    let mut it = Journey::on(Fixture::One, 60, 16);
    let scope = "clients:gateway-2:read@factory".parse().unwrap();
    it.service().add_scopes(&it.id("ci-deploy"), &[scope]).unwrap();
    it.keys("<Enter>").waits_for("gateway-2@factory");
}

#[test]
fn the_preset_dialog_scrolls_on_ten_lines() {
    let mut it = Journey::on(Fixture::One, 40, 10);
    it.keys("p").sees("[read-only]").never_sees("any (*)");
    it.keys("<Tab> <Tab>").sees("any (*)").types("c-9").keys("<Tab>").sees("[ Add ]");
}

#[test]
fn marks_are_visible_on_the_selected_row() {
    let mut it = Journey::on(Fixture::Many, 60, 16);
    it.keys("<Space> k");
    assert!(it.selected().starts_with('✓'), "{}", it.selected());
    it.sees("1 marked").sees("r revoke 1").sees("Esc unmark");
    it.keys("j v j").sees("r revoke 3").sees("Esc end range");
    it.keys("<Esc> <Esc>").never_sees("unmark").sees("r revoke");
}

#[test]
fn a_dialog_counts_marked_tokens_that_are_hidden() {
    let hidden = "1 of the marked tokens is not in the shown list.";
    let mut it = Journey::on(Fixture::Few, 60, 16);
    it.keys("* r").sees("Revoke 2 tokens?").never_sees("marked tokens").keys("<Esc>");
    it.keys("/ ci-d <Enter> r").sees("Revoke 2 tokens?").sees(hidden).sees("grafana");
    it.keys("<Esc> D").sees(hidden).keys("<Esc> X").never_sees(hidden);
}

#[test]
fn the_strip_key_says_that_the_terminal_is_small() {
    let mut it = Journey::on(Fixture::Many, 60, 16);
    it.keys("z").sees("The strip of expiries needs a terminal of 48x20 or more.");
    it.resize(60, 24).sees("expiries, next").keys("z").never_sees("expiries, next");
}

#[test]
fn the_form_for_many_tokens_is_not_cut() {
    let mut it = Journey::on(Fixture::Few, 60, 16);
    it.keys("* R").sees("before anything changes.");
    it.keys("<Tab> <Tab> <C-u> <C-s>").sees("Enter a file name").sees("before anything changes.");
    let file = it.path("new.tsv");
    it.retypes(file.to_str().unwrap()).keys("<C-s>").sees("Regenerate 2 tokens?");
    it.keys("2 <Enter>").sees("Wrote 2 new secrets");
    it.sees("Enter close").never_sees("Esc cancel").never_sees("$ patdeck");
    it.keys("<Enter>").never_sees("new secrets");
}

#[test]
fn the_filter_of_the_trail_is_shown_in_full() {
    let mut it = Journey::on(Fixture::Many, 60, 16);
    it.keys("4 f").sees("[token fleet-59]").sees("Esc show all").sees("of 126 shown");
    it.keys("<Esc>").never_sees("[token").sees("Esc back").sees("Chain verified");
}

#[test]
fn faults_and_hints_of_a_form_are_not_cut() {
    let mut it = Journey::on(Fixture::Few, 60, 16);
    it.keys("n").sees("None: a adds one, p uses a preset");
    it.types("ci-deploy").keys("<C-s>").sees("choose another").sees("name");
    it.keys("<Tab> 999d <C-s>").sees("choose a shorter");
    assert!(!it.screen().lines().take(13).any(|line| line.contains('…')), "{}", it.screen());
}

#[test]
fn the_menu_of_copy_keys_shows_how_to_cancel() {
    let mut it = Journey::on(Fixture::Few, 60, 16);
    it.keys("n x <C-s> Y").sees("j JSON  Esc");
    it.resize(40, 10).sees("…  Esc");
}

#[test]
fn the_scope_dialog_uses_blank_lines_before_scrolling() {
    let mut it = Journey::on(Fixture::One, 60, 16);
    it.keys("a c <Tab> <Tab> <Tab>").sees("Entity type").sees("[channels]").sees("Domain");
}

#[test]
fn the_footer_names_what_enter_does_in_a_question() {
    let mut it = Journey::on(Fixture::One, 60, 16);
    it.keys("r").sees("Enter/Esc cancel").keys("<Right>").sees("Enter revoke").keys("<Esc>");
    it.keys("n x <Esc> c").sees("Enter/Esc cancel").keys("<Right>").sees("Enter replace");
}

#[test]
fn an_old_expiry_keeps_its_time_in_the_list() {
    let mut it = Journey::on(Fixture::Few, 60, 16);
    it.clock_forward(chrono::TimeDelta::days(120)).keys("f").waits_for("sensor-gate");
    assert!(
        it.screen().contains("121d ago") || it.screen().contains("120d ago"),
        "{}",
        it.screen()
    );
}

#[test]
fn another_preset_does_not_move_the_dialog() {
    for (columns, lines) in [(60, 16), (80, 24)] {
        let mut it = Journey::on(Fixture::Few, columns, lines);
        it.keys("j <Enter> p");
        let place = |it: &Journey| it.screen().lines().position(|line| line.contains("[ Add ]"));
        let before = place(&it);
        it.keys("f").sees("[full-access]");
        assert_eq!(place(&it), before, "{}", it.screen());
    }
}
