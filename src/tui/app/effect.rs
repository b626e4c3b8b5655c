//! Effects: the requests of the app and its screens, as data. A screen returns at most one effect
//! for a key press and changes nothing outside itself. `App::update` runs the `Ui` effects; the
//! event loop runs all others.

use super::{pending_requests::RequestId, service_request::ServiceRequest};
use crate::{
    domain::{Scope, StatusFilter, TokenId},
    keymap::Action,
    list::ListRequest,
    output::secret_format::SecretFormat,
    tui::dialogs::Dialog,
};

/// What a screen asks the app, or the app asks the event loop, to do next.
#[derive(Debug)]
pub enum Effect {
    /// Send a request to the service. The response has the same id.
    Service(RequestId, ServiceRequest),
    List(ListRequest),
    Host(OutputAction),
    Ui(UiChange),
    /// Suspend the process until the shell continues it.
    Suspend,
    Repaint,
    /// A secret was removed from the screen: erase it from all buffers, then redraw everything.
    WipeScreen,
    Quit,
}

/// A change of the tabs, dialogs or messages.
#[derive(Debug)]
pub enum UiChange {
    Close,
    /// Close the topmost dialog without a change, and show this message.
    Cancel(&'static str),
    Open(Box<dyn Dialog>),
    /// Close the topmost dialog and run this action, as if its key had been pressed.
    Run(Action),
    GoTo(Tab),
    /// Leave the detail for the tab from which it was opened.
    LeaveDetail,
    ShowToken(TokenId),
    /// Show the list with this status filter and this search.
    ShowList {
        status: StatusFilter,
        search: String,
    },
    /// Close the list of search terms, and append this start of a term to the search.
    TypeTerm(&'static str),
    Info(String),
    Warn(String),
    /// Put `scopes` into row `row` of the create form, or into new rows if `row` is `None`. Then
    /// close the dialog in which the scopes were chosen.
    FillScopes {
        row: Option<usize>,
        scopes: Vec<Scope>,
    },
    /// Add `scopes` to the changes in the detail that are not applied yet. Then close the dialog in
    /// which the scopes were chosen.
    AddToChanges(Vec<Scope>),
}

/// An action that writes to the clipboard or to a file of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputAction {
    Copy {
        /// The name of the copied text in the message, for example `id`.
        label: &'static str,
        /// The text to copy. It is never a secret.
        text: String,
    },
    /// Copy the secret on the screen in this form.
    CopySecret(SecretFormat),
    WriteSecret(String),
}

impl Effect {
    /// A request to the service with a new id.
    pub fn request(request: ServiceRequest) -> Self {
        Self::Service(RequestId::next(), request)
    }

    pub fn open(dialog: impl Dialog + 'static) -> Self {
        Self::Ui(UiChange::Open(Box::new(dialog)))
    }

    pub fn close() -> Self {
        Self::Ui(UiChange::Close)
    }

    pub fn cancel(text: &'static str) -> Self {
        Self::Ui(UiChange::Cancel(text))
    }

    pub fn info(text: impl Into<String>) -> Self {
        Self::Ui(UiChange::Info(text.into()))
    }

    pub fn warn(text: impl Into<String>) -> Self {
        Self::Ui(UiChange::Warn(text.into()))
    }

    pub fn copy(label: &'static str, text: impl Into<String>) -> Self {
        Self::Host(OutputAction::Copy { label, text: text.into() })
    }
}

/// A tab of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Tokens,
    Create,
    Detail,
    Audit,
    Overview,
}

impl Tab {
    pub const ALL: [Self; 5] =
        [Self::Tokens, Self::Create, Self::Detail, Self::Audit, Self::Overview];

    pub fn action(self) -> Action {
        match self {
            Self::Tokens => Action::TokensTab,
            Self::Create => Action::CreateTab,
            Self::Detail => Action::DetailTab,
            Self::Audit => Action::AuditTab,
            Self::Overview => Action::OverviewTab,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::Create => "Create",
            Self::Detail => "Detail",
            Self::Audit => "Audit",
            Self::Overview => "Overview",
        }
    }
}
