//! The app: four tabs, the dialogs over them, and what they share. `update` turns an event into
//! effects, `view` draws; neither does I/O. The event loop calls both.

mod done_text;
pub mod effect;
pub mod event;
mod local_plan;
pub mod message_line;
pub mod model;
pub mod pending;
mod responses;
pub mod service_request;
pub mod undo;
mod update;
mod view;

use self::{
    effect::{Effect, Tab},
    message_line::MessageLine,
    model::Model,
    pending::{DialogId, Origin, Pending},
    service_request::ServiceRequest,
    undo::UndoEntry,
};
use super::{
    dialogs::{Dialog, secret::SecretPanel},
    screens::{audit::Audit, create::Create, detail::Detail, tokens::Tokens},
};
use crate::{
    domain::{Secret, Timestamp, TokenId},
    keymap::{Action, Key, Mode, PaletteCommand, commands},
    output::command_line::{self, CommandLine},
};

#[derive(Debug)]
pub struct App {
    model: Model,
    /// Who and where, for the top line.
    who: String,
    /// The options that name the store and the settings, for command lines that do the same.
    options: Vec<(&'static str, String)>,
    tab: Tab,
    tokens: Tokens,
    create: Create,
    detail: Detail,
    audit: Audit,
    /// The last one has the keys, unless a secret is shown.
    dialogs: Vec<OpenDialog>,
    next_dialog: DialogId,
    /// New secrets on the screen, over everything else; the last one has the keys.
    secrets: Vec<SecretPanel>,
    /// Secrets to print after the program has ended.
    printed: Vec<Secret>,
    /// The keys of a sequence that is not complete.
    pressed: Vec<Key>,
    /// Whether list and detail stand side by side; the last frame says.
    wide: bool,
    messages: MessageLine,
    /// How to undo the commands of this run, the latest last.
    undo_history: Vec<UndoEntry>,
    /// When quitting was last asked for, and how often in a row.
    quitting: Option<(Timestamp, u8)>,
    pending: Pending,
    /// What the present event leads to.
    effects: Vec<Effect>,
}

#[derive(Debug)]
struct OpenDialog {
    id: DialogId,
    dialog: Box<dyn Dialog>,
    /// What it asked last without being told to.
    asked: Option<ServiceRequest>,
}

/// What lies over the tab and has the keys: a new secret before any dialog.
fn topmost<'a>(
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
    /// An app on `model`; `who` stands on the top line.
    pub fn new(model: Model, who: String) -> Self {
        let create = Create::new(&model);
        Self {
            model,
            who,
            options: Vec::new(),
            tab: Tab::default(),
            tokens: Tokens::default(),
            create,
            detail: Detail::default(),
            audit: Audit::default(),
            dialogs: Vec::new(),
            next_dialog: 0,
            secrets: Vec::new(),
            printed: Vec::new(),
            pressed: Vec::new(),
            wide: false,
            messages: MessageLine::default(),
            undo_history: Vec::new(),
            quitting: None,
            pending: Pending::default(),
            effects: Vec::new(),
        }
    }

    /// The same app, whose command lines name the store and the settings by these options.
    pub fn with_options(mut self, options: Vec<(&'static str, String)>) -> Self {
        self.options = options;
        self
    }

    pub fn take_printed(&mut self) -> Vec<Secret> {
        std::mem::take(&mut self.printed)
    }

    /// The secret on the screen, for what hands it over.
    pub fn secret(&self) -> Option<&Secret> {
        self.secrets.last().map(SecretPanel::secret)
    }

    /// The instant at which something on the screen changes by itself; `None` while nothing will.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.messages.until().into_iter().chain(self.model.next_change()).min()
    }

    pub fn now(&self) -> Timestamp {
        self.model.now
    }

    /// Whether something is still to come without which the screen is not right.
    pub fn is_waiting(&self) -> bool {
        self.pending.delays_screen() || self.tokens.awaits_rows()
    }

    /// Whether anything is still to come that was asked for.
    #[cfg(any(test, feature = "testing"))]
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || self.tokens.awaits_more()
    }

    /// What lies over the tab and has the keys.
    fn top(&self) -> Option<&dyn Dialog> {
        let secret = self.secrets.last().map(|panel| panel as &dyn Dialog);
        secret.or_else(|| self.dialogs.last().map(|open| &*open.dialog))
    }

    fn dialog_mut(&mut self, origin: Origin) -> Option<&mut Box<dyn Dialog>> {
        let (Origin::Dialog(id) | Origin::Query(id)) = origin else {
            return None;
        };
        self.dialogs.iter_mut().find(|open| open.id == id).map(|open| &mut open.dialog)
    }

    fn mode(&self) -> Mode {
        match (self.top(), self.tab) {
            (Some(dialog), _) => dialog.mode(),
            (None, Tab::Tokens) => self.tokens.mode(),
            (None, Tab::Create) => self.create.mode(),
            (None, Tab::Detail) => Mode::Detail,
            (None, Tab::Audit) => Mode::Audit,
        }
    }

    fn enables(&self, action: Action) -> bool {
        let ctx = &self.model;
        if ctx.read_only && action.changes() {
            return false;
        }
        match (self.top(), self.tab) {
            (Some(dialog), _) => dialog.enables(action),
            (None, Tab::Tokens) => self.tokens.enables(action, ctx),
            (None, Tab::Create) => self.create.enables(action),
            (None, Tab::Detail) => self.detail.enables(action, ctx),
            (None, Tab::Audit) => true,
        }
    }

    /// What can be run here, or elsewhere.
    fn commands(&self) -> Vec<PaletteCommand> {
        let ctx = &self.model;
        let enabled = |action| self.enables(action);
        let mut all = commands(&ctx.keymap, self.mode(), enabled, ctx.theme.is_ascii());
        // A list of commands that offers itself leads nowhere.
        all.retain(|command| !matches!(command.action, Action::Help | Action::Palette));
        all.retain(|command| !(ctx.read_only && command.action.changes()));
        all
    }

    /// The command line that does what the dialog or tab with the keys would do, or shows what it
    /// shows.
    fn cli_equivalent(&self) -> Option<CommandLine> {
        let ctx = &self.model;
        let equivalent = match (self.top(), self.tab) {
            (Some(dialog), _) => of_request(&dialog.request(ctx)?, ctx),
            (None, Tab::Tokens) => Some(command_line::of_list(self.tokens.query())),
            (None, Tab::Create) => of_request(&self.create.request(ctx)?, ctx),
            (None, Tab::Detail) => ctx.token(&self.detail.id()?).map(command_line::of_token),
            (None, Tab::Audit) => self.audit.token().map(command_line::of_trail),
        };
        equivalent.map(|equivalent| equivalent.with(&self.options))
    }

    fn has_undelivered_secret(&self) -> bool {
        self.secrets.iter().any(SecretPanel::is_unclaimed)
    }

    /// The tab after this one, or the one before it.
    fn neighbour_tab(&self, forward: bool) -> Tab {
        let tabs = self.model.tabs();
        let at = tabs.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        let by = if forward { 1 } else { tabs.len().saturating_sub(1) };
        tabs.get((at + by) % tabs.len().max(1)).copied().unwrap_or_default()
    }

    /// The tokens whose records are looked at, with those of `pages` more on either side.
    fn looked_at(&self, pages: usize) -> Vec<TokenId> {
        let others = self.detail.id().into_iter().chain(self.model.first_unclaimed());
        self.tokens.wanted(pages).into_iter().chain(others).collect()
    }
}

/// The command line that does what `request` asks; `None` where only the app asks for it.
fn of_request(request: &ServiceRequest, ctx: &Model) -> Option<CommandLine> {
    match request {
        ServiceRequest::Preview(command) | ServiceRequest::Execute(command, _) => {
            command_line::of_command(command, |id| ctx.token(id))
        }
        ServiceRequest::Check(_, access) => Some(command_line::of_check(access)),
        ServiceRequest::Fetch(_)
        | ServiceRequest::Template(_)
        | ServiceRequest::History(_)
        | ServiceRequest::Json(_)
        | ServiceRequest::Trail => None,
    }
}
