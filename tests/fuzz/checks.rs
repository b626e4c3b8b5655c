//! What must hold for any bytes that somebody else may hand to patdeck: no panic, nothing read
//! that does not come back the same, nothing on a terminal that could move it. The ordinary
//! tests run these checks on drawn input (`tests/hostile.rs`), the fuzz targets on found input.

use std::{num::NonZero, path::Path, time::Instant};

use chrono::{DateTime, TimeDelta};
use crossterm::event::{Event, KeyCode, KeyModifiers};
use patdeck::{
    cli::{export_line, import_text},
    config::{ConfigError, File, Glyphs, ThemeName},
    domain::{
        AccessRequest, Actor, Description, Digest, Entity, Lifetime, LifetimeLimits, Name, Query,
        Scope, Scopes, Search, Secret, SecretScanner, StatusFilter, Timestamp, Token, TokenId,
        decide,
        terminal_text::{escape, first_unsafe},
    },
    keymap::{Keymap, Mode, Override, Sequence},
    store::any_record,
    tui::{
        terminal::{
            diff_backend::Renderer, escape_reassembler::EscapeReassembler, input::Input,
            paste::clean_paste,
        },
        theme::Theme,
        widgets::paint::{LineWriter, wrap},
    },
};
use ratatui::{layout::Size, style::Style};
use zeroize::Zeroizing;

/// What is done with the bytes; a promise that does not hold is a panic.
pub type Check = fn(&[u8]);

/// Every check by the name of its fuzz target.
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

/// Some token.
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
        delivered: true,
        last_used: None,
    }
}

/// Asserts that `text` can be shown as it is, lines apart.
fn assert_plain(text: &str) {
    assert_eq!(text.split('\n').find_map(first_unsafe), None, "{text:?}");
}

/// A text that is presented: refused, or taken whole and never told by `Debug`.
pub fn secret(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Secret::parse(Zeroizing::new(text.clone().into_owned())) {
        Ok(secret) => {
            assert_eq!(secret.reveal(), text);
            let random = text.strip_prefix(secret.public_part()).unwrap();
            assert!(!format!("{secret:?} {:?}", secret.digest()).contains(random));
        }
        Err(error) => assert_plain(&error.to_string()),
    }
}

/// A stream that is searched: what is found is there, however the stream is cut.
pub fn scan(bytes: &[u8]) {
    let sightings = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut found = Vec::new();
        let mut finder = SecretScanner::default();
        for piece in pieces {
            finder.feed(piece, |seen| found.push((seen.offset, seen.line, seen.secret)));
        }
        finder.finish(|seen| found.push((seen.offset, seen.line, seen.secret)));
        found
    };
    let whole = sightings(&mut std::iter::once(bytes));
    let size = usize::from(bytes.first().copied().unwrap_or(1) % 61) + 1;
    let cut = sightings(&mut bytes.chunks(size));
    assert_eq!(whole.len(), cut.len());
    for ((offset, line, one), (other_offset, other_line, other)) in whole.iter().zip(&cut) {
        assert_eq!((offset, line, one.reveal()), (other_offset, other_line, other.reveal()));
        let from = usize::try_from(*offset).unwrap();
        assert!(bytes[from..].starts_with(one.reveal().as_bytes()));
    }
}

/// Scopes, one a line: each prints as it reads, and the set obeys its rules whatever came in.
pub fn scope(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut token = token(0, "x");
    let mut refused = Vec::new();
    for line in text.split('\n') {
        let scope: Scope = match line.parse() {
            Ok(scope) => scope,
            Err(error) => {
                assert_plain(&error.to_string());
                continue;
            }
        };
        let shown = scope.to_string();
        assert_plain(&shown);
        assert_eq!(shown.parse(), Ok(scope.clone()));
        if token.scopes.add(scope.clone()).is_err() {
            refused.push(scope);
        }
    }
    let held = token.scopes.as_slice();
    assert_eq!(Scopes::from_stored(held.to_vec()), Some(token.scopes.clone()));
    let full = held.len() >= Scopes::MAX;
    for scope in held.iter().chain(refused.iter().filter(|_| !full)) {
        let entity = match &scope.entity {
            Entity::Any => Entity::Id("whichever".into()),
            one @ Entity::Id(_) => one.clone(),
        };
        let (entity_type, operation) = (scope.entity_type, scope.operation);
        let asked = AccessRequest { entity_type, entity, operation, domain: scope.domain.clone() };
        // What was refused as covered is allowed by what covers it.
        assert!(decide(&token, &asked, at() - TimeDelta::days(1)).is_allowed(), "{scope}");
    }
}

/// A lifetime: prints as it reads, and ends within the limits or is refused.
pub fn lifetime(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lifetime = match text.parse::<Lifetime>() {
        Ok(lifetime) => lifetime,
        Err(error) => return assert_plain(&error.to_string()),
    };
    let shown = lifetime.to_string();
    assert_plain(&shown);
    assert_eq!(shown.parse(), Ok(lifetime), "{text:?} prints as {shown}");
    for allow_never in [false, true] {
        for now in [at(), Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            let limits = LifetimeLimits { allow_never, ..LifetimeLimits::default() };
            match lifetime.expiry(now, &limits, |wall| wall.and_utc()) {
                Ok(None) => assert!(allow_never && lifetime == Lifetime::Never),
                Ok(Some(end)) => assert!(end > now && end - now <= limits.max.as_delta()),
                Err(error) => assert_plain(&error.to_string()),
            }
        }
    }
}

/// What is typed into the search: it prints as it is read, the rows that are shown are counted,
/// and no row twice.
pub fn search(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (search, fault) = Search::read(&text);
    assert_eq!(Search::parse(&text).is_err(), fault.is_some());
    if let Some(fault) = fault {
        assert_eq!(first_unsafe(&fault.to_string()), None);
    }
    assert_eq!(Search::parse(&search.to_string()).as_ref(), Ok(&search));
    let tokens = [token(0, "ci-prod"), token(1, "søk og finn"), token(2, "CI old")];
    let mut sum = 0;
    for status in StatusFilter::STATUSES {
        let query = Query { status, search: search.clone(), ..Query::default() };
        let (mut rows, counts) = query.select(&tokens, at());
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), counts.of(query.shown()));
        assert!(rows.iter().all(|row| *row < tokens.len()));
        match query.shown() {
            StatusFilter::All if search.names_status() => {}
            StatusFilter::All => assert_eq!(rows.len(), sum),
            _ => sum += rows.len(),
        }
    }
}

/// Stored bytes with a checksum that fits: refused, or a record that survives a rewriting.
pub fn record(bytes: &[u8]) {
    assert_eq!(any_record(bytes), Ok(()));
}

/// An import, whole and as lines after a sound header: all of it taken or all refused; what is
/// taken is what an export of it says.
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

/// A config file: taken, or refused with faults that have a line and can be shown.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Err(faults) = File::read(&text, Path::new("/base"), None) else { return };
    assert!(!faults.is_empty());
    let lines = text.split('\n').count();
    assert!(faults.iter().all(|fault| (1..=lines + 1).contains(&fault.line)), "{faults:?}");
    for fault in &faults {
        assert!(fault.problem.setting().is_none_or(|setting| !setting.is_empty()));
    }
    assert_plain(&ConfigError::Faults { path: "c.toml".into(), faults }.to_string());
}

/// Lines of `mode action keys` laid over the key table: refused with what is wrong, or a table
/// in which every key of every row still leads somewhere.
pub fn keys(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut overrides = Vec::new();
    for line in text.split('\n').take(20) {
        if let Ok(sequence) = line.parse::<Sequence>() {
            assert_plain(&sequence.to_string());
            assert_eq!(sequence.to_string().parse(), Ok(sequence));
        }
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (mode, action, keys) = (word(), word(), word());
        let keys = keys.split(',').map(str::to_owned).collect();
        overrides.push(Override { mode, action, keys });
    }
    match Keymap::new(&overrides) {
        Ok(map) => {
            for mode in Mode::ALL {
                // Nothing that is pressed may panic, sequences cut short included.
                for line in text.split('\n').take(3) {
                    let Ok(sequence) = line.parse::<Sequence>() else { continue };
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
                assert_plain(&fault.to_string());
            }
        }
    }
}

/// Names, descriptions and pastes, and bytes from the terminal as the reader reports them.
pub fn input(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(first_unsafe(&escape(&text)), None);
    if let Ok(name) = Name::parse(&text) {
        assert_plain(name.as_str());
        assert_eq!(Name::parse(name.as_str()), Ok(name));
    }
    if let Ok(description) = Description::parse(&text) {
        assert_plain(description.as_str());
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
            // A key is only ever one that the terminal sent or a named one.
            if let Input::Key(key) = input
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

/// Text on the screen: the bytes that leave are our own sequences and visible characters, and
/// the cells beside the text stay where they are.
pub fn screen(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let measure = || Ok(Size::new(COLUMNS.get(), LINES));
    let mut renderer = Renderer::new(Vec::new(), measure).unwrap();
    for (glyphs, indent) in [(Glyphs::Unicode, 0), (Glyphs::Ascii, 3)] {
        let look = Theme::new(ThemeName::Default, glyphs);
        renderer
            .draw(|frame| {
                let area = frame.area();
                let buf = frame.buffer_mut();
                LineWriter::at(buf, area, 0, &look).skip(indent).within(&text, 20, Style::new());
                LineWriter::at(buf, area, 0, &look).to(30).text("|end", Style::new());
                for (line, wrapped) in (1..LINES).zip(wrap(&text, 9)) {
                    LineWriter::at(buf, area, line, &look).column_of(&wrapped, 9, Style::new());
                    LineWriter::at(buf, area, line, &look).to(30).text("|", Style::new());
                }
            })
            .unwrap();
    }
    let sent = renderer.output().sink().clone();
    assert_plain(&without_own_sequences(&String::from_utf8(sent).unwrap()));
}

/// What is left of `sent` without the sequences that patdeck's screens are made of.
fn without_own_sequences(sent: &str) -> String {
    let mut parts = sent.split("\x1b[");
    let mut left = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        let (sequence, text) = part.split_at(end.expect("a sequence without an end") + 1);
        let (parameters, last) = sequence.split_at(sequence.len() - 1);
        let numbers = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == ';');
        let ours = match last {
            "H" | "C" | "m" | "J" => numbers(parameters),
            "h" | "l" => ["?2026", "?25"].contains(&parameters),
            _ => false,
        };
        assert!(ours, "a foreign sequence: {part:?}");
        left.push('\n');
        left.push_str(text);
    }
    left
}
