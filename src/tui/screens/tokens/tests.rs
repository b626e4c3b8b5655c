//! Tests of the token list: results that arrive after the selection or the query changed.

use super::*;
use crate::domain::StatusCounts;

fn id(n: u8) -> TokenId {
    TokenId::from_bytes([b'a' + n; 12]).unwrap()
}

/// A list of nine tokens with the sixth selected.
fn nine() -> TokensScreen {
    let mut tokens = TokensScreen::default();
    let number = tokens.take_request(Timestamp::default()).unwrap().number;
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

/// A partial result of 18 rows that contains the selected token at row 14.
fn many(tokens: &mut TokensScreen) -> ListResult {
    tokens.refresh();
    let ListRequest { number, selected, .. } = tokens.take_request(Timestamp::default()).unwrap();
    let selected_row = selected.map(|id| (id, Some(14)));
    let tokens = (10..20).chain(1..9).map(id).collect();
    ListResult { number, tokens, total: 18, selected_row, ..ListResult::default() }
}

#[test]
fn the_selection_follows_the_token_to_its_new_row() {
    let mut tokens = nine();
    let result = many(&mut tokens);
    tokens.deliver(result);
    assert_eq!((tokens.rows.selected(), tokens.selected()), (14, Some(id(5))));
}

#[test]
fn a_hidden_selection_moves_to_the_nearest_row() {
    let mut tokens = nine();
    tokens.refresh();
    let question = tokens.take_request(Timestamp::default()).unwrap();
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
fn a_late_result_does_not_undo_a_new_selection() {
    let mut tokens = nine();
    let result = many(&mut tokens);
    tokens.rows.select(0);
    tokens.selected = Some(id(0));
    tokens.deliver(result);
    assert_eq!(tokens.rows.selected(), 0);
}

#[test]
fn a_partial_result_keeps_the_previous_total_and_counts() {
    let mut tokens = nine();
    let counts = StatusCounts { active: 9, ..StatusCounts::default() };
    tokens.result.counts = Some(counts);
    tokens.refresh();
    let number = tokens.take_request(Timestamp::default()).unwrap().number;
    let some = (4..8).map(id).collect();
    let completeness = Completeness::Prefix;
    tokens.deliver(ListResult { number, tokens: some, completeness, ..ListResult::default() });
    assert_eq!((tokens.rows.selected(), tokens.selected()), (1, Some(id(5))));
    assert_eq!((tokens.result.total, tokens.result.counts), (9, Some(counts)));
    assert!(!tokens.awaits_rows() && tokens.awaits_more());
    let more = (0..20).map(id).collect();
    tokens.deliver(ListResult {
        number,
        tokens: more,
        total: 20,
        completeness,
        ..ListResult::default()
    });
    assert_eq!(tokens.result.total, 20);
}
