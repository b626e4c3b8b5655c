//! What the list does with rows that come while the operator goes on.

use super::*;
use crate::domain::Counts;

fn id(n: u8) -> TokenId {
    TokenId::from_bytes([b'a' + n; 12]).unwrap()
}

/// A list of which the first nine tokens are known, with the sixth selected.
fn nine() -> Tokens {
    let mut tokens = Tokens::default();
    let number = tokens.question(Timestamp::default()).unwrap().number;
    let all = (0..9).map(id).collect();
    tokens.deliver(ListResult {
        number,
        tokens: all,
        total: 9,
        completeness: Completeness::Complete,
        ..ListResult::default()
    });
    assert_eq!(tokens.selected(), Some(id(0)));
    tokens.rows.select(5);
    tokens.selected = Some(id(5));
    tokens
}

/// Many rows, the selected token far down among them.
fn many(tokens: &mut Tokens) -> ListResult {
    tokens.refresh();
    let ListRequest { number, selected, .. } = tokens.question(Timestamp::default()).unwrap();
    let selected_row = selected.map(|id| (id, Some(14)));
    let tokens = (10..20).chain(1..9).map(id).collect();
    ListResult { number, tokens, total: 18, selected_row, ..ListResult::default() }
}

#[test]
fn the_selected_token_is_found_where_it_is_now() {
    let mut tokens = nine();
    let listing = many(&mut tokens);
    tokens.deliver(listing);
    assert_eq!((tokens.rows.selected(), tokens.selected()), (14, Some(id(5))));
}

#[test]
fn who_is_told_not_to_be_shown_leaves_the_row_to_another() {
    let mut tokens = nine();
    tokens.refresh();
    let question = tokens.question(Timestamp::default()).unwrap();
    tokens.deliver(ListResult {
        number: question.number,
        tokens: (10..13).map(id).collect(),
        total: 3,
        completeness: Completeness::Complete,
        selected_row: question.selected.map(|id| (id, None)),
        ..ListResult::default()
    });
    assert_eq!((tokens.rows.selected(), tokens.selected()), (2, Some(id(12))));
}

#[test]
fn who_moved_on_is_not_taken_back() {
    let mut tokens = nine();
    let listing = many(&mut tokens);
    tokens.rows.select(0);
    tokens.selected = Some(id(0));
    tokens.deliver(listing);
    assert_eq!(tokens.rows.selected(), 0);
}

#[test]
fn the_first_rows_leave_what_they_do_not_know_as_it_was() {
    let mut tokens = nine();
    let counts = Counts { active: 9, ..Counts::default() };
    tokens.listing.counts = Some(counts);
    tokens.refresh();
    let number = tokens.question(Timestamp::default()).unwrap().number;
    let some = (4..8).map(id).collect();
    let completeness = Completeness::Prefix;
    tokens.deliver(ListResult { number, tokens: some, completeness, ..ListResult::default() });
    assert_eq!((tokens.rows.selected(), tokens.selected()), (1, Some(id(5))));
    assert_eq!((tokens.listing.total, tokens.listing.counts), (9, Some(counts)));
    assert!(!tokens.awaits_rows() && tokens.awaits_more());
    let more = (0..20).map(id).collect();
    tokens.deliver(ListResult {
        number,
        tokens: more,
        total: 20,
        completeness,
        ..ListResult::default()
    });
    assert_eq!(tokens.listing.total, 20);
}
