//! Names are compared in their folded form: every encoding and case of a name is the same name. A name
//! that deceives a reader gives a warning.

use crate::{Home, home_with_store, issue, run, run_with_input, support::Pty};

/// `café` with one character for the last letter, and with a combining accent.
const COMPOSED: &str = "caf\u{e9}";
const DECOMPOSED: &str = "cafe\u{301}";

#[test]
fn both_forms_of_a_name_are_one_name() {
    let home = home_with_store();
    issue(&home, &[COMPOSED]);
    for taken in [DECOMPOSED, "CAF\u{c9}", "\u{ff43}af\u{e9}"] {
        let refused = run(&home, &["create", taken]);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("is already named"), "{refused:?}");
    }
    issue(&home, &["stra\u{df}e"]);
    assert_eq!(run(&home, &["create", "STRASSE"]).code, 3);
    assert_eq!(run(&home, &["list", "--json"]).objects().len(), 2);
}

#[test]
fn a_token_is_found_by_either_form_of_its_name() {
    let home = home_with_store();
    issue(&home, &[DECOMPOSED]);
    for form in [COMPOSED, DECOMPOSED, "Caf\u{c9}"] {
        assert_eq!(run(&home, &["show", form, "--json"]).objects()[0]["token"]["name"], DECOMPOSED);
        let found = run(&home, &["list", "--search", &format!("name:{form}"), "--json"]);
        assert_eq!(found.objects().len(), 1, "{form}");
    }
    run(&home, &["delete", COMPOSED, "--yes"]).success();
    run(&home, &["restore", COMPOSED]).success();
}

#[test]
fn a_name_is_confirmed_in_either_form() {
    let home = Home::new();
    issue(&home, &[COMPOSED]);
    let mut pty = home.launch_with(&["revoke".into(), COMPOSED.into()], crate::home::SIZE, &[]);
    Pty::wait_for(&mut pty, "Type its name to confirm:");
    pty.type_text(DECOMPOSED);
    pty.keys("<Enter>");
    assert_eq!(pty.wait_exit(), 0, "{}", pty.screen());
}

#[test]
fn an_imported_name_conflicts_in_either_form() {
    let (from, to) = (home_with_store(), home_with_store());
    issue(&from, &[COMPOSED]);
    issue(&to, &[DECOMPOSED]);
    let export = run(&from, &["export"]).success();
    let refused = run_with_input(&to, &["import", "-"], &export);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.err.contains("already has this name"), "{refused:?}");
    assert_eq!(run(&to, &["list", "--json"]).objects().len(), 1);
}

#[test]
fn a_deceptive_name_gives_a_warning() {
    let home = home_with_store();
    issue(&home, &["paypal"]);
    let made = run(&home, &["create", "p\u{430}ypal"]);
    assert_eq!(made.code, 0, "{made:?}");
    for text in ["mixes scripts", "looks like paypal, the name of another token"] {
        assert!(made.err.contains(text), "{made:?}");
    }
    let whole = run(&home, &["create", "\u{441}\u{43e}\u{441}\u{43e}"]);
    assert!(!whole.err.contains("warning: "), "{whole:?}");
    let ascii = run(&home, &["create", "coco"]);
    assert!(ascii.err.contains("warning: coco looks like \u{441}"), "{ascii:?}");
    let renamed = run(&home, &["edit", "coco", "--name", "\u{440}aypal"]);
    assert!(renamed.err.contains("mixes scripts"), "{renamed:?}");
    for usual in ["h\u{e9}llo", "\u{9375} prod", "ci-prod-1"] {
        let made = run(&home, &["create", usual]);
        assert!(!made.err.contains("warning: "), "{made:?}");
    }
}
