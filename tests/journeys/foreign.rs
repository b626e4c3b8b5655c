//! Text of others on every screen: what an import or an older program may have put into the
//! store, and what is pasted. No character of it may reach the terminal that moves, hides or
//! reorders, and what lies beside it stays where it was.

use patdeck::{
    domain::{Actor, AuditAction, EventDraft, LastUse, terminal_text::first_unsafe},
    store::{Store, StoreError},
};

use super::{
    fixture::{Fixture, start},
    journey::Journey,
};

const HOSTILE: [&str; 4] = [
    "x\u{1b}[2J\u{1b}]0;t\u{7}y\r\nz",
    "\u{9b}31m\u{202e}drow\u{2066}\u{200b}\u{feff}\u{e0041}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{301}漢\u{fe0f}🔑\u{200d}\u{1f3fd}",
];

/// Screens and dialogs, each from the one before.
const PLACES: [&str; 14] = [
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
fn assert_harmless(it: &Journey, place: &str) {
    for text in [it.screen(), it.on_the_terminal()] {
        let found = text.split('\n').find_map(|line| first_unsafe(line.trim_start()));
        assert_eq!(found, None, "after {place}:\n{text}");
    }
}

#[test]
fn no_text_of_others_moves_the_terminal_on_any_screen() {
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
            let used = LastUse { at: start(), from: Some(hostile.into()), what: hostile.into() };
            let event = EventDraft {
                at: start(),
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
                    rows.put_use(&token.id, &used)?;
                    rows.append_event(event.clone()).map(drop)?;
                    Ok::<_, StoreError>(())
                })
                .unwrap();
            it.comes_to_see("ci-deploy");
            for place in PLACES {
                it.keys(place);
                assert_harmless(&it, place);
                it.paste(hostile);
                assert_harmless(&it, place);
            }
        }
    }
}
