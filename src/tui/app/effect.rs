//! What the app and its screens want done, as data. A screen returns at most one effect for a key:
//! its whole influence. `App::update` performs the `Ui` effects itself; the event loop runs the others.

use super::{pending::RequestId, service_request::ServiceRequest};
use crate::{
    domain::{Scope, TokenId},
    keymap::Action,
    list::ListRequest,
    tui::dialogs::Dialog,
};

#[derive(Debug)]
pub enum Effect {
    /// Ask the service; its response has the same id.
    Service(RequestId, ServiceRequest),
    List(ListRequest),
    Host(HostAction),
    Ui(UiAction),
    /// Stop the process until the shell continues it.
    Suspend,
    Repaint,
    /// A secret has left the screen: wipe every trace of it, then paint everything again.
    WipeScreen,
    Quit,
}

#[derive(Debug)]
pub enum UiAction {
    Close,
    Open(Box<dyn Dialog>),
    /// Close the topmost dialog and do this action, as if its key had been pressed.
    Run(Action),
    GoTo(Tab),
    Show(TokenId),
    Info(String),
    Warn(String),
    /// Give these scopes to the create form, in the place of row `row` or as a new one, and close
    /// the dialog that named them.
    FillScopes {
        row: Option<usize>,
        scopes: Vec<Scope>,
    },
    /// Keep the secret that is shown, to print it after the program has ended.
    PrintSecret,
}

/// Something on this host, outside the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAction {
    Copy {
        /// What it is, for the message.
        what: &'static str,
        /// Never a secret.
        text: String,
    },
    CopySecret,
    WriteSecret(String),
}

impl Effect {
    /// A request to the service, with an id of its own.
    pub fn request(request: ServiceRequest) -> Self {
        Self::Service(RequestId::next(), request)
    }

    pub fn open(dialog: impl Dialog + 'static) -> Self {
        Self::Ui(UiAction::Open(Box::new(dialog)))
    }

    pub fn close() -> Self {
        Self::Ui(UiAction::Close)
    }

    pub fn info(text: impl Into<String>) -> Self {
        Self::Ui(UiAction::Info(text.into()))
    }

    pub fn warn(text: impl Into<String>) -> Self {
        Self::Ui(UiAction::Warn(text.into()))
    }

    pub fn copy(what: &'static str, text: impl Into<String>) -> Self {
        Self::Host(HostAction::Copy { what, text: text.into() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Tokens,
    Create,
    Detail,
    Audit,
}

impl Tab {
    pub const ALL: [Self; 4] = [Self::Tokens, Self::Create, Self::Detail, Self::Audit];

    pub fn action(self) -> Action {
        match self {
            Self::Tokens => Action::TokensTab,
            Self::Create => Action::CreateTab,
            Self::Detail => Action::DetailTab,
            Self::Audit => Action::AuditTab,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::Create => "Create",
            Self::Detail => "Detail",
            Self::Audit => "Audit",
        }
    }
}
