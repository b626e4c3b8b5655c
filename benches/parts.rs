//! Criterion micro-benchmarks: `cargo bench --bench parts`. They measure an access check next to
//! its lower bounds (redb read, SHA-256) and to the scrypt hash of the reference platform, list
//! queries on a million tokens, and a frame.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failure must abort the benchmark"
)]

use std::{collections::VecDeque, hint::black_box, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use patdeck::{
    config::{GlyphSet, ThemeName},
    domain::{
        AccessRequest, Actor, Column, Description, Labels, LastUse, ListQuery, Name, Owner, Scope,
        Scopes, Search, Secret, SecretPrefix, Sort, StatusFilter, Timestamp, Token, TokenId,
        TokenLimits,
    },
    keymap::Keymap,
    list::{ListEngine, ListRequest},
    service::{Clock, Entropy, Service, Zone},
    store::{ReadOps as _, Store, StoreError},
    testing::default_policy,
    tui::{
        app::{
            App, effect::Effect, event::AppEvent, model::Model, service_request::execute_request,
        },
        theme::Theme,
    },
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use ratatui::{buffer::Buffer, layout::Rect};
use redb::{
    ConcurrencyMode, Database, ReadableDatabase as _, TableDefinition, backends::InMemoryBackend,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Tokens in the list benchmarks.
const LIST_TOKENS: u32 = 1_000_000;
/// Tokens in the store benchmarks.
const STORE_TOKENS: u32 = 1_000;

fn now() -> Timestamp {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap_or_default()
}

/// A token that was just used, and its secret.
fn token(rng: &mut StdRng, n: u32) -> (Token, Secret) {
    let mut random = |bytes: &mut [u8]| {
        rng.fill_bytes(bytes);
        Ok::<_, std::convert::Infallible>(())
    };
    let Ok(id) = TokenId::generate(&mut random);
    let Ok(secret) = Secret::generate(&SecretPrefix::default(), id, &mut random);
    let mut scopes = Scopes::default();
    for scope in ["channels:*:publish", "clients:c-7:read"] {
        scopes.add(scope.parse().expect("a scope")).expect("a new scope");
    }
    let used = LastUse { at: now(), from: None, summary: "channels:c-1:publish allowed".into() };
    let issued = now() - TimeDelta::minutes(n.into());
    let token = Token {
        id,
        name: Name::parse(&format!("fleet-{}-{n}", n % 97)).expect("a name"),
        description: Description::parse("Reads the sensors of the cold store").expect("a text"),
        scopes,
        prefix: "pat".into(),
        digest: secret.digest(),
        previous: None,
        created: issued,
        created_by: Actor::named("alice"),
        issued,
        expires: Some(now() + TimeDelta::minutes(i64::from(n) - 1_000)),
        revoked: n.is_multiple_of(9).then_some(issued),
        version: 1,
        generation: 1,
        delivered: true,
        last_used: Some(used),
        limits: TokenLimits::default(),
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 0,
        last_denied: None,
    };
    (token, secret)
}

/// An in-memory store with [`STORE_TOKENS`] tokens, and their secrets.
fn filled_store() -> (Store, Vec<Secret>) {
    let store = Store::memory().expect("a store");
    let secrets = fill(&store);
    (store, secrets)
}

/// Writes [`STORE_TOKENS`] tokens; returns their secrets.
fn fill(store: &Store) -> Vec<Secret> {
    let mut rng = StdRng::seed_from_u64(1);
    let (tokens, secrets): (Vec<_>, Vec<_>) = (0..STORE_TOKENS).map(|n| token(&mut rng, n)).unzip();
    let write = |token: &Token, rows: &mut patdeck::store::Writer<'_>| {
        rows.put_token(token)?;
        token
            .last_used
            .as_ref()
            .map_or(Ok(()), |used| rows.put_attempt(&token.id, None, used, true))
    };
    let written = store.write(|rows| {
        tokens.iter().try_for_each(|token| write(token, rows))?;
        Ok::<_, StoreError>(())
    });
    written.expect("a write");
    secrets
}

fn service(store: Store) -> Service {
    Service::new(
        store,
        Clock::fixed(now()),
        Entropy::System,
        Actor::named("bench"),
        default_policy(),
    )
}

fn check(c: &mut Criterion) {
    let (store, secrets) = filled_store();
    let ids: Vec<TokenId> = secrets.iter().map(Secret::id).collect();
    let mut at = (0..secrets.len()).cycle();
    let mut next = || at.next().unwrap_or(0);
    let scope: Scope = "channels:c-1:publish".parse().expect("a scope");
    let (entity_type, operation) = (scope.entity_type, scope.operation);
    let request = AccessRequest { entity_type, entity: scope.entity, operation, domain: None };
    let mut group = c.benchmark_group("check");
    group.bench_function("read and decode a record", |b| {
        b.iter(|| {
            let id = &ids[next()];
            store.read(|rows| rows.token(id)).map(black_box)
        });
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let file_store = Store::open(&path).expect("a store");
    fill(&file_store);
    for (name, store) in [("verify", store), ("verify, on a file", file_store)] {
        let service = service(store);
        group.bench_function(name, |b| {
            b.iter_batched(
                || Zeroizing::new(secrets[next()].reveal().to_owned()),
                |presented| service.check(presented, Some(&request), None).map(black_box),
                BatchSize::SmallInput,
            );
        });
    }
    let file_service = service(Store::open(&path).expect("a store"));
    let mut verifier = file_service.verifier();
    group.bench_function("verify, on a file, in one session", |b| {
        b.iter_batched(
            || Zeroizing::new(secrets[next()].reveal().to_owned()),
            |presented| verifier.check(presented, Some(&request), None).map(black_box),
            BatchSize::SmallInput,
        );
    });
    // The cost of opening a read transaction on the latest commit, before any lookup.
    let mut shared = Database::builder();
    shared.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    let shared = shared.open_read_only(&path).expect("a database");
    group.bench_function("redb begins a read, on a file", |b| b.iter(|| shared.begin_read()));
    let text = secrets[0].reveal();
    group.bench_function("SHA-256 of a secret alone", |b| {
        b.iter(|| Sha256::digest(black_box(text.as_bytes())));
    });
    group.bench_function("a plain redb get", redb_get);
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let slow = scrypt::Params::new(14, 8, 1, 32).expect("parameters");
    group.bench_function("scrypt N=16384 r=8 p=1", |b| {
        let mut out = [0; 32];
        b.iter(|| scrypt::scrypt(black_box(text.as_bytes()), b"salt", &slow, &mut out));
    });
    group.finish();
}

fn redb_get(b: &mut criterion::Bencher<'_>) {
    const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("plain");
    let backend = InMemoryBackend::new();
    let db = Database::builder().create_with_backend(backend).expect("a database");
    let transaction = db.begin_write().expect("a transaction");
    {
        let mut table = transaction.open_table(TABLE).expect("a table");
        for key in 0..u64::from(STORE_TOKENS) {
            table.insert(key, [7; 200].as_slice()).expect("an insertion");
        }
    }
    transaction.commit().expect("a commit");
    let mut key = (0..u64::from(STORE_TOKENS)).cycle();
    b.iter(|| {
        let read = db.begin_read().expect("a transaction");
        let table = read.open_table(TABLE).expect("a table");
        table.get(key.next().unwrap_or(0)).expect("a get").map(|found| found.value().len())
    });
}

/// A list engine with [`LIST_TOKENS`] tokens and all sort orders loaded.
fn loaded_engine() -> ListEngine {
    let store = Store::memory().expect("a store");
    let mut rng = StdRng::seed_from_u64(1);
    for batch in (0..LIST_TOKENS).step_by(20_000) {
        let tokens: Vec<Token> = (batch..batch + 20_000).map(|n| token(&mut rng, n).0).collect();
        let written = store.write(|rows| {
            tokens.iter().try_for_each(|token| rows.put_token(token))?;
            Ok::<_, StoreError>(())
        });
        written.expect("a write");
    }
    let mut engine = ListEngine::new(Arc::new(service(store)));
    while engine.is_loading() {
        engine.load_next_batch().expect("a batch");
    }
    while engine.build_next_order() {}
    engine
}

fn list(c: &mut Criterion) {
    let mut engine = loaded_engine();
    let mut group = c.benchmark_group("list of 1,000,000");
    group.sample_size(10);
    let mut measure = |name: String, status, search: &str, column| {
        let sort = Sort { column, descending: true };
        let query = ListQuery { status, search: Search::parse_lenient(search).0, sort };
        let request = ListRequest { number: 1, query, at: now(), selected: None, row: 0 };
        group.bench_function(name, |b| b.iter(|| engine.answer(&request, || true, drop)));
    };
    measure("filter".into(), StatusFilter::Active, "", Column::Issued);
    let searches = [
        ("one letter", "e"),
        ("many matches", "fleet"),
        ("few matches", "77-8888"),
        ("a term", "unused"),
        ("a scope", "op:publish"),
    ];
    for (name, search) in searches {
        measure(format!("search, {name}"), StatusFilter::All, search, Column::Issued);
    }
    for column in Column::ALL {
        measure(format!("in order of {}", column.as_str()), StatusFilter::All, "", column);
    }
    group.finish();
}

fn frame(c: &mut Criterion) {
    let service = Arc::new(service(filled_store().0));
    let (clock, theme) = (Clock::fixed(now()), Theme::new(ThemeName::Default, GlyphSet::Unicode));
    let model = Model::new(clock, Zone::utc(), theme, default_policy(), Keymap::default());
    let mut app = App::new(model, "operator@gateway".into());
    let mut lists = ListEngine::new(Arc::clone(&service));
    let mut events = VecDeque::from([AppEvent::Tick]);
    while let Some(event) = events.pop_front() {
        for effect in app.update(event) {
            match effect {
                Effect::List(request) => {
                    let deliver = |result| events.push_back(AppEvent::ListResult(Box::new(result)));
                    lists.answer(&request, || true, deliver).expect("an answer");
                }
                Effect::Service(id, request) => {
                    let response = Box::new(execute_request(&service, &request));
                    events.push_back(AppEvent::Response(id, response));
                }
                _ => {}
            }
        }
    }
    let area = Rect::new(0, 0, 80, 24);
    let mut buffer = Buffer::empty(area);
    c.bench_function("a frame of 80x24", |b| b.iter(|| app.paint(area, &mut buffer)));
}

criterion_group!(benches, check, list, frame);
criterion_main!(benches);
