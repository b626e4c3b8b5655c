//! Palette, help and messages: finding a command, running it, reading what was said.

use std::time::Duration;

use patdeck::keymap::{Keymap, Override};

use super::{fixture::Fixture, journey::Journey};

#[test]
fn the_palette_finds_a_command_by_a_few_letters_and_runs_it() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys(": rev").sees("revoke the token").keys("<Enter>");
    it.sees("Revoke grafana?").never_sees("Commands").keys("<Esc>");
    it.keys(": audit <Enter>").sees("chain verified");
    it.keys(": q u i t").keys("<Enter>");
    assert!(it.event_loop.is_over());
}

#[test]
fn the_palette_says_where_and_why_a_command_does_not_run() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f : rev").sees("not now").keys("<Esc>");
    it.keys(": test").sees("in the detail of a token");
    it.keys("<Enter>").sees("that works in the detail of a token").sees("Commands");
    it.keys("<Esc> <Enter> : test <Enter>").sees("What may old-backup do?");
    let mut empty = Journey::at(80, 24);
    empty.keys(": copy id <Enter>").sees("there is nothing for it to do here now");
    assert_eq!(empty.sent(), Vec::<String>::new());
}

#[test]
fn the_arrows_choose_and_typing_starts_at_the_best_match() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys(":").sees("1 of").keys("<Down> <Down> <C-n> <C-p>").sees("3 of");
    it.keys("copy").sees("1 of").keys("<Down> <Enter>");
    assert_eq!(it.sent(), ["grafana"], "id first, then name");
}

#[test]
fn the_selected_command_is_run_from_the_help() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("? delete <Space> the <Enter>").sees("Delete grafana?");
    it.keys("<Esc> ? <Down> <Down> <Up> <Enter>").sees("● active  r revoke");
}

#[test]
fn a_menu_does_not_change_its_size_while_one_types() {
    for open in [":", "?"] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys(open);
        let frame = |it: &Journey| {
            let screen = it.screen();
            let edges = screen.lines().enumerate().filter(|(_, l)| l.contains(['┌', '└']));
            edges.map(|(at, line)| (at, line.find(['┌', '└']))).collect::<Vec<_>>()
        };
        let before = frame(&it);
        assert_eq!(before.len(), 2, "{}", it.screen());
        for key in ["r", "e", "v", "zzz"] {
            it.keys(key);
            assert_eq!(frame(&it), before);
        }
    }
}

#[test]
fn what_was_said_can_be_read_again() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("m").sees("Nothing was said yet").keys("<Esc>");
    it.keys("t").clock_forward(chrono::TimeDelta::from_std(Duration::from_secs(65)).unwrap());
    it.never_sees("times are in local time").keys("u");
    it.keys("m").sees("12:00:00    times are in local time");
    it.sees("12:01:05  ! nothing can be brought back").sees("1 of 2");
    it.types("local").never_sees("brought back").sees("1 of 1");
    it.keys("<Esc> : messages <Enter>").sees("1 of 2");
}

#[test]
fn a_copy_says_what_may_follow_and_what_the_command_is() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("y").sees("i copy id").sees("n copy name").sees("c copy command").sees("j copy JSON");
    it.sees("$ patdeck list --status active");
    it.keys("<Esc>").never_sees("c copy command");
    let mut empty = Journey::at(80, 24);
    empty.keys("y").sees("c copy command").never_sees("i copy id");
}

#[test]
fn the_json_is_what_the_command_line_shows() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j y j").sees("JSON: Sent to your terminal's clipboard");
    let copied: serde_json::Value = serde_json::from_str(&it.sent()[0]).unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_patdeck"))
        .env_clear()
        .env("HOME", it.place.folder.path())
        .args(["show", "ci-deploy", "--json", "--store"])
        .arg(it.place.file())
        .output()
        .unwrap();
    let mut shown: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(shown["token"]["name"], "ci-deploy");
    // The program judges by its own clock.
    shown["token"]["status"] = copied["token"]["status"].clone();
    assert_eq!(copied, shown);
    let digest = it.token("ci-deploy").digest;
    assert!(!it.sent()[0].contains(&format!("{digest:?}")));
}

/// The keymap with these `[keys]`: mode, action, key.
fn remapped(lines: &[(&str, &str, &str)]) -> Keymap {
    let lines: Vec<_> = lines
        .iter()
        .map(|(mode, action, key)| Override {
            mode: (*mode).to_owned(),
            action: (*action).to_owned(),
            keys: (!key.is_empty()).then(|| (*key).to_owned()).into_iter().collect(),
        })
        .collect();
    Keymap::new(&lines).unwrap()
}

#[test]
fn footer_help_and_palette_follow_the_operators_keys() {
    let map = remapped(&[
        ("tokens", "revoke", "K"),
        ("tokens", "copy-command", "Z c"),
        ("tokens", "undo", ""),
        ("global", "palette", "Ctrl-G"),
        ("ask", "copy-command", "Ctrl-T"),
    ]);
    let mut it = Journey::with_keys(map, Fixture::Few, 120, 24);
    it.sees("K revoke").sees("● active  r revoke").sees("Ctrl-G commands");
    it.keys("?").types("revoke").sees("revoke the token K").never_sees("revoke the token r");
    it.keys("<Enter>").sees("Revoke grafana?").sees("Ctrl-T command").keys("<C-t> <Esc>");
    it.keys("Z").sees("c copy command").keys("c");
    it.keys(": r")
        .never_sees("Revoke grafana?")
        .keys("<C-g>")
        .types("revoke")
        .sees("revoke the token K");
    it.keys("<Esc> K").sees("Revoke grafana?").keys("<Esc>");
    assert_eq!(
        it.sent(),
        ["patdeck revoke grafana", "patdeck list --status active --sort=-issued"]
    );
    // What lost its key is still found by name.
    it.keys("D")
        .sees("Press `:undo` within 24 hours")
        .keys("grafana <Enter> u")
        .never_sees("is back");
    it.keys("?").types("bring back").sees("No key here does that").keys("<Esc>");
    it.keys("<C-g>").types("bring back").keys("<Enter>").sees("Restored grafana");
}

#[test]
fn sentences_follow_the_operators_keys() {
    let map = remapped(&[
        ("secret", "copy-secret", "C"),
        ("secret", "write-secret", "W"),
        ("secret", "print-secret", "P"),
        ("secret", "hide-secret", "H"),
        ("secret", "acknowledge", "A"),
        ("secret", "close", "Q"),
        ("form", "cancel", "Ctrl-G"),
        ("audit", "back", "B"),
        ("detail", "back", "B"),
        ("detail", "undo", "U"),
        ("tokens", "undo", "U"),
        ("tokens", "delete", "K"),
    ]);
    let mut it = Journey::with_keys(map, Fixture::Few, 80, 24);
    it.keys("n ci <C-s>").sees("C copies it, W writes it to a new file, P prints it");
    it.sees("H hides it, A says that you have saved it.");
    it.keys("Q").sees("Press C to copy it, W").sees("P to print it");
    it.sees("A if you have saved it.");
    it.keys("W").sees("Enter writes, Ctrl-G goes back").keys("<C-g>");
    it.keys("C").sees("Q closes this panel.").keys("Q").never_sees("The secret of");
    it.keys("1 U").sees("ci was created; press K to delete it");
    it.keys("K")
        .sees("Press U within 24 hours to undo")
        .keys("ci <Enter>")
        .sees("Deleted ci. Press U within 24 hours to undo");
    it.keys("4 f").sees("B shows all").keys("B").never_sees("B shows all");
}
