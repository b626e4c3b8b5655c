//! Dialog for entering scopes: for one token, for several, or for a row of the create form. The
//! dialog describes what the new scopes allow and which existing scopes they replace.

use crate::tui::widgets::canvas::Canvas;
use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::counted,
    domain::{
        Command, Scope, Scopes, Token, TokenId,
        describe_scopes::{describe_scopes, wildcard_warning},
    },
    keymap::Action,
    tui::{
        app::{
            effect::{Effect, UiChange},
            model::Model,
            service_request::{Response, ServiceRequest},
        },
        theme::Theme,
        widgets::{
            canvas::wrap,
            form::{self, Form},
            scope_fields::ScopeFields,
        },
    },
};

/// Number of lines reserved for the summary and warning, or for the fault.
const SUMMARY_LINES: u16 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
enum ScopeTarget {
    Token(TokenId),
    /// The changes in the detail that are not applied yet.
    Changes,
    Tokens(Vec<TokenId>),
    FormRow(Option<usize>),
}

/// A dialog for the scopes on one entity: one scope for each selected operation, or one scope
/// for every operation (`*`).
#[derive(Debug)]
pub struct ScopeDialog {
    title: String,
    verb: &'static str,
    target: ScopeTarget,
    existing: Scopes,
    fields: ScopeFields,
    fault: Option<String>,
}

impl ScopeDialog {
    /// A dialog that adds scopes to `token`. It starts with the entity type, the entity and the domain
    /// of the scope `near`.
    pub fn add(token: &Token, near: Option<&Scope>, ctx: &Model) -> Self {
        let fields = ScopeFields::for_more_scopes(&ctx.policy.catalogue, near);
        Self { fields, ..Self::add_missing(token, &[], ctx) }
    }

    /// A dialog that adds scopes to `token`, filled in with `scopes`.
    pub fn add_missing(token: &Token, scopes: &[Scope], ctx: &Model) -> Self {
        let title = format!("Add scopes to {}", token.name);
        Self {
            existing: token.scopes.clone(),
            ..Self::new(title, "Add", ScopeTarget::Token(token.id), scopes, ctx)
        }
    }

    /// Makes the dialog add the scopes to the changes of `token` in the detail that are not applied yet.
    /// With these, the token will have the scopes `existing`.
    #[must_use]
    pub fn for_changes(self, token: &Token, existing: Scopes) -> Self {
        let title = format!("Add scopes to the changes of {}", token.name);
        Self { title, existing, target: ScopeTarget::Changes, ..self }
    }

    /// A dialog that adds scopes to several tokens after a preview.
    pub fn add_to_many(ids: Vec<TokenId>, ctx: &Model) -> Self {
        let title = format!("Add scopes to {}", counted(ids.len(), "token"));
        Self::new(title, "Preview", ScopeTarget::Tokens(ids), &[], ctx)
    }

    /// A dialog that edits row `row` of the create form, which contains `scopes`. If `row` is
    /// `None`, the dialog adds a row.
    pub fn row(row: Option<usize>, scopes: &[Scope], ctx: &Model) -> Self {
        let verb = if row.is_some() { "Change" } else { "Add" };
        Self::new(format!("{verb} scopes"), verb, ScopeTarget::FormRow(row), scopes, ctx)
    }

    fn new(
        title: String,
        verb: &'static str,
        target: ScopeTarget,
        scopes: &[Scope],
        ctx: &Model,
    ) -> Self {
        let fields = ScopeFields::for_scopes(&ctx.policy.catalogue, scopes);
        Self { title, verb, target, existing: Scopes::default(), fields, fault: None }
    }

    /// Returns the request that adds `scopes`, or `None` if the scopes go to another screen.
    fn request_for(&self, scopes: Vec<Scope>) -> Option<ServiceRequest> {
        match &self.target {
            ScopeTarget::Token(id) => {
                let command = Command::AddScopes { tokens: vec![*id], scopes };
                Some(ServiceRequest::execute(command))
            }
            ScopeTarget::Tokens(ids) => {
                let command = Command::AddScopes { tokens: ids.clone(), scopes };
                Some(ServiceRequest::Preview(command))
            }
            ScopeTarget::FormRow(_) | ScopeTarget::Changes => None,
        }
    }

    /// What the scopes allow, and the warning about `*`. `None` while the fields are not valid.
    fn summary(&self) -> Option<(String, Option<String>)> {
        // `valid_scopes` checks the fields without showing faults.
        let scopes = self.fields.valid_scopes()?;
        let mut summary = describe_scopes(&scopes);
        let mut existing = self.existing.clone();
        let absorbed: usize = scopes
            .iter()
            .filter_map(|scope| existing.add(scope.clone()).ok())
            .map(|added| added.absorbed.len())
            .sum();
        if absorbed > 0 {
            summary = format!("{summary}; replaces {}", counted(absorbed, "narrower scope"));
        }
        Some((summary, wildcard_warning(&scopes)))
    }

    fn fault(&self) -> Option<&str> {
        self.fault.as_deref().or(self.fields.hidden_fault())
    }

    /// The number of lines that the fault or the summary needs.
    fn summary_height(&self, columns: u16, theme: &Theme) -> u16 {
        let lines = |text: &str, most: u16| {
            u16::try_from(wrap(text, columns, theme).len()).unwrap_or(most).min(most)
        };
        if let Some(fault) = self.fault() {
            return lines(&format!("  {fault}"), SUMMARY_LINES);
        }
        self.summary().map_or(0, |(summary, warning)| {
            lines(&summary, SUMMARY_LINES - 1) + u16::from(warning.is_some())
        })
    }

    fn draw_summary(&self, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = &canvas.ctx.theme;
        let Some((summary, warning)) = self.summary() else { return };
        let next =
            form::draw_wrapped(&summary, (line, SUMMARY_LINES - 1), theme.good, area, canvas);
        if let Some(warning) = warning {
            form::draw_warning(&warning, next, area, canvas);
        }
    }
}

impl Dialog for ScopeDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.fields.form(std::slice::from_ref(&self.verb)))
    }

    fn buttons(&self) -> &[&'static str] {
        std::slice::from_ref(&self.verb)
    }

    fn submit(&mut self, _: &Model) -> Option<Effect> {
        let scopes = self.fields.validate()?;
        match self.target {
            ScopeTarget::FormRow(row) => Some(Effect::Ui(UiChange::FillScopes { row, scopes })),
            ScopeTarget::Changes => Some(Effect::Ui(UiChange::AddToChanges(scopes))),
            ScopeTarget::Token(_) | ScopeTarget::Tokens(_) => {
                self.request_for(scopes).map(Effect::request)
            }
        }
    }

    fn on_edit(&mut self) {
        self.fault = None;
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let columns = 70.min(area.width.saturating_sub(6));
        let used = self.summary_height(columns, &canvas.ctx.theme) + 1;
        let lines = (SUMMARY_LINES + 1, used);
        let (inner, line, cursor) = self.fields.draw_panel(&self.title, lines, area, canvas);
        match self.fault() {
            Some(fault) => {
                let above = Rect { height: inner.height.saturating_sub(1), ..inner };
                form::draw_fault(fault, line, above, canvas);
            }
            None => self.draw_summary(line, inner, canvas),
        }
        let form = self.fields.form(std::slice::from_ref(&self.verb));
        cursor.or(form.draw_buttons(inner, canvas))
    }

    /// Disables [`Action::CopyCommand`] for scopes that go to another screen, because that is no command.
    fn enables(&self, action: Action) -> bool {
        let is_command = matches!(self.target, ScopeTarget::Token(_) | ScopeTarget::Tokens(_));
        action != Action::CopyCommand || is_command
    }

    fn text(&mut self, key: KeyEvent) {
        if self.fields.press(key) {
            self.on_edit();
        }
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        self.request_for(self.fields.valid_scopes()?)
    }

    /// The entities in use, which the entity input suggests.
    fn query(&self) -> Option<ServiceRequest> {
        self.fields.entity_type().map(ServiceRequest::EntitiesInUse)
    }

    fn deliver(&mut self, response: Response) -> Option<Response> {
        match response {
            Response::EntitiesInUse(entity_type, entities) => {
                self.fields.set_used_entities(entity_type, entities);
                None
            }
            other => Some(other),
        }
    }

    fn show_fault(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
