//! `list --json`: sorted by id by default, and by another column with `--sort`.

use crate::{Home, run};

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
