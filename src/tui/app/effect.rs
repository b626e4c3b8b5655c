//! What a screen answers to a key: the whole of its influence on the app, as data.

use super::service_request::Effect;
use crate::{
    domain::{Scope, TokenId},
    keymap::Action,
    tui::dialogs::Overlay,
};

/// The four tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// The list.
    #[default]
    Tokens,
    /// The create form.
    Create,
    /// One token.
    Detail,
    /// The audit trail.
    Audit,
}

impl Tab {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Tokens, Self::Create, Self::Detail, Self::Audit];

    /// What goes to it.
    pub fn action(self) -> Action {
        match self {
            Self::Tokens => Action::TokensTab,
            Self::Create => Action::CreateTab,
            Self::Detail => Action::DetailTab,
            Self::Audit => Action::AuditTab,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::Create => "Create",
            Self::Detail => "Detail",
            Self::Audit => "Audit",
        }
    }
}

/// Something on this machine, outside the store, that the loop does for a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Send `text` to the clipboard; `what` names it in the toast.
    Copy {
        /// What it is.
        what: &'static str,
        /// Itself; never a secret.
        text: String,
    },
    /// Send the secret that is shown to the clipboard.
    CopySecret,
    /// Write the secret that is shown to a new file.
    WriteSecret(String),
    /// Keep the secret that is shown, to print it after the program has ended.
    PrintSecret,
}

/// What a screen answers.
#[derive(Debug)]
pub enum Step {
    /// The key means nothing here.
    Ignored,
    /// Something on the screen changed.
    Changed,
    /// Close this overlay.
    Close,
    /// Put this over the screen.
    Open(Box<Overlay>),
    /// Close this overlay and do what this action asks for, as if its key had been pressed.
    Act(Action),
    /// Go to a tab.
    Go(Tab),
    /// Show this token.
    Show(TokenId),
    /// Ask the service; the answer comes to this screen.
    Do(Effect),
    /// Do something on this machine.
    Run(Errand),
    /// Say something at the bottom.
    Say(String),
    /// Say what is wrong at the bottom.
    Warn(String),
    /// Close this overlay and give these scopes to the form below, in the place of row
    /// `row`, or as a new one.
    Scopes {
        /// Which row they replace.
        row: Option<usize>,
        /// Them.
        scopes: Vec<Scope>,
    },
}
