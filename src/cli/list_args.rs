//! Arguments of `list`: filter, sort keys and columns. The options that choose columns describe the
//! table only; `list` refuses them with `--json`. Called by the definition of the arguments.

use clap::ValueEnum;

use super::completers;
use crate::{
    domain::{
        Column, Lifetime, LifetimeError, Search, Sort, SortKey, SortPlace, StatusFilter, Timestamp,
        Token, name::fold,
    },
    service::Zone,
};

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Show only tokens with this status; a status: term in --search overrides it
    #[arg(long, value_enum, default_value_t = StatusChoice::Active)]
    pub status: StatusChoice,

    /// Show only tokens that match these words (in name or description, or the start of the id) and terms, e.g. op:publish
    #[arg(long, value_name = "SEARCH", default_value = "", value_parser = search, hide_default_value = true, allow_hyphen_values = true, add = completers::search_terms())]
    pub search: Search,

    /// Show only tokens that match this view, a named search of the config
    #[arg(long, value_name = "NAME", conflicts_with = "search", add = completers::views())]
    pub view: Option<String>,

    /// Sort by this column, then by the next: name, description, status, scopes, issued, expires, last-used, created, owner, labels; - before a column reverses it [default: -issued, or id with --json]
    #[arg(long, value_name = "COLUMN,...", value_parser = sort, value_delimiter = ',', allow_hyphen_values = true, add = completers::sort_keys())]
    pub sort: Vec<ListSort>,

    /// Show only active tokens that expire within this time, or up to the end of a local date; exit 1 if there are none
    #[arg(long, value_name = "TIME", value_parser = expiring, conflicts_with = "status")]
    pub expiring: Option<ExpiringUntil>,

    /// Show at most this number of tokens, the first ones of the order
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    pub limit: Option<usize>,

    /// Show these columns, in this order
    #[arg(long, value_name = "COLUMN,...", value_enum, value_delimiter = ',')]
    pub columns: Vec<ListColumn>,

    /// Leave out the line with the headings
    #[arg(long)]
    pub no_header: bool,

    /// Print the columns in full with a tab between them, for programs such as cut and awk
    #[arg(long)]
    pub tsv: bool,

    /// Print only the ids, one per line
    #[arg(short, long, conflicts_with_all = ["columns", "no_header", "tsv"])]
    pub quiet: bool,
}

/// The status filter of `list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusChoice {
    /// Neither revoked nor expired, and valid now
    Active,
    /// Before the time from which the token is valid
    NotYetValid,
    /// Expired, not revoked
    Expired,
    /// Revoked, expired or not
    Revoked,
    /// Tokens of any status
    All,
}

impl From<StatusChoice> for StatusFilter {
    fn from(status: StatusChoice) -> Self {
        match status {
            StatusChoice::Active => Self::Active,
            StatusChoice::NotYetValid => Self::NotYetValid,
            StatusChoice::Expired => Self::Expired,
            StatusChoice::Revoked => Self::Revoked,
            StatusChoice::All => Self::All,
        }
    }
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListColumn {
    Id,
    Name,
    Status,
    Scopes,
    Expires,
    LastUsed,
    Issued,
    Created,
    Owner,
    Labels,
    Description,
}

impl ListColumn {
    /// The text above the column.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Name => "NAME",
            Self::Status => "STATUS",
            Self::Scopes => "SCOPES",
            Self::Expires => "EXPIRES",
            Self::LastUsed => "LAST USED",
            Self::Issued => "ISSUED",
            Self::Created => "CREATED",
            Self::Owner => "OWNER",
            Self::Labels => "LABELS",
            Self::Description => "DESCRIPTION",
        }
    }
}

/// Parses a search, for every command with `--search`.
pub(super) fn search(text: &str) -> Result<Search, String> {
    Search::parse(text).map_err(|fault| fault.to_string())
}

/// The time up to which tokens must expire, as an operator gives it.
#[derive(Debug, Clone, Copy)]
pub struct ExpiringUntil(Lifetime);

impl ExpiringUntil {
    /// The last instant of that time. `None` is later than every expiry.
    pub fn end(self, now: Timestamp) -> Option<Timestamp> {
        match self.0 {
            Lifetime::For(span) => now.checked_add_signed(span.as_delta()),
            Lifetime::Through(date) => {
                date.and_hms_opt(23, 59, 59).map(|wall| Zone::Local.to_utc(wall))
            }
            Lifetime::Never => None,
        }
    }
}

fn expiring(text: &str) -> Result<ExpiringUntil, String> {
    match text.parse() {
        Ok(Lifetime::Never) => Err(LifetimeError::Malformed(text.to_owned()).to_string()),
        Ok(time) => Ok(ExpiringUntil(time)),
        Err(error) => Err(error.to_string()),
    }
}

/// Parses the maximum number of rows, for every command with `--limit`.
pub(super) fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "use a whole number such as 20".to_owned())
}

/// What the command line sorts by: a column that the app sorts by, too, or one that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListSortColumn {
    InApp(Column),
    Created,
    Owner,
    Labels,
}

/// A sort key of `list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListSort {
    column: ListSortColumn,
    descending: bool,
}

impl ListSort {
    /// The words for the columns, in the order of the help.
    pub(super) fn words() -> impl Iterator<Item = String> {
        ListSortColumn::all().map(ListSortColumn::word)
    }

    /// The place of `token` by this key; its status is evaluated at `now`.
    pub(super) fn place(self, token: &Token, now: Timestamp) -> SortPlace {
        let Self { column, descending } = self;
        let key = match column {
            ListSortColumn::InApp(column) => return Sort { column, descending }.place(token, now),
            ListSortColumn::Created => SortKey::Time(Some(token.created)),
            ListSortColumn::Owner => SortKey::Text(fold(&token.owner_text()).into()),
            ListSortColumn::Labels => SortKey::Text(fold(&token.labels.to_string()).into()),
        };
        SortPlace::new(token, key, descending)
    }
}

impl ListSortColumn {
    fn all() -> impl Iterator<Item = Self> {
        let others = [Self::Created, Self::Owner, Self::Labels];
        Column::ALL.into_iter().map(Self::InApp).chain(others)
    }

    fn word(self) -> String {
        match self {
            Self::InApp(column) => column.as_str().to_lowercase().replace(' ', "-"),
            Self::Created => "created".to_owned(),
            Self::Owner => "owner".to_owned(),
            Self::Labels => "labels".to_owned(),
        }
    }
}

fn sort(text: &str) -> Result<ListSort, String> {
    let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
    let column = ListSortColumn::all().find(|column| column.word() == word);
    column.map(|column| ListSort { column, descending }).ok_or_else(|| {
        let all: Vec<_> = ListSort::words().collect();
        format!("choose one of {}", all.join(", "))
    })
}
