//! The app: five tabs, the dialogs over them, and their shared state. `update` turns an event into
//! effects, `view` draws; neither does I/O. Called by the event loop.

mod draft;
pub mod effect;
pub mod event;
mod follow_cursor;
pub mod message_log;
pub mod model;
pub mod pending_requests;
mod plan_from_cache;
mod request_handling;
mod secret_delivery;
pub mod service_request;
mod success_text;
pub mod undo;
mod update;
mod view;

use std::time::Duration;

use zeroize::Zeroizing;

use self::{
    effect::{Effect, Tab},
    message_log::MessageLog,
    model::Model,
    pending_requests::{DialogId, PendingRequests, RequestOrigin},
    service_request::ServiceRequest,
    undo::UndoEntry,
};
use super::{
    dialogs::{Dialog, secret::SecretPanel},
    screens::{
        audit::AuditScreen, create::CreateForm, detail::DetailScreen, overview::OverviewScreen,
        tokens::TokensScreen,
    },
};
use crate::{
    domain::{Secret, TokenId},
    keymap::{Action, Key, Mode, PaletteCommand, commands},
    output::{
        command_line::{self, CommandLine},
        secret_format::SecretFormat,
    },
};

/// The state of the app.
#[derive(Debug)]
pub struct App {
    model: Model,
    /// The text `user@host` that the top line shows.
    identity: String,
    /// The command line options that select the store and the config. They are added to every
    /// equivalent command line.
    options: Vec<(&'static str, String)>,
    tab: Tab,
    /// The tab from which the detail was opened.
    detail_returns_to: Tab,
    tokens: TokensScreen,
    create: CreateForm,
    detail: DetailScreen,
    audit: AuditScreen,
    overview: OverviewScreen,
    /// The open dialogs. The last dialog receives the keys, unless a secret is shown.
    dialogs: Vec<OpenDialog>,
    next_dialog: DialogId,
    /// The panels of new secrets, above all dialogs. The last panel receives the keys.
    secrets: Vec<SecretPanel>,
    /// Secrets of closed panels to print after the app has quit. The store has no delivery of them
    /// before they are printed, so that a kill of the process leaves their tokens undelivered.
    secrets_to_print: Vec<Secret>,
    /// The pressed keys of an incomplete sequence.
    pending_keys: Vec<Key>,
    /// Whether the last frame shows the list and the detail side by side.
    is_wide: bool,
    /// When the cursor moved in the list beside the detail, as a value of `Model::elapsed`. The
    /// detail shows another token until the cursor has rested.
    moved_at: Option<Duration>,
    messages: MessageLog,
    /// The undo entries of this session, newest last.
    undo_history: Vec<UndoEntry>,
    /// The last press of the interrupt key, as a value of `Model::elapsed`, and the number of
    /// presses in a row.
    interrupt_presses: Option<(Duration, u8)>,
    /// When the quit key warned about a draft, as a value of `Model::elapsed`.
    draft_warned_at: Option<Duration>,
    pending: PendingRequests,
    /// The effects of the current event.
    effects: Vec<Effect>,
}

/// A dialog on the stack.
#[derive(Debug)]
struct OpenDialog {
    id: DialogId,
    dialog: Box<dyn Dialog>,
    /// The last query of the dialog, see [`Dialog::query`].
    last_query: Option<ServiceRequest>,
}

/// The topmost secret panel or dialog, which receives the keys. Panels are above dialogs.
fn top_dialog_mut<'a>(
    secrets: &'a mut [SecretPanel],
    dialogs: &'a mut [OpenDialog],
) -> Option<&'a mut dyn Dialog> {
    match (secrets.last_mut(), dialogs.last_mut()) {
        (Some(panel), _) => Some(panel),
        (None, Some(open)) => Some(&mut *open.dialog),
        (None, None) => None,
    }
}

impl App {
    /// An app with `model`. The top line shows `identity`.
    pub fn new(model: Model, identity: String) -> Self {
        let create = CreateForm::new(&model);
        Self {
            model,
            identity,
            options: Vec::new(),
            tab: Tab::default(),
            detail_returns_to: Tab::default(),
            tokens: TokensScreen::default(),
            create,
            detail: DetailScreen::default(),
            audit: AuditScreen::default(),
            overview: OverviewScreen::default(),
            dialogs: Vec::new(),
            next_dialog: 0,
            secrets: Vec::new(),
            secrets_to_print: Vec::new(),
            pending_keys: Vec::new(),
            is_wide: false,
            moved_at: None,
            messages: MessageLog::default(),
            undo_history: Vec::new(),
            interrupt_presses: None,
            draft_warned_at: None,
            pending: PendingRequests::default(),
            effects: Vec::new(),
        }
    }

    /// Sets the options for the store and the config, which are added to every equivalent command
    /// line.
    pub fn with_options(mut self, options: Vec<(&'static str, String)>) -> Self {
        self.options = options;
        self
    }

    /// The secret on the screen. The event loop copies it or writes it to a file.
    pub fn secret(&self) -> Option<&Secret> {
        self.secrets.last().map(SecretPanel::secret)
    }

    /// The text with the secret on the screen, in the form `format`.
    pub fn secret_text(&self, format: SecretFormat) -> Option<Zeroizing<String>> {
        self.secrets.last().map(|panel| panel.text_in(format))
    }

    /// The time until the screen changes without an event. Returns `None` if the screen will not
    /// change.
    pub fn time_to_next_change(&self) -> Option<Duration> {
        let ctx = &self.model;
        let hiding = self.secrets.last().and_then(|panel| panel.time_to_hiding(ctx.elapsed));
        let message = self.messages.until().map(|until| until.saturating_sub(ctx.elapsed));
        let rested =
            self.moved_at.map(|at| (at + follow_cursor::CURSOR_REST).saturating_sub(ctx.elapsed));
        let shown = ctx.next_change().map(|at| (at - ctx.now).to_std().unwrap_or_default());
        message.into_iter().chain(shown).chain(hiding).chain(rested).min()
    }

    /// Whether the visible content waits for a response.
    pub fn is_waiting(&self) -> bool {
        self.pending.delays_screen() || self.tokens.awaits_rows()
    }

    /// Whether any response is outstanding, including prefetches.
    #[cfg(any(test, feature = "testing"))]
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || self.tokens.awaits_more()
    }

    /// The topmost secret panel or dialog, which receives the keys.
    fn top_dialog(&self) -> Option<&dyn Dialog> {
        let secret = self.secrets.last().map(|panel| panel as &dyn Dialog);
        secret.or_else(|| self.dialogs.last().map(|open| &*open.dialog))
    }

    fn dialog_mut(&mut self, origin: RequestOrigin) -> Option<&mut Box<dyn Dialog>> {
        let (RequestOrigin::Dialog(id) | RequestOrigin::Query(id)) = origin else {
            return None;
        };
        self.dialogs.iter_mut().find(|open| open.id == id).map(|open| &mut open.dialog)
    }

    fn mode(&self) -> Mode {
        match (self.top_dialog(), self.tab) {
            (Some(dialog), _) => dialog.mode(),
            (None, Tab::Tokens) => self.tokens.mode(),
            (None, Tab::Create) => self.create.mode(),
            (None, Tab::Detail) => Mode::Detail,
            (None, Tab::Audit) => self.audit.mode(),
            (None, Tab::Overview) => Mode::Overview,
        }
    }

    fn enables(&self, action: Action) -> bool {
        let ctx = &self.model;
        if ctx.read_only && action.changes_store() {
            return false;
        }
        match (self.top_dialog(), self.tab) {
            (Some(dialog), _) => dialog.enables(action),
            (None, Tab::Tokens) => self.tokens.enables(action, ctx),
            (None, Tab::Create) => self.create.enables(action),
            (None, Tab::Detail) => self.detail.enables(action, ctx),
            (None, Tab::Audit) => self.audit.enables(action),
            (None, Tab::Overview) => true,
        }
    }

    /// Whether the footer shows `action`. An undo is shown only if there is something to undo.
    fn is_offered(&self, action: Action) -> bool {
        let can_undo = !self.undo_history.is_empty() || self.model.has_deleted_tokens;
        self.enables(action) && (action != Action::Undo || can_undo)
    }

    /// The commands for the palette and the help.
    fn palette_commands(&self) -> Vec<PaletteCommand> {
        let ctx = &self.model;
        let enabled = |action| self.enables(action);
        let mut all = commands(&ctx.keymap, self.mode(), enabled, ctx.theme.is_ascii());
        // Leave out the commands that open the help and the palette, because these dialogs show the
        // list.
        all.retain(|command| !matches!(command.action, Action::Help | Action::Palette));
        all.retain(|command| !(ctx.read_only && command.action.changes_store()));
        all
    }

    /// The command line that is equivalent to the focused dialog or tab. The command line runs the
    /// same command or prints the same content.
    fn cli_equivalent(&self) -> Option<CommandLine> {
        let ctx = &self.model;
        let equivalent = match (self.top_dialog(), self.tab) {
            (Some(dialog), _) => equivalent_of(&dialog.request(ctx)?, ctx),
            (None, Tab::Tokens) => Some(command_line::of_list(self.tokens.query())),
            (None, Tab::Create) => equivalent_of(&self.create.request(ctx)?, ctx),
            (None, Tab::Detail) => ctx.token(&self.detail.id()?).map(command_line::of_token),
            (None, Tab::Audit) => Some(self.audit.cli_equivalent()),
            (None, Tab::Overview) => Some(command_line::of_status()),
        };
        equivalent.map(|equivalent| equivalent.with_options(&self.options))
    }

    /// The next or the previous tab.
    fn neighbour_tab(&self, forward: bool) -> Tab {
        let tabs = self.model.tabs();
        let at = tabs.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        let by = if forward { 1 } else { tabs.len().saturating_sub(1) };
        tabs.get((at + by) % tabs.len().max(1)).copied().unwrap_or_default()
    }

    /// The tokens that the screen shows, and the tokens of `pages` more pages before and after the
    /// visible rows.
    fn needed_tokens(&self, pages: usize) -> Vec<TokenId> {
        let audited = self.audit.selected_token().filter(|_| self.tab == Tab::Audit);
        let others = self.detail.id().into_iter().chain(self.model.first_lost_secret());
        let others = others.chain(audited);
        self.tokens.tokens_to_load(pages).into_iter().chain(others).collect()
    }
}

/// Returns the command line that is equivalent to `request`, or `None` if there is no such command
/// line.
fn equivalent_of(request: &ServiceRequest, ctx: &Model) -> Option<CommandLine> {
    match request {
        ServiceRequest::Preview(command) | ServiceRequest::Execute(command, _) => {
            command_line::of_command(command, |id| ctx.token(id))
        }
        ServiceRequest::Check(_, access, from) => {
            Some(command_line::of_check(access, from.as_deref()))
        }
        ServiceRequest::Fetch(_)
        | ServiceRequest::Template(_)
        | ServiceRequest::EntitiesInUse(_)
        | ServiceRequest::History(_)
        | ServiceRequest::Json(_)
        | ServiceRequest::Trail
        | ServiceRequest::Overview => None,
    }
}
