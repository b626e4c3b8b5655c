//! The filters of the audit trail that a key sets from the selected event or from a chip. The
//! search is separate. Called by the audit tab.

use crate::domain::{AuditAction, EventBody, TokenId};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct EventFilter {
    /// The token, and its name in the event from which the filter was set.
    pub(super) token: Option<(TokenId, String)>,
    pub(super) action: Option<AuditAction>,
    /// The account, from whatever address.
    pub(super) actor: Option<String>,
}

impl EventFilter {
    /// Whether the filters by token and by actor show the event.
    pub(super) fn matches_all_but_action(&self, body: &EventBody) -> bool {
        self.token.as_ref().is_none_or(|(id, _)| body.token == Some(*id))
            && self.actor.as_ref().is_none_or(|actor| body.actor.account() == *actor)
    }

    /// Shows only the events of the token of this event, or those of all tokens again.
    pub(super) fn toggle_token(&mut self, body: &EventBody) {
        let token = body.token.map(|id| (id, body.name.clone()));
        self.token = if self.token.is_some() { None } else { token };
    }

    /// Shows only the events of the account of this event, or those of all actors again.
    pub(super) fn toggle_actor(&mut self, body: &EventBody) {
        self.actor = self.actor.is_none().then(|| body.actor.account());
    }

    /// The filters by token and by actor in words.
    pub(super) fn labels(&self) -> Vec<String> {
        let token = self.token.as_ref().map(|(_, name)| format!("token {name}"));
        let actor = self.actor.as_ref().map(|actor| format!("by {actor}"));
        token.into_iter().chain(actor).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Actor, Timestamp};

    fn event(user: &str, from: &str) -> EventBody {
        EventBody {
            at: Timestamp::UNIX_EPOCH,
            actor: Actor { user: user.into(), sudo_user: None, from: Some(from.into()) },
            token: None,
            name: String::new(),
            action: AuditAction::Created,
            detail: String::new(),
        }
    }

    #[test]
    fn the_filter_by_actor_shows_every_address_of_the_account() {
        let mut filter = EventFilter::default();
        filter.toggle_actor(&event("alice", "192.0.2.17"));
        assert_eq!(filter.labels(), ["by alice"]);
        assert!(filter.matches_all_but_action(&event("alice", "192.0.2.40")));
        assert!(!filter.matches_all_but_action(&event("malice", "192.0.2.17")));
    }
}
