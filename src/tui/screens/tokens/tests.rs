//! What the list does with rows that come while the operator goes on.

use super::*;
use crate::domain::Counts;

fn id(n: u8) -> TokenId {
    TokenId::from_bytes([b'a' + n; 12]).unwrap()
}

/// A list of which the first nine tokens are known, with the sixth selected.
fn nine() -> Tokens {
    let mut tokens = Tokens::default();
    let number = tokens.question(Moment::default()).unwrap().number;
    let all = (0..9).map(id).collect();
    tokens.deliver(Listing {
        number,
        tokens: all,
        total: 9,
        extent: Extent::Whole,
        ..Listing::default()
    });
    assert_eq!(tokens.selected(), Some(id(0)));
    tokens.rows.select(5);
    tokens.selected = Some(id(5));
    tokens
}

/// The rows around the selected token, as they come before all are known.
fn around_it(tokens: &mut Tokens) -> Listing {
    tokens.refresh();
    let question = tokens.question(Moment::default()).unwrap();
    let place = question.selected.map(|id| (id, Some(305)));
    let some = (1..20).map(id).collect();
    let number = question.number;
    Listing { number, start: 301, tokens: some, total: 1_000, place, ..Listing::default() }
}

#[test]
fn the_selected_token_is_found_where_it_is_now() {
    let mut tokens = nine();
    let listing = around_it(&mut tokens);
    tokens.deliver(listing);
    assert_eq!((tokens.rows.selected(), tokens.selected()), (305, Some(id(5))));
}

#[test]
fn who_is_told_not_to_be_shown_leaves_the_row_to_another() {
    let mut tokens = nine();
    tokens.refresh();
    let question = tokens.question(Moment::default()).unwrap();
    let (number, place) = (question.number, question.selected.map(|id| (id, None)));
    let others = (10..13).map(id).collect();
    let listing =
        Listing { number, tokens: others, total: 3, extent: Extent::Whole, ..Listing::default() };
    tokens.deliver(Listing { place, ..listing });
    assert_eq!((tokens.rows.selected(), tokens.selected()), (2, Some(id(12))));
}

#[test]
fn who_moved_on_is_not_taken_back() {
    let mut tokens = nine();
    let listing = around_it(&mut tokens);
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
    let number = tokens.question(Moment::default()).unwrap().number;
    let some = (4..8).map(id).collect();
    let extent = Extent::Beginning;
    tokens.deliver(Listing { number, tokens: some, extent, ..Listing::default() });
    assert_eq!((tokens.rows.selected(), tokens.selected()), (1, Some(id(5))));
    assert_eq!((tokens.listing.total, tokens.listing.counts), (9, Some(counts)));
    assert!(!tokens.awaits_rows() && tokens.awaits_more());
    let more = (0..20).map(id).collect();
    tokens.deliver(Listing { number, tokens: more, extent, ..Listing::default() });
    assert_eq!(tokens.listing.total, 20);
}
