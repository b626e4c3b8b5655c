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
