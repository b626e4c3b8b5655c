//! Command palette, help, message log, copy prefix, and remapped keys.

use std::time::Duration;

use patdeck::keymap::{KeyOverride, Keymap};

use super::{fixture::Fixture, journey::Journey};

#[test]
fn the_palette_finds_and_runs_a_command() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys(": rev").sees("revoke the token").keys("<Enter>");
    it.sees("Revoke grafana?").never_sees("Commands").keys("<Esc>");
    it.keys(": audit <Enter>").sees("Chain verified");
    it.keys(": q u i t").keys("<Enter>");
    assert!(it.event_loop.is_over());
}

#[test]
fn the_palette_explains_unavailable_commands() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f f : rev").sees("not now").keys("<Esc>");
    it.keys(": actor").sees("in the audit trail");
    it.keys("<Enter>").sees("Only available in the audit trail").sees("Commands");
    it.keys("<Esc> : test <Enter>").sees("What may old-backup do?");
    let mut empty = Journey::at(80, 24);
    empty.keys(": copy id <Enter>").sees("Not available at the moment");
    assert_eq!(empty.copied_texts(), Vec::<String>::new());
}

#[test]
fn typing_selects_the_best_match() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys(":").sees("1 of").keys("<Down> <Down> <C-n> <C-p>").sees("3 of");
    it.keys("copy").sees("1 of").keys("<Down> <Enter>");
    assert_eq!(it.copied_texts(), ["grafana"], "id first, then name");
}

#[test]
fn the_help_runs_the_selected_command() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("? delete <Space> the <Enter>").sees("Delete grafana?");
    it.keys("<Esc> ? <Down> <Down> <Up> <Enter>").sees("r revoke  R regenerate");
}

#[test]
fn a_menu_keeps_its_size_while_typing() {
    for open in [":", "?"] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys(open);
        let frame = |it: &Journey| {
            let screen = it.screen();
            let edges = screen.lines().enumerate().filter(|(_, l)| l.contains(['╭', '╰']));
            edges.map(|(at, line)| (at, line.find(['╭', '╰']))).collect::<Vec<_>>()
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
fn past_messages_are_listed() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("m").sees("No messages yet").keys("<Esc>");
    it.keys("t").clock_forward(chrono::TimeDelta::from_std(Duration::from_secs(65)).unwrap());
    it.never_sees("Times are shown in local time").keys("u");
    it.keys("m").sees("12:00:00    Times are shown in local time");
    it.sees("12:01:05  ! nothing to undo: no token was deleted").sees("1 of 2");
    it.types("local").never_sees("brought back").sees("1 of 1");
    it.keys("<Esc> : messages <Enter>").sees("1 of 2");
}

#[test]
fn the_copy_prefix_shows_its_keys_and_the_command() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("y").sees("i copy id").sees("n copy name").sees("c copy command").sees("j copy JSON");
    it.sees("$ patdeck list --status active");
    it.keys("<Esc>").never_sees("c copy command");
    let mut empty = Journey::at(80, 24);
    empty.keys("y").sees("c copy command").never_sees("i copy id");
}

#[test]
fn copied_json_equals_the_output_of_show() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j y j").sees("Sent the JSON to your terminal's clipboard");
    let copied: serde_json::Value = serde_json::from_str(&it.copied_texts()[0]).unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_patdeck"))
        .env_clear()
        .env("HOME", it.store.folder.path())
        .args(["show", "ci-deploy", "--json", "--store"])
        .arg(it.store.file())
        .output()
        .unwrap();
    let mut shown: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(shown["token"]["name"], "ci-deploy");
    // The program computes the status with the system clock.
    shown["token"]["status"] = copied["token"]["status"].clone();
    assert_eq!(copied, shown);
    let digest = it.token("ci-deploy").digest;
    assert!(!it.copied_texts()[0].contains(&format!("{digest:?}")));
}

/// A keymap with these overrides: mode, action, key; an empty key unbinds the action.
fn remapped(lines: &[(&str, &str, &str)]) -> Keymap {
    let lines: Vec<_> = lines
        .iter()
        .map(|(mode, action, key)| KeyOverride {
            mode: (*mode).to_owned(),
            action: (*action).to_owned(),
            keys: (!key.is_empty()).then(|| (*key).to_owned()).into_iter().collect(),
        })
        .collect();
    Keymap::new(&lines).unwrap()
}

#[test]
fn footer_help_and_palette_use_the_remapped_keys() {
    let map = remapped(&[
        ("tokens", "revoke", "K"),
        ("tokens", "copy-command", "Z c"),
        ("tokens", "undo", ""),
        ("global", "palette", "Ctrl-G"),
        ("ask", "copy-command", "Ctrl-T"),
    ]);
    let mut it = Journey::with_keys(map, Fixture::Few, 120, 24);
    it.sees("K revoke").sees("r revoke  R regenerate").sees("Ctrl-G commands");
    it.keys("?").types("revoke").sees("revoke the token K").never_sees("revoke the token r");
    it.keys("<Enter>").sees("Revoke grafana?").sees("Ctrl-T copy command").keys("<C-t> <Esc>");
    it.keys("Z").sees("c copy command").keys("c");
    it.keys(": r")
        .never_sees("Revoke grafana?")
        .keys("<C-g>")
        .types("revoke")
        .sees("revoke the token K");
    it.keys("<Esc> K").sees("Revoke grafana?").keys("<Esc>");
    assert_eq!(
        it.copied_texts(),
        ["patdeck revoke grafana", "patdeck list --status active --sort=-issued"]
    );
    // A command without a key is still available in the palette.
    it.keys("D").sees("`:undo` undoes it").keys("grafana <Enter> u").never_sees("is back");
    it.keys("?").types("undo").sees("No key matches").keys("<Esc>");
    it.keys("<C-g>").types("undo").keys("<Enter>").sees("Restored grafana");
}

#[test]
fn messages_use_the_remapped_keys() {
    let map = remapped(&[
        ("secret", "copy-secret", "C"),
        ("secret", "write-secret", "W"),
        ("secret", "print-secret", "P"),
        ("secret", "hide-secret", "H"),
        ("secret", "acknowledge", "A"),
        ("secret", "close", "Q"),
        ("form", "cancel", "Ctrl-T"),
        ("audit", "back", "B"),
        ("detail", "back", "B"),
        ("detail", "undo", "U"),
        ("tokens", "undo", "U"),
        ("tokens", "delete", "K"),
    ]);
    let mut it = Journey::with_keys(map, Fixture::Few, 80, 24);
    it.keys("n ci <C-s>").sees("C copy").sees("W save to file").sees("P print on exit");
    it.sees("H hide").sees("A I saved it");
    it.keys("Q").sees("press A if you saved it.");
    it.keys("W").sees("Enter writes it, Ctrl-T").keys("<C-t>");
    it.keys("C").sees("Q closes this panel.").keys("Q").never_sees("Secret of");
    it.keys("1 U").sees("ci was created; delete it instead");
    it.keys("K")
        .sees("U undoes it")
        .keys("ci <Enter>")
        .sees("Deleted ci. Press U within 24 hours to undo");
    it.keys("4 f").sees("B show all").keys("B").never_sees("B show all");
}

#[test]
fn scattered_letters_match_no_command() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys(":").types("rev").sees("revoke the token").sees("reverse sort order");
    it.never_sees("switch times").never_sees("start or end a range");
}

#[test]
fn a_key_of_another_screen_is_explained() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 R")
        .sees("R works in the token list.")
        .keys("1 o")
        .sees("o works in the detail view.");
    it.keys("w").sees("w works in the audit trail.").keys("%").never_sees("works");
    it.keys("<Enter> n").sees("Name *").keys("<Esc>");
    it.keys(": lost <Space> secret <Enter>").sees("No secret may be lost: all secrets were saved.");
}

#[test]
fn commands_on_the_whole_token_work_in_the_list() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("T").sees("What may grafana do?").keys("<Esc> p").sees("preset").keys("<Esc>");
    it.keys("O").sees("grafana has no overlap to end");
    it.keys("<Space> <Space> e")
        .sees("e works on one token, and 2 are marked. Esc clears the marks.");
    it.never_sees("Edit ");
}
