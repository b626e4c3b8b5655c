//! Properties of every parser of untrusted bytes: no panic, parsed values round-trip, and output is
//! safe for a terminal. The ordinary tests run these checks on random input (`tests/hostile.rs`),
//! the fuzz targets on input from libFuzzer.

use std::{num::NonZero, path::Path, time::Instant};

use chrono::{DateTime, TimeDelta};
use crossterm::event::{Event, KeyCode, KeyModifiers};
use patdeck::{
    cli::{export_line, import_text},
    config::{ConfigError, ConfigFile, GlyphSet, ThemeName},
    domain::{
        AccessRequest, Actor, CheckContext, Description, Digest, Entity, Labels, Lifetime,
        LifetimeLimits, ListQuery, Name, Owner, Scope, Scopes, Search, Secret, SecretScanner,
        StatusFilter, Timestamp, Token, TokenId, TokenLimits, decide,
        terminal_text::{escape, first_unsafe},
    },
    keymap::{KeyOverride, KeySequence, Keymap, Mode},
    store::check_round_trip,
    tui::{
        terminal::{
            diff_backend::Renderer, escape_reassembler::EscapeReassembler, input::TerminalInput,
            sanitize_paste::clean_paste,
        },
        theme::Theme,
        widgets::canvas::{LineWriter, wrap},
    },
};
use ratatui::{layout::Size, style::Style};
use zeroize::Zeroizing;

/// Checks the properties of one parser on these bytes. Panics if one is violated.
pub type Check = fn(&[u8]);

/// All checks with the names of their fuzz targets.
pub const CHECKS: [(&str, Check); 11] = [
    ("secret", secret),
    ("scan", scan),
    ("scope", scope),
    ("lifetime", lifetime),
    ("search", search),
    ("record", record),
    ("import", import),
    ("config", config),
    ("keys", keys),
    ("input", input),
    ("screen", screen),
];

fn at() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A token with a name and with fields that differ by `n`.
fn token(n: u8, name: &str) -> Token {
    Token {
        id: TokenId::from_bytes([b'a' + n; 12]).unwrap(),
        name: Name::parse(name).unwrap(),
        description: Description::parse("Deploys to Oslo").unwrap(),
        scopes: Scopes::default(),
        prefix: "pat".into(),
        digest: Digest::from_bytes([n; 32]),
        previous: None,
        created: at(),
        created_by: Actor::named("alice"),
        issued: at(),
        expires: (n != 1).then(|| at() + TimeDelta::days(i64::from(n))),
        revoked: (n == 2).then(at),
        version: 1,
        generation: 1,
        delivered: true,
        last_used: None,
        limits: TokenLimits::default(),
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 0,
        last_denied: None,
    }
}

/// Asserts that every line of `text` is safe to display.
fn assert_displayable(text: &str) {
    assert_eq!(text.split('\n').find_map(first_unsafe), None, "{text:?}");
}

/// A presented secret: an error, or the unchanged text, which `Debug` does not reveal.
pub fn secret(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Secret::parse(Zeroizing::new(text.clone().into_owned())) {
        Ok(secret) => {
            assert_eq!(secret.reveal(), text);
            let random = text.strip_prefix(secret.public_part()).unwrap();
            assert!(!format!("{secret:?} {:?}", secret.digest()).contains(random));
        }
        Err(error) => assert_displayable(&error.to_string()),
    }
}

/// A scanned stream: matches are in the stream, whatever their encoding, and do not depend on how it is split.
pub fn scan(bytes: &[u8]) {
    let matches_in = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut matches = Vec::new();
        let mut scanner = SecretScanner::default();
        for piece in pieces {
            scanner.feed(piece, |it| matches.push((it.offset, it.line, it.secret)));
        }
        scanner.finish(|it| matches.push((it.offset, it.line, it.secret)));
        matches
    };
    let whole = matches_in(&mut std::iter::once(bytes));
    let size = usize::from(bytes.first().copied().unwrap_or(1) % 61) + 1;
    let split = matches_in(&mut bytes.chunks(size));
    assert_eq!(whole.len(), split.len());
    for ((offset, line, one), (other_offset, other_line, other)) in whole.iter().zip(&split) {
        assert_eq!((offset, line, one.reveal()), (other_offset, other_line, other.reveal()));
        let start = usize::try_from(*offset).unwrap();
        // Other characters of the secret may be wider or escaped.
        assert!(bytes.len() - start >= one.reveal().len());
    }
}

/// Scopes, one per line: each round-trips through text, and the set always obeys its rules.
pub fn scope(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut token = token(0, "x");
    let mut rejected = Vec::new();
    for line in text.split('\n') {
        let scope: Scope = match line.parse() {
            Ok(scope) => scope,
            Err(error) => {
                assert_displayable(&error.to_string());
                continue;
            }
        };
        let shown = scope.to_string();
        assert_displayable(&shown);
        assert_eq!(shown.parse(), Ok(scope.clone()));
        if token.scopes.add(scope.clone()).is_err() {
            rejected.push(scope);
        }
    }
    let held = token.scopes.as_slice();
    assert_eq!(Scopes::from_stored(held.to_vec()), Some(token.scopes.clone()));
    let is_full = held.len() >= Scopes::MAX;
    for scope in held.iter().chain(rejected.iter().filter(|_| !is_full)) {
        let entity = match &scope.entity {
            Entity::Any => Entity::Id("any-id".into()),
            one @ Entity::Id(_) => one.clone(),
        };
        let (entity_type, operation) = (scope.entity_type, scope.operation);
        let domain = scope.domain.clone();
        let request = AccessRequest { entity_type, entity, operation, domain };
        // A scope rejected as covered is allowed by the scope that covers it.
        assert!(
            decide(&token, Some(&request), &CheckContext::at(at() - TimeDelta::days(1)))
                .is_allowed(),
            "{scope}"
        );
    }
}

/// A lifetime: round-trips through text, and its expiry is within the limits or an error.
pub fn lifetime(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lifetime = match text.parse::<Lifetime>() {
        Ok(lifetime) => lifetime,
        Err(error) => return assert_displayable(&error.to_string()),
    };
    let shown = lifetime.to_string();
    assert_displayable(&shown);
    assert_eq!(shown.parse(), Ok(lifetime), "{text:?} prints as {shown}");
    for allow_never in [false, true] {
        for now in [at(), Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            let limits = LifetimeLimits { allow_never, ..LifetimeLimits::default() };
            match lifetime.expiry(now, &limits, |wall| wall.and_utc()) {
                Ok(None) => assert!(allow_never && lifetime == Lifetime::Never),
                Ok(Some(end)) => assert!(end > now && end - now <= limits.max.as_delta()),
                Err(error) => assert_displayable(&error.to_string()),
            }
        }
    }
}

/// A search: round-trips through text; the row counts are right and no row is listed twice.
pub fn search(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (search, error) = Search::parse_lenient(&text);
    assert_eq!(Search::parse(&text).is_err(), error.is_some());
    if let Some(error) = error {
        assert_eq!(first_unsafe(&error.to_string()), None);
    }
    assert_eq!(Search::parse(&search.to_string()).as_ref(), Ok(&search));
    let tokens = [token(0, "ci-prod"), token(1, "søk og finn"), token(2, "CI old")];
    let mut sum = 0;
    for status in StatusFilter::STATUSES {
        let query = ListQuery { status, search: search.clone(), ..ListQuery::default() };
        let (mut rows, counts) = query.select(&tokens, at());
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), counts.count_for(query.effective_status()));
        assert!(rows.iter().all(|row| *row < tokens.len()));
        match query.effective_status() {
            StatusFilter::All if search.filters_status() => {}
            StatusFilter::All => assert_eq!(rows.len(), sum),
            _ => sum += rows.len(),
        }
    }
}

/// A stored record with a valid checksum: an error, or a record that round-trips.
pub fn record(bytes: &[u8]) {
    assert_eq!(check_round_trip(bytes), Ok(()));
}

/// An import, as it is and as lines after a valid header: all lines are accepted or none. Accepted
/// tokens round-trip through an export.
pub fn import(bytes: &[u8]) {
    let count = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    let header = format!(
        "{{\"schema\":1,\"kind\":\"patdeck export\",\"store\":\"{}\",\"exported\":\"\",\
         \"tokens\":{count}}}\n",
        "0".repeat(32)
    );
    for text in [bytes.to_vec(), [header.as_bytes(), bytes].concat()] {
        match import_text(text) {
            Ok(tokens) => {
                for token in &tokens {
                    let text = format!(
                        "{}{}\n",
                        header.replace(&format!("\"tokens\":{count}"), "\"tokens\":1"),
                        export_line(token)
                    );
                    assert_eq!(import_text(text.into()).as_deref(), Ok(&[token.clone()][..]));
                }
            }
            Err(faults) => assert!(!faults.is_empty()),
        }
    }
}

/// A config file: accepted, or rejected with errors that have a line and are safe to display.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Err(faults) = ConfigFile::read(&text, Path::new("/base"), None) else { return };
    assert!(!faults.is_empty());
    let lines = text.split('\n').count();
    assert!(faults.iter().all(|fault| (1..=lines + 1).contains(&fault.line)), "{faults:?}");
    for fault in &faults {
        assert!(fault.kind.setting().is_none_or(|setting| !setting.is_empty()));
    }
    assert_displayable(&ConfigError::Faults { path: "c.toml".into(), faults }.to_string());
}

/// Key overrides as lines of `mode action keys`: rejected with errors that are safe to display, or
/// a keymap that resolves any key sequence without a panic.
pub fn keys(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut overrides = Vec::new();
    for line in text.split('\n').take(20) {
        if let Ok(sequence) = line.parse::<KeySequence>() {
            assert_displayable(&sequence.to_string());
            assert_eq!(sequence.to_string().parse(), Ok(sequence));
        }
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (mode, action, keys) = (word(), word(), word());
        let keys = keys.split(',').map(str::to_owned).collect();
        overrides.push(KeyOverride { mode, action, keys });
    }
    match Keymap::new(&overrides) {
        Ok(map) => {
            for mode in Mode::ALL {
                // No key press may panic, including incomplete sequences.
                for line in text.split('\n').take(3) {
                    let Ok(sequence) = line.parse::<KeySequence>() else { continue };
                    for pressed in 0..=sequence.keys().len() {
                        let _ = map.resolve(mode, &sequence.keys()[..pressed]);
                    }
                }
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for (at, fault) in faults {
                assert!(at < overrides.len());
                assert_displayable(&fault.to_string());
            }
        }
    }
}

/// Names, descriptions, pasted text, and terminal input as crossterm events.
pub fn input(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(first_unsafe(&escape(&text)), None);
    if let Ok(name) = Name::parse(&text) {
        assert_displayable(name.as_str());
        assert_eq!(Name::parse(name.as_str()), Ok(name));
    }
    if let Ok(description) = Description::parse(&text) {
        assert_displayable(description.as_str());
        assert_eq!(Description::parse(description.as_str()), Ok(description));
    }
    for lines in [false, true] {
        let clean = clean_paste(&text, lines);
        assert!(!clean.chars().any(|c| c.is_control() && !(lines && c == '\n')));
        assert_eq!(clean_paste(&clean, lines), clean);
    }
    let mut reassembler = EscapeReassembler::new(std::time::Duration::ZERO);
    let now = Instant::now();
    for char in text.chars() {
        let event = match char {
            '\x1b' => Event::Key(KeyCode::Esc.into()),
            '\r' => Event::Key(KeyCode::Enter.into()),
            '\t' => Event::Key(KeyCode::Tab.into()),
            '\n' => Event::Key(crossterm::event::KeyEvent::new(
                KeyCode::Char('j'),
                KeyModifiers::CONTROL,
            )),
            other => Event::Key(KeyCode::Char(other).into()),
        };
        for input in reassembler.push(event, now) {
            // Every character key comes from the input; `j` stands for a line feed.
            if let TerminalInput::Key(key) = input
                && let KeyCode::Char(c) = key.code
            {
                assert!(c == 'j' || text.contains(c));
            }
        }
    }
    reassembler.expire(now);
}

const COLUMNS: NonZero<u16> = NonZero::new(40).unwrap();
const LINES: u16 = 6;

/// Text on the screen: the output contains only visible characters and the escape sequences of the
/// renderer, and the text does not move other cells.
pub fn screen(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let measure = || Ok(Size::new(COLUMNS.get(), LINES));
    let mut renderer = Renderer::new(Vec::new(), measure).unwrap();
    for (glyphs, indent) in [(GlyphSet::Unicode, 0), (GlyphSet::Ascii, 3)] {
        let look = Theme::new(ThemeName::Default, glyphs);
        renderer
            .draw(|frame| {
                let area = frame.area();
                let buf = frame.buffer_mut();
                LineWriter::at(buf, area, 0, &look).skip(indent).text_within(
                    &text,
                    20,
                    Style::new(),
                );
                LineWriter::at(buf, area, 0, &look).move_to(30).text("|end", Style::new());
                for (line, wrapped) in (1..LINES).zip(wrap(&text, 9, &look)) {
                    LineWriter::at(buf, area, line, &look).write_column(&wrapped, 9, Style::new());
                    LineWriter::at(buf, area, line, &look).move_to(30).text("|", Style::new());
                }
            })
            .unwrap();
    }
    let sent = renderer.output().sink().clone();
    assert_displayable(&without_own_sequences(&String::from_utf8(sent).unwrap()));
}

/// Removes the escape sequences that the renderer uses. Panics on any other sequence.
fn without_own_sequences(sent: &str) -> String {
    let mut chunks = sent.split("\x1b[");
    let mut text = chunks.next().unwrap_or_default().to_owned();
    for chunk in chunks {
        let end = chunk.find(|c: char| c.is_ascii_alphabetic());
        let (sequence, rest) = chunk.split_at(end.expect("sequence has a final byte") + 1);
        let (parameters, final_byte) = sequence.split_at(sequence.len() - 1);
        let is_numeric = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == ';');
        let is_own = match final_byte {
            "H" | "C" | "G" | "X" | "m" | "J" => is_numeric(parameters),
            "h" | "l" => ["?2026", "?25"].contains(&parameters),
            _ => false,
        };
        assert!(is_own, "unexpected sequence: {chunk:?}");
        text.push('\n');
        text.push_str(rest);
    }
    text
}
