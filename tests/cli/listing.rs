//! `list`: columns, order and limit, the same in the table and in JSON; complete texts in a pipe, and
//! a table that fits the width on a terminal.

use chrono::TimeDelta;

use crate::{Home, issue, run, support::Pty};

fn names(home: &Home, arguments: &[&str]) -> Vec<String> {
    let listed = run(home, &[&["list", "--json"], arguments].concat()).objects();
    listed.iter().map(|token| token["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn json_is_sorted_by_id_or_by_the_given_column() {
    let home = Home::new();
    for name in ["delta", "alpha", "Charlie", "bravo"] {
        run(
            &home,
            &["create", name, "--description", "one of \"four\"", "--scope", "channels:*:read"],
        );
    }
    run(&home, &["revoke", "bravo", "--yes"]).success();
    assert_eq!(names(&home, &["--sort", "name"]), ["alpha", "Charlie", "delta"]);
    assert_eq!(names(&home, &["--sort", "-name", "--search", "L"]), ["delta", "Charlie", "alpha"]);
    let listed = run(&home, &["list", "--json", "--status", "all"]).objects();
    assert!(listed.is_sorted_by_key(|token| token["id"].as_str().unwrap().to_owned()));
    let mut sorted = run(&home, &["list", "--json", "--status", "all", "--sort", "name"]).objects();
    sorted.sort_by_key(|token| token["id"].as_str().unwrap().to_owned());
    assert_eq!((listed.len(), &listed), (4, &sorted));
    assert_eq!(names(&home, &["--search", "zzz"]), Vec::<String>::new());
}

/// The table keeps only its cells in memory, and sorted JSON reads the tokens again.
#[test]
fn the_table_has_the_rows_and_the_order_of_the_json() {
    let home = Home::new();
    for (name, lifetime) in [("delta", "3d"), ("alpha", "2d"), ("Charlie", "2d"), ("bravo", "9d")] {
        run(&home, &["create", name, "--lifetime", lifetime, "--description", &name[1..]]);
    }
    run(&home, &["revoke", "bravo", "--yes"]).success();
    for sort in ["name", "-name", "description", "status", "scopes", "issued", "-expires"] {
        let arguments = ["--sort", sort, "--status", "all"];
        let table = run(&home, &[&["list"], &arguments[..]].concat()).out;
        let rows: Vec<_> = table.lines().skip(1).collect();
        let json = names(&home, &arguments);
        assert_eq!((rows.len(), json.len()), (4, 4));
        for (row, name) in rows.iter().zip(&json) {
            assert_eq!(row.split_whitespace().nth(1), Some(name.as_str()), "{sort}: {table}");
        }
    }
}

/// A home with five tokens, two of which expire at the same time.
fn home_with_five() -> Home {
    let home = Home::new();
    let long = "edge-gateway-with-a-rather-long-name";
    for (name, description, lifetime) in [
        ("delta", "", "3d"),
        ("alpha", "first of all", "20d"),
        ("Charlie", "", "20d"),
        ("bravo", "a description that is far too long for a terminal of 80 columns", "90d"),
        (long, "", "40d"),
    ] {
        home.seed(name, description, lifetime, TimeDelta::hours(2));
    }
    home
}

#[test]
fn columns_and_headings_can_be_chosen() {
    let home = home_with_five();
    let list = |arguments: &[&str]| run(&home, &[&["list"], arguments].concat()).success();
    let two = list(&["--columns", "description,name", "--sort", "name", "--limit", "2"]);
    let cells = "a description that is far too long for a terminal of 80 columns";
    let expected =
        format!("{:<65}NAME\n{:<65}alpha\n{cells}  bravo\n", "DESCRIPTION", "first of all");
    assert_eq!(two, expected);
    let bare = list(&["--columns", "name", "--columns", "owner", "--no-header", "--limit", "1"]);
    assert_eq!(bare.split_whitespace().nth(1), Some("alice"), "{bare}");
    let ids = list(&["-q", "--sort", "name"]);
    let json = run(&home, &["ls", "--sort", "name", "--json"]).objects();
    let expected: Vec<_> = json.iter().map(|token| token["id"].as_str().unwrap()).collect();
    assert_eq!(ids.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn tabs_separate_the_columns_for_other_programs() {
    let home = home_with_five();
    let columns = ["--columns", "name,owner,labels,expires", "--sort", "name", "--limit", "2"];
    let rows = |more: &[&str]| run(&home, &[&["list"], &columns[..], more].concat()).success();
    let json = run(&home, &["list", "--json", "--sort", "name", "--limit", "2"]).objects();
    let line = |token: &serde_json::Value| {
        let text = |key: &str| token[key].as_str().unwrap().to_owned();
        format!("{}\talice\t\t{}\n", text("name"), text("expires"))
    };
    let expected = json.iter().map(line).collect::<Vec<_>>().concat();
    assert_eq!(rows(&["--tsv", "--no-header"]), expected);
    assert_eq!(rows(&["--tsv"]), format!("NAME\tOWNER\tLABELS\tEXPIRES\n{expected}"));
    assert_eq!(run(&home, &["list", "--tsv", "--json"]).code, 2);
}

#[test]
fn the_owner_the_labels_and_the_creation_sort() {
    let home = Home::new();
    for (name, owner, label) in [("a", "Zoe", "x=2"), ("b", "ann", "x=3"), ("c", "ann", "x=1")] {
        issue(&home, &[name, "--owner", owner, "--label", label]);
    }
    for (sort, expected) in [
        ("owner,-name", ["c", "b", "a"]),
        ("-owner", ["a", "b", "c"]),
        ("labels", ["c", "a", "b"]),
        ("created", ["a", "b", "c"]),
        ("-created", ["c", "b", "a"]),
    ] {
        assert_eq!(names(&home, &["--sort", sort]), expected, "{sort}");
    }
}

#[test]
fn later_sort_keys_order_rows_with_equal_first_keys() {
    let home = Home::new();
    for (name, description) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y")] {
        home.seed(name, description, "9d", TimeDelta::zero());
    }
    for (sort, expected) in [
        ("description", ["a", "c", "b", "d"]),
        ("description,-name", ["c", "a", "d", "b"]),
        ("-description,-name", ["d", "b", "c", "a"]),
        ("-scopes,status,-name", ["d", "c", "b", "a"]),
    ] {
        assert_eq!(names(&home, &["--sort", sort]), expected, "{sort}");
        let table = run(&home, &["list", "--sort", sort, "--columns", "name"]).success();
        assert_eq!(table.lines().skip(1).collect::<Vec<_>>(), expected, "{sort}");
    }
}

#[test]
fn a_limit_keeps_the_first_tokens_of_the_order() {
    let home = home_with_five();
    let all = names(&home, &[]);
    for limit in [0, 1, 3, 9] {
        let limit_text = limit.to_string();
        let first = names(&home, &["--limit", &limit_text]);
        assert_eq!(first, all[..limit.min(all.len())]);
        let sorted = names(&home, &["--sort", "name", "--limit", &limit_text]);
        assert_eq!(sorted, names(&home, &["--sort", "name"])[..limit.min(all.len())]);
    }
}

#[test]
fn without_matches_only_standard_error_has_a_message() {
    let home = home_with_five();
    for arguments in [&["list", "--search", "zebra"][..], &["list", "-q", "--status", "revoked"]] {
        let result = run(&home, arguments);
        assert_eq!((result.code, &*result.out, &*result.err), (0, "", "No tokens match\n"));
    }
    for (arguments, code) in [(&["--json", "--search", "zebra"][..], 0), (&["--expiring", "1h"], 1)]
    {
        let result = run(&home, &[&["list"], arguments].concat());
        assert_eq!((result.code, &*result.out, &*result.err), (code, "", ""));
    }
}

/// Returns the rows of `patdeck ARGUMENTS` on a terminal with this number of columns, and the bytes
/// that the terminal received.
fn on_terminal(
    home: &Home,
    arguments: &[&str],
    columns: u16,
    env: &[(&str, &str)],
) -> (Vec<String>, Vec<u8>) {
    let words: Vec<_> = arguments.iter().map(Into::into).collect();
    let mut pty: Pty = home.launch_with(&words, (columns, 24), env);
    assert_eq!(pty.wait_exit(), 0, "{}", pty.screen());
    let screen = pty.screen();
    let rows = screen.lines().map(|row| row.trim_end().to_owned());
    (rows.filter(|row| !row.is_empty()).collect(), pty.received().to_vec())
}

#[test]
fn a_table_fits_the_width_of_a_terminal() {
    let home = home_with_five();
    for columns in [40, 60, 80, 100, 120, 160] {
        let (rows, _) = on_terminal(&home, &["list", "--sort", "name"], columns, &[]);
        assert_eq!(rows.len(), 6, "{columns}: {rows:#?}");
        assert!(rows[0].contains("NAME") && rows[0].contains("EXPIRES"), "{rows:#?}");
        assert!(rows[1].contains("alpha") && rows[1].contains("in 20d"), "{rows:#?}");
        assert_eq!(rows[0].contains("DESCRIPTION"), columns >= 100, "{columns}: {rows:#?}");
        assert_eq!(rows[0].contains("STATUS"), columns >= 60, "{columns}: {rows:#?}");
    }
    let (rows, _) = on_terminal(&home, &["list", "--sort", "name"], 80, &[]);
    assert!(rows[5].contains("edge-gateway-with-a-") && rows[5].contains('…'), "{rows:#?}");
}

#[test]
fn a_terminal_gets_colours_unless_they_are_disabled() {
    let home = home_with_five();
    let has_green = |bytes: &[u8]| bytes.windows(5).any(|part| part == b"\x1b[32m");
    assert!(has_green(&on_terminal(&home, &["list"], 80, &[]).1));
    assert!(!has_green(&on_terminal(&home, &["list"], 80, &[("NO_COLOR", "1")]).1));
}

#[test]
fn a_pipe_gets_complete_names_and_full_times() {
    let home = home_with_five();
    let table = run(&home, &["list"]).success();
    let heading = "ID            NAME                                  STATUS  SCOPES  EXPIRES";
    assert!(table.starts_with(heading), "{table}");
    assert!(table.contains("edge-gateway-with-a-rather-long-name"), "{table}");
    assert!(!table.contains(" in ") && !table.contains('…') && !table.contains('\x1b'), "{table}");
    for row in table.lines().skip(1) {
        assert_eq!(row.split_whitespace().count(), 6, "{row}");
        assert!(row.contains('T') && row.contains('Z'), "{row}");
    }
}

#[test]
fn show_has_no_headings_and_merges_its_sentences() {
    let home = Home::new();
    let scopes: Vec<_> = (0..40).map(|n| format!("channels:c-{n}:read")).collect();
    let mut create = vec!["ci"];
    for scope in &scopes {
        create.extend(["--scope", scope.as_str()]);
    }
    issue(&home, &create);
    let shown = run(&home, &["show", "ci"]).success();
    assert!(shown.starts_with("name "), "{shown}");
    assert!(!shown.contains("FIELD"), "{shown}");
    let allows: Vec<_> = shown.lines().filter(|line| line.starts_with("allows")).collect();
    assert!(
        matches!(*allows, [line] if line.ends_with("may read channels c-0 to c-39")),
        "{shown}"
    );
    // The details of all events begin in one column.
    let column = |detail| shown.lines().find_map(|line| line.find(detail));
    assert_eq!(column("  printed"), column("  until 2"), "{shown}");
    // On a terminal, times have their distance from now.
    let (rows, received) = on_terminal(&home, &["show", "ci"], 80, &[]);
    assert!(String::from_utf8_lossy(&received).contains("(just now)"), "{rows:#?}");
}

/// A whole secret is refused as an argument; one with a typo is not recognised as a secret there.
#[test]
fn a_cut_secret_finds_its_token_and_is_not_printed() {
    let home = Home::new();
    run(&home, &["create", "other"]);
    let secret = issue(&home, &["leaky"]);
    let cut = &secret[..50];
    // Also by a part of its id, as it is typed.
    let begun = secret[..9].to_owned();
    for search in [begun, secret[..16].to_owned(), cut.to_owned(), format!("-name:other id:{cut}")]
    {
        assert_eq!(names(&home, &["--search", &search]), ["leaky"]);
    }
    let refused = run(&home, &["list", "--search", &format!("token:{cut}")]);
    assert!(refused.err.contains("unknown term token:pat_"), "{}", refused.err);
    assert!(!refused.err.contains(&cut[17..]), "{}", refused.err);
}

#[test]
fn a_view_of_the_config_selects_tokens() {
    let home = Home::new();
    issue(&home, &["old", "--owner", "deploy"]);
    issue(&home, &["edge-1", "--owner", "edge"]);
    run(&home, &["revoke", "old", "--yes"]).success();
    let refused = run(&home, &["list", "--view", "edge"]);
    refused.fails_with_hint(
        2,
        "the config has no view `edge`",
        "name searches in the table [views] of the config",
    );
    let views = "[views]\nedge = \"owner:edge\"\n\"ended ones\" = \"status:revoked\"\n";
    crate::write_private(&home, "c.toml", views);
    let names_of = |view: &str| names(&home, &["--config", "c.toml", "--view", view]);
    assert_eq!(names_of("edge"), ["edge-1"]);
    assert_eq!(names_of("ended ones"), ["old"]);
    let misspelt = run(&home, &["list", "--config", "c.toml", "--view", "egde"]);
    misspelt.fails_with_hint(2, "the config has no view `egde`", "choose one of edge, ended ones");
    let both = ["list", "--config", "c.toml", "--view", "edge", "--search", "x"];
    assert_eq!(run(&home, &both).code, 2);
}
