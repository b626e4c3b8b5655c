//! The whole logic of the token list: which rows a filter shows, how many each status has, and
//! in which order. Borrows the records; copies none. Called by the list screen and the CLI.

use std::cmp::Ordering;

use super::{
    Timestamp,
    labels::labels,
    name::fold,
    search::Search,
    token::{Status, Token},
};

labels! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
    pub enum StatusFilter, ALL, as_str {
        /// Active ones: what one works with.
        #[default]
        Active => "Active",
        /// Active ones that expire within a week.
        Expiring => "Expiring",
        Expired => "Expired",
        /// Revoked ones, past their expiry or not.
        Revoked => "Revoked",
        All => "All",
    }
}

impl StatusFilter {
    /// Those that part all tokens by their status, and all of them.
    pub const STATUSES: [Self; 4] = [Self::Active, Self::Expired, Self::Revoked, Self::All];

    /// Whether a token of `status` is shown, which expires `soon` or not.
    pub fn shows(self, status: Status, soon: bool) -> bool {
        match self {
            Self::Expiring => soon,
            Self::Active => status == Status::Active,
            Self::Expired => status == Status::Expired,
            Self::Revoked => status == Status::Revoked,
            Self::All => true,
        }
    }
}

labels! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Column, ALL, as_str {
        Name => "Name",
        Description => "Description",
        Status => "Status",
        Scopes => "Scopes",
        /// By the issue of the present secret.
        Issued => "Issued",
        /// By expiry; never comes last.
        Expires => "Expires",
        /// By last use; never used comes first.
        LastUsed => "Last used",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

impl Default for Sort {
    /// Newest first: what was just made is what is looked for.
    fn default() -> Self {
        Self { column: Column::Issued, descending: true }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    pub status: StatusFilter,
    pub search: Search,
    pub sort: Sort,
}

/// How many tokens each status has among those that the search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub active: usize,
    /// Those of the active ones that expire within a week.
    pub soon: usize,
    pub expired: usize,
    pub revoked: usize,
}

impl Counts {
    /// Counts one more of `status`, which expires `soon` or not.
    pub(super) fn add(&mut self, status: Status, soon: bool) {
        self.soon += usize::from(soon);
        match status {
            Status::Active => self.active += 1,
            Status::Expired => self.expired += 1,
            Status::Revoked => self.revoked += 1,
        }
    }

    /// How many the chip of `filter` stands for.
    pub fn of(self, filter: StatusFilter) -> usize {
        match filter {
            StatusFilter::Active => self.active,
            StatusFilter::Expiring => self.soon,
            StatusFilter::Expired => self.expired,
            StatusFilter::Revoked => self.revoked,
            StatusFilter::All => self.active + self.expired + self.revoked,
        }
    }
}

impl Query {
    /// The statuses that are shown: a search that names some decides alone.
    pub fn shown(&self) -> StatusFilter {
        if self.search.names_status() { StatusFilter::All } else { self.status }
    }

    /// Whether it shows `pat`, as things are at `at`.
    pub fn shows(&self, token: &Token, at: Timestamp) -> bool {
        self.shown().shows(token.status(at), token.expires_soon(at))
            && self.search.matches(token, at)
    }

    /// The places in `tokens` of the rows to show, in their order, and the counts of the chips,
    /// with statuses as of `at`. Ties keep the order of names.
    pub fn select(&self, tokens: &[Token], at: Timestamp) -> (Vec<usize>, Counts) {
        let mut counts = Counts::default();
        let mut rows = Vec::new();
        for (place, token) in tokens.iter().enumerate() {
            if !self.search.matches(token, at) {
                continue;
            }
            let status = token.status(at);
            let soon = token.expires_soon(at);
            counts.add(status, soon);
            if self.shown().shows(status, soon) {
                rows.push((place, token));
            }
        }
        rows.sort_by_cached_key(|(_, token)| (token.name.folded(), token.id));
        rows.sort_by(|(_, a), (_, b)| self.sort.order(a, b, at));
        (rows.into_iter().map(|(place, _)| place).collect(), counts)
    }
}

impl Sort {
    fn order(self, a: &Token, b: &Token, at: Timestamp) -> Ordering {
        let (a, b) = if self.descending { (b, a) } else { (a, b) };
        match self.column {
            Column::Name => a.name.folded().cmp(&b.name.folded()),
            Column::Description => fold(a.description.as_str()).cmp(&fold(b.description.as_str())),
            Column::Status => a.status(at).cmp(&b.status(at)),
            Column::Scopes => a.scopes.len().cmp(&b.scopes.len()),
            Column::Issued => a.issued.cmp(&b.issued),
            Column::Expires => {
                let key = |token: &Token| (token.expires.is_none(), token.expires);
                key(a).cmp(&key(b))
            }
            Column::LastUsed => {
                let key = |token: &Token| token.last_use().map(|used| used.at);
                key(a).cmp(&key(b))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Description, Name, TokenId,
        token::{
            LastUse,
            tests::{at, sample_token},
        },
    };

    fn named(n: u8, name: &str) -> Token {
        Token {
            id: TokenId::from_bytes([b'a' + n; 12]).unwrap(),
            name: Name::parse(name).unwrap(),
            issued: at(i64::from(n)),
            ..sample_token()
        }
    }

    fn names(query: &Query, tokens: &[Token]) -> Vec<String> {
        let (rows, _) = query.select(tokens, at(30));
        rows.into_iter().map(|row| tokens[row].name.to_string()).collect()
    }

    fn some() -> Vec<Token> {
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
                last_used: Some(LastUse { at: at(9), from: None, what: "".into() }),
                ..named(3, "delta")
            },
        ]
    }

    #[test]
    fn each_status_has_its_chip_and_revoked_wins() {
        let (rows, counts) = Query::default().select(&some(), at(30));
        assert_eq!(counts, Counts { active: 2, soon: 1, expired: 1, revoked: 1 });
        assert_eq!(rows.len(), counts.of(StatusFilter::Active));
        for filter in StatusFilter::ALL {
            let query = Query { status: filter, ..Query::default() };
            assert_eq!(names(&query, &some()).len(), counts.of(filter), "{filter:?}");
        }
    }

    #[test]
    fn search_looks_at_name_id_and_description_without_case() {
        let search = |text: &str| {
            let status = StatusFilter::All;
            names(
                &Query { status, search: Search::parse(text).unwrap(), ..Query::default() },
                &some(),
            )
        };
        assert_eq!(search("ALPH"), ["alpha"]);
        assert_eq!(search("cccccc"), ["gamma"]);
        assert_eq!(search("oslo deploys"), ["gamma"]);
        assert_eq!(search("oslo alpha"), Vec::<String>::new());
        assert_eq!(search("  ").len(), 4);
    }

    #[test]
    fn every_column_sorts_both_ways() {
        let sorted = |column, descending| {
            let sort = Sort { column, descending };
            let query = Query { status: StatusFilter::All, sort, ..Query::default() };
            names(&query, &some()).join(" ")
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
