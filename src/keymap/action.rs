//! What an operator can ask for with a key. Screens act on these, never on keys; only text
//! fields see characters. Each has the word by which the config file names it.

use crate::domain::labels::labels;

labels! {
    /// Something that a key can ask for, with the word that the config file uses.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Action, #[cfg(any(test, feature = "testing"))] ALL, as_str {
        Quit => "quit",
        /// Cancel; pressed twice, quit.
        Interrupt => "interrupt",
        Redraw => "redraw",
        Suspend => "suspend",
        /// Judge expiry by the machine's clock again after it was set back.
        AcceptClock => "accept-clock",
        Help => "help",
        Palette => "palette",
        Messages => "messages",
        NextTab => "next-tab",
        PreviousTab => "previous-tab",
        TokensTab => "tokens-tab",
        CreateTab => "create-tab",
        DetailTab => "detail-tab",
        AuditTab => "audit-tab",
        Down => "down",
        Up => "up",
        HalfPageDown => "half-page-down",
        HalfPageUp => "half-page-up",
        PageDown => "page-down",
        PageUp => "page-up",
        First => "first",
        Last => "last",
        Open => "open",
        Back => "back",
        Search => "search",
        NextStatus => "next-status",
        PreviousStatus => "previous-status",
        /// Toggle the filter for tokens that expire soon.
        Expiring => "expiring",
        NextSort => "next-sort",
        ReverseSort => "reverse-sort",
        /// Show times relative, local or in UTC.
        Times => "times",
        Mark => "mark",
        /// Begin a range of marks, or end it.
        MarkRange => "mark-range",
        MarkAll => "mark-all",
        New => "new",
        /// Start a new token like this one.
        Clone => "clone",
        Edit => "edit",
        AddScope => "add-scope",
        Preset => "preset",
        RemoveScope => "remove-scope",
        ClearScopes => "clear-scopes",
        Revoke => "revoke",
        Regenerate => "regenerate",
        /// End the old secret of a rotation now.
        EndOverlap => "end-overlap",
        Delete => "delete",
        DeleteAll => "delete-all",
        Undo => "undo",
        /// Check what a token may do.
        Test => "test",
        CopyId => "copy-id",
        CopyName => "copy-name",
        /// Copy the command that does the same.
        CopyCommand => "copy-command",
        CopyJson => "copy-json",
        FilterToken => "filter-token",
        FilterAction => "filter-action",
        FilterActor => "filter-actor",
        NextField => "next-field",
        PreviousField => "previous-field",
        /// Go to the next field, or press the button.
        Accept => "accept",
        /// Submit from any field.
        Submit => "submit",
        Cancel => "cancel",
        ChangeRow => "change-row",
        AddRow => "add-row",
        RemoveRow => "remove-row",
        CopySecret => "copy-secret",
        WriteSecret => "write-secret",
        /// Print the secret after the program has ended.
        PrintSecret => "print-secret",
        HideSecret => "hide-secret",
        /// Confirm that the secret is saved.
        Acknowledge => "acknowledge",
        Close => "close",
    }
}

impl Action {
    /// Whether it changes a token or leads to nothing but a change: what a read-only patdeck does
    /// not offer.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Self::AcceptClock
                | Self::CreateTab
                | Self::New
                | Self::Clone
                | Self::Mark
                | Self::MarkRange
                | Self::MarkAll
                | Self::Edit
                | Self::AddScope
                | Self::Preset
                | Self::RemoveScope
                | Self::ClearScopes
                | Self::Revoke
                | Self::Regenerate
                | Self::EndOverlap
                | Self::Delete
                | Self::DeleteAll
                | Self::Undo
                | Self::Submit
                | Self::AddRow
                | Self::ChangeRow
                | Self::RemoveRow
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_actions_share_a_word() {
        let words: BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(words.len(), Action::ALL.len());
    }
}
