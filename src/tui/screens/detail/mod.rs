//! Details of one token: head with the status and its actions, facts, the scopes as a matrix, and
//! events. Turns actions into effects. Shown beside the list if there is room, else as a tab.

mod event_section;
mod fact_columns;
mod facts;
mod head;
mod scope_edit;
mod scope_section;
mod scope_table;
mod sections;

use ratatui::layout::Rect;

use self::{
    event_section::{EventRow, event_rows},
    head::deny_reason,
    scope_edit::{ScopeEdit, discard_warning, no_scope_warning},
    scope_table::{ScopeTable, TableForm},
};
use super::token_actions::{preview, token_effect};
use crate::{
    domain::{
        AuditEvent, Command, DeniedAttempts, Scope, Scopes, ScopesToRemove, Token, TokenId,
        UsageDays,
    },
    keymap::{Action, HintChange, Mode},
    tui::{
        app::{
            effect::{Effect, Tab, UiChange},
            model::Model,
        },
        dialogs::{scope_preset::ScopePresetDialog, scopes::ScopeDialog},
        widgets::{
            canvas::{Canvas, width, wrap},
            list_selection::ListSelection,
        },
    },
};

/// Which component receives key input while the detail screen is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReceiver {
    Detail,
    /// The list beside the detail screen.
    List,
    /// A dialog over the screen.
    Overlay,
}

/// The part of the screen that takes the whole height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Zoom {
    #[default]
    None,
    Facts,
    /// The section with the cursor.
    Section,
}

#[derive(Debug, Default)]
pub struct DetailScreen {
    id: Option<TokenId>,
    /// The selected row. The rows of the scopes come first, then those of the events.
    cursor: ListSelection,
    /// The column of the matrix that the operator chose. `None` until the first choice.
    column: Option<usize>,
    form: TableForm,
    /// The changes of scopes that the operator has not applied yet.
    scope_edit: ScopeEdit,
    /// Whether the operator was warned that leaving discards these changes.
    has_warned: bool,
    /// Whether the matrix was too wide for the last frame.
    is_narrow: bool,
    zoom: Zoom,
    /// Whether the last frame had no room for all facts.
    hides_facts: bool,
    /// The first visible line of the zoomed facts.
    fact_view: ListSelection,
    /// The number of lines that can be the first visible line of the zoomed facts.
    fact_tops: usize,
    scope_view: ListSelection,
    event_view: ListSelection,
    events: Vec<AuditEvent>,
    days: UsageDays,
    denied: DeniedAttempts,
}

impl DetailScreen {
    pub fn id(&self) -> Option<TokenId> {
        self.id
    }

    /// Shows the token `id`. If another token was shown before, no events are shown until `deliver`
    /// is called. Pending changes of scopes are kept.
    pub fn show(&mut self, id: Option<TokenId>) {
        if self.id != id {
            let scope_edit = std::mem::take(&mut self.scope_edit);
            *self = Self { id, form: self.form, scope_edit, ..Self::default() };
        }
    }

    /// Shows the events of the token `id`, newest first, its numbers of uses and its denied attempts.
    /// Does nothing if another token is shown.
    pub fn deliver(
        &mut self,
        id: TokenId,
        events: Vec<AuditEvent>,
        days: UsageDays,
        denied: DeniedAttempts,
    ) {
        if self.id == Some(id) {
            self.events = events;
            self.days = days;
            self.denied = denied;
        }
    }

    /// A token with changes of scopes that are not applied.
    pub fn unapplied(&self, ctx: &Model) -> Option<TokenId> {
        self.scope_edit.unapplied(ctx)
    }

    /// Whether the shown token has changes of scopes that are not applied.
    pub fn has_marks(&self, ctx: &Model) -> bool {
        self.token(ctx).is_some_and(|token| self.scope_edit.has_changes(token))
    }

    fn event_rows(&self, token: &Token, ctx: &Model) -> Vec<EventRow> {
        event_rows(token, &self.events, &self.denied, ctx)
    }

    fn token<'a>(&self, ctx: &'a Model) -> Option<&'a Token> {
        self.id.and_then(|id| ctx.token(&id))
    }

    fn table(&self, token: &Token, ctx: &Model) -> ScopeTable {
        self.table_in_form(token, if self.is_narrow { TableForm::List } else { self.form }, ctx)
    }

    fn table_in_form(&self, token: &Token, form: TableForm, ctx: &Model) -> ScopeTable {
        let pending = self.scope_edit.pending(token);
        ScopeTable::new(&token.scopes, &pending, &ctx.policy.catalogue, form)
    }

    /// The cell with the cursor; `None` if the cursor is in the events, or if only facts are shown.
    fn cell(&self, table: &ScopeTable) -> Option<(usize, usize)> {
        let row = self.cursor.selected();
        (row < table.row_count() && self.zoom != Zoom::Facts)
            .then(|| (row, table.column(row, self.column)))
    }

    pub fn enables(&self, action: Action, ctx: &Model) -> bool {
        let Some(token) = self.token(ctx) else {
            return matches!(
                action,
                Action::Back
                    | Action::New
                    | Action::Undo
                    | Action::Help
                    | Action::Quit
                    | Action::NextTab
            );
        };
        let cell = || self.cell(&self.table(token, ctx));
        match action {
            Action::Revoke => !token.status(ctx.now).is_ended(),
            Action::EndOverlap => token.has_overlap(ctx.now),
            Action::ClearScopes | Action::ScopeForm => !token.scopes.is_empty(),
            Action::RemoveScope | Action::ToggleCell | Action::ToggleRow => cell().is_some(),
            Action::ToggleColumn => {
                !self.is_narrow && self.form == TableForm::Matrix && cell().is_some()
            }
            Action::Submit => self.scope_edit.has_changes(token),
            // The line above the footer says that the key discards the changes.
            Action::Back => !self.scope_edit.has_changes(token),
            Action::NextCell | Action::PreviousCell => !self.is_narrow && cell().is_some(),
            _ => true,
        }
    }

    /// The footer says what the zoom key does next.
    pub fn hint_change(&self, action: Action) -> Option<HintChange> {
        match (action, self.zoom) {
            (Action::Zoom, Zoom::None) if self.hides_facts => Some(HintChange::new("all facts", 9)),
            (Action::Zoom, Zoom::Facts) => Some(HintChange::new("zoom section", 1)),
            (Action::Zoom, Zoom::Section) => Some(HintChange::new("show all", 9)),
            (Action::Back, Zoom::Facts | Zoom::Section) => Some(HintChange::new("show all", 2)),
            _ => None,
        }
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        let has_warned = std::mem::take(&mut self.has_warned);
        match action {
            Action::Back => return self.go_back(has_warned, ctx),
            Action::New => return Some(Effect::Ui(UiChange::GoTo(Tab::Create))),
            _ => {}
        }
        let token = self.token(ctx)?;
        let table = self.table(token, ctx);
        let moved = if self.zoom == Zoom::Facts {
            self.fact_view.apply_movement(action, self.fact_tops)
        } else {
            let count = table.row_count() + self.event_rows(token, ctx).len();
            self.cursor.apply_movement(action, count)
        };
        if moved.is_some() {
            return None;
        }
        match action {
            Action::Open => None,
            Action::ToggleCell | Action::ToggleRow | Action::ToggleColumn => {
                self.toggle_scopes(action, token, &table, ctx)
            }
            Action::Submit => Some(self.apply_scopes(token, ctx)),
            Action::NextCell | Action::PreviousCell => {
                self.choose_cell(action == Action::NextCell, &table);
                None
            }
            Action::ScopeForm => self.switch_form(token, &table, ctx),
            Action::Zoom => {
                self.zoom = match self.zoom {
                    Zoom::None if self.hides_facts => Zoom::Facts,
                    Zoom::None | Zoom::Facts => Zoom::Section,
                    Zoom::Section => Zoom::None,
                };
                None
            }
            Action::RemoveScope | Action::ClearScopes if token.scopes.is_empty() => {
                let key = ctx.key(Mode::Detail, Action::AddScope);
                Some(Effect::warn(format!("{} has no scopes. Press {key} to add one.", token.name)))
            }
            Action::RemoveScope => {
                let Some(cell) = self.cell(&table) else {
                    return Some(no_scope_warning(action, ctx));
                };
                let scopes = table.removable(cell, &token.scopes);
                if scopes.is_empty() {
                    return None;
                }
                let scopes = ScopesToRemove::Listed(scopes);
                Some(preview(Command::RemoveScopes { tokens: vec![token.id], scopes }))
            }
            Action::ClearScopes => Some(preview(Command::RemoveScopes {
                tokens: vec![token.id],
                scopes: ScopesToRemove::All,
            })),
            _ => {
                let scope = self.cell(&table).and_then(|(row, column)| table.scope(row, column));
                self.token_effect(action, token, scope.as_ref(), ctx)
            }
        }
    }

    /// New scopes join the changes that are not applied yet. All other actions are those of the list.
    fn token_effect(
        &self,
        action: Action,
        token: &Token,
        scope: Option<&Scope>,
        ctx: &Model,
    ) -> Option<Effect> {
        match (action, self.changed_scopes(token)) {
            (Action::AddScope, Some(scopes)) => {
                let dialog = ScopeDialog::add(token, scope, ctx).for_changes(token, scopes);
                Some(Effect::open(dialog))
            }
            (Action::Preset, Some(scopes)) => {
                Some(Effect::open(ScopePresetDialog::add_to_changes(token, scopes, ctx)))
            }
            _ => token_effect(action, token, scope, ctx),
        }
    }

    /// Adds `scopes` to the changes that are not applied yet. The error says why there is nothing to
    /// add.
    pub fn add_to_changes(&mut self, scopes: &[Scope], ctx: &Model) -> Result<(), String> {
        match self.id.and_then(|id| ctx.token(&id)) {
            Some(token) => self.scope_edit.add(scopes, token, &ctx.policy.catalogue),
            None => Err("The token was deleted".to_owned()),
        }
    }

    /// The scopes of `token` with the changes that are not applied yet; `None` without such changes.
    fn changed_scopes(&self, token: &Token) -> Option<Scopes> {
        let has_changes = self.scope_edit.has_changes(token);
        has_changes.then(|| self.scope_edit.pending(token).scopes_after(&token.scopes))
    }

    fn toggle_scopes(
        &mut self,
        action: Action,
        token: &Token,
        table: &ScopeTable,
        ctx: &Model,
    ) -> Option<Effect> {
        let Some((row, column)) = self.cell(table) else {
            return Some(no_scope_warning(action, ctx));
        };
        if self.form == TableForm::Matrix && !self.is_narrow {
            // Without a choice, the cursor would go to another cell that is granted.
            self.column = Some(column);
        }
        let scopes = match action {
            Action::ToggleRow => table.row_scopes(row),
            Action::ToggleColumn => table.column_scopes(column),
            _ => vec![table.scope(row, column)?],
        };
        self.scope_edit.toggle(&scopes, token, &ctx.policy.catalogue)
    }

    fn apply_scopes(&self, token: &Token, ctx: &Model) -> Effect {
        self.scope_edit.command(token).map_or_else(
            || {
                let key = ctx.key(Mode::Detail, Action::ToggleCell);
                Effect::warn(format!("No changes to apply. {key} adds or removes a scope."))
            },
            preview,
        )
    }

    /// Discards the pending changes of scopes if the operator was warned, ends the zoom, or leaves the
    /// detail.
    fn go_back(&mut self, has_warned: bool, ctx: &Model) -> Option<Effect> {
        if let Some(token) = self.token(ctx).filter(|token| self.scope_edit.has_changes(token)) {
            if has_warned {
                self.scope_edit.discard(token);
                return Some(Effect::info("Discarded the changes of the scopes."));
            }
            self.has_warned = true;
            return Some(discard_warning(ctx));
        }
        if std::mem::take(&mut self.zoom) != Zoom::None {
            return None;
        }
        Some(Effect::Ui(UiChange::LeaveDetail))
    }

    fn choose_cell(&mut self, forward: bool, table: &ScopeTable) {
        if let Some((_, column)) = self.cell(table) {
            let last = table.column_count().saturating_sub(1);
            let next = if forward { column + 1 } else { column.saturating_sub(1) };
            self.column = Some(next.min(last));
        }
    }

    /// Switches between the matrix and one row for each scope. The cursor stays on the same scope.
    fn switch_form(&mut self, token: &Token, table: &ScopeTable, ctx: &Model) -> Option<Effect> {
        if self.is_narrow {
            return Some(Effect::warn("The table of operations needs a wider terminal."));
        }
        let scope = self.cell(table).and_then(|(row, column)| table.scope(row, column));
        self.form = match self.form {
            TableForm::Matrix => TableForm::List,
            TableForm::List => TableForm::Matrix,
        };
        let table = self.table(token, ctx);
        if let Some(scope) = scope {
            self.cursor.select(table.row_of(&scope));
        }
        None
    }

    /// The text about the selected cell or event, in at most `columns` columns if it can be
    /// shortened.
    pub fn explanation(&self, columns: u16, ctx: &Model) -> Option<String> {
        let token = self.token(ctx)?;
        let table = self.table(token, ctx);
        let Some((row, column)) = self.cell(&table) else {
            if self.zoom == Zoom::Facts {
                return None;
            }
            let event = self.cursor.selected().checked_sub(table.row_count())?;
            let rows = self.event_rows(token, ctx);
            return rows.get(event).map(|event| event.explanation(ctx));
        };
        let text = match deny_reason(token, ctx) {
            Some(reason) => format!("{reason}: every operation is denied."),
            None => table.explanation(row, column)?,
        };
        if let Some(pending) = self.scope_edit.hint(token, ctx) {
            let both = format!("{pending}. {text}");
            return Some(if width(&both) <= columns { both } else { format!("{pending}.") });
        }
        match text.split_once(';') {
            Some((first, _)) if width(&text) > columns => Some(format!("{first}.")),
            _ => Some(text),
        }
    }

    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>, focus: KeyReceiver) {
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        match self.token(canvas.ctx) {
            Some(token) => {
                self.scope_edit.rebase(token);
                self.draw_token(token, area, canvas, focus);
            }
            None => self.draw_no_token(area, canvas, focus),
        }
    }

    fn draw_no_token(&self, area: Rect, canvas: &mut Canvas<'_>, focus: KeyReceiver) {
        let ctx = canvas.ctx;
        let is_deleted = self.id.is_some_and(|id| ctx.is_gone(&id));
        let key = |action| ctx.key(Mode::Detail, action);
        let text = if self.id.is_some() && !is_deleted {
            String::new()
        } else if is_deleted {
            let (undo, back) = (key(Action::Undo), key(Action::Back));
            format!(
                "This token was deleted. Press {undo} to undo your last change, {back} to go back to the list."
            )
        } else if focus == KeyReceiver::List {
            "No token selected.".into()
        } else {
            let (list, open) = (key(Action::TokensTab), ctx.key(Mode::Tokens, Action::Open));
            format!("No token selected. Press {list} for the list, then {open} to open a token.")
        };
        canvas.text_lines(area, 1.., wrap(&text, area.width, &ctx.theme), ctx.theme.text());
    }
}
