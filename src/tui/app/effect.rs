//! What the app and its screens want done, as data. A screen returns at most one effect for a key:
//! its whole influence. `App::update` performs the `Ui` effects itself; the event loop runs the others.

use super::{pending::RequestId, service_request::ServiceRequest};
use crate::{
    domain::{Scope, TokenId},
    keymap::Action,
    list::ListRequest,
    tui::dialogs::Dialog,
};

/// Something to be done.
#[derive(Debug)]
pub enum Effect {
    /// Ask the service; its response has the same id.
    Service(RequestId, ServiceRequest),
    /// Ask what the list shows.
    List(ListRequest),
    /// Do something on this host.
    Host(HostAction),
    /// Change what is shown.
    Ui(UiAction),
    /// Stop the process until the shell continues it.
    Suspend,
    /// Paint the whole screen again.
    Repaint,
    /// A secret has left the screen: wipe every trace of it, then paint everything again.
    WipeScreen,
    /// End the program.
    Quit,
}

/// A change to what is shown.
#[derive(Debug)]
pub enum UiAction {
    /// Close the topmost dialog.
    Close,
    /// Open a dialog over everything.
    Open(Box<dyn Dialog>),
    /// Close the topmost dialog and do this action, as if its key had been pressed.
    Run(Action),
    /// Go to a tab.
    GoTo(Tab),
    /// Show this token in the detail.
    Show(TokenId),
    /// Say that something went well.
    Info(String),
    /// Say what is wrong.
    Warn(String),
    /// Give these scopes to the create form, in the place of row `row` or as a new one, and close
    /// the dialog that named them.
    FillScopes {
        /// Which row they replace.
        row: Option<usize>,
        /// Them.
        scopes: Vec<Scope>,
    },
    /// Keep the secret that is shown, to print it after the program has ended.
    PrintSecret,
}

/// Something on this host, outside the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAction {
    /// Send `text` to the clipboard.
    Copy {
        /// What it is, for the message.
        what: &'static str,
        /// Itself; never a secret.
        text: String,
    },
    /// Send the secret that is shown to the clipboard.
    CopySecret,
    /// Write the secret that is shown to a new file.
    WriteSecret(String),
}

impl Effect {
    /// A request to the service, with an id of its own.
    pub fn request(request: ServiceRequest) -> Self {
        Self::Service(RequestId::next(), request)
    }

    /// A dialog to open.
    pub fn open(dialog: impl Dialog + 'static) -> Self {
        Self::Ui(UiAction::Open(Box::new(dialog)))
    }

    /// The topmost dialog is to close.
    pub fn close() -> Self {
        Self::Ui(UiAction::Close)
    }

    /// A message that something went well.
    pub fn info(text: impl Into<String>) -> Self {
        Self::Ui(UiAction::Info(text.into()))
    }

    /// A message about something wrong.
    pub fn warn(text: impl Into<String>) -> Self {
        Self::Ui(UiAction::Warn(text.into()))
    }

    /// A text for the clipboard.
    pub fn copy(what: &'static str, text: impl Into<String>) -> Self {
        Self::Host(HostAction::Copy { what, text: text.into() })
    }
}

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
