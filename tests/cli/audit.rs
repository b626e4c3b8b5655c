//! `audit` with filters: time, action, actor and limit, in the table and in JSON.

use chrono::{TimeDelta, Utc};

use crate::{Home, issue, run};

/// A home with a token that was created 10 days ago by alice, and one that was created, edited and
/// revoked now.
fn home_with_events() -> Home {
    let home = Home::new();
    home.seed("old", "", "90d", TimeDelta::days(10));
    issue(&home, &["new", "--scope", "channels:c-1:read"]);
    run(&home, &["edit", "new", "--description", "second"]).success();
    run(&home, &["revoke", "new", "--yes"]).success();
    home
}

/// The action and the name of each event that `audit --json ARGUMENTS` prints.
fn events(home: &Home, arguments: &[&str]) -> Vec<String> {
    let events = run(home, &[&["audit", "--json"], arguments].concat()).objects();
    let text = |event: &serde_json::Value, field: &str| event[field].as_str().unwrap().to_owned();
    events.iter().map(|event| [text(event, "action"), text(event, "name")].join(" ")).collect()
}

#[test]
fn events_are_selected_by_time() {
    let home = home_with_events();
    let (old, new) = (["created old", "claimed old"], ["edited new", "revoked new"]);
    assert_eq!(events(&home, &["--until", "9d"]), old);
    assert_eq!(events(&home, &["--since", "9d"])[2..], new);
    assert_eq!(events(&home, &["--since", "11d", "--until", "1d"]), old);
    let day = (Utc::now() - TimeDelta::days(5)).format("%Y-%m-%d").to_string();
    assert_eq!(events(&home, &["--until", &day]), old);
    let today = Utc::now().format("%Y-%m-%d").to_string();
    assert_eq!(events(&home, &["--since", "9d", "--until", &today])[2..], new, "with its day");
    assert_eq!(events(&home, &["--since", &format!("{day}T10:30:00Z")])[2..], new);
    let error = "error: invalid value 'soon' for '--since <TIME>': use e.g.";
    assert!(run(&home, &["audit", "--since", "soon"]).err.starts_with(error));
}

#[test]
fn an_action_is_a_verb_or_as_stored() {
    let home = home_with_events();
    for action in ["revoke", "revoked", "Revoked"] {
        assert_eq!(events(&home, &["--action", action]), ["revoked new"], "{action}");
    }
    let both = ["edited new", "revoked new"];
    assert_eq!(events(&home, &["--action", "revoke,edit"]), both);
    assert_eq!(events(&home, &["--action", "revoke", "--action", "edited"]), both);
    let unknown = run(&home, &["audit", "--action", "gone"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("choose one of create, edit, scope-add"), "{unknown:?}");
}

#[test]
fn events_are_selected_by_actor() {
    let home = home_with_events();
    assert_eq!(events(&home, &["--actor", "ALICE"]), ["created old", "claimed old"]);
    assert_eq!(events(&home, &["--actor", "nobody-here"]), [""; 0]);
}

#[test]
fn a_limit_keeps_the_newest_events() {
    let home = home_with_events();
    assert_eq!(events(&home, &["--limit", "2"]), ["edited new", "revoked new"]);
    assert_eq!(events(&home, &["--limit", "1", "--token", "old"]), ["claimed old"]);
    assert_eq!(events(&home, &["--limit", "0"]), [""; 0]);
    assert_eq!(events(&home, &["--limit", "99"]).len(), 6);
}

#[test]
fn the_table_has_headings_above_its_columns() {
    let home = home_with_events();
    let table = run(&home, &["audit", "--limit", "1"]).success();
    let lines: Vec<_> = table.lines().collect();
    let [headings, event] = lines[..] else { panic!("{table}") };
    for (heading, cell) in [("TIME", "20"), ("ACTION", "revoked"), ("TOKEN", "new")] {
        assert_eq!(headings.find(heading), event.find(cell), "{table}");
    }
    assert_eq!(run(&home, &["audit", "--limit", "1", "--no-header"]).success().lines().count(), 1);
    assert_eq!(run(&home, &["audit", "--actor", "nobody-here"]).success(), "");
}

#[test]
fn a_deleted_token_is_found_by_its_name() {
    let home = home_with_events();
    run(&home, &["edit", "old", "--name", "older"]).success();
    run(&home, &["delete", "older", "--yes"]).success();
    let all = ["created old", "claimed old", "edited older", "deleted older"];
    assert_eq!(events(&home, &["--token", "OLDER"]), all);
    assert_eq!(events(&home, &["--token", "old"]), all, "an earlier name");
    let missing = run(&home, &["audit", "--token", "nosuch"]);
    assert_eq!((missing.code, missing.out.as_str()), (1, ""));
}

#[test]
fn a_filter_without_a_match_says_so() {
    let home = home_with_events();
    let none = run(&home, &["audit", "--actor", "nobody-here"]);
    assert_eq!((none.code, none.out.as_str(), none.err.as_str()), (0, "", "No events match\n"));
    let none = run(&home, &["audit", "--actor", "nobody-here", "--json"]);
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", ""));
}
