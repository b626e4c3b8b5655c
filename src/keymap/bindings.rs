//! The one table of keys. To add a key, add a row here and an arm to the screen's `on`; footer,
//! help, `[keys]` and the README follow. Refuses nothing itself: its tests do.

use super::Action;

/// Where a key is pressed. A mode falls back on the ones in [`Mode::chain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Everywhere, also while text is typed.
    Always,
    /// Everywhere but in text and dialogs.
    Global,
    /// In anything with rows to move through.
    List,
    /// On the list of tokens.
    Tokens,
    /// On the detail of one token.
    Detail,
    /// On the audit trail.
    Audit,
    /// While the search text is typed.
    Search,
    /// In the fields of a form.
    Form,
    /// On the scope rows of the create form.
    Rows,
    /// In a dialog with two buttons.
    Ask,
    /// In a dialog that wants a name or a count typed.
    Confirm,
    /// In the dialog on many tokens, which wants their count typed.
    Bulk,
    /// On the panel of a new secret.
    Secret,
    /// In the help.
    Help,
}

impl Mode {
    /// All of them, in the order of the documents.
    pub const ALL: [Self; 14] = [
        Self::Always,
        Self::Global,
        Self::List,
        Self::Tokens,
        Self::Detail,
        Self::Audit,
        Self::Search,
        Self::Form,
        Self::Rows,
        Self::Ask,
        Self::Confirm,
        Self::Bulk,
        Self::Secret,
        Self::Help,
    ];

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
            Self::Help => &[Self::Help, Self::Always],
        }
    }

    /// Its word in the config file and the documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Global => "global",
            Self::List => "list",
            Self::Tokens => "tokens",
            Self::Detail => "detail",
            Self::Audit => "audit",
            Self::Search => "search",
            Self::Form => "form",
            Self::Rows => "rows",
            Self::Ask => "ask",
            Self::Confirm => "confirm",
            Self::Bulk => "bulk",
            Self::Secret => "secret",
            Self::Help => "help",
        }
    }

    /// Whether characters that are not bound here are text for the focused field.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Search | Self::Form | Self::Rows | Self::Confirm | Self::Bulk | Self::Help
        )
    }
}

/// The heading under which the help lists a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Moving through rows.
    Move,
    /// What the list shows.
    View,
    /// What can be done to a token.
    Token,
    /// What can be put on the clipboard.
    Copy,
    /// Forms and dialogs.
    Form,
    /// A new secret.
    Secret,
    /// Tabs and the program itself.
    App,
}

impl Group {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 7] =
        [Self::Token, Self::Copy, Self::View, Self::Move, Self::Form, Self::Secret, Self::App];

    /// The heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::View => "View",
            Self::Token => "Tokens",
            Self::Copy => "Copy",
            Self::Form => "Forms and dialogs",
            Self::Secret => "New secret",
            Self::App => "Program",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where.
    pub mode: Mode,
    /// What.
    pub action: Action,
    /// The default keys, the one to show first; a sequence has a blank between its keys.
    pub keys: &'static [&'static str],
    /// The sentence of the help: starts with a verb, no full stop, at most 48 columns.
    pub help: &'static str,
    /// The word of the footer.
    pub hint: &'static str,
    /// Where the help lists it.
    pub group: Group,
    /// Its place in the footer, 1 first and longest to stay; 0 is not in the footer.
    pub rank: u8,
}

const fn row(
    mode: Mode,
    action: Action,
    keys: &'static [&'static str],
    hint: &'static str,
    help: &'static str,
    group: Group,
    rank: u8,
) -> Binding {
    Binding { mode, action, keys, help, hint, group, rank }
}

use Action as A;
use Group as G;
use Mode as M;

/// Every key of the program.
pub const BINDINGS: &[Binding] = &[
    row(M::Tokens, A::New, &["n"], "new", "create a token", G::Token, 4),
    row(
        M::Tokens,
        A::Open,
        &["Enter", "l", "Right"],
        "open",
        "open the selected token",
        G::Token,
        3,
    ),
    row(M::Tokens, A::AddScope, &["a"], "scope", "add scopes to the token", G::Token, 8),
    row(M::Tokens, A::Edit, &["e"], "edit", "edit name and description", G::Token, 9),
    row(M::Tokens, A::Revoke, &["r"], "revoke", "revoke the token", G::Token, 6),
    row(M::Tokens, A::Regenerate, &["R"], "regenerate", "regenerate its secret", G::Token, 7),
    row(M::Tokens, A::Delete, &["D", "Delete"], "delete", "delete the token", G::Token, 10),
    row(M::Tokens, A::DeleteAll, &["X"], "delete all", "delete every token", G::Token, 14),
    row(M::Tokens, A::Undo, &["u"], "undo", "bring back what was deleted last", G::Token, 13),
    row(M::Tokens, A::Mark, &["Space"], "mark", "mark the token for a change to many", G::Token, 7),
    row(M::Tokens, A::MarkRange, &["v"], "range", "mark a range, v ends it", G::Token, 0),
    row(M::Tokens, A::MarkAll, &["*"], "mark all", "mark all that are shown", G::Token, 0),
    row(M::Tokens, A::CopyId, &["y i"], "copy id", "copy its id", G::Copy, 11),
    row(M::Tokens, A::CopyName, &["y n"], "copy name", "copy its name", G::Copy, 0),
    row(
        M::Tokens,
        A::Search,
        &["/"],
        "search",
        "search by words and terms such as op:publish",
        G::View,
        5,
    ),
    row(M::Tokens, A::NextStatus, &["f"], "filter", "show the next status", G::View, 6),
    row(M::Tokens, A::PreviousStatus, &["F"], "filter", "show the previous status", G::View, 0),
    row(M::Tokens, A::Expiring, &["E"], "expiring", "show what expires within a week", G::View, 0),
    row(M::Tokens, A::NextSort, &["s"], "sort", "sort by the next column", G::View, 12),
    row(M::Tokens, A::ReverseSort, &["S"], "reverse", "sort the other way round", G::View, 0),
    row(
        M::Tokens,
        A::Back,
        &["Esc"],
        "clear",
        "clear the range, the marks, the search",
        G::View,
        0,
    ),
    row(M::Detail, A::Revoke, &["r"], "revoke", "revoke the token", G::Token, 3),
    row(M::Detail, A::Regenerate, &["R"], "regenerate", "regenerate its secret", G::Token, 3),
    row(M::Detail, A::EndOverlap, &["O"], "end old", "end the old secret now", G::Token, 3),
    row(M::Detail, A::AddScope, &["a"], "add scope", "add scopes to the token", G::Token, 4),
    row(M::Detail, A::RemoveScope, &["d"], "drop scope", "remove the selected scope", G::Token, 5),
    row(M::Detail, A::ClearScopes, &["X"], "drop all", "remove every scope", G::Token, 9),
    row(M::Detail, A::Test, &["T"], "test", "test what the token may do", G::Token, 6),
    row(M::Detail, A::Edit, &["e"], "edit", "edit name and description", G::Token, 7),
    row(M::Detail, A::Delete, &["D", "Delete"], "delete", "delete the token", G::Token, 8),
    row(M::Detail, A::CopyId, &["y i"], "copy id", "copy its id", G::Copy, 10),
    row(M::Detail, A::CopyName, &["y n"], "copy name", "copy its name", G::Copy, 0),
    row(M::Detail, A::Back, &["Esc", "h", "Left"], "back", "go back to the list", G::App, 2),
    row(
        M::Audit,
        A::Open,
        &["Enter", "l", "Right"],
        "open",
        "open the token of the event",
        G::Token,
        3,
    ),
    row(M::Audit, A::FilterToken, &["f"], "token", "show this token's events only", G::View, 4),
    row(M::Audit, A::FilterAction, &["a"], "action", "show this kind of event only", G::View, 5),
    row(M::Audit, A::FilterActor, &["w"], "actor", "show this actor's events only", G::View, 6),
    row(
        M::Audit,
        A::Back,
        &["Esc", "h", "Left"],
        "back",
        "clear the filter, or go back",
        G::App,
        2,
    ),
    row(M::List, A::Down, &["j", "Down"], "down", "go one row down", G::Move, 0),
    row(M::List, A::Up, &["k", "Up"], "up", "go one row up", G::Move, 0),
    row(M::List, A::HalfPageDown, &["Ctrl-D"], "half page", "go half a page down", G::Move, 0),
    row(M::List, A::HalfPageUp, &["Ctrl-U"], "half page", "go half a page up", G::Move, 0),
    row(M::List, A::PageDown, &["PgDn"], "page", "go a page down", G::Move, 0),
    row(M::List, A::PageUp, &["PgUp"], "page", "go a page up", G::Move, 0),
    row(M::List, A::First, &["g", "Home"], "first", "go to the first row", G::Move, 0),
    row(M::List, A::Last, &["G", "End"], "last", "go to the last row", G::Move, 0),
    row(M::List, A::Times, &["t"], "times", "show times relative, local or in UTC", G::View, 15),
    row(M::Search, A::Accept, &["Enter"], "keep", "keep the search and go on", G::View, 1),
    row(M::Search, A::Cancel, &["Esc"], "clear", "clear the search", G::View, 2),
    row(M::Search, A::Down, &["Down"], "down", "go one row down", G::Move, 3),
    row(M::Search, A::Up, &["Up"], "up", "go one row up", G::Move, 0),
    row(M::Form, A::NextField, &["Tab", "Down"], "next", "go to the next field", G::Form, 3),
    row(
        M::Form,
        A::PreviousField,
        &["Shift-Tab", "Up"],
        "previous",
        "go to the previous field",
        G::Form,
        5,
    ),
    row(
        M::Form,
        A::Accept,
        &["Enter"],
        "go on",
        "go on: next field, or press the button",
        G::Form,
        4,
    ),
    row(M::Form, A::Submit, &["Ctrl-S"], "submit", "submit from any field", G::Form, 1),
    row(M::Form, A::Cancel, &["Esc"], "leave", "leave the form", G::Form, 2),
    row(M::Rows, A::AddRow, &["a"], "add", "add a scope row", G::Form, 1),
    row(
        M::Rows,
        A::ChangeRow,
        &["e", "Enter"],
        "change",
        "change the selected scope row",
        G::Form,
        2,
    ),
    row(
        M::Rows,
        A::RemoveRow,
        &["d", "Delete"],
        "remove",
        "remove the selected scope row",
        G::Form,
        3,
    ),
    row(
        M::Ask,
        A::NextField,
        &["Right", "Tab", "l"],
        "choose",
        "choose the next button",
        G::Form,
        3,
    ),
    row(
        M::Ask,
        A::PreviousField,
        &["Left", "Shift-Tab", "h"],
        "choose",
        "choose the previous button",
        G::Form,
        0,
    ),
    row(M::Ask, A::Accept, &["Enter"], "press", "press the chosen button", G::Form, 1),
    row(M::Ask, A::Cancel, &["Esc", "q", "n"], "cancel", "cancel, changing nothing", G::Form, 2),
    row(M::Confirm, A::Accept, &["Enter"], "do it", "do it, once the text matches", G::Form, 1),
    row(M::Confirm, A::Cancel, &["Esc"], "cancel", "cancel, changing nothing", G::Form, 2),
    row(M::Bulk, A::Accept, &["Enter"], "do it", "do it, once the count matches", G::Form, 1),
    row(M::Bulk, A::Cancel, &["Esc"], "cancel", "cancel, changing nothing", G::Form, 2),
    row(M::Bulk, A::Down, &["Down"], "down", "scroll the tokens down", G::Move, 3),
    row(M::Bulk, A::Up, &["Up"], "up", "scroll the tokens up", G::Move, 4),
    row(M::Bulk, A::PageDown, &["PgDn"], "page", "scroll a page down", G::Move, 5),
    row(M::Bulk, A::PageUp, &["PgUp"], "page", "scroll a page up", G::Move, 0),
    row(M::Secret, A::CopySecret, &["y"], "copy", "copy the secret", G::Secret, 1),
    row(
        M::Secret,
        A::WriteSecret,
        &["w"],
        "write",
        "write the secret to a new 0600 file",
        G::Secret,
        2,
    ),
    row(
        M::Secret,
        A::PrintSecret,
        &["p"],
        "print",
        "print the secret after the program ends",
        G::Secret,
        3,
    ),
    row(M::Secret, A::HideSecret, &["s"], "hide", "hide or show the secret", G::Secret, 4),
    row(
        M::Secret,
        A::Acknowledge,
        &["a"],
        "I have it",
        "say that you have saved the secret",
        G::Secret,
        5,
    ),
    row(
        M::Secret,
        A::Close,
        &["Esc", "q", "Enter"],
        "close",
        "close the panel, once it is safe",
        G::Secret,
        6,
    ),
    row(M::Help, A::Down, &["Down", "Ctrl-D", "PgDn"], "down", "scroll the help down", G::Move, 2),
    row(M::Help, A::Up, &["Up", "Ctrl-U", "PgUp"], "up", "scroll the help up", G::Move, 3),
    row(M::Help, A::Close, &["Esc", "Enter"], "close", "close the help", G::App, 1),
    row(M::Global, A::Help, &["?"], "help", "show the keys that work here", G::App, 1),
    row(M::Global, A::Quit, &["q"], "quit", "quit patdeck", G::App, 1),
    row(M::Global, A::TokensTab, &["1"], "tokens", "go to the list of tokens", G::App, 0),
    row(M::Global, A::CreateTab, &["2"], "create", "go to the create form", G::App, 0),
    row(M::Global, A::DetailTab, &["3"], "detail", "go to the detail of the token", G::App, 0),
    row(M::Global, A::AuditTab, &["4"], "audit", "go to the audit trail", G::App, 0),
    row(M::Global, A::NextTab, &["Tab"], "tab", "go to the next tab", G::App, 16),
    row(M::Global, A::PreviousTab, &["Shift-Tab"], "tab", "go to the previous tab", G::App, 0),
    row(
        M::Global,
        A::AcceptClock,
        &["C"],
        "clock",
        "accept the clock, if it had gone back",
        G::App,
        0,
    ),
    row(
        M::Always,
        A::Interrupt,
        &["Ctrl-C"],
        "cancel",
        "cancel; press it twice to quit",
        G::App,
        0,
    ),
    row(
        M::Always,
        A::Suspend,
        &["Ctrl-Z"],
        "suspend",
        "suspend patdeck, fg brings it back",
        G::App,
        0,
    ),
    row(M::Always, A::Redraw, &["Ctrl-L"], "redraw", "paint the whole screen again", G::App, 0),
];
