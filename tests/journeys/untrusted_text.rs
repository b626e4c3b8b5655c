//! Untrusted text on every screen: from an import, from an older program, or pasted. No character
//! that moves the cursor, hides text or changes its direction may reach the terminal, and the
//! surrounding text must not move.

use patdeck::{
    domain::{Actor, AuditAction, EventBody, LastUse, terminal_text::first_unsafe},
    store::{Store, StoreError},
};

use super::{
    fixture::{Fixture, start_time},
    journey::Journey,
};

const HOSTILE: [&str; 4] = [
    "x\u{1b}[2J\u{1b}]0;t\u{7}y\r\nz",
    "\u{9b}31m\u{202e}drow\u{2066}\u{200b}\u{feff}\u{e0041}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{301}漢\u{fe0f}🔑\u{200d}\u{1f3fd}",
];

/// Keys that open screens and dialogs, each starting from the previous one.
const KEYS_TO_VIEWS: [&str; 14] = [
    "1",
    "<Enter>",
    "3",
    "4",
    "j",
    "1",
    "?",
    "<Esc> :",
    "<Esc> r",
    "<Esc> D",
    "<Esc> e",
    "<Esc> /",
    "<Esc> n",
    "<Tab> <Tab> <Tab>",
];

#[track_caller]
fn assert_harmless(it: &Journey, keys: &str) {
    for text in [it.screen(), it.terminal_text()] {
        let found = text.split('\n').find_map(|line| first_unsafe(line.trim_start()));
        assert_eq!(found, None, "after {keys}:\n{text}");
    }
}

#[test]
fn untrusted_text_never_reaches_the_terminal_unescaped() {
    for hostile in HOSTILE {
        for (width, height) in [(80, 24), (120, 40), (60, 16)] {
            let mut it = Journey::on(Fixture::Few, width, height);
            let actor = Actor {
                user: hostile.into(),
                sudo_user: Some(hostile.into()),
                from: Some(hostile.into()),
            };
            let mut token = it.token("ci-deploy");
            token.created_by = actor.clone();
            let used =
                LastUse { at: start_time(), from: Some(hostile.into()), summary: hostile.into() };
            let event = EventBody {
                at: start_time(),
                actor,
                token: Some(token.id),
                name: hostile.into(),
                action: AuditAction::Edited,
                detail: hostile.into(),
            };
            let store = Store::open(&it.path("store.redb")).unwrap();
            store
                .write(|rows| {
                    rows.put_token(&token)?;
                    rows.put_attempt(&token.id, None, &used, true)?;
                    rows.append_event(event.clone()).map(drop)?;
                    Ok::<_, StoreError>(())
                })
                .unwrap();
            it.waits_for("ci-deploy");
            for keys in KEYS_TO_VIEWS {
                it.keys(keys);
                assert_harmless(&it, keys);
                it.paste(hostile);
                assert_harmless(&it, keys);
            }
        }
    }
}
