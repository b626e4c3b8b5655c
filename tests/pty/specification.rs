//! The whole specification by keyboard: create, one-time secret, view, scopes, revoke, regenerate,
//! expired filter, delete, delete all. Each step asserts the screen and, where it matters, the
//! result of a check of the secret.

use chrono::TimeDelta;

use super::home::{Home, SIZE, count_occurrences, random_part, secret_on};
use super::support::Pty;

const NAME: &str = "ci deploy";
const DESCRIPTION: &str = "Publishes build results";

#[test]
fn the_whole_specification_works_by_keyboard() {
    let home = Home::new();
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("No tokens yet.");
    pty.wait_for("Press n to create the first one.");

    let first = create_with_everything(&mut pty);
    save_the_secret_once(&mut pty, &first);
    view_from_the_list(&mut pty);
    assert!(home.is_allowed(&first));
    manage_scopes(&home, &mut pty, &first);
    revoke(&home, &mut pty, &first);
    let second = regenerate(&home, &mut pty, &first);

    // The program sent each secret to the terminal exactly once.
    let raw = pty.raw();
    assert_eq!((count_occurrences(&raw, &first), count_occurrences(&raw, &second)), (1, 1));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();

    // A store refuses times before its last event, so the expired token needs a new store.
    let home = Home::new();
    home.seed("nightly backup", "Of the dashboards", "1m", TimeDelta::hours(2));
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut pty = home.start(SIZE, &[]);
    regenerate_the_expired(&home, &mut pty);
    delete_one_and_undo(&mut pty);
    delete_all_and_undo(&mut pty);
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
}

/// Adds one row of scopes. Selects the type by its name, and the operations by their first letters.
fn add_scopes(pty: &mut Pty, entity_type: &str, entity: &str, operations: &[&str]) {
    pty.wait_for("Entity type");
    // In the detail, the dialog starts with the type of the selected scope.
    pty.type_text(entity_type);
    pty.wait_for(&format!("[{entity_type}]"));
    pty.keys("<Tab> <BS>");
    pty.type_text(entity);
    pty.keys("<Tab>");
    for operation in operations {
        pty.keys(&operation[..1]);
        pty.keys("<Space>");
        pty.wait_for(&format!("[x] {operation}"));
    }
    pty.keys("<C-s>");
    pty.wait_until_gone("Entity type");
    pty.wait_until_gone("[x]");
}

fn create_with_everything(pty: &mut Pty) -> String {
    pty.keys("n");
    pty.wait_for("Create token");
    pty.type_text(NAME);
    pty.keys("<Tab>");
    pty.wait_for("[30d]");
    let usual = expiry(pty);
    pty.keys("<Left>");
    pty.wait_for("[7d]");
    assert_ne!(expiry(pty), usual, "the end follows the choice");
    pty.keys("<Tab>");
    pty.type_text(DESCRIPTION);
    pty.keys("<Tab> a");
    pty.wait_for("Add scopes");
    add_scopes(pty, "channels", "c-42", &["publish", "read"]);
    pty.wait_for("c-42");
    pty.keys("a");
    pty.wait_for("Add scopes");
    add_scopes(pty, "messages", "*", &["subscribe"]);
    pty.wait_for("may publish and read on channels c-42");
    pty.keys("<C-s>");
    pty.wait_for(&format!("Secret of {NAME}"));
    secret_on(pty)
}

/// The line with the expiry of the new token.
fn expiry(pty: &mut Pty) -> String {
    pty.wait_for("Expires ");
    let screen = pty.screen();
    let line = screen.lines().find(|line| line.contains("Expires "));
    line.unwrap().trim().to_owned()
}

fn save_the_secret_once(pty: &mut Pty, secret: &str) {
    assert_eq!(count_occurrences(&pty.raw(), secret), 1);
    pty.keys("<Esc>");
    pty.wait_for("Not closed: the secret would be lost");
    pty.keys("y");
    pty.wait_for("Sent the secret to your terminal's clipboard");
    assert_eq!(pty.clipboard_writes(), [secret]);
    pty.keys("<Esc>");
    pty.wait_until_gone(random_part(secret));
    // The detail view of the new token, without its secret.
    for shown in [NAME, "active", DESCRIPTION, "Scopes 3", "c-42", "secret saved"] {
        pty.wait_for(shown);
    }
    assert_eq!(count_occurrences(&pty.raw(), secret), 1);
}

fn view_from_the_list(pty: &mut Pty) {
    pty.keys("1");
    pty.wait_for("[Active 1]");
    pty.wait_for("never");
    pty.wait_until_gone(DESCRIPTION);
    pty.keys("<Enter>");
    for shown in [NAME, DESCRIPTION, "Scopes 3", "messages", "r revoke"] {
        pty.wait_for(shown);
    }
}

fn manage_scopes(home: &Home, pty: &mut Pty, secret: &str) {
    pty.keys("a");
    pty.wait_for(&format!("Add scopes to {NAME}"));
    add_scopes(pty, "groups", "plant-7", &["update"]);
    pty.wait_for(&format!("to {NAME}. Press u to undo."));
    pty.wait_for("Scopes 4");
    pty.wait_for("plant-7");

    pty.keys("g j d");
    pty.wait_for(&format!("Remove a scope from {NAME}?"));
    pty.keys("<Right> <Enter>");
    pty.wait_for(&format!("Removed groups:plant-7:update from {NAME}"));
    pty.wait_for("Scopes 3");
    assert!(home.is_allowed(secret));

    pty.keys("X");
    pty.wait_for(&format!("Remove every scope from {NAME}?"));
    pty.wait_for("All 3 scopes will be removed");
    pty.keys("<Right> <Enter>");
    pty.wait_for("no scopes: every operation is denied");
    assert!(!home.is_allowed(secret));

    pty.keys("a");
    pty.wait_for(&format!("Add scopes to {NAME}"));
    add_scopes(pty, "channels", "c-42", &["publish"]);
    pty.wait_for("Scopes 1");
    assert!(home.is_allowed(secret));
}

fn revoke(home: &Home, pty: &mut Pty, secret: &str) {
    assert!(pty.screen().contains("r revoke"));
    pty.keys("r");
    pty.wait_for(&format!("Revoke {NAME}?"));
    pty.wait_for("Its secret will immediately stop working");
    // Cancel has the focus first.
    pty.keys("<Enter>");
    pty.wait_until_gone(&format!("Revoke {NAME}?"));
    assert!(home.is_allowed(secret));
    pty.keys("r");
    pty.wait_for(&format!("Revoke {NAME}?"));
    pty.keys("<Right> <Enter>");
    pty.wait_for(&format!("Revoked {NAME}."));
    pty.wait_for("R regenerate");
    assert!(!home.is_allowed(secret));
    pty.keys("r");
    pty.wait_for(&format!("{NAME} is already revoked"));
}

fn regenerate(home: &Home, pty: &mut Pty, old: &str) -> String {
    pty.keys("R");
    pty.wait_for(&format!("Regenerate {NAME}"));
    pty.type_text("45d");
    pty.wait_for("[custom]");
    pty.wait_for("Expires ");
    pty.keys("<C-s>");
    pty.wait_for(&format!("Secret of {NAME}"));
    let new = secret_on(pty);
    assert_ne!(new, old);
    assert_eq!(new[..17], old[..17], "the id stays");
    pty.keys("a");
    pty.wait_until_gone(random_part(&new));
    for kept in [NAME, "active", DESCRIPTION, "Scopes 1", "c-42", "in 45d"] {
        pty.wait_for(kept);
    }
    assert!(home.is_allowed(&new) && !home.is_allowed(old));
    new
}

fn regenerate_the_expired(home: &Home, pty: &mut Pty) {
    pty.wait_for("[Active 1]");
    pty.wait_for("edge gateway");
    assert!(!pty.screen().contains("nightly backup"));
    pty.keys("f");
    pty.wait_for("[Expired 1]");
    pty.wait_for("nightly backup");
    pty.keys("<Enter>");
    pty.wait_for("Of the dashboards");
    pty.wait_for("R regenerate");
    pty.keys("R");
    pty.wait_for("Regenerate nightly backup");
    pty.keys("<Left> <Left> <Left>");
    pty.wait_for("[60d]");
    pty.keys("<C-s>");
    pty.wait_for("Secret of nightly backup");
    let secret = secret_on(pty);
    pty.keys("a");
    pty.wait_until_gone(random_part(&secret));
    for kept in ["active", "Of the dashboards", "c-42", "in 60d"] {
        pty.wait_for(kept);
    }
    assert!(home.is_allowed(&secret));
}

fn delete_one_and_undo(pty: &mut Pty) {
    pty.keys("D");
    pty.wait_for("Delete nightly backup?");
    pty.type_text("edge gateway");
    pty.keys("<Enter>");
    pty.wait_for("Type its name exactly: nightly backup");
    pty.keys("<C-u>");
    pty.type_text("nightly backup");
    pty.wait_for("Enter to delete");
    pty.keys("<Enter>");
    pty.wait_for("Deleted nightly backup. Press u within 24 hours to undo");
    pty.wait_for("All 1");
    pty.keys("u");
    pty.wait_for("Restored nightly backup");
    pty.wait_for("All 2");
}

fn delete_all_and_undo(pty: &mut Pty) {
    pty.keys("X");
    pty.wait_for("Delete all 2 tokens?");
    pty.keys("<Enter>");
    pty.wait_for("Type the count exactly: 2");
    pty.keys("2 <Enter>");
    pty.wait_for("Deleted 2 tokens");
    pty.wait_for("to undo the deletion.");
    pty.keys("u");
    pty.wait_for("Restored 2 tokens");
    pty.wait_for("All 2");
}
