//! Compares queries on the table with a filtered and sorted list of all records, after random
//! changes.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{
    expiry_days::COUNTED_DAYS,
    query::{PreparedQuery, UnsortedMatches},
    sorted_orders::SortedOrders,
    status_classes::{ClassifiedRows, NEVER, TokenStats, to_nanos},
    text_block::{BLOCK_ROWS, TextBlock, split_fields},
    token_table::{RowId, TokenTable},
};
use crate::domain::{
    Actor, Column, Description, LastUse, ListQuery, Name, Owner, Scopes, Search, Sort, Status,
    StatusCounts, StatusFilter, Timestamp, Token, TokenId,
    name::fold,
    token::tests::{at, sample_token},
};

/// Derives a token from small numbers, so that many tokens share property values.
fn token(id: u16, name: u16, seed: u8) -> Token {
    let n = i64::from(seed);
    let names = ["ci", "CI-Deploy", "edge", "Grafana", "ärger", "ZUG"];
    let name = format!("{} {name}", names[usize::from(seed) % names.len()]);
    let about = ["", "Nightly backup", "deploys to Oslo", "nightly"][usize::from(seed / 4) % 4];
    let scopes = ["channels:*:publish", "clients:c-7:read@lab", "groups:*:list"];
    let mut token = Token {
        id: TokenId::parse(&format!("{id:012}")).unwrap(),
        name: Name::parse(&name).unwrap(),
        description: Description::parse(about).unwrap(),
        issued: at(n / 3),
        expires: (!seed.is_multiple_of(5))
            .then(|| at(if seed.is_multiple_of(3) { n * 1_440 } else { n / 2 })),
        revoked: seed.is_multiple_of(7).then(|| at(n)),
        delivered: seed.is_multiple_of(2),
        created_by: Actor::named(if seed.is_multiple_of(11) { "bob" } else { "alice" }),
        owner: Owner::parse(if seed.is_multiple_of(13) { "Ann" } else { "" }).unwrap(),
        labels: ["", "team=edge", "team=core, env=prod"][usize::from(seed % 3)].parse().unwrap(),
        last_used: (!seed.is_multiple_of(3)).then(|| LastUse {
            at: at(n),
            from: None,
            summary: "".into(),
        }),
        ..sample_token()
    };
    token.limits.not_before = seed.is_multiple_of(6).then(|| at(n / 4));
    token.scopes = Scopes::default();
    for scope in scopes.iter().take(usize::from(seed % 4)) {
        token.scopes.add(scope.parse().unwrap()).unwrap();
    }
    token
}

fn small(n: u16) -> u8 {
    u8::try_from(n % 247).unwrap()
}

/// The reference: filters and sorts the records one by one.
fn reference(tokens: &[Token], query: &ListQuery, now: Timestamp) -> (Vec<TokenId>, StatusCounts) {
    let found: Vec<&Token> =
        tokens.iter().filter(|token| query.search.matches(token, now)).collect();
    let count = |status| found.iter().filter(|token| token.status(now) == status).count();
    let counts = StatusCounts {
        active: count(Status::Active),
        expiring: found.iter().filter(|token| token.expires_soon(now)).count(),
        not_yet_valid: count(Status::NotYetValid),
        expired: count(Status::Expired),
        revoked: count(Status::Revoked),
    };
    let mut shown = found;
    shown.retain(|token| query.matches(token, now));
    shown.sort_by_key(|token| (token.name.folded(), token.id));
    let by_column = |a: &Token, b: &Token| match query.sort.column {
        Column::Name => a.name.folded().cmp(&b.name.folded()),
        Column::Description => fold(a.description.as_str()).cmp(&fold(b.description.as_str())),
        Column::Status => a.status(now).cmp(&b.status(now)),
        Column::Scopes => a.scopes.len().cmp(&b.scopes.len()),
        Column::Issued => a.issued.cmp(&b.issued),
        Column::Expires => {
            let end = |token: &Token| token.expires.unwrap_or(Timestamp::MAX_UTC);
            end(a).cmp(&end(b))
        }
        Column::LastUsed => {
            let used = |token: &Token| token.last_use().map(|used| used.at);
            used(a).cmp(&used(b))
        }
    };
    // A stable sort: tokens with the same key stay in the order of names.
    if query.sort.descending {
        shown.sort_by(|a, b| by_column(b, a));
    } else {
        shown.sort_by(|a, b| by_column(a, b));
    }
    (shown.into_iter().map(|token| token.id).collect(), counts)
}

/// Every column in both directions, combined with every status and varying searches.
fn queries() -> Vec<ListQuery> {
    let searches = [
        "",
        "ci",
        "G",
        "k r 4",
        "NIGHT",
        "oslo dep",
        "00000000",
        "ÄR",
        "nothing",
        "op:publish",
        "-type:clients by:alice",
        "status:expired ci",
        "-by:alice",
        "unused -unsaved",
        "idle>20m \"ly b\"",
        "expires<40m may:clients:c-7:read@lab",
        "name:\"ärger 3\" id:1",
        "wildcard -status:revoked",
        "owner:ann",
        "-owner:alice label:team",
        "label:env=prod -label:team=edge",
    ];
    let mut queries = Vec::new();
    for (turn, status) in StatusFilter::ALL.into_iter().enumerate() {
        for (at, column) in Column::ALL.into_iter().enumerate() {
            let search = Search::parse(searches[(at * 5 + turn) % searches.len()]).unwrap();
            for descending in [false, true] {
                let sort = Sort { column, descending };
                queries.push(ListQuery { status, search: search.clone(), sort });
            }
        }
    }
    queries
}

/// Table and orders as `synced_index` uses them, without a store.
#[derive(Default)]
struct TestIndex {
    table: TokenTable,
    orders: SortedOrders,
}

impl TestIndex {
    fn of(tokens: &[Token]) -> Self {
        let mut index = Self::default();
        for token in tokens {
            index.table.insert_or_replace(token);
        }
        index
    }

    /// Applies changes: a current token, or the id of a removed token.
    fn apply(&mut self, changes: &[Result<Token, TokenId>]) {
        let rows = changes.iter().filter_map(|change| match change {
            Ok(token) => Some(self.table.insert_or_replace(token)),
            Err(id) => self.table.remove(id),
        });
        let mut rows: Vec<RowId> = rows.collect();
        rows.sort_unstable();
        rows.dedup();
        self.orders.note_changed(&rows);
        self.table.release(rows);
    }

    fn query(
        &self,
        query: &ListQuery,
        now: Timestamp,
    ) -> (super::result_rows::ResultRows, UnsortedMatches) {
        let scan = PreparedQuery::new(&self.table, query, now);
        let matches = scan.matches(self.table.classes(now), || true).unwrap();
        (matches.in_order(&self.table, &self.orders, query.sort), matches)
    }

    fn build_all(&mut self) {
        while let Some(column) = self.orders.first_unready() {
            self.orders.build(&self.table, column);
        }
    }

    /// Panics unless each query returns the rows of the reference.
    fn compare(&self, tokens: &[Token], now: Timestamp, queries: &[ListQuery]) {
        assert_eq!(self.table.len(), tokens.len());
        for query in queries {
            let (wanted, counts) = reference(tokens, query, now);
            let (rows, matches) = self.query(query, now);
            assert_eq!(matches.counts, counts, "{query:?}");
            let ids: Vec<_> = rows.iter().collect();
            if self.orders.rows(query.sort).is_some() {
                assert_eq!(ids, wanted, "{query:?}");
            } else {
                let set = |ids: &[TokenId]| ids.iter().copied().collect::<BTreeSet<_>>();
                assert_eq!((rows.len(), set(&ids)), (wanted.len(), set(&wanted)), "{query:?}");
            }
            let scan = PreparedQuery::new(&self.table, query, now);
            if let Some((first, _)) = scan.first_rows(&self.orders, None, 0, 3) {
                assert_eq!(first.iter().collect::<Vec<_>>(), wanted[..4], "{query:?}");
            }
            for token in tokens {
                let position = ids.iter().position(|id| *id == token.id);
                assert_eq!(rows.find(&token.id), position, "{query:?}");
                let row = self.table.row_of(&token.id).unwrap();
                assert_eq!(matches.shows(row), position.is_some());
                assert_eq!(rows.position(row), position);
                assert_eq!(position.map(|it| rows.get(it)), position.map(|_| Some(token.id)));
            }
            let (selected, all) = (query.select(tokens, now), (wanted, counts));
            let selected: Vec<_> = selected.0.iter().map(|row| tokens[*row].id).collect();
            assert_eq!(selected, all.0, "Query::select returns the same rows: {query:?}");
        }
        self.compare_facts(tokens, now);
    }

    fn compare_facts(&self, tokens: &[Token], now: Timestamp) {
        for token in tokens {
            let row = self.table.row_of(&token.id).unwrap();
            let facts = self.table.facts(row, now).unwrap();
            assert_eq!((facts.status, facts.expires), (token.status(now), token.expires));
            assert_eq!((facts.issued, facts.delivered), (token.issued, token.delivered));
            assert_eq!(facts.last_used, token.last_use().map(|used| used.at));
        }
        let stats = stats(&self.table, now);
        assert_eq!(stats.counts, reference(tokens, &ListQuery::default(), now).1);
        let expires_on = |day: i64| {
            let date = now.date_naive() + TimeDelta::days(day);
            let is_active = |token: &&Token| token.status(now) == Status::Active;
            let expires = tokens.iter().filter(is_active).filter_map(|token| token.expires);
            expires.filter(|at| at.date_naive() == date).count() as u64
        };
        let by_day: Vec<_> = (0..).take(COUNTED_DAYS).map(expires_on).collect();
        assert_eq!(stats.expiries.periods(COUNTED_DAYS, 1), by_day);
        let by_week: Vec<u64> = by_day[..90].chunks(7).map(|days| days.iter().sum()).collect();
        assert_eq!(stats.expiries.periods(90, 7), by_week);
    }
}

fn stats(table: &TokenTable, at: Timestamp) -> TokenStats {
    ClassifiedRows::of(table, at).stats
}

/// Changes by token number: put with the properties of a seed, or removed.
fn changes() -> impl Strategy<Value = Vec<(u16, Option<u8>)>> {
    prop::collection::vec((0_u16..60, prop::option::weighted(0.8, any::<u8>())), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn queries_match_the_reference_after_random_changes(
        first in prop::collection::vec(any::<u8>(), 0..40), changes in changes(), batch in 1_usize..30,
        builds in prop::collection::vec(0_usize..80, 0..20), minutes in prop::collection::vec(-10_i64..140, 1..4),
    ) {
        let mut tokens: Vec<Token> = (0_u16..).zip(first).map(|(n, seed)| token(n * 2, n, seed)).collect();
        let mut index = TestIndex::of(&tokens);
        let queries = queries();
        for (turn, changes) in changes.chunks(batch).enumerate() {
            // Orders are built at any time and updated from then on.
            for build in builds.iter().filter(|build| **build % 8 == turn) {
                index.orders.build(&index.table, queries[build % queries.len()].sort.column);
            }
            let mut made = Vec::new();
            for (id, seed) in changes {
                let place = tokens.binary_search_by_key(&token(*id, 0, 0).id, |token| token.id);
                match (place, seed) {
                    (Ok(place), None) => drop(tokens.remove(place)),
                    (Ok(place), Some(seed)) => tokens[place] = token(*id, *id, *seed),
                    (Err(_), None) => {}
                    (Err(place), Some(seed)) => tokens.insert(place, token(*id, *id, *seed)),
                }
                made.push(seed.map(|seed| token(*id, *id, seed)).ok_or(token(*id, 0, 0).id));
            }
            index.apply(&made);
            for column in Column::ALL.into_iter().filter(|_| turn % 2 == 0) {
                index.orders.update(&index.table, column);
            }
            index.compare(&tokens, at(minutes[0]), &queries[turn % 5 * 14..][..14]);
        }
        index.build_all();
        // The clock may also go back.
        for minute in minutes {
            index.compare(&tokens, at(minute), &queries);
        }
    }

    #[test]
    fn text_block_keeps_all_texts(
        texts in prop::collection::vec((0_usize..30, "[a-zäß]{0,9}", "[a-zäß]{0,9}"), 0..80),
    ) {
        let (mut block, mut wanted) = (TextBlock::default(), Vec::<[String; 2]>::new());
        for (row, name, description) in texts {
            let row = row.min(wanted.len());
            block.set(row, [&*name, &description, "id"]);
            if row == wanted.len() {
                wanted.push(Default::default());
            }
            wanted[row] = [name, description];
            let rows: Vec<_> = (0..wanted.len()).map(|row| split_fields(block.get(row))).collect();
            let wanted: Vec<_> = wanted.iter().map(|[name, about]| [&**name, about, "id"]).collect();
            prop_assert_eq!(&rows, &wanted);
        }
    }
}

#[test]
fn removed_and_readded_token_is_found() {
    let mut index = TestIndex::of(&[token(0, 0, 1), token(1, 1, 1), token(2, 2, 1)]);
    index.build_all();
    let id = |n| token(n, 0, 0).id;
    index.apply(&[Err(id(0)), Err(id(1))]);
    // Token 0 gets the row of token 1. The previous row of token 0 still contains the id of token
    // 0.
    index.apply(&[Ok(token(0, 0, 1))]);
    assert_eq!(index.table.row_count(), 3);
    index.compare(&[token(0, 0, 1), token(2, 2, 1)], at(60), &queries());
}

#[test]
fn reusing_rows_does_not_change_a_held_result() {
    let count = u16::try_from(2 * BLOCK_ROWS + 10).unwrap();
    // In descending order, so that each token sorts before all earlier ones.
    let all: Vec<Token> = (0..count).rev().map(|n| token(n, 0, small(n))).collect();
    let mut index = TestIndex::of(&all);
    index.build_all();
    let query = ListQuery { status: StatusFilter::All, ..ListQuery::default() };
    let held = index.query(&query, at(0)).0;
    let before: Vec<_> = held.iter().collect();
    assert_eq!((before.len(), index.table.texts.len()), (usize::from(count), 3));
    let removals: Vec<_> = all.iter().map(|token| Err(token.id)).collect();
    index.apply(&removals);
    index.apply(&[Ok(token(7, 0, 3))]);
    let shown: Vec<_> = index.query(&query, at(0)).0.iter().collect();
    assert_eq!(shown, [token(7, 0, 3).id]);
    let others: Vec<_> = (count..2 * count - 1).map(|n| Ok(token(n, 0, small(n)))).collect();
    index.apply(&others);
    assert_eq!(
        (index.table.len(), index.table.row_count()),
        (usize::from(count), usize::from(count))
    );
    assert_eq!(held.iter().collect::<Vec<_>>(), before);
}

#[test]
fn chunked_sort_matches_a_plain_sort() {
    let tokens: Vec<Token> = (0..=u16::MAX).map(|n| token(n, 0, small(n))).collect();
    let mut index = TestIndex::of(&tokens);
    for built in [false, true] {
        if built {
            index.build_all();
        }
        for (text, column, descending) in [
            ("", Column::Expires, true),
            ("k", Column::Expires, false),
            ("ci 0000 id:12", Column::Scopes, true),
            ("ci", Column::Name, true),
            ("k", Column::Status, true),
            ("nothing", Column::Description, false),
        ] {
            let search = Search::parse(text).unwrap();
            let sort = Sort { column, descending };
            let query = ListQuery { status: StatusFilter::All, sort, search };
            let (wanted, counts) = reference(&tokens, &query, at(60));
            let (rows, matches) = index.query(&query, at(60));
            assert_eq!((rows.len(), matches.counts), (wanted.len(), counts), "{query:?}");
            assert!(!built || rows.iter().eq(wanted), "{query:?}");
            // Without a built order, only the keys are sorted; ties are in any order.
            let key = |id: TokenId| {
                let row = index.table.row_of(&id).unwrap();
                let facts = index.table.facts(row, at(60)).unwrap();
                match column {
                    Column::Expires => facts.expires.map_or(NEVER, to_nanos),
                    Column::Status => i64::from(facts.status as u8),
                    _ => 0,
                }
            };
            let keys: Vec<_> = rows.iter().map(key).collect();
            assert!(
                keys.is_sorted_by(|a, b| if descending { a >= b } else { a <= b }),
                "{query:?}"
            );
        }
    }
}

#[test]
fn an_outdated_request_is_abandoned() {
    let index = TestIndex::of(&[token(1, 1, 1)]);
    let query = ListQuery { status: StatusFilter::All, ..ListQuery::default() };
    let classes = index.table.classes(at(0));
    assert!(PreparedQuery::new(&index.table, &query, at(0)).matches(classes, || false).is_none());
}

#[test]
fn stats_contain_the_next_change_instant() {
    let week = TimeDelta::days(7);
    let end = at(0) + week + week;
    let index = TestIndex::of(&[Token { expires: Some(end), revoked: None, ..token(1, 1, 1) }]);
    let soon = end - week + TimeDelta::nanoseconds(1);
    let [before_soon, before_end] = [soon, end].map(|at| at - TimeDelta::nanoseconds(1));
    let all = [at(0), before_soon, soon, before_end, end, end + week];
    let stats = all.map(|at| stats(&index.table, at));
    let stats = stats.map(|it| (it.counts.expiring, it.counts.expired, it.until));
    // As long as a token expires in the counted days, these change at midnight (UTC), in 12 hours.
    let midnight = |at: Timestamp| Some(at + TimeDelta::hours(12));
    let over = (0, 1, None);
    let expected = [
        (0, 0, midnight(at(0))),
        (0, 0, Some(soon)),
        (1, 0, midnight(end - week)),
        (1, 0, Some(end)),
        over,
        over,
    ];
    assert_eq!(stats, expected);
}

#[test]
fn classes_are_valid_from_their_instant_to_the_next_change() {
    let index = TestIndex::of(&[Token { expires: Some(at(60)), revoked: None, ..token(1, 1, 1) }]);
    let classified = ClassifiedRows::of(&index.table, at(10));
    let before_end = at(60) - TimeDelta::nanoseconds(1);
    let holds = [at(9), at(10), before_end, at(60)].map(|at| classified.holds_at(at));
    assert_eq!(holds, [false, true, true, false]);
    for at in [at(10), before_end] {
        assert_eq!(classified.classes, index.table.classes(at));
    }
}
