//! A few thousand tokens of the index in the order of their ids: a small fixed row for each,
//! and the texts that a search looks through in one string. Called by the index alone.

use memchr::memmem;

use super::WEEK;
use crate::domain::{Moment, Pat, Status, TokenId, name::fold, search::Facts};

/// Parts the texts of a token. No text holds it: it is a control character.
const PART: char = '\0';

/// What the list knows of a token without its record.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub(super) id: TokenId,
    pub(super) shared: Shared,
    pub(super) issued: i64,
    pub(super) expires: i64,
    pub(super) used: i64,
    /// Where its name and its description stand among all.
    pub(super) name: u32,
    pub(super) description: u32,
    /// Where its texts end; those of the one before end where they begin.
    end: u32,
    revoked: bool,
    claimed: bool,
}

/// The numbers of what it shares with other tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    /// Which set of scopes it has.
    pub(super) scopes: u32,
    /// Who made it.
    pub(super) maker: u32,
}

/// An expiry that never comes.
pub(super) const NEVER: i64 = i64::MAX;
/// A use that has not been.
pub(super) const UNUSED: i64 = i64::MIN;

/// Nanoseconds since 1970. What they cannot hold is before or after everything else.
pub(super) fn stamp(at: Moment) -> i64 {
    let far = if at.timestamp() < 0 { UNUSED + 1 } else { NEVER - 1 };
    at.timestamp_nanos_opt().map_or(far, |nanos| nanos.clamp(UNUSED + 1, NEVER - 1))
}

impl Row {
    fn new(pat: &Pat, shared: Shared) -> Self {
        Self {
            id: pat.id,
            shared,
            issued: stamp(pat.issued),
            expires: pat.expires.map_or(NEVER, stamp),
            used: pat.last_use().map_or(UNUSED, |used| stamp(used.at)),
            name: 0,
            description: 0,
            end: 0,
            revoked: pat.revoked.is_some(),
            claimed: pat.claimed,
        }
    }

    /// Whose row it is.
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// What the token is at `at`, as [`Pat::status`] says.
    pub fn status(&self, at: Moment) -> Status {
        self.status_at(stamp(at))
    }

    /// Whether it is active at `now` and expires within a week.
    pub(super) fn expires_soon(&self, now: i64) -> bool {
        let near = self.expires != NEVER && self.expires.saturating_sub(WEEK) < now;
        near && self.status_at(now) == Status::Active
    }

    pub(super) fn status_at(&self, now: i64) -> Status {
        if self.revoked {
            Status::Revoked
        } else if now >= self.expires {
            Status::Expired
        } else {
            Status::Active
        }
    }

    /// When its present secret was issued.
    pub fn issued(&self) -> Moment {
        Moment::from_timestamp_nanos(self.issued)
    }

    /// When it expires; `None` for never.
    pub fn expires(&self) -> Option<Moment> {
        (self.expires != NEVER).then(|| Moment::from_timestamp_nanos(self.expires))
    }

    /// When it was last used; `None` for never.
    pub fn last_used(&self) -> Option<Moment> {
        (self.used != UNUSED).then(|| Moment::from_timestamp_nanos(self.used))
    }

    /// Whether its secret was taken by somebody.
    pub fn is_claimed(&self) -> bool {
        self.claimed
    }
}

/// Rows and their texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    pub(super) rows: Vec<Row>,
    text: String,
}

impl Chunk {
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), text: String::new() }
    }

    /// Where `id` is, or belongs.
    pub(super) fn find(&self, id: &TokenId) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.id.cmp(id))
    }

    pub(super) fn first(&self) -> Option<TokenId> {
        self.rows.first().map(|row| row.id)
    }

    fn start(&self, at: usize) -> usize {
        let before = at.checked_sub(1).and_then(|before| self.rows.get(before));
        before.map_or(0, |row| place(row.end))
    }

    /// The texts of the row at `at`: name, description and id, folded.
    pub(super) fn text(&self, at: usize) -> &str {
        let end = self.rows.get(at).map_or(0, |row| place(row.end));
        self.text.get(self.start(at)..end).unwrap_or_default()
    }

    pub(super) fn name(&self, at: usize) -> &str {
        self.text(at).split(PART).next().unwrap_or_default()
    }

    pub(super) fn description(&self, at: usize) -> &str {
        self.text(at).split(PART).nth(1).unwrap_or_default()
    }

    /// What a search asks of the row at `at`, whose status is `status` at `now`.
    pub(super) fn facts(&self, at: usize, row: &Row, status: Status, now: Moment) -> Facts<'_> {
        let mut texts = self.text(at).split(PART);
        let mut text = || texts.next().unwrap_or_default().into();
        Facts {
            name: text(),
            description: text(),
            id: text(),
            status,
            issued: row.issued(),
            expires: row.expires(),
            last_used: row.last_used(),
            claimed: row.claimed,
            at: now,
        }
    }

    /// Adds a token whose id is above all others here.
    pub(super) fn push(&mut self, pat: &Pat, shared: Shared) {
        write_texts(&mut self.text, pat);
        self.rows.push(Row { end: offset(self.text.len()), ..Row::new(pat, shared) });
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.rows.shrink_to_fit();
    }

    /// Puts a token at `at`, in the place of the row there if it is the same token's. Its
    /// places among all stay if its texts do; else they are 0, which this says by `false`.
    pub(super) fn put(&mut self, at: usize, pat: &Pat, shared: Shared) -> bool {
        let mut texts = String::new();
        write_texts(&mut texts, pat);
        let old = self.rows.get(at).filter(|row| row.id == pat.id).copied();
        let start = self.start(at);
        let end = old.map_or(start, |row| place(row.end));
        let same = old.is_some() && self.text.get(start..end) == Some(&texts);
        let mut row = Row { end: offset(end), ..Row::new(pat, shared) };
        if let (true, Some(old)) = (same, old) {
            (row.name, row.description) = (old.name, old.description);
        }
        match (old, self.rows.get_mut(at)) {
            (Some(_), Some(place)) => *place = row,
            _ => self.rows.insert(at, row),
        }
        if !same {
            self.text.replace_range(start..end, &texts);
            self.shift(at, start + texts.len(), end);
        }
        same
    }

    pub(super) fn remove(&mut self, at: usize) {
        let (start, end) = (self.start(at), self.start(at + 1));
        self.text.replace_range(start..end, "");
        self.rows.remove(at);
        self.shift(at, start, end);
    }

    /// From row `at` on, what ended at `old` ends at `new`, and all after it as much further.
    fn shift(&mut self, at: usize, new: usize, old: usize) {
        for row in self.rows.iter_mut().skip(at) {
            row.end = offset((place(row.end) + new).saturating_sub(old));
        }
    }

    /// The second half of it, which it has no more.
    pub(super) fn split(&mut self) -> Self {
        let at = self.rows.len() / 2;
        let cut = self.start(at);
        let mut half = Self { rows: self.rows.split_off(at), text: self.text.split_off(cut) };
        half.shift(0, 0, cut);
        half
    }

    /// Shows `visit` the places of the rows whose texts hold every one of `words`. One walk
    /// through all texts finds the first word; the others are looked for where it is.
    pub(super) fn search(&self, words: &[memmem::Finder<'_>], mut visit: impl FnMut(usize)) {
        let Some((first, others)) = words.split_first() else {
            return (0..self.rows.len()).for_each(visit);
        };
        let (mut from, mut at) = (0, 0);
        while let Some(found) = self.text.as_bytes().get(from..).and_then(|rest| first.find(rest)) {
            let found = from + found;
            let left = self.rows.get(at..).unwrap_or_default();
            at += left.iter().take_while(|row| place(row.end) <= found).count();
            let text = self.text(at).as_bytes();
            if others.iter().all(|word| word.find(text).is_some()) {
                visit(at);
            }
            at += 1;
            from = self.start(at);
        }
    }
}

fn write_texts(to: &mut String, pat: &Pat) {
    for text in [pat.name.as_str(), pat.description.as_str(), pat.id.as_str()] {
        if text.is_ascii() {
            to.extend(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
        } else {
            to.push_str(&fold(text));
        }
        to.push(PART);
    }
}

fn place(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// A chunk's texts are a few MiB at most.
fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
