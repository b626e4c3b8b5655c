//! The forms of the search terms and their meanings. Pure data: the app lists the forms and inserts
//! their starts, and the help of `list` prints those for tokens. `grammar` and `events` parse the terms.

/// A form of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermForm {
    /// How the term is written, with values in capitals or as examples.
    pub form: &'static str,
    /// What matches, at most 44 columns.
    pub meaning: &'static str,
}

impl TermForm {
    /// The part before the value: `op:` of `op:OPERATION`, `idle>` of `idle>90d`, nothing of `WORD`.
    /// The whole form if it has no value.
    pub fn start(&self) -> &'static str {
        let is_value = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        self.form.find(is_value).and_then(|value| self.form.get(..value)).unwrap_or(self.form)
    }
}

const fn form(form: &'static str, meaning: &'static str) -> TermForm {
    TermForm { form, meaning }
}

/// Words and negation, which both searches have.
const QUOTED: TermForm = form("\"TWO WORDS\"", "these words together, or a text with : = < >");
const NEGATED: TermForm = form("-TERM", "does not match the term");

/// The terms of a search for tokens.
pub const TOKEN_TERM_FORMS: [TermForm; 23] = [
    form("WORD", "in name or description, or starts the id"),
    QUOTED,
    form("status:STATUS", "active, not-yet-valid, expired, revoked, all"),
    form("op:OPERATION", "a scope has this operation"),
    form("type:TYPE", "a scope has this entity type"),
    form("entity:ENTITY", "a scope has this entity"),
    form("domain:DOMAIN", "a scope is limited to this domain"),
    form("may:TYPE:ENTITY:OPERATION", "a scope allows this access, * included"),
    form("wildcard", "a scope has the entity *"),
    form("unrestricted", "may do every operation on every entity"),
    form("label:KEY", "has a label with this key"),
    form("label:KEY=VALUE", "has exactly this label"),
    form("owner:NAME", "the owner; without one, the creator"),
    form("by:NAME", "created by this account or address"),
    form("name:TEXT", "in the name"),
    form("id:TEXT", "in the id"),
    form("expires<7d", "active, and expires within this time"),
    form("expires>30d", "active, and expires later"),
    form("idle>90d", "used (if never: issued) longer ago"),
    form("idle<1h", "used (if never: issued) more recently"),
    form("unused", "never used"),
    form("unsaved", "its secret is not saved yet"),
    NEGATED,
];

/// The terms of a search in the audit trail.
pub const EVENT_TERM_FORMS: [TermForm; 8] = [
    form("WORD", "in name, action, actor or detail"),
    QUOTED,
    form("token:NAME", "its name at that time, or its id"),
    form("actor:NAME", "the account or the address"),
    form("action:ACTION", "created, revoked, and so on"),
    form("since:7d", "at most this long ago, or from a day on"),
    form("until:1d", "at least this long ago, or up to a day"),
    NEGATED,
];

/// Prints `forms` in two columns, one per line, as the help of a command shows them.
pub fn term_table(forms: &[TermForm]) -> String {
    let lines = forms.iter().map(|TermForm { form, meaning }| format!("  {form:<27}{meaning}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::search::{EVENT_TERMS, TERMS};

    #[test]
    fn every_term_has_a_form() {
        for (forms, terms) in [(&TOKEN_TERM_FORMS[..], TERMS), (&EVENT_TERM_FORMS[..], EVENT_TERMS)]
        {
            let starts: BTreeSet<_> = forms.iter().map(TermForm::start).collect();
            let others = ["", "\"", "-"];
            let expected: BTreeSet<_> = terms.split(' ').chain(others).collect();
            assert_eq!(starts, expected);
        }
    }

    #[test]
    fn meanings_fit_the_list() {
        for TermForm { form, meaning } in TOKEN_TERM_FORMS.iter().chain(&EVENT_TERM_FORMS) {
            assert!(form.len() <= 26 && meaning.len() <= 44, "{form}: {meaning}");
        }
    }
}
