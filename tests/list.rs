//! The list engine on a store that other processes change: its results equal those of a full scan
//! of the records.

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc,
    };

    use chrono::{TimeDelta, TimeZone as _, Utc};
    use patdeck::{
        domain::{
            Actor, AuditAction, Column, Description, Digest, EventBody, LastUse, LifetimeLimits,
            ListQuery, Name, Owner, ScopeCatalogue, Scopes, Search, SecretPrefix, Sort,
            StatusFilter, Timestamp, Token, TokenId, TokenLimits,
        },
        list::{Completeness, ListEngine, ListRequest, ListResult},
        service::{Clock, Entropy, Policy, Service},
        store::{ReadOps as _, Store, StoreError},
    };
    use proptest::prelude::*;
    use tempfile::TempDir;

    /// The instant `minute` minutes after the start.
    fn at(minute: i64) -> Timestamp {
        Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
    }

    fn id(n: u16) -> TokenId {
        TokenId::parse(&format!("{:012}", u64::from(n) * 7_919 % 1_000_003)).unwrap()
    }

    /// Derives a token from small numbers, so that many tokens share property values.
    fn token(n: u16, seed: u8) -> Token {
        let minute = i64::from(seed);
        let mut scopes = Scopes::default();
        for scope in ["channels:*:publish", "groups:*:list"].iter().take(usize::from(seed % 3)) {
            scopes.add(scope.parse().unwrap()).unwrap();
        }
        let used = (!seed.is_multiple_of(3)).then(|| LastUse {
            at: at(minute / 9),
            from: None,
            summary: "".into(),
        });
        Token {
            id: id(n),
            name: Name::parse(&format!("{} {n}", ["ci", "Edge", "fleet"][usize::from(seed % 3)]))
                .unwrap(),
            description: Description::parse(["", "Nightly", "oslo"][usize::from(seed / 3 % 3)])
                .unwrap(),
            scopes,
            prefix: "pat".into(),
            digest: Digest::from_bytes([1; 32]),
            previous: None,
            created: at(0),
            created_by: Actor::named(if seed.is_multiple_of(7) { "bob" } else { "alice" }),
            issued: at(minute / 5),
            expires: (!seed.is_multiple_of(5)).then(|| at(minute)),
            revoked: seed.is_multiple_of(4).then(|| at(minute)),
            version: 1,
            generation: 1,
            delivered: seed.is_multiple_of(2),
            last_used: used,
            limits: TokenLimits {
                not_before: seed.is_multiple_of(6).then(|| at(minute / 2)),
                ..TokenLimits::default()
            },
            labels: format!("n={}", seed % 2).parse().unwrap(),
            owner: Owner::default(),
            uses_taken: 0,
            last_denied: None,
        }
    }

    /// A store file, a second handle that changes it, the engine, and the expected content.
    struct TestStore {
        engine: ListEngine,
        other: Store,
        clock: Clock,
        tokens: BTreeMap<TokenId, Token>,
        damaged: Vec<TokenId>,
        newest_event: Option<Timestamp>,
        /// The newest time that the engine has seen.
        newest_seen: Option<Timestamp>,
        _folder: TempDir,
    }

    fn put(store: &Store, tokens: &[Token]) {
        let written = store.write(|rows| {
            for token in tokens {
                rows.put_token(token)?;
                token
                    .last_used
                    .as_ref()
                    .map_or(Ok(()), |used| rows.put_attempt(&token.id, None, used, true))?;
            }
            Ok::<_, StoreError>(())
        });
        written.unwrap();
    }

    /// Creates a store file with these tokens, in which the records of `damaged` are corrupt.
    fn create_file(folder: &TempDir, tokens: &[Token], damaged: &[TokenId]) -> PathBuf {
        let file = folder.path().join("store.redb");
        let with_marker = |token: &Token| match damaged.iter().position(|id| *id == token.id) {
            Some(n) => Token {
                description: Description::parse(&format!("damage-me-{n:03}")).unwrap(),
                ..token.clone()
            },
            None => token.clone(),
        };
        let store = Store::open(&file).unwrap();
        put(&store, &tokens.iter().map(with_marker).collect::<Vec<_>>());
        drop(store);
        let mut bytes = fs::read(&file).unwrap();
        let marker = b"damage-me-";
        let offsets: Vec<_> = bytes
            .windows(marker.len())
            .enumerate()
            .filter(|(_, window)| window == marker)
            .map(|(at, _)| at)
            .collect();
        assert!(offsets.len() >= damaged.len());
        for offset in offsets {
            bytes[offset] ^= 1;
        }
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    impl TestStore {
        fn new(tokens: Vec<Token>, damaged: Vec<TokenId>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = create_file(&folder, &tokens, &damaged);
            let policy = Policy {
                prefix: SecretPrefix::default(),
                limits: LifetimeLimits::default(),
                default_lifetime: "30d".parse().unwrap(),
                catalogue: ScopeCatalogue::default(),
            };
            let (clock, actor) = (Clock::fixed(at(0)), Actor::named("alice"));
            let store = Store::open(&file).unwrap();
            let service = Service::new(store, clock.clone(), Entropy::seeded(1), actor, policy);
            let other = Store::open(&file).unwrap();
            let tokens = tokens
                .into_iter()
                .map(|token| (token.id, token))
                .filter(|(id, _)| !damaged.contains(id));
            Self {
                engine: ListEngine::new(Arc::new(service)),
                other,
                clock,
                tokens: tokens.collect(),
                damaged,
                newest_event: None,
                newest_seen: None,
                _folder: folder,
            }
        }

        /// Puts or removes a token as another process, and appends an event of that minute.
        fn change(&mut self, n: u16, seed: Option<u8>, minute: i64) {
            let changed = if let Some(seed) = seed {
                put(&self.other, &[token(n, seed)]);
                // A stored last use remains when a record without one is written.
                let stored = self.other.read(|rows| rows.token(&id(n))).unwrap().unwrap();
                self.tokens.insert(id(n), stored);
                true
            } else {
                self.tokens.remove(&id(n));
                self.other.write(|rows| rows.remove_token(&id(n))).is_ok()
            };
            assert!(changed || self.damaged.contains(&id(n)));
            if changed {
                self.damaged.retain(|each| *each != id(n));
            }
            let event = EventBody {
                at: at(minute),
                actor: Actor::named("bob"),
                token: Some(id(n)),
                name: String::new(),
                action: AuditAction::Edited,
                detail: String::new(),
            };
            self.other.write(|rows| rows.append_event(event.clone())).unwrap();
            self.newest_event = Some(at(minute));
        }

        /// Returns all results of a request, the partial ones first.
        fn all_results(
            &mut self,
            query: &ListQuery,
            now: Timestamp,
            selected: Option<TokenId>,
            row: usize,
        ) -> Vec<ListResult> {
            let request = ListRequest { number: 3, query: query.clone(), at: now, selected, row };
            let mut results = Vec::new();
            self.engine.answer(&request, || true, |result| results.push(result)).unwrap();
            assert!(results.iter().all(|result| result.number == 3));
            results
        }

        fn last_result(
            &mut self,
            query: &ListQuery,
            now: Timestamp,
            selected: Option<TokenId>,
        ) -> ListResult {
            self.all_results(query, now, selected, 0).pop().unwrap()
        }

        /// Panics unless the result equals that of a full scan. Token number `selected` may be
        /// shown, hidden or missing.
        fn compare(&mut self, query: &ListQuery, now: Timestamp, selected: u16) {
            let tokens: Vec<Token> = self.tokens.values().cloned().collect();
            let (rows, counts) = query.select(&tokens, now);
            let wanted: Vec<_> = rows.into_iter().map(|row| tokens[row].id).collect();
            let selected = id(selected);
            let result = self.last_result(query, now, Some(selected));
            assert!(result.is_complete() && result.total == wanted.len());
            assert_eq!(result.tokens.iter().collect::<Vec<_>>(), wanted, "{query:?}");
            assert_eq!(result.counts, Some(counts), "{query:?}");
            let row = wanted.iter().position(|id| *id == selected);
            assert_eq!(result.selected_row, Some((selected, row)), "{query:?}");
            let page = row.unwrap_or(0)..(row.unwrap_or(0) + 5).min(wanted.len());
            let shown: Vec<_> = page.clone().filter_map(|row| result.tokens.get(row)).collect();
            assert_eq!(shown, wanted[page], "{query:?}");
            let summary = result.summary;
            assert_eq!(summary.loaded, tokens.len());
            assert_eq!(summary.total, tokens.len() + self.damaged.len());
            assert_eq!(summary.stats.unwrap().counts, ListQuery::default().select(&tokens, now).1);
            assert_eq!(summary.damaged.len(), self.damaged.len(), "{:?}", summary.damaged);
            assert!(
                self.damaged
                    .iter()
                    .all(|id| summary.damaged.iter().any(|it| it.contains(id.as_str())))
            );
            let clock = self.clock.now();
            self.newest_seen = self.newest_seen.max(self.newest_event).max(Some(clock));
            let is_behind = |seen: &Timestamp| *seen - clock > TimeDelta::seconds(5);
            assert_eq!(summary.clock_behind, self.newest_seen.filter(is_behind));
        }

        fn load(&mut self) {
            while self.engine.is_loading() {
                self.engine.load_next_batch().unwrap();
            }
        }

        /// The ids of all tokens in the engine, sorted.
        fn ids(&mut self) -> Vec<TokenId> {
            let query = ListQuery { status: StatusFilter::All, ..ListQuery::default() };
            let mut ids: Vec<_> = self.last_result(&query, at(0), None).tokens.iter().collect();
            ids.sort_unstable();
            ids
        }
    }

    fn queries() -> impl Strategy<Value = ListQuery> {
        let searches =
            ["", "ci", "oslo", "op:publish", "-by:alice 0", "owner:bob", "label:n=1", "unused"];
        let status = prop::sample::select(StatusFilter::ALL.to_vec());
        let column = prop::sample::select(Column::ALL.to_vec());
        let search = prop::sample::select(searches.to_vec());
        (status, column, any::<bool>(), search).prop_map(|(status, column, descending, search)| {
            let search = Search::parse(search).unwrap();
            ListQuery { status, search, sort: Sort { column, descending } }
        })
    }

    /// A random step of a test.
    #[derive(Debug, Clone)]
    enum RandomStep {
        /// Puts or removes a token, with an event of this minute.
        Change(u16, Option<u8>, i64),
        /// Sets the clock of the engine.
        SetClock(i64),
        /// Requests the list with this token selected.
        Request(ListQuery, u16),
        /// Builds one order.
        BuildOrder,
    }

    fn steps() -> impl Strategy<Value = Vec<RandomStep>> {
        let minute = -20_i64..280;
        let change = (0_u16..40, prop::option::weighted(0.7, any::<u8>()), 0_i64..60);
        let step = prop_oneof![
            4 => change.prop_map(|(n, seed, minute)| RandomStep::Change(n, seed, minute)),
            1 => minute.prop_map(RandomStep::SetClock),
            4 => (queries(), 0_u16..40).prop_map(|(query, n)| RandomStep::Request(query, n)),
            1 => Just(RandomStep::BuildOrder),
        ];
        prop::collection::vec(step, 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn results_match_a_full_scan(
            first in prop::collection::vec(any::<u8>(), 0..30), damaged in prop::collection::btree_set(0_u16..30, 0..3),
            steps in steps(), last in queries(),
        ) {
            let tokens: Vec<Token> = (0..).zip(first).map(|(n, seed)| token(n, seed)).collect();
            let damaged = damaged.into_iter().filter(|n| usize::from(*n) < tokens.len()).map(id).collect();
            let mut fixture = TestStore::new(tokens, damaged);
            for step in steps {
                match step {
                    RandomStep::Change(n, seed, minute) => fixture.change(n, seed, minute),
                    RandomStep::SetClock(minute) => fixture.clock.set(at(minute)),
                    RandomStep::Request(query, selected) => {
                        let now = fixture.clock.now();
                        fixture.compare(&query, now, selected);
                    }
                    RandomStep::BuildOrder => drop(fixture.engine.build_next_order()),
                }
            }
            while fixture.engine.build_next_order() {}
            let now = fixture.clock.now();
            fixture.compare(&last, now, 7);
        }
    }

    fn tokens(numbers: std::ops::Range<u16>) -> Vec<Token> {
        numbers.map(|n| token(n, u8::try_from(n % 251).unwrap())).collect()
    }

    #[test]
    fn changes_during_batch_loading_are_kept() {
        let mut fixture = TestStore::new(tokens(0..9_000), Vec::new());
        fixture.engine.load_next_batch().unwrap();
        let query = ListQuery {
            status: StatusFilter::All,
            search: Search::default(),
            sort: Sort { column: Column::Name, descending: false },
        };
        let partial = fixture.last_result(&query, at(0), None);
        assert!(
            fixture.engine.is_loading() && !partial.is_complete() && !partial.tokens.is_empty()
        );
        let names: Vec<_> =
            partial.tokens.iter().map(|id| fixture.tokens[&id].name.folded()).collect();
        assert!(names.is_sorted() && partial.counts.is_none());
        let summary = &partial.summary;
        assert_eq!((summary.total, summary.loaded), (9_000, partial.tokens.len()));
        // Some of these ids are in the loaded range, the others are not.
        for n in 20_000..20_050 {
            fixture.change(n, Some(5), 0);
        }
        for n in (0..9_000).step_by(300) {
            fixture.change(n, None, 0);
        }
        fixture.load();
        let wanted: Vec<_> = fixture.tokens.keys().copied().collect();
        assert_eq!(fixture.ids(), wanted);
        for column in Column::ALL {
            let query = ListQuery { sort: Sort { column, descending: true }, ..query.clone() };
            fixture.compare(&query, at(30), 4);
        }
    }

    #[test]
    fn reader_behind_the_change_log_reloads() {
        let mut fixture = TestStore::new(tokens(0..600), Vec::new());
        fixture.load();
        let more = tokens(10_000..15_000);
        put(&fixture.other, &more);
        fixture.tokens.extend(more.into_iter().map(|token| (token.id, token)));
        fixture.ids();
        assert!(fixture.engine.is_loading());
        fixture.load();
        let wanted: Vec<_> = fixture.tokens.keys().copied().collect();
        assert_eq!(fixture.ids(), wanted);
    }

    #[test]
    fn an_outdated_request_gets_no_result() {
        let mut fixture = TestStore::new(tokens(0..9), Vec::new());
        let query = ListQuery::default();
        let request = ListRequest { number: 1, query, at: at(0), selected: None, row: 0 };
        let mut results = Vec::new();
        fixture.engine.answer(&request, || false, |result| results.push(result)).unwrap();
        assert!(results.is_empty());
    }

    #[test]
    fn prefix_result_matches_the_full_result() {
        let mut fixture = TestStore::new(tokens(0..9_000), Vec::new());
        fixture.load();
        let both = |column| [false, true].map(|descending| Sort { column, descending });
        for sort in Column::ALL.into_iter().flat_map(both) {
            for text in ["", "ci 7", "nobody"] {
                let search = Search::parse(text).unwrap();
                let query = ListQuery { status: StatusFilter::All, search, sort };
                let all = fixture.last_result(&query, at(60), None);
                for row in [0, 100, 700, 9_999] {
                    for selected in [all.tokens.get(row), None] {
                        let mut results = fixture.all_results(&query, at(60), selected, row);
                        let last = results.pop().unwrap();
                        assert!(last.tokens.iter().eq(all.tokens.iter()) && last.is_complete());
                        // Near the top of the default order there is a prefix result, if the
                        // search matches enough of the first rows.
                        let is_near = text != "nobody" && sort == Sort::default() && row <= 100;
                        assert!(results.len() <= 1 && (!is_near || results.len() == 1), "{row}");
                        for first in results {
                            assert_eq!(first.completeness, Completeness::Prefix);
                            assert_eq!((first.total, first.counts), (first.tokens.len(), None));
                            assert_eq!(first.selected_row, last.selected_row);
                            let same = all.tokens.iter().take(first.total);
                            assert!(first.tokens.iter().eq(same), "{sort:?} {text} {row}");
                            assert!(first.total > row, "{sort:?} {text} {row}");
                        }
                    }
                }
            }
        }
    }
}
