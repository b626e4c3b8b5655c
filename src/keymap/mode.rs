//! Where a key is pressed, and the headings under which keys are told. Knows no key.

use crate::domain::labels::labels;

labels! {
    /// Where a key is pressed. A mode falls back on the ones in [`Mode::chain`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Mode, ALL, as_str {
        /// Everywhere, also while text is typed.
        Always => "always",
        /// Everywhere but in text and dialogs.
        Global => "global",
        /// In anything with rows to move through.
        List => "list",
        Tokens => "tokens",
        Detail => "detail",
        Audit => "audit",
        Search => "search",
        Form => "form",
        /// On the scope rows of the create form.
        Rows => "rows",
        /// In a dialog with two buttons.
        Ask => "ask",
        /// In a dialog that wants a name or a count typed.
        Confirm => "confirm",
        /// In the dialog on many tokens, which wants their count typed.
        Bulk => "bulk",
        /// On the panel of a new secret.
        Secret => "secret",
        /// In the help, the palette and the messages.
        Menu => "menu",
    }
}

impl Mode {
    /// The modes in which a key is looked up, nearest first.
    pub fn chain(self) -> &'static [Self] {
        match self {
            Self::Always => &[Self::Always],
            Self::Global => &[Self::Global, Self::Always],
            Self::List => &[Self::List, Self::Global, Self::Always],
            Self::Tokens => &[Self::Tokens, Self::List, Self::Global, Self::Always],
            Self::Detail => &[Self::Detail, Self::List, Self::Global, Self::Always],
            Self::Audit => &[Self::Audit, Self::List, Self::Global, Self::Always],
            Self::Search => &[Self::Search, Self::Always],
            Self::Form => &[Self::Form, Self::Always],
            Self::Rows => &[Self::Rows, Self::Form, Self::Always],
            Self::Ask => &[Self::Ask, Self::Always],
            Self::Confirm => &[Self::Confirm, Self::Always],
            Self::Bulk => &[Self::Bulk, Self::Always],
            Self::Secret => &[Self::Secret, Self::Always],
            Self::Menu => &[Self::Menu, Self::Always],
        }
    }

    /// Whether characters that are not bound here are text for the focused field.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Search | Self::Form | Self::Rows | Self::Confirm | Self::Bulk | Self::Menu
        )
    }
}

labels! {
    /// Under which heading the help lists a key, in the order of the help.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Group, ALL, heading {
        Token => "Tokens",
        /// What can be put on the clipboard.
        Copy => "Copy",
        View => "View",
        Move => "Move",
        Form => "Forms and dialogs",
        Secret => "New secret",
        App => "Program",
    }
}
