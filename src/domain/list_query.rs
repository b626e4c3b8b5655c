//! Query of the token list: status filter, search, sort order and status counts. This
//! implementation defines the correct result: the indexed engine in `list` must return the same
//! rows. The query borrows the tokens.

use std::cmp::Ordering;

use compact_str::CompactString;

use super::{
    Timestamp,
    id::TokenId,
    labelled_enum::labels,
    name::fold,
    search::Search,
    token::{Status, Token},
};

labels! {
    /// Which statuses a list shows.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
    pub enum StatusFilter, ALL, as_str {
        #[default]
        Active => "Active",
        /// Active tokens that expire within 7 days.
        Expiring => "Expiring",
        NotYetValid => "Not-yet-valid",
        Expired => "Expired",
        /// Revoked tokens, including those past their expiry.
        Revoked => "Revoked",
        All => "All",
    }
}

impl StatusFilter {
    /// The filters for the four statuses, which do not overlap, and the filter for all tokens.
    pub const STATUSES: [Self; 5] =
        [Self::Active, Self::NotYetValid, Self::Expired, Self::Revoked, Self::All];

    /// The filters that are worth showing, see [`StatusFilter::is_offered`].
    pub fn offered(selected: Self, counts: Option<StatusCounts>) -> Vec<Self> {
        Self::ALL.into_iter().filter(|filter| filter.is_offered(selected, counts)).collect()
    }

    /// The filter of a status that contains this one: the tokens that expire soon are active.
    pub fn containing(self) -> Self {
        if self == Self::Expiring { Self::Active } else { self }
    }

    /// Whether the filter is worth showing: that for tokens that expire soon or are not yet valid
    /// only if there are any, or if it is `selected`.
    pub fn is_offered(self, selected: Self, counts: Option<StatusCounts>) -> bool {
        let is_rare = matches!(self, Self::Expiring | Self::NotYetValid);
        !is_rare || self == selected || counts.is_some_and(|counts| counts.count_for(self) > 0)
    }

    /// Whether the filter shows a token with this status. `soon` tells whether the token is active
    /// and expires within 7 days.
    pub fn matches(self, status: Status, soon: bool) -> bool {
        match self {
            Self::Expiring => soon,
            Self::Active => status == Status::Active,
            Self::NotYetValid => status == Status::NotYetValid,
            Self::Expired => status == Status::Expired,
            Self::Revoked => status == Status::Revoked,
            Self::All => true,
        }
    }
}

labels! {
    /// A column by which a list can be sorted.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Column, ALL, as_str {
        Name => "Name",
        Description => "Description",
        Status => "Status",
        Scopes => "Scopes",
        /// When the current secret was issued.
        Issued => "Issued",
        /// The expiry. Tokens that never expire sort last.
        Expires => "Expires",
        /// The last use. Tokens that were never used sort first.
        LastUsed => "Last used",
    }
}

impl Column {
    /// Whether a list that is newly sorted by this column starts with the greatest value: the
    /// newest time and the most scopes, but the soonest expiry and the first letter.
    pub fn is_greatest_first(self) -> bool {
        matches!(self, Self::Scopes | Self::Issued | Self::LastUsed)
    }
}

/// The sort order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

impl Default for Sort {
    /// Newest first, because operators mostly look for tokens they have just created.
    fn default() -> Self {
        Self::by(Column::Issued)
    }
}

impl Sort {
    /// The order in which a list is newly sorted by `column`.
    pub fn by(column: Column) -> Self {
        Self { column, descending: column.is_greatest_first() }
    }
}

/// What a token list shows, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListQuery {
    pub status: StatusFilter,
    pub search: Search,
    pub sort: Sort,
}

/// The number of tokens of each status among the matches of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    pub active: usize,
    /// The part of `active` that expires within 7 days.
    pub expiring: usize,
    pub not_yet_valid: usize,
    pub expired: usize,
    pub revoked: usize,
}

impl StatusCounts {
    /// Counts a token with this status. `soon` tells whether the token is active and expires within
    /// 7 days.
    pub(super) fn add(&mut self, status: Status, soon: bool) {
        self.expiring += usize::from(soon);
        match status {
            Status::Active => self.active += 1,
            Status::NotYetValid => self.not_yet_valid += 1,
            Status::Expired => self.expired += 1,
            Status::Revoked => self.revoked += 1,
        }
    }

    /// Adds the numbers of `other`.
    pub(super) fn add_all(&mut self, other: Self) {
        self.active += other.active;
        self.expiring += other.expiring;
        self.not_yet_valid += other.not_yet_valid;
        self.expired += other.expired;
        self.revoked += other.revoked;
    }

    /// The number of tokens that `filter` shows.
    pub fn count_for(self, filter: StatusFilter) -> usize {
        match filter {
            StatusFilter::Active => self.active,
            StatusFilter::Expiring => self.expiring,
            StatusFilter::NotYetValid => self.not_yet_valid,
            StatusFilter::Expired => self.expired,
            StatusFilter::Revoked => self.revoked,
            StatusFilter::All => self.active + self.not_yet_valid + self.expired + self.revoked,
        }
    }
}

impl ListQuery {
    /// The status filter to apply: [`StatusFilter::All`] if the search has a `status:` term,
    /// otherwise `status`.
    pub fn effective_status(&self) -> StatusFilter {
        if self.search.filters_status() { StatusFilter::All } else { self.status }
    }

    /// Whether the list shows `token`, with its status at `at`.
    pub fn matches(&self, token: &Token, at: Timestamp) -> bool {
        self.effective_status().matches(token.status(at), token.expires_soon(at))
            && self.search.matches(token, at)
    }

    /// Returns the indexes into `tokens` of the rows to show, in sort order, and the status counts
    /// of all matches of the search. Statuses are evaluated at `at`. Rows with equal sort keys are
    /// sorted by name.
    #[cfg(any(test, feature = "testing"))]
    pub fn select(&self, tokens: &[Token], at: Timestamp) -> (Vec<usize>, StatusCounts) {
        let mut counts = StatusCounts::default();
        let mut rows = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            if !self.search.matches(token, at) {
                continue;
            }
            let status = token.status(at);
            let soon = token.expires_soon(at);
            counts.add(status, soon);
            if self.effective_status().matches(status, soon) {
                rows.push((index, token));
            }
        }
        rows.sort_by_cached_key(|(_, token)| self.sort.place(token, at));
        (rows.into_iter().map(|(index, _)| index).collect(), counts)
    }
}

/// The value of a token by which a column sorts. Only the values of one column are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    Text(CompactString),
    Status(Status),
    Count(usize),
    /// `None` sorts first.
    Time(Option<Timestamp>),
    /// Whether the token never expires, and its expiry.
    Expiry(bool, Option<Timestamp>),
}

/// The place of a token in a list, without the token. Places compare in ascending order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortPlace {
    key: SortKey,
    descending: bool,
    /// The folded name, which orders tokens with the same key.
    folded: CompactString,
    pub id: TokenId,
}

impl SortPlace {
    /// The place of `token` in a list that `key` sorts.
    pub fn new(token: &Token, key: SortKey, descending: bool) -> Self {
        Self { key, descending, folded: token.name.folded().into(), id: token.id }
    }

    /// Compares the values of the sorted column only. Both places must come from the same [`Sort`].
    pub fn cmp_key(&self, other: &Self) -> Ordering {
        let keys = self.key.cmp(&other.key);
        if self.descending { keys.reverse() } else { keys }
    }
}

impl Ord for SortPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        let names = || (&self.folded, self.id).cmp(&(&other.folded, other.id));
        self.cmp_key(other).then_with(names)
    }
}

impl PartialOrd for SortPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Sort {
    /// The place of `token`; its status is evaluated at `at`.
    pub fn place(self, token: &Token, at: Timestamp) -> SortPlace {
        SortPlace::new(token, self.key(token, at), self.descending)
    }

    fn key(self, token: &Token, at: Timestamp) -> SortKey {
        match self.column {
            Column::Name => SortKey::Text(token.name.folded().into()),
            Column::Description => SortKey::Text(fold(token.description.as_str()).into()),
            Column::Status => SortKey::Status(token.status(at)),
            Column::Scopes => SortKey::Count(token.scopes.len()),
            Column::Issued => SortKey::Time(Some(token.issued)),
            Column::Expires => SortKey::Expiry(token.expires.is_none(), token.expires),
            Column::LastUsed => SortKey::Time(token.last_use().map(|used| used.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Description, Name, TokenId,
        token::tests::{at, sample_token},
        usage::LastUse,
    };

    fn named(n: u8, name: &str) -> Token {
        Token {
            id: TokenId::from_bytes([b'a' + n; 12]).unwrap(),
            name: Name::parse(name).unwrap(),
            issued: at(i64::from(n)),
            ..sample_token()
        }
    }

    fn names(query: &ListQuery, tokens: &[Token]) -> Vec<String> {
        let (rows, _) = query.select(tokens, at(30));
        rows.into_iter().map(|row| tokens[row].name.to_string()).collect()
    }

    fn sample_tokens() -> Vec<Token> {
        vec![
            Token { expires: Some(at(20)), ..named(0, "Beta") },
            Token { expires: None, ..named(1, "alpha") },
            Token {
                revoked: Some(at(5)),
                expires: Some(at(10)),
                description: Description::parse("Deploys to Oslo").unwrap(),
                ..named(2, "gamma")
            },
            Token {
                last_used: Some(LastUse { at: at(9), from: None, summary: "".into() }),
                ..named(3, "delta")
            },
        ]
    }

    #[test]
    fn counts_agree_with_the_rows_of_each_filter() {
        let mut tokens = sample_tokens();
        let mut later = named(4, "later");
        later.limits.not_before = Some(at(31));
        tokens.push(later);
        let (rows, counts) = ListQuery::default().select(&tokens, at(30));
        let expected =
            StatusCounts { active: 2, expiring: 1, not_yet_valid: 1, expired: 1, revoked: 1 };
        assert_eq!(counts, expected);
        assert_eq!(rows.len(), counts.count_for(StatusFilter::Active));
        for filter in StatusFilter::ALL {
            let query = ListQuery { status: filter, ..ListQuery::default() };
            assert_eq!(names(&query, &tokens).len(), counts.count_for(filter), "{filter:?}");
        }
    }

    #[test]
    fn search_matches_name_id_and_description_ignoring_case() {
        let search = |text: &str| {
            let status = StatusFilter::All;
            names(
                &ListQuery { status, search: Search::parse(text).unwrap(), ..ListQuery::default() },
                &sample_tokens(),
            )
        };
        assert_eq!(search("ALPH"), ["alpha"]);
        assert_eq!(search("cccccc"), ["gamma"]);
        assert_eq!(search("oslo deploys"), ["gamma"]);
        assert_eq!(search("oslo alpha"), Vec::<String>::new());
        assert_eq!(search("  ").len(), 4);
    }

    #[test]
    fn every_column_sorts_in_both_directions() {
        let sorted = |column, descending| {
            let sort = Sort { column, descending };
            let query = ListQuery { status: StatusFilter::All, sort, ..ListQuery::default() };
            names(&query, &sample_tokens()).join(" ")
        };
        assert_eq!(sorted(Column::Name, false), "alpha Beta delta gamma");
        assert_eq!(sorted(Column::Name, true), "gamma delta Beta alpha");
        assert_eq!(sorted(Column::Issued, true), "delta gamma alpha Beta");
        assert_eq!(sorted(Column::Expires, false), "gamma Beta delta alpha");
        assert_eq!(sorted(Column::Expires, true), "alpha delta Beta gamma");
        assert_eq!(sorted(Column::Status, false), "alpha delta Beta gamma");
        assert_eq!(sorted(Column::LastUsed, true), "delta alpha Beta gamma");
        assert_eq!(sorted(Column::LastUsed, false), "alpha Beta gamma delta");
        assert_eq!(sorted(Column::Scopes, false), "alpha Beta delta gamma");
        assert_eq!(sorted(Column::Description, true), "gamma alpha Beta delta");
    }
}
