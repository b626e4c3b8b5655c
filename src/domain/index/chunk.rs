//! A few thousand tokens of the index in columns: what a question looks at lies side by side,
//! and the texts that a search looks through are one string. A row stays where it is for as long
//! as its token lives. Called by the index alone.

use std::sync::Arc;

use memchr::memmem;

use super::{WEEK, bits::Bits, letters::Letters, row::Row};
use crate::domain::{
    Counts, Moment, Pat, Status, TokenId,
    name::fold,
    search::{Facts, Texts},
};

/// Rows of a chunk.
pub(super) const ROWS: usize = Bits::LEN;
/// Parts the texts of a token. No text holds it: it is a control character.
const PART: char = '\0';

/// The numbers of what a token shares with others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    /// Which set of scopes it has.
    pub(super) scopes: u32,
    /// Who made it.
    pub(super) maker: u32,
}

/// What is yes or no about a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) revoked: bool,
    pub(super) claimed: bool,
    /// No token is here any more: the row waits for another one.
    pub(super) gone: bool,
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

/// What a token is, and whether it is active and expires within a week: all that there is.
pub(super) const STANDINGS: [(Status, bool); 4] = [
    (Status::Active, false),
    (Status::Active, true),
    (Status::Expired, false),
    (Status::Revoked, false),
];

/// Which of the [`STANDINGS`] a token has at `now`. Without branches: nobody can foretell them.
pub(super) fn standing(revoked: bool, expires: i64, now: i64) -> usize {
    let ended = now >= expires;
    let living = if ended { 2 } else { usize::from(is_near(expires, now)) };
    if revoked { 3 } else { living }
}

/// Whether it is less than a week from `now`, or past.
fn is_near(expires: i64, now: i64) -> bool {
    expires < now.saturating_add(WEEK)
}

/// How many tokens have each of the [`STANDINGS`].
pub(super) type Tally = [usize; STANDINGS.len()];

/// Adds `more` to `sum`.
pub(super) fn add(sum: &mut Tally, more: Tally) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// The counts of a tally.
pub(super) fn counted(tally: Tally) -> Counts {
    let [lasting, soon, expired, revoked] = tally;
    Counts { active: lasting + soon, soon, expired, revoked }
}

/// Rows, column by column, and their texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    /// Shared with those who show rows: few changes bring a new id.
    pub(super) ids: Arc<Vec<TokenId>>,
    pub(super) shared: Vec<Shared>,
    /// How many scopes each has.
    pub(super) scopes: Vec<u16>,
    pub(super) issued: Vec<i64>,
    pub(super) expires: Vec<i64>,
    pub(super) used: Vec<i64>,
    pub(super) marks: Vec<Marks>,
    /// Where the texts of each row end; those of the one before end where they begin.
    ends: Vec<u32>,
    text: String,
    letters: Vec<Letters>,
}

impl Chunk {
    /// One that has room for `pats`.
    pub(super) fn for_those(pats: &[Pat]) -> Self {
        let rows = pats.len();
        let mut bytes = 0;
        for pat in pats {
            bytes += texts_in(pat).map(|text| text.len() + PART.len_utf8()).iter().sum::<usize>();
        }
        Self {
            ids: Arc::new(Vec::with_capacity(rows)),
            shared: Vec::with_capacity(rows),
            scopes: Vec::with_capacity(rows),
            issued: Vec::with_capacity(rows),
            expires: Vec::with_capacity(rows),
            used: Vec::with_capacity(rows),
            marks: Vec::with_capacity(rows),
            ends: Vec::with_capacity(rows),
            text: String::with_capacity(bytes),
            letters: Vec::with_capacity(rows),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// What is known of the token in row `at`, if there is one.
    pub(super) fn row(&self, at: usize) -> Option<Row> {
        let marks = self.marks.get(at).filter(|marks| !marks.gone)?;
        Some(Row {
            id: *self.ids.get(at)?,
            issued: *self.issued.get(at)?,
            expires: *self.expires.get(at)?,
            used: *self.used.get(at)?,
            marks: *marks,
        })
    }

    /// Whether there is a token in row `at`.
    pub(super) fn is_there(&self, at: usize) -> bool {
        self.marks.get(at).is_some_and(|marks| !marks.gone)
    }

    fn end(&self, at: usize) -> usize {
        self.ends.get(at).map_or(0, |end| place(*end))
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.end(before))
    }

    /// The texts of the row at `at`: name, description and id, folded.
    fn text(&self, at: usize) -> &str {
        self.text.get(self.start(at)..self.end(at)).unwrap_or_default()
    }

    pub(super) fn name(&self, at: usize) -> &str {
        self.text(at).split(PART).next().unwrap_or_default()
    }

    pub(super) fn description(&self, at: usize) -> &str {
        self.text(at).split(PART).nth(1).unwrap_or_default()
    }

    /// What a search asks of the token in row `at` beside its texts.
    pub(super) fn facts(&self, at: usize, now: Moment) -> Option<Facts> {
        let row = self.row(at)?;
        Some(Facts {
            status: row.status(now),
            issued: row.issued(),
            expires: row.expires(),
            last_used: row.last_used(),
            claimed: row.is_claimed(),
            at: now,
        })
    }

    /// The texts of the token in row `at`.
    pub(super) fn texts(&self, at: usize) -> Texts<'_> {
        let mut texts = self.text(at).split(PART);
        let mut text = || texts.next().unwrap_or_default().into();
        Texts { name: text(), description: text(), id: text() }
    }

    /// Puts a token into row `at`, in the place of what is there, or behind the last row.
    pub(super) fn put(&mut self, at: usize, pat: &Pat, shared: Shared) {
        if at == self.len() {
            self.ends.push(offset(self.text.len()));
        }
        let used = pat.last_use().map_or(UNUSED, |used| stamp(used.at));
        let (revoked, claimed) = (pat.revoked.is_some(), pat.claimed);
        // What others hold is not written to: they would have a copy of it made.
        if self.ids.get(at) != Some(&pat.id) {
            write(Arc::make_mut(&mut self.ids), at, pat.id);
        }
        write(&mut self.shared, at, shared);
        write(&mut self.scopes, at, u16::try_from(pat.scopes.len()).unwrap_or(u16::MAX));
        write(&mut self.issued, at, stamp(pat.issued));
        write(&mut self.expires, at, pat.expires.map_or(NEVER, stamp));
        write(&mut self.used, at, used);
        write(&mut self.marks, at, Marks { revoked, claimed, gone: false });
        self.write_texts(at, pat);
    }

    fn write_texts(&mut self, at: usize, pat: &Pat) {
        let (start, end) = (self.start(at), self.end(at));
        if end == self.text.len() {
            self.text.truncate(start);
            write_folded(&mut self.text, pat);
            let new = self.text.len();
            self.shift(at, new, end);
        } else {
            let mut texts = String::new();
            write_folded(&mut texts, pat);
            self.text.replace_range(start..end, &texts);
            self.shift(at, start + texts.len(), end);
        }
        let letters = Letters::of(self.text(at));
        write(&mut self.letters, at, letters);
    }

    /// Takes the token out of row `at`, which keeps its id for as long as an order holds it.
    pub(super) fn remove(&mut self, at: usize) {
        let (start, end) = (self.start(at), self.end(at));
        self.text.replace_range(start..end, "");
        self.shift(at, start, end);
        if let Some(marks) = self.marks.get_mut(at) {
            marks.gone = true;
        }
    }

    /// From row `at` on, what ended at `old` ends at `new`, and all after it as much further.
    fn shift(&mut self, at: usize, new: usize, old: usize) {
        if new != old {
            for end in self.ends.iter_mut().skip(at) {
                *end = offset((place(*end) + new).saturating_sub(old));
            }
        }
    }

    /// Which tokens have each of the [`STANDINGS`] at `now`.
    pub(super) fn standings(&self, now: i64) -> [Bits; STANDINGS.len()] {
        let there = self.there();
        let revoked = Bits::of(&self.marks, |marks| marks.revoked);
        let ended = Bits::of(&self.expires, |expires| now >= *expires);
        let near = Bits::of(&self.expires, |expires| is_near(*expires, now));
        let unrevoked = there.clone().without(&revoked);
        let living = unrevoked.clone().without(&ended);
        let [lasting, soon] = [living.clone().without(&near), living.and(&near)];
        [lasting, soon, unrevoked.and(&ended), there.and(&revoked)]
    }

    /// When one of the tokens has another of the [`STANDINGS`] than at `now`, by the passing of
    /// time, at the earliest; [`NEVER`] if that is never.
    pub(super) fn next_standing(&self, now: i64) -> i64 {
        let next = |(expires, marks): (&i64, &Marks)| {
            let is_settled = marks.revoked || marks.gone || *expires == NEVER || now >= *expires;
            let near = expires.saturating_sub(WEEK).saturating_add(1);
            let next = if is_near(*expires, now) { *expires } else { near };
            if is_settled { NEVER } else { next }
        };
        self.expires.iter().zip(&self.marks).map(next).fold(NEVER, i64::min)
    }

    /// No more will be added.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
    }

    /// The rows of tokens that are there.
    pub(super) fn there(&self) -> Bits {
        Bits::of(&self.marks, |marks| !marks.gone)
    }

    /// Whether the texts of row `at` hold every one of `words`.
    pub(super) fn holds(&self, at: usize, words: &[memmem::Finder<'_>]) -> bool {
        let text = self.text(at).as_bytes();
        words.iter().all(|word| word.find(text).is_some())
    }

    /// The rows whose texts hold every one of `words`, or did when a token was last there: all, if
    /// there is no word. Unless the letters tell, one walk through all texts finds the first word;
    /// the others are looked for where it is.
    pub(super) fn search(&self, words: &[memmem::Finder<'_>]) -> Bits {
        let Some((first, others)) = words.split_first() else {
            return Bits::ALL;
        };
        if let Some(asked) = Letters::all(words.iter().map(memmem::Finder::needle)) {
            return Bits::of(&self.letters, |letters| letters.hold(asked));
        }
        let mut found = Bits::default();
        let (mut from, mut at) = (0, 0);
        while let Some(place) = self.text.as_bytes().get(from..).and_then(|rest| first.find(rest)) {
            let place = from + place;
            let left = self.ends.get(at..).unwrap_or_default();
            at += left.iter().take_while(|end| self::place(**end) <= place).count();
            if self.holds(at, others) {
                found.set(at);
            }
            from = self.end(at);
            at += 1;
        }
        found
    }
}

/// Writes `value` to the place `at` of a column, which may be the next one.
fn write<T>(column: &mut Vec<T>, at: usize, value: T) {
    match column.get_mut(at) {
        Some(place) => *place = value,
        None => column.push(value),
    }
}

/// What is searched: name, description and id.
fn texts_in(pat: &Pat) -> [&str; 3] {
    [pat.name.as_str(), pat.description.as_str(), pat.id.as_str()]
}

fn write_folded(to: &mut String, pat: &Pat) {
    for text in texts_in(pat) {
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
