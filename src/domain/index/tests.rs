//! The index shows what a plain reading of the records shows, whatever happened to it before.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Column, Description, Name, Query, Search, Sort, StatusFilter,
    pat::{
        LastUse,
        tests::{at, pat},
    },
};

/// A token made of small numbers, so that much of it is equal to much of others.
fn token(id: u16, name: u16, seed: u8) -> Pat {
    let n = i64::from(seed);
    let names = ["ci", "CI-Deploy", "edge", "Grafana", "ärger", "ZUG"];
    let name = format!("{} {name}", names[usize::from(seed) % names.len()]);
    let about = ["", "Nightly backup", "deploys to Oslo", "nightly"][usize::from(seed / 4) % 4];
    let scopes = ["channels:*:publish", "clients:c-7:read@lab", "groups:*:list"];
    let mut pat = Pat {
        id: TokenId::parse(&format!("{id:012}")).unwrap(),
        name: Name::parse(&name).unwrap(),
        description: Description::parse(about).unwrap(),
        issued: at(n / 3),
        expires: (!seed.is_multiple_of(5)).then(|| at(n / 2)),
        revoked: seed.is_multiple_of(7).then(|| at(n)),
        claimed: seed.is_multiple_of(2),
        created_by: Actor::named(if seed.is_multiple_of(11) { "bob" } else { "alice" }),
        last_used: (!seed.is_multiple_of(3)).then(|| LastUse {
            at: at(n),
            from: None,
            what: "".into(),
        }),
        ..pat()
    };
    pat.scopes = Scopes::default();
    for scope in scopes.iter().take(usize::from(seed % 4)) {
        pat.scopes.add(scope.parse().unwrap()).unwrap();
    }
    pat
}

fn small(n: u16) -> u8 {
    u8::try_from(n % 247).unwrap()
}

/// Every column both ways, each with some status and some search.
fn queries() -> Vec<Query> {
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
        "unused -unclaimed",
        "idle>20m \"ly b\"",
        "expiring<40m may:clients:c-7:read@lab",
        "name:\"ärger 3\" id:1",
        "wildcard -status:revoked",
    ];
    let mut queries = Vec::new();
    for (turn, status) in StatusFilter::ALL.into_iter().enumerate() {
        for (at, column) in Column::ALL.into_iter().enumerate() {
            let search = Search::parse(searches[(at * 5 + turn) % searches.len()]).unwrap();
            for descending in [false, true] {
                let sort = Sort { column, descending };
                queries.push(Query { status, search: search.clone(), sort });
            }
        }
    }
    queries
}

/// The ids of a list.
fn ids(listed: &Listed) -> Vec<TokenId> {
    listed.iter().collect()
}

/// Fails unless `index` shows for every query what the records themselves show.
fn compare(index: &Index, pats: &[Pat]) {
    assert_eq!(index.len(), pats.len());
    let now = at(60);
    for query in queries() {
        let (rows, counts) = query.select(pats, now);
        let wanted: Vec<TokenId> = rows.iter().map(|row| pats[*row].id).collect();
        let picked = query.pick(index, now, || true).unwrap();
        assert_eq!((picked.len(), picked.counts), (wanted.len(), counts), "{query:?}");
        let listed = picked.in_order(index).unwrap();
        assert_eq!((ids(&listed), listed.len()), (wanted.clone(), wanted.len()), "{query:?}");
        for pat in pats {
            let row = wanted.iter().position(|id| *id == pat.id);
            assert_eq!(picked.place(&listed, index, &pat.id), row, "{query:?}");
            assert_eq!(listed.find(&pat.id), row, "{query:?}");
        }
        compare_first(index, &query, &wanted);
        compare_windows(index, &picked, &wanted);
        compare_unsorted(index, &picked, &wanted);
    }
    for pat in pats {
        let row = index.get(&pat.id).unwrap();
        assert_eq!((row.status(now), row.expires()), (pat.status(now), pat.expires));
        assert_eq!((row.issued(), row.is_claimed()), (pat.issued, pat.claimed));
        assert_eq!(row.last_used(), pat.last_use().map(|used| used.at));
        let (chunk, row) = chunks::place(index.number_of(&pat.id).unwrap());
        let shared = index.chunks.as_slice()[chunk].shared[row];
        assert_eq!(index.scopes_of(shared.scopes), pat.scopes);
        assert_eq!(index.makers.get(shared.maker), Some(&pat.created_by));
    }
    assert_eq!(
        index.rows().map(|row| row.id()).collect::<Vec<_>>(),
        pats.iter().map(|pat| pat.id).collect::<Vec<_>>()
    );
    let summary = index.summary(now);
    assert_eq!(summary.counts, Query::default().select(pats, now).1);
    let lately = |used: &LastUse| now - used.at < chrono::TimeDelta::days(1);
    assert_eq!(summary.used, pats.iter().filter(|pat| pat.last_use().is_some_and(lately)).count());
}

/// The first rows are those of the whole order, with the token or the row that is asked for.
fn compare_first(index: &Index, query: &Query, wanted: &[TokenId]) {
    let stranger = TokenId::parse("zzzzzzzzzzzz").unwrap();
    for row in [0, 1, wanted.len() / 2, wanted.len()] {
        let hidden = (stranger, row, None);
        let shown = wanted.get(row).map(|id| (*id, 0, Some(row)));
        for ((id, asked, place), ahead) in [(hidden, 0), (shown.unwrap_or(hidden), 2)] {
            let first = query.first(index, at(60), Some(&id), asked, ahead);
            let told = first.map(|first| (first.start, ids(&first.tokens), first.place));
            let rows =
                wanted.get(..row + ahead + 1).filter(|_| query.sort.column != Column::Status);
            assert_eq!(told, rows.map(|rows| (0, rows.to_vec(), place)), "{query:?}");
        }
    }
}

/// A window has a token and those on either side of it, or the row that is asked for.
fn compare_windows(index: &Index, picked: &Picked, wanted: &[TokenId]) {
    let stranger = TokenId::parse("zzzzzzzzzzzz").unwrap();
    let far = wanted.len() + 7;
    let shown = wanted.iter().enumerate().map(|(row, id)| (*id, far, row, Some(row)));
    let hidden = (0..far).map(|row| (stranger, row, row.min(wanted.len().saturating_sub(1)), None));
    for (id, asked, row, place) in shown.chain(hidden) {
        for ahead in [1, 3, far] {
            let window = picked.window(index, Some(&id), asked, ahead);
            if wanted.is_empty() {
                assert!(window.is_none());
                continue;
            }
            let window = window.unwrap();
            let rows = row.saturating_sub(ahead)..(row + ahead + 1).min(wanted.len());
            assert_eq!((window.start, window.place), (rows.start, place));
            assert_eq!(ids(&window.tokens), wanted[rows]);
        }
    }
}

/// Sorted without the orders, the same are shown, and each place and each window is of the one
/// order that there is then.
fn compare_unsorted(index: &Index, picked: &Picked, wanted: &[TokenId]) {
    let sorted = ids(&picked.unsorted().sorted(index, || true).unwrap());
    let set = |ids: &[TokenId]| ids.iter().copied().collect::<std::collections::BTreeSet<_>>();
    assert_eq!((sorted.len(), set(&sorted)), (wanted.len(), set(wanted)));
    let mut unsorted = picked.unsorted();
    for (place, id) in sorted.iter().enumerate() {
        assert_eq!(unsorted.place(index, id), Some(place));
    }
    let middle = sorted.len() / 3..sorted.len() / 2 + 1;
    let end = middle.end.min(sorted.len());
    assert_eq!(ids(&unsorted.window(index, middle.clone())), sorted[middle.start..end]);
}

/// What may happen to a token.
fn changes() -> impl Strategy<Value = Vec<(u16, Option<u8>)>> {
    prop::collection::vec((0_u16..60, prop::option::weighted(0.8, any::<u8>())), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_changes_it_shows_what_the_records_show(
        first in prop::collection::vec(any::<u8>(), 0..40), changes in changes(), at_once in 1_usize..30,
        judged in prop::collection::vec(40_i64..80, 0..80),
    ) {
        let mut pats: Vec<Pat> = (0_u16..).zip(first).map(|(n, seed)| token(n * 2, n, seed)).collect();
        let mut index = Index::default();
        index.extend(&pats);
        // Changes come before the orders do, while they are worked out, and after.
        let mut copied = None;
        for (turn, changes) in changes.chunks(at_once).enumerate() {
            if let Some(minute) = judged.get(turn) {
                index.judge(at(*minute));
            }
            if turn == 1 {
                copied = Some(index.copy());
            }
            if let (3, Some(copied)) = (turn, copied.take_if(|_| turn == 3)) {
                prop_assert!(index.order(Orders::of(copied)));
            }
            for (id, seed) in changes {
                let place = pats.binary_search_by_key(&token(*id, 0, 0).id, |pat| pat.id);
                match (place, seed) {
                    (Ok(place), None) => drop(pats.remove(place)),
                    (Ok(place), Some(seed)) => pats[place] = token(*id, *id, *seed),
                    (Err(_), None) => {}
                    (Err(place), Some(seed)) => pats.insert(place, token(*id, *id, *seed)),
                }
                match seed {
                    Some(seed) => index.put(&token(*id, *id, *seed)),
                    None => index.remove(&token(*id, 0, 0).id),
                }
            }
            index.settle();
        }
        if !index.is_ordered() {
            let copied = copied.unwrap_or_else(|| index.copy());
            prop_assert!(index.order(Orders::of(copied)));
        }
        compare(&index, &pats);
    }
}

#[test]
fn a_token_that_went_and_came_back_is_found_in_the_list() {
    let mut index = Index::default();
    for n in 0..3 {
        index.put(&token(n, n, 1));
    }
    index.settle();
    index.remove(&token(0, 0, 0).id);
    index.remove(&token(1, 0, 0).id);
    index.settle();
    // It takes the number of the other.
    index.put(&token(0, 0, 1));
    index.settle();
    let pats = [token(0, 0, 1), token(2, 2, 1)];
    let orders = Orders::of(index.copy());
    assert!(index.order(orders));
    compare(&index, &pats);
}

#[test]
fn numbers_are_given_again_and_a_list_that_is_held_stays_as_it_was() {
    let mut index = Index::default();
    let count = u16::try_from(2 * chunk::ROWS + 10).unwrap();
    // From the last to the first: each goes before all others.
    for n in (0..count).rev() {
        index.put(&token(n, 0, small(n)));
    }
    index.settle();
    assert_eq!((index.len(), index.chunks.iter().len()), (usize::from(count), 3));
    let all = index.rows().map(|row| row.id()).collect::<Vec<_>>();
    assert!(all.is_sorted() && all.len() == usize::from(count));
    let orders = Orders::of(index.copy());
    assert!(index.order(orders));
    let query = Query { status: StatusFilter::All, ..Query::default() };
    let listed = |index: &Index| query.pick(index, at(0), || true).unwrap().in_order(index);
    let held = listed(&index).unwrap();
    let before = ids(&held);
    for n in 0..count {
        index.remove(&token(n, 0, 0).id);
    }
    // What is gone is not shown, settled or not, and comes back as it was.
    index.put(&token(7, 0, 3));
    assert_eq!((index.len(), listed(&index).is_none()), (1, true));
    index.settle();
    assert_eq!(ids(&listed(&index).unwrap()), [token(7, 0, 3).id]);
    for n in count..2 * count - 1 {
        index.put(&token(n, 0, small(n)));
    }
    index.settle();
    assert_eq!((index.len(), index.chunks.iter().len()), (usize::from(count), 3));
    assert_eq!(ids(&held), before);
}

#[test]
fn orders_of_another_copy_are_not_taken() {
    let (mut one, mut other) = (Index::default(), Index::default());
    let (first, others) = (one.copy(), other.copy());
    let last = one.copy();
    assert!(!one.order(Orders::of(first)) && !one.order(Orders::of(others)));
    assert!(!one.is_ordered() && one.order(Orders::of(last)) && one.is_ordered());
}

#[test]
fn many_are_sorted_as_few_are() {
    let mut index = Index::default();
    let pats: Vec<Pat> = (0..=u16::MAX).map(|n| token(n, 0, small(n))).collect();
    index.extend(&pats[..1_000]);
    index.extend(&pats[1_000..]);
    index.extend(&pats[..0]);
    let sort = Sort { column: Column::Expires, descending: true };
    let query = Query { status: StatusFilter::All, sort, ..Query::default() };
    let picked = query.pick(&index, at(0), || true).unwrap();
    assert!(picked.in_order(&index).is_none());
    let mut unsorted = picked.unsorted();
    let top = ids(&unsorted.window(&index, 0..50));
    let end = ids(&unsorted.window(&index, 65_500..70_000));
    let sorted = ids(&unsorted.sorted(&index, || true).unwrap());
    let expiry = |id: &TokenId| index.get(id).unwrap().expires;
    assert!(sorted.is_sorted_by(|a, b| expiry(a) >= expiry(b)));
    assert_eq!((sorted.len(), &sorted[..50], &sorted[65_500..]), (pats.len(), &*top, &*end));
    let orders = Orders::of(index.copy());
    assert!(index.order(orders));
    // All, half of them, few enough to be sorted, and none.
    for search in ["", "k", "ci 0000 id:12", "nothing"] {
        for (column, descending) in [
            (Column::Expires, true),
            (Column::Expires, false),
            (Column::Scopes, true),
            (Column::Name, true),
            (Column::Status, true),
        ] {
            let search = Search::parse(search).unwrap();
            let query = Query { sort: Sort { column, descending }, search, ..query.clone() };
            let (rows, counts) = query.select(&pats, at(60));
            let picked = query.pick(&index, at(60), || true).unwrap();
            let wanted: Vec<TokenId> = rows.iter().map(|row| pats[*row].id).collect();
            assert!(picked.counts == counts && ids(&picked.in_order(&index).unwrap()) == wanted);
            for row in (0..9).map(|part| part * wanted.len() / 8) {
                let asked = wanted.get(row).filter(|_| row % 2 == 1);
                let Some(window) = picked.window(&index, asked, row, 200) else {
                    assert!(wanted.is_empty());
                    continue;
                };
                let row = row.min(wanted.len() - 1);
                let rows = row.saturating_sub(200)..(row + 201).min(wanted.len());
                assert_eq!((window.start, window.place), (rows.start, asked.map(|_| row)));
                assert!(ids(&window.tokens) == wanted[rows], "{query:?} {row}");
            }
        }
    }
}

#[test]
fn work_that_nobody_waits_for_ends() {
    let mut index = Index::default();
    index.extend(&[token(1, 1, 1)]);
    let query = Query { status: StatusFilter::All, ..Query::default() };
    assert!(query.pick(&index, at(0), || false).is_none());
    let picked = query.pick(&index, at(0), || true).unwrap();
    assert!(picked.unsorted().sorted(&index, || false).is_none());
}

#[test]
fn the_summary_knows_who_was_used_within_a_day() {
    let mut index = Index::default();
    let used = |minutes| Some(LastUse { at: at(minutes), from: None, what: "".into() });
    let token = |id, minutes| Pat { last_used: used(minutes), ..token(id, 1, 1) };
    index.extend(&[token(1, 0), token(2, 3)]);
    let times = [-5, 0, 24 * 60 - 1, 24 * 60, 24 * 60 + 2, 24 * 60 + 3].map(at);
    // Whenever it was judged, if at all.
    for judged in [None].into_iter().chain(times.map(Some)) {
        if let Some(at) = judged {
            index.judge(at);
        }
        assert_eq!(times.map(|at| index.summary(at).used), [2, 2, 2, 1, 1, 0], "{judged:?}");
    }
}

#[test]
fn the_summary_says_when_it_changes_by_itself() {
    let mut index = Index::default();
    let week = chrono::TimeDelta::days(7);
    let end = at(0) + week + week;
    index.extend(&[Pat { expires: Some(end), revoked: None, ..token(1, 1, 1) }]);
    let soon = end - week + chrono::TimeDelta::nanoseconds(1);
    let [before_soon, before_end] = [soon, end].map(|at| at - chrono::TimeDelta::nanoseconds(1));
    let all = [at(0), before_soon, soon, before_end, end, end + week];
    // Whenever it was judged, if at all.
    for judged in [None].into_iter().chain(all.map(Some)) {
        if let Some(at) = judged {
            index.judge(at);
        }
        let told = all.map(|at| index.summary(at)).map(|it| (it.soon, it.counts.expired, it.until));
        let [lasting, near, over] = [(0, 0, Some(soon)), (1, 0, Some(end)), (0, 1, None)];
        assert_eq!(told, [lasting, lasting, near, near, over, over], "{judged:?}");
    }
}
