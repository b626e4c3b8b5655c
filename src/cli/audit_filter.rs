//! The arguments of `audit` that select events: token, time, action, actor and search. Refuses nothing that
//! the parsers accept. Called by `audit`.

use chrono::{NaiveDate, NaiveTime};

use super::completers;
use crate::domain::{
    AuditAction, EventBody, LimitError, NotBefore, Timestamp, TokenId, fold, search::EventSearch,
    time_range::is_supported,
};
use crate::service::Zone;

/// Arguments that select events.
#[derive(Debug, clap::Args)]
pub struct EventFilterArgs {
    /// Show only the events of this token, which may be deleted
    #[arg(long, value_name = "TOKEN", add = completers::tokens())]
    pub token: Option<String>,

    /// Show only events from then on: 7d (ago), a local date or time, or an instant
    #[arg(long, value_name = "TIME", value_parser = past_time)]
    pub since: Option<NotBefore>,

    /// Show only events before then, or up to the end of this date
    #[arg(long, value_name = "TIME", value_parser = past_end)]
    pub until: Option<NotBefore>,

    /// Show only events of this kind, such as revoke or revoked; repeatable
    #[arg(long, value_name = "ACTION", value_parser = action, value_delimiter = ',', add = completers::actions())]
    pub action: Vec<AuditAction>,

    /// Show only events whose actor contains this text, ignoring case
    #[arg(long, value_name = "TEXT")]
    pub actor: Option<String>,

    /// Show only events that match these words and terms, as in the app, e.g. action:revoke since:7d
    #[arg(long, value_name = "SEARCH", value_parser = EventSearch::parse)]
    pub search: Option<EventSearch>,
}

fn past_time(text: &str) -> Result<NotBefore, String> {
    text.parse().map_err(|error: LimitError| error.to_string())
}

/// Like [`past_time`], but a date includes its day, as in the search of the app.
fn past_end(text: &str) -> Result<NotBefore, String> {
    let next_day = text.parse().ok().and_then(|day: NaiveDate| day.succ_opt());
    match next_day {
        Some(day) => Ok(NotBefore::Local(day.and_time(NaiveTime::MIN))),
        None => past_time(text),
    }
}

fn action(text: &str) -> Result<AuditAction, String> {
    AuditAction::from_word(text).ok_or_else(|| {
        let all: Vec<_> = AuditAction::ALL.into_iter().map(AuditAction::verb).collect();
        format!("choose one of {}", all.join(", "))
    })
}

/// Which events to show.
#[derive(Debug)]
pub(super) struct EventFilter {
    token: Option<TokenId>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    actions: Vec<AuditAction>,
    /// The folded text that the actor must contain.
    actor: Option<String>,
    search: EventSearch,
    /// The time from which durations in `search` count back.
    now: Timestamp,
}

impl EventFilter {
    /// The filter of these arguments. `token` is the token that they name, durations count back
    /// from `now`.
    pub(super) fn new(args: &EventFilterArgs, token: Option<TokenId>, now: Timestamp) -> Self {
        Self {
            token,
            since: args.since.map(|time| instant(time, now)),
            until: args.until.map(|time| instant(time, now)),
            actions: args.action.clone(),
            actor: args.actor.as_deref().map(fold),
            search: args.search.clone().unwrap_or_default(),
            now,
        }
    }

    /// Whether to show the event.
    pub(super) fn matches(&self, event: &EventBody) -> bool {
        self.token.is_none_or(|id| event.token == Some(id))
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
            && (self.actions.is_empty() || self.actions.contains(&event.action))
            && self
                .actor
                .as_ref()
                .is_none_or(|actor| fold(&event.actor.to_string()).contains(actor))
            && self.search.matches(event, self.now)
    }
}

/// The instant that `time` describes; a duration counts back from `now`.
fn instant(time: NotBefore, now: Timestamp) -> Timestamp {
    let at = match time {
        NotBefore::In(span) => now.checked_sub_signed(span.as_delta()),
        NotBefore::Local(wall) => Some(Zone::Local.to_utc(wall)),
        NotBefore::At(at) => Some(at),
    };
    at.filter(|at| is_supported(*at)).unwrap_or(Timestamp::UNIX_EPOCH)
}
