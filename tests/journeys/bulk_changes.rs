//! Marking tokens, and changes to many tokens at once.

use std::os::unix::fs::PermissionsExt as _;

use patdeck::domain::Secret;

use super::{fixture::Fixture, journey::Journey};

/// The names of the tokens with this status.
fn names_with_status(it: &Journey, status: &str) -> Vec<String> {
    let dump = it.store_dump();
    let tokens = dump.lines().filter_map(|line| line.strip_prefix("token "));
    let mut words = tokens.map(|line| line.split(' '));
    let mut names = Vec::new();
    for word in words.by_ref() {
        let [name, is] = word.take(2).collect::<Vec<_>>()[..] else { panic!("{dump}") };
        if is == status {
            names.push(name.to_owned());
        }
    }
    names
}

#[test]
fn a_bulk_revoke_needs_the_typed_count() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("<Space>").sees("1 marked").keys("<Space>").sees("2 marked");
    it.keys("r").sees("Revoke 2 tokens?").sees("Used in the last 24 hours: 1 of 2");
    it.sees("used 5 min ago").sees("never used");
    it.keys("<Enter>").sees("Type the count exactly: 2");
    it.paste("2").sees("Paste ignored").never_sees("Enter to revoke");
    it.keys("3 <Enter>").sees("Type the count exactly: 2");
    it.keys("<Backspace> 2").sees("Enter to revoke").keys("<Enter>");
    it.sees("Revoked 2 tokens").sees("[Active 0]").sees("Revoked 3").never_sees("marked");
    assert_eq!(names_with_status(&it, "revoked"), ["ci-deploy", "grafana", "old-backup"]);
    assert!(it.store_dump().contains("revoked grafana by alice: was active"));
}

#[test]
fn skipped_tokens_are_listed_with_the_reason() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("F *").sees("4 marked").keys("r").sees("Revoke 3 tokens?");
    it.sees("skipped: already revoked").keys("3 <Enter>").sees("Revoked 3 tokens");
    it.keys("* r").sees("Nothing to revoke").sees("None of these tokens can be changed.");
    it.keys("4 <Enter>").never_sees("Nothing to revoke").sees("4 marked");
}

#[test]
fn v_marks_a_range_and_esc_clears_it() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("v j j").sees("3 marked").keys("k").sees("2 marked");
    it.keys("<Esc>").never_sees("marked");
    it.keys("v j j j v").sees("4 marked").keys("j j").sees("4 marked");
    it.keys("j <Space>").sees("5 marked");
    // An action ends the range selection.
    it.keys("j v j D").sees("Delete 7 tokens?").keys("<Esc>").sees("7 marked");
    it.keys("<Esc>").never_sees("marked");
}

#[test]
fn marks_survive_a_filter_change_but_not_a_delete() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j <Space> f f").sees("[Expired 1]").sees("1 marked");
    it.keys("<Space>").sees("2 marked").keys("F F");
    let mut other = it.second_on_same_store();
    other.keys("j D ci-deploy <Enter>").sees("Deleted ci-deploy");
    it.waits_for("1 marked");
    it.keys("/ zebra <Enter>").sees("1 marked").keys("<Esc>").never_sees("marked");
    it.sees("/zebra").keys("<Esc>").never_sees("/zebra");
}

#[test]
fn star_marks_all_shown_tokens_and_unmarks_them() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("/ fleet <Enter> *");
    let marked = it.screen().lines().filter(|line| line.starts_with('✓')).count();
    assert!(marked > 0, "{}", it.screen());
    it.sees(&format!("{marked} marked"));
    it.keys("<Down> <Space>").sees(&format!("{} marked", marked - 1));
    it.keys("* *").never_sees("marked");
}

#[test]
fn a_bulk_delete_can_be_undone() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("F * D").sees("Delete 4 tokens?").keys("4 <Enter>");
    it.sees("Deleted 4 tokens. Press u within 24 hours to undo")
        .sees("Press u to undo the deletion.");
    it.keys("u").sees("Restored 4 tokens").sees("All 4");
}

#[test]
fn a_bulk_scope_is_added_where_it_is_missing() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("* a").sees("Add scopes to 2 tokens").keys("c <Tab> <Tab> u <Space> <C-s>");
    it.sees("Add scopes to 2 tokens?").sees("each token may update all channels");
    it.keys("2 <Enter>").sees("Added channels:*:update to 2 tokens.").sees("Press u to undo.");
    let dump = it.store_dump();
    assert!(dump.contains("scope added grafana by alice"), "{dump}");
    it.keys("* a c <Tab> <Tab> u <Space> <C-s>").sees("skipped: already has these scopes");
}

#[test]
fn a_bulk_regenerate_writes_one_secret_file() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let file = it.path("new.tsv");
    it.keys("F * R").sees("Regenerate 4 tokens").sees("secrets-20261124-120000.tsv");
    it.keys("<Tab> <Right> <Tab>").retypes(file.to_str().unwrap());
    it.keys("<Enter> <Enter>").sees("Regenerate 4 tokens?");
    it.sees("The old secrets of 2 active tokens will keep working for 15m.");
    it.keys("4 <Enter>").sees("Wrote 4 new secrets to").sees("mode 0600");
    it.sees("[All 4]").keys("<Enter>").never_sees("new secrets").never_sees("marked");
    assert_eq!(names_with_status(&it, "active").len(), 4);
    assert!(!it.store_dump().contains("undelivered"));

    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    for line in text.lines() {
        let (name, secret) = line.split_once('\t').unwrap();
        let id = Secret::parse(secret.to_owned().into()).unwrap().id();
        assert_eq!(it.id(name), id);
        assert!(!it.contains_secret(secret), "the app holds a secret of {name}");
    }
    let deploy = text.lines().find_map(|line| line.strip_prefix("ci-deploy\t")).unwrap();
    assert_eq!(it.access_result(deploy, "channels:c-1:publish"), "allowed");
}

#[test]
fn an_existing_secret_file_is_refused_before_any_change() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let file = it.path("new.tsv");
    std::fs::write(&file, "mine").unwrap();
    let before = it.store_dump();
    it.keys("* R <Tab> <Tab>").retypes(file.to_str().unwrap()).keys("<C-s>");
    it.sees("already exists and was not changed").sees("Regenerate 2 tokens");
    it.retypes("").keys("<C-s>").sees("Enter a file name");
    assert_eq!(it.store_dump(), before);
}

#[test]
fn a_change_after_the_preview_aborts_the_bulk_change() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("* r").sees("Revoke 2 tokens?");
    let mut other = it.second_on_same_store();
    other.keys("r <Right> <Enter>").sees("Revoked grafana");
    it.keys("2 <Enter>").sees("the store was changed in the meantime");
    assert_eq!(names_with_status(&it, "revoked"), ["grafana", "old-backup"]);
    it.keys("<Esc> r").sees("Revoke 1 token?").sees("skipped: already revoked");
    it.keys("1 <Enter>").sees("Revoked ci-deploy.");
}

#[test]
fn the_preview_scrolls_below_a_fixed_question() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("F * D").sees("Delete 60 tokens?").sees("1 to ");
    it.sees("To delete, type the count (60):");
    it.keys("<PgDn> <Down>").never_sees("1 to ").sees("To delete, type the count (60):");
    for _ in 0..9 {
        it.keys("<PgDn>");
    }
    it.sees("to 60 of 60");
}

#[test]
fn a_bulk_preview_on_ten_lines_shows_text_and_names() {
    let mut it = Journey::on(Fixture::Few, 40, 10);
    it.keys("* r").sees("Revoke 2 tokens?").sees("Their secrets will").sees("\u{2026}");
    it.sees("ci-deploy").sees("grafana").sees("type the count (2)");
}
