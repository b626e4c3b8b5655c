//! What an operator can ask for with a key. Screens act on these, never on keys; only text
//! fields see characters. Each has the word by which the config file names it.

/// Declares the actions with their words, so that a word cannot be forgotten.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// Something that a key can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// All of them.
            #[cfg(any(test, feature = "testing"))]
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its word in the config file.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// Leave the program, or close what lies over it.
    Quit = "quit",
    /// Cancel; pressed twice, leave the program.
    Interrupt = "interrupt",
    /// Paint the whole screen again.
    Redraw = "redraw",
    /// Stop the program and give the shell back.
    Suspend = "suspend",
    /// Judge expiry by the machine's clock again.
    AcceptClock = "accept-clock",
    /// Show the keys.
    Help = "help",
    /// Show every command.
    Palette = "palette",
    /// Show what was said.
    Messages = "messages",
    /// Go to the next tab.
    NextTab = "next-tab",
    /// Go to the previous tab.
    PreviousTab = "previous-tab",
    /// Go to the list.
    TokensTab = "tokens-tab",
    /// Go to the form.
    CreateTab = "create-tab",
    /// Go to the detail.
    DetailTab = "detail-tab",
    /// Go to the trail.
    AuditTab = "audit-tab",
    /// One row down.
    Down = "down",
    /// One row up.
    Up = "up",
    /// Half a page down.
    HalfPageDown = "half-page-down",
    /// Half a page up.
    HalfPageUp = "half-page-up",
    /// A page down.
    PageDown = "page-down",
    /// A page up.
    PageUp = "page-up",
    /// To the first row.
    First = "first",
    /// To the last row.
    Last = "last",
    /// Open what is selected.
    Open = "open",
    /// Back to where one came from.
    Back = "back",
    /// Search as one types.
    Search = "search",
    /// The next status filter.
    NextStatus = "next-status",
    /// The previous status filter.
    PreviousStatus = "previous-status",
    /// Show what expires soon, or no longer.
    Expiring = "expiring",
    /// Sort by the next column.
    NextSort = "next-sort",
    /// Sort the other way round.
    ReverseSort = "reverse-sort",
    /// Show times relative, local or in UTC.
    Times = "times",
    /// Mark the selected row, or take its mark away.
    Mark = "mark",
    /// Begin a range of marks, or end it.
    MarkRange = "mark-range",
    /// Mark all rows that are shown.
    MarkAll = "mark-all",
    /// Start a new token.
    New = "new",
    /// Start a new token like this one.
    Clone = "clone",
    /// Change name and description.
    Edit = "edit",
    /// Add scopes.
    AddScope = "add-scope",
    /// Add the scopes of a preset.
    Preset = "preset",
    /// Remove the selected scope.
    RemoveScope = "remove-scope",
    /// Remove every scope.
    ClearScopes = "clear-scopes",
    /// End a token.
    Revoke = "revoke",
    /// Give a token a new secret.
    Regenerate = "regenerate",
    /// End the old secret of a rotation now.
    EndOverlap = "end-overlap",
    /// Delete a token.
    Delete = "delete",
    /// Delete every token.
    DeleteAll = "delete-all",
    /// Take back what was done last.
    Undo = "undo",
    /// Ask what a token may do.
    Test = "test",
    /// Put the id on the clipboard.
    CopyId = "copy-id",
    /// Put the name on the clipboard.
    CopyName = "copy-name",
    /// Put the command that does the same on the clipboard.
    CopyCommand = "copy-command",
    /// Put the token as JSON on the clipboard.
    CopyJson = "copy-json",
    /// Show only the events of the selected one.
    FilterToken = "filter-token",
    /// Show only one kind of event.
    FilterAction = "filter-action",
    /// Show only the events of one actor.
    FilterActor = "filter-actor",
    /// Go to the next field.
    NextField = "next-field",
    /// Go to the previous field.
    PreviousField = "previous-field",
    /// Go on: the next field, or the button.
    Accept = "accept",
    /// Submit from anywhere.
    Submit = "submit",
    /// Leave a form or dialog.
    Cancel = "cancel",
    /// Change the selected row.
    ChangeRow = "change-row",
    /// Add a row.
    AddRow = "add-row",
    /// Remove the selected row.
    RemoveRow = "remove-row",
    /// Put the secret on the clipboard.
    CopySecret = "copy-secret",
    /// Write the secret to a file.
    WriteSecret = "write-secret",
    /// Print the secret after the program has ended.
    PrintSecret = "print-secret",
    /// Hide or show the secret.
    HideSecret = "hide-secret",
    /// Say that the secret is in safety.
    Acknowledge = "acknowledge",
    /// Close what lies over the screen.
    Close = "close",
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
        let words: BTreeSet<_> = Action::ALL.iter().map(|action| action.word()).collect();
        assert_eq!(words.len(), Action::ALL.len());
    }
}
