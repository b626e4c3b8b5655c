//! The modes in which keys are looked up, and the sections of the help. Does not know any key.

use crate::domain::labelled_enum::labels;

labels! {
    /// The context of a key press. A mode falls back on the modes in [`Mode::chain`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Mode, ALL, as_str {
        /// The mode for keys that work everywhere, including text fields and dialogs.
        Always => "always",
        /// The mode for keys that work everywhere except in text fields and dialogs.
        Global => "global",
        /// The mode in every list of rows.
        List => "list",
        Tokens => "tokens",
        Detail => "detail",
        Audit => "audit",
        Overview => "overview",
        Search => "search",
        Form => "form",
        /// The mode in the create form.
        Create => "create",
        /// The mode on the scope rows of the create form.
        Rows => "rows",
        /// The mode in a dialog with two buttons.
        Ask => "ask",
        /// The mode in a dialog that is confirmed by typing a name or a count.
        Confirm => "confirm",
        /// The mode in the dialog of a bulk action, which is confirmed by typing the number of
        /// tokens.
        Bulk => "bulk",
        /// The mode on the panel of a new secret.
        Secret => "secret",
        /// The mode in the help, the palette and the message log.
        Menu => "menu",
    }
}

impl Mode {
    /// Whether a form reads the keys, so that the keys of its options work, too.
    pub fn is_form(self) -> bool {
        self.chain().contains(&Self::Form)
    }

    /// The modes in which a key is looked up, nearest first.
    pub fn chain(self) -> &'static [Self] {
        match self {
            Self::Always => &[Self::Always],
            Self::Global => &[Self::Global, Self::Always],
            Self::List => &[Self::List, Self::Global, Self::Always],
            Self::Tokens => &[Self::Tokens, Self::List, Self::Global, Self::Always],
            Self::Detail => &[Self::Detail, Self::List, Self::Global, Self::Always],
            Self::Audit => &[Self::Audit, Self::List, Self::Global, Self::Always],
            Self::Overview => &[Self::Overview, Self::List, Self::Global, Self::Always],
            Self::Search => &[Self::Search, Self::Always],
            Self::Form => &[Self::Form, Self::Always],
            Self::Create => &[Self::Create, Self::Form, Self::Always],
            Self::Rows => &[Self::Rows, Self::Create, Self::Form, Self::Always],
            Self::Ask => &[Self::Ask, Self::Always],
            Self::Confirm => &[Self::Confirm, Self::Always],
            Self::Bulk => &[Self::Bulk, Self::Always],
            Self::Secret => &[Self::Secret, Self::Always],
            Self::Menu => &[Self::Menu, Self::Always],
        }
    }

    /// Where a key of this mode works, for a sentence.
    pub fn place(self) -> &'static str {
        match self {
            Self::Detail => "in the detail view",
            Self::Audit => "in the audit trail",
            Self::Overview => "in the overview",
            _ => "in the token list",
        }
    }

    /// Whether unbound characters are typed into the focused field.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Search
                | Self::Form
                | Self::Create
                | Self::Rows
                | Self::Confirm
                | Self::Bulk
                | Self::Menu
        )
    }
}

labels! {
    /// The sections of the help, in the order in which the help shows them. Each key is listed in
    /// one section.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum HelpSection, ALL, heading {
        Token => "Tokens",
        /// Commands that copy to the clipboard.
        Copy => "Copy",
        View => "View",
        Move => "Move",
        Form => "Forms and dialogs",
        Secret => "New secret",
        App => "Program",
    }
}
