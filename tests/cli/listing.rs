//! `list --json`: by id as it is read, in another order where one is asked for, and an end when
//! nobody reads on.

use crate::{Home, run};

fn names(home: &Home, arguments: &[&str]) -> Vec<String> {
    let listed = run(home, &[&["list", "--json"], arguments].concat()).objects();
    listed.iter().map(|token| token["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn json_comes_by_id_or_in_the_order_that_was_asked_for() {
    let home = Home::new();
    for name in ["delta", "alpha", "Charlie", "bravo"] {
        run(
            &home,
            &["create", name, "--description", "one of \"four\"", "--scope", "channels:*:read"],
        );
    }
    run(&home, &["revoke", "bravo", "--yes"]).done();
    assert_eq!(names(&home, &["--sort", "name"]), ["alpha", "Charlie", "delta"]);
    assert_eq!(names(&home, &["--sort", "-name", "--search", "L"]), ["delta", "Charlie", "alpha"]);
    let listed = run(&home, &["list", "--json", "--status", "all"]).objects();
    assert!(listed.is_sorted_by_key(|token| token["id"].as_str().unwrap().to_owned()));
    let mut sorted = run(&home, &["list", "--json", "--status", "all", "--sort", "name"]).objects();
    sorted.sort_by_key(|token| token["id"].as_str().unwrap().to_owned());
    assert_eq!((listed.len(), &listed), (4, &sorted));
    assert_eq!(names(&home, &["--search", "zzz"]), Vec::<String>::new());
}
