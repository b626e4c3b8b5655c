//! The actions that keys can run. Screens handle actions, never keys; only text fields receive
//! characters. The label of an action is its name in the config file and in the palette.

use crate::domain::labelled_enum::labels;

labels! {
    /// What a key does. The label is the name of the action in the config file.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Action, #[cfg(any(test, feature = "testing"))] ALL, as_str {
        Quit => "quit",
        /// Cancel. Quit if the key is pressed twice in a row.
        Interrupt => "interrupt",
        Redraw => "redraw",
        Suspend => "suspend",
        /// Decide expiry by the system clock again after the clock was set back.
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
        /// Go to the token whose secret may be lost.
        GoToLostSecret => "go-to-lost-secret",
        OverviewTab => "overview-tab",
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
        Terms => "terms",
        TakeTerm => "take-term",
        NextStatus => "next-status",
        PreviousStatus => "previous-status",
        /// Toggle the filter for tokens that expire soon.
        Expiring => "expiring",
        /// Show the tokens of the next view of the config.
        NextView => "next-view",
        NextSort => "next-sort",
        ReverseSort => "reverse-sort",
        /// Show times relative, local or in UTC.
        Times => "times",
        Mark => "mark",
        /// Start or end a range of marks.
        MarkRange => "mark-range",
        MarkAll => "mark-all",
        New => "new",
        /// Fill the create form from this token.
        Clone => "clone",
        Edit => "edit",
        AddScope => "add-scope",
        Preset => "preset",
        RemoveScope => "remove-scope",
        ClearScopes => "clear-scopes",
        /// Select the next operation in the row of a scope.
        NextCell => "next-cell",
        PreviousCell => "previous-cell",
        /// Add or remove the scope of the selected cell, as a pending change.
        ToggleCell => "toggle-cell",
        /// Add or remove all scopes in the row of the selected cell.
        ToggleRow => "toggle-row",
        /// Add or remove all scopes in the column of the selected cell.
        ToggleColumn => "toggle-column",
        /// Switch between the table of operations and one row for each scope.
        ScopeForm => "scope-form",
        /// Enlarge the section with the cursor, or show all sections again.
        Zoom => "zoom",
        Revoke => "revoke",
        Regenerate => "regenerate",
        /// Stop the previous secret now, before its overlap ends.
        EndOverlap => "end-overlap",
        Delete => "delete",
        DeleteAll => "delete-all",
        Undo => "undo",
        /// Check what a token may do.
        Test => "test",
        CopyId => "copy-id",
        CopyName => "copy-name",
        /// Copy the equivalent command line.
        CopyCommand => "copy-command",
        CopyJson => "copy-json",
        FilterToken => "filter-token",
        /// Show the events of the next kind.
        FilterAction => "filter-action",
        /// Show the events of the previous kind.
        PreviousAction => "previous-action",
        FilterActor => "filter-actor",
        NextField => "next-field",
        PreviousField => "previous-field",
        /// Go to the next field, or press the button.
        Accept => "accept",
        /// Submit from any field.
        Submit => "submit",
        Cancel => "cancel",
        /// Move the focus to the scopes of the create form.
        GoToScopes => "go-to-scopes",
        /// Empty the create form.
        ClearForm => "clear-form",
        ChangeRow => "change-row",
        AddRow => "add-row",
        RemoveRow => "remove-row",
        CopySecret => "copy-secret",
        CopyAsHeader => "copy-as-header",
        CopyAsEnv => "copy-as-env",
        CopyAsNetrc => "copy-as-netrc",
        CopyAsUserPass => "copy-as-userpass",
        CopyAsJson => "copy-as-json",
        WriteSecret => "write-secret",
        /// Print the secret after patdeck has quit.
        PrintSecret => "print-secret",
        HideSecret => "hide-secret",
        /// Confirm that the secret is saved.
        Acknowledge => "acknowledge",
        Close => "close",
    }
}

impl Action {
    /// Whether the action changes the store, or leads to a change of the store. Read-only mode does
    /// not offer these actions.
    pub fn changes_store(self) -> bool {
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
                | Self::ToggleCell
                | Self::ToggleRow
                | Self::ToggleColumn
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
    fn every_action_has_a_unique_label() {
        let labels: BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(labels.len(), Action::ALL.len());
    }
}
