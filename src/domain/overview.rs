//! Figures of the whole store: what needs attention, the expiries of the next weeks and the checks
//! of the last days. Adds up one token at a time, so that the memory does not grow with the store.
//! The service reads the tokens; the overview tab and `patdeck status` show the figures.

use compact_str::CompactString;

use super::{
    Timestamp,
    catalogue::ScopeCatalogue,
    hook::HookRunCounts,
    id::TokenId,
    labelled_enum::labels,
    list_query::{ListQuery, StatusCounts, StatusFilter},
    name::Name,
    search::Search,
    token::{Status, Token},
    usage_days::{DayCount, UsageDays, UtcDay},
};

/// Number of weeks whose expiries are counted, from now on.
pub const EXPIRY_WEEKS: usize = 13;

/// Number of days (UTC) whose checks are counted. The last one is today.
pub const CHECK_DAYS: usize = 14;

/// Number of denied attempts on one day from which a token needs attention. Fewer are typical of a
/// bearer that was not yet told about a new secret or scope.
pub const MIN_DENIED_ATTEMPTS: u64 = 20;

labels! {
    /// A state of tokens that needs attention.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum AttentionKind, ALL, as_str {
        /// Active tokens that expire within 7 days.
        ExpiringSoon => "expiring",
        /// Tokens that have not ended and whose secret was never delivered.
        Undelivered => "unsaved",
        /// Active tokens that were not used for 90 days.
        Idle => "idle",
        /// Active tokens that may do every operation on every entity.
        Unrestricted => "unrestricted",
        /// Denied attempts today with the secret of a single token.
        Denied => "denied",
    }
}

impl AttentionKind {
    /// The list of the tokens in this state: the status filter and the search. `None` for a kind
    /// that concerns a single token.
    pub fn list_filter(self) -> Option<(StatusFilter, &'static str)> {
        match self {
            Self::ExpiringSoon => Some((StatusFilter::Active, "expires<7d")),
            Self::Undelivered => {
                Some((StatusFilter::All, "unsaved -status:expired -status:revoked"))
            }
            Self::Idle => Some((StatusFilter::Active, "idle>90d")),
            Self::Unrestricted => Some((StatusFilter::Active, "unrestricted")),
            Self::Denied => None,
        }
    }
}

/// The token with the most denied attempts today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MostDenied {
    pub id: TokenId,
    pub name: Name,
    /// Number of denied attempts since the start of the day (UTC).
    pub attempts: u64,
    /// The address of the last denied attempt, if the caller of the check gave one.
    pub from: Option<CompactString>,
}

/// What is wrong with the revocation register, or with the tokens that it overrules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegisterFaults {
    /// Whether the register is missing, so that checks have no answer.
    pub is_missing: bool,
    /// Whether the store was an older copy when this process opened it.
    pub was_store_older: bool,
    /// Number of damaged entries, which deny secrets or leave checks without an answer.
    pub damaged: usize,
    /// Number of tokens whose records are older than the register, so that they are denied.
    pub out_of_date: usize,
    /// Number of tokens that are denied, although their records are active and up to date.
    pub denied: usize,
}

impl RegisterFaults {
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// The figures at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The instant at which statuses are evaluated.
    pub at: Timestamp,
    /// The number of tokens of each status.
    pub counts: StatusCounts,
    /// Number of damaged records.
    pub damaged: usize,
    pub register: RegisterFaults,
    /// The number of active tokens that expire in each of the next weeks.
    pub expiries: [usize; EXPIRY_WEEKS],
    /// The checks on each of the last days, without gaps. The last one is today.
    pub checks: Vec<DayCount>,
    /// The runs of hooks that failed or wait.
    pub hook_runs: HookRunCounts,
    /// `None` if no check was denied today.
    pub most_denied: Option<MostDenied>,
    /// The number of tokens of each [`AttentionKind`] with a list.
    matches: [usize; AttentionKind::ALL.len()],
}

impl Overview {
    /// The figures of a store without tokens.
    pub fn empty(at: Timestamp) -> Self {
        let today = UtcDay::of(at).number();
        let first = today.saturating_sub(u32::try_from(CHECK_DAYS - 1).unwrap_or_default());
        let days = (first..=today).filter_map(UtcDay::from_number);
        Self {
            at,
            counts: StatusCounts::default(),
            damaged: 0,
            register: RegisterFaults::default(),
            expiries: [0; EXPIRY_WEEKS],
            checks: days.map(|day| DayCount { day, used: 0, denied: 0 }).collect(),
            hook_runs: HookRunCounts::default(),
            most_denied: None,
            matches: [0; AttentionKind::ALL.len()],
        }
    }

    /// The number of tokens of `kind`. For [`AttentionKind::Denied`], the number of denied attempts
    /// of the most denied token, or 0 below [`MIN_DENIED_ATTEMPTS`].
    pub fn count(&self, kind: AttentionKind) -> u64 {
        if kind == AttentionKind::Denied {
            let attempts = self.most_denied.as_ref().map_or(0, |token| token.attempts);
            return if attempts < MIN_DENIED_ATTEMPTS { 0 } else { attempts };
        }
        let count = self.matches.get(kind as usize).copied().unwrap_or_default();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Whether any token, record or run of a hook needs attention.
    pub fn needs_attention(&self) -> bool {
        self.damaged > 0
            || !self.register.is_empty()
            || !self.hook_runs.is_empty()
            || AttentionKind::ALL.iter().any(|kind| self.count(*kind) > 0)
    }

    /// The checks that were allowed and denied on all days of `checks`.
    pub fn checks_total(&self) -> (u64, u64) {
        self.checks.iter().fold((0, 0), |(used, denied), day| {
            (used.saturating_add(day.used), denied.saturating_add(day.denied))
        })
    }

    /// Adds the checks of one token. Days outside of `checks` are left out.
    pub fn add_days(&mut self, days: &UsageDays) {
        for count in days.as_slice() {
            if let Some(sum) = self.checks.iter_mut().find(|sum| sum.day == count.day) {
                sum.used = sum.used.saturating_add(count.used);
                sum.denied = sum.denied.saturating_add(count.denied);
            }
        }
    }

    /// Adds the tokens that `other` counted at the same instant.
    pub fn add_tokens_of(&mut self, other: &Self) {
        let sums = self.expiries.iter_mut().chain(&mut self.matches);
        sums.zip(other.expiries.iter().chain(&other.matches)).for_each(|(sum, it)| *sum += it);
        self.counts.add_all(other.counts);
        self.damaged += other.damaged;
    }
}

/// The queries that decide which tokens need attention. They are those of the list, so that a
/// number always equals the number of rows that its list shows.
#[derive(Debug)]
pub struct AttentionQueries(Vec<(AttentionKind, ListQuery)>);

impl AttentionQueries {
    /// Prepares the queries for a store with this catalogue.
    pub fn new(catalogue: &ScopeCatalogue) -> Self {
        let query = |kind: AttentionKind| {
            let (status, text) = kind.list_filter()?;
            let search = Search::parse(text).ok()?.with_catalogue(catalogue);
            Some((kind, ListQuery { status, search, ..ListQuery::default() }))
        };
        Self(AttentionKind::ALL.into_iter().filter_map(query).collect())
    }

    /// Counts `token` in `overview`.
    pub fn count(&self, token: &Token, overview: &mut Overview) {
        let at = overview.at;
        let status = token.status(at);
        overview.counts.add(status, token.expires_soon(at));
        for (kind, query) in &self.0 {
            if query.matches(token, at)
                && let Some(count) = overview.matches.get_mut(*kind as usize)
            {
                *count += 1;
            }
        }
        if let (Status::Active, Some(end)) = (status, token.expires) {
            let week = usize::try_from((end - at).num_days() / 7).unwrap_or(usize::MAX);
            if let Some(count) = overview.expiries.get_mut(week) {
                *count += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::tests::{at, sample_token};

    const DAY: i64 = 1_440;

    fn tokens() -> Vec<Token> {
        let catalogue = ScopeCatalogue::default();
        let everything = catalogue.entity_types.iter().flat_map(|entry| {
            let scope = |operation| format!("{}:*:{operation}", entry.entity_type);
            entry.operations.iter().map(scope).collect::<Vec<_>>()
        });
        let mut full = crate::domain::Scopes::default();
        everything.for_each(|scope| drop(full.add(scope.parse().unwrap()).unwrap()));
        let base = Token { issued: at(0), expires: None, delivered: true, ..sample_token() };
        vec![
            Token { expires: Some(at(103 * DAY)), ..base.clone() },
            Token { expires: Some(at(107 * DAY)), delivered: false, ..base.clone() },
            Token { revoked: Some(at(3)), delivered: false, ..base.clone() },
            Token { issued: at(99 * DAY), ..base.clone() },
            Token { issued: at(99 * DAY), scopes: full, ..base },
        ]
    }

    #[test]
    fn each_number_is_that_of_its_list() {
        let (catalogue, now) = (ScopeCatalogue::default(), at(100 * DAY));
        let queries = AttentionQueries::new(&catalogue);
        let mut overview = Overview::empty(now);
        let tokens = tokens();
        for token in &tokens {
            queries.count(token, &mut overview);
        }
        let counts = AttentionKind::ALL.map(|kind| overview.count(kind));
        assert_eq!(counts, [1, 1, 2, 1, 0]);
        for kind in AttentionKind::ALL {
            let Some((status, text)) = kind.list_filter() else { continue };
            let search = Search::parse(text).unwrap();
            assert_eq!(search.to_string(), text);
            let search = search.with_catalogue(&catalogue);
            let query = ListQuery { status, search, ..ListQuery::default() };
            let rows = query.select(&tokens, now).0.len();
            assert_eq!(overview.count(kind), u64::try_from(rows).unwrap(), "{kind:?}");
        }
        assert_eq!((overview.counts.active, overview.counts.expiring), (4, 1));
        assert_eq!(overview.expiries[..3], [1, 1, 0]);
        assert!(overview.needs_attention());
    }

    #[test]
    fn checks_are_those_of_the_last_14_days() {
        let mut overview = Overview::empty(at(20 * DAY));
        let mut days = UsageDays::default();
        for day in 0..22 {
            days.count(at(day * DAY), day % 2 == 0);
        }
        overview.add_days(&days);
        overview.add_days(&days);
        assert_eq!(overview.checks.len(), CHECK_DAYS);
        assert_eq!(overview.checks.last().unwrap().day, UtcDay::of(at(20 * DAY)));
        assert_eq!(overview.checks_total(), (14, 14));
    }

    #[test]
    fn a_few_denied_attempts_need_no_attention() {
        let mut overview = Overview::empty(at(0));
        let token = sample_token();
        for (attempts, count) in [(1, 0), (19, 0), (20, 20)] {
            let (id, name) = (token.id, token.name.clone());
            overview.most_denied = Some(MostDenied { id, name, attempts, from: None });
            assert_eq!(overview.count(AttentionKind::Denied), count);
            assert_eq!(overview.needs_attention(), count > 0);
        }
    }

    #[test]
    fn sums_of_parts_equal_the_whole() {
        let queries = AttentionQueries::new(&ScopeCatalogue::default());
        let mut whole = Overview::empty(at(100 * DAY));
        let mut sum = whole.clone();
        for token in tokens() {
            queries.count(&token, &mut whole);
            let mut part = Overview { damaged: 1, ..Overview::empty(sum.at) };
            queries.count(&token, &mut part);
            sum.add_tokens_of(&part);
        }
        assert_eq!(sum, Overview { damaged: 5, ..whole });
    }
}
