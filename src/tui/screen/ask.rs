//! A dialog with two buttons, Cancel first: says what will happen and asks for it. Refuses
//! nothing itself; shows the refusal of what it asked for.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::{LastUse, Pat, Scope, Status, TokenId, Which},
    keymap::Action,
    output::advice,
    service::ServiceError,
    tui::{
        effect::Effect,
        step::Step,
        view::View,
        when,
        widget::{
            buttons,
            paint::{Pen, wrap},
            panel,
        },
    },
};

/// A question with its consequence.
#[derive(Debug)]
pub struct Ask {
    title: String,
    text: Vec<String>,
    verb: &'static str,
    effect: Effect,
    go: bool,
    fault: Option<String>,
}

impl Ask {
    fn new(title: String, text: Vec<String>, verb: &'static str, effect: Effect) -> Self {
        Self { title, text, verb, effect, go: false, fault: None }
    }

    /// Whether to revoke `pat`.
    pub fn revoke(pat: &Pat, view: &View<'_>) -> Self {
        let mut text = vec![
            "From the moment you confirm, every check of its secret is denied, everywhere."
                .to_owned(),
            "There is no way to bring this secret back. The token keeps its name and scopes; \
             regenerating it later makes a new secret."
                .to_owned(),
            String::new(),
            last_used(pat, view),
        ];
        if pat.status(view.now) == Status::Expired {
            text.push("It is expired already; revoking says that it was ended on purpose.".into());
        }
        Self::new(format!("Revoke {}?", pat.name), text, "Revoke", Effect::Revoke(pat.id))
    }

    /// Whether to end the retiring secret of `pat` before its time.
    pub fn end_overlap(pat: &Pat, view: &View<'_>) -> Self {
        let mut text = vec![
            "From the moment you confirm, every check of the old secret is denied. The new one \
             goes on working."
                .to_owned(),
            "Who still has the old one must have been given the new one by now.".to_owned(),
            String::new(),
            pat.used_by(Which::Retiring).map_or_else(
                || "The old secret was not used since the rotation.".to_owned(),
                |used| format!("The old secret was last used {}.", use_of(used, view)),
            ),
        ];
        if !pat.is_in_use() {
            text.push("The new secret was not used yet.".to_owned());
        }
        let title = format!("End the old secret of {}?", pat.name);
        Self::new(title, text, "End it", Effect::EndOverlap(pat.id))
    }

    /// Whether to take `scope` from `pat`.
    pub fn remove_scope(pat: &Pat, scope: &Scope) -> Self {
        let text = vec![
            format!(
                "It may no longer {} on {} {}, from the moment you confirm.",
                scope.operation, scope.entity_type, scope.entity
            ),
            "u puts it back.".to_owned(),
        ];
        let effect = Effect::RemoveScope(pat.id, scope.clone());
        Self::new(format!("Remove a scope from {}?", pat.name), text, "Remove", effect)
    }

    /// Whether to take every scope from `pat`.
    pub fn clear_scopes(pat: &Pat, view: &View<'_>) -> Self {
        let text = vec![
            format!(
                "All {} are removed. The token stays {}, but every operation is denied until \
                 you add scopes again, or put these back with u.",
                counted(pat.scopes.len(), "scope"),
                pat.status(view.now).word()
            ),
            String::new(),
            last_used(pat, view),
        ];
        let title = format!("Remove every scope from {}?", pat.name);
        Self::new(title, text, "Remove all", Effect::ClearScopes(pat.id))
    }

    /// Whether to fill the create form in like token `id`, though it holds a draft.
    pub fn replace_draft(id: TokenId) -> Self {
        let text =
            vec!["What you have typed there so far is thrown away. Cancel keeps it, and 2 goes back to it.".to_owned()];
        let title = "The create form holds a draft".to_owned();
        Self::new(title, text, "Throw it away", Effect::Like(id))
    }

    /// What it asks for.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, _: &View<'_>) -> Step {
        match action {
            Action::NextField | Action::PreviousField => {
                self.go = !self.go;
                Step::Changed
            }
            Action::Submit => Step::Do(self.effect.clone()),
            Action::Accept if self.go => Step::Do(self.effect.clone()),
            Action::Accept | Action::Cancel => Step::Close,
            _ => Step::Ignored,
        }
    }

    /// It has no text.
    pub fn on_text(&mut self, _: KeyEvent, _: &View<'_>) -> Step {
        Step::Ignored
    }

    /// Shows why what it asked for was refused.
    pub fn refuse(&mut self, error: &ServiceError) {
        self.fault = Some(advice::message(error));
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let wide = 64.min(area.width.saturating_sub(6));
        let text = self.text.iter().flat_map(|text| paragraph(text, wide));
        let mut lines: Vec<_> = text.map(|line| (line, look.text())).collect();
        if let Some(fault) = &self.fault {
            let fault = format!("{} {fault}", look.fault());
            lines.push((String::new(), look.text()));
            lines.extend(paragraph(&fault, wide).into_iter().map(|line| (line, look.danger())));
        }
        let body = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let inner = panel::draw(&self.title, (wide, body.saturating_add(3)), true, area, buf, look);
        let last = inner.height.saturating_sub(1);
        // Where it is low the empty line above the words goes first.
        let top = u16::from(body + 3 <= inner.height);
        for (at, (line, style)) in (top..last).zip(&lines) {
            Pen::at(buf, inner, at, look).text(line, *style);
        }
        let last =
            Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
        buttons::draw(&["Cancel", self.verb], Some(usize::from(self.go)), last, buf, view)
    }
}

/// A paragraph in lines of `wide` columns; an empty one is an empty line.
pub(super) fn paragraph(text: &str, wide: u16) -> Vec<String> {
    if text.is_empty() { vec![String::new()] } else { wrap(text, wide) }
}

/// When it was last used, as a sentence: what a destruction would break.
pub(super) fn last_used(pat: &Pat, view: &View<'_>) -> String {
    pat.last_use().map_or_else(
        || "It was never used.".to_owned(),
        |used| format!("Last used {}.", use_of(used, view)),
    )
}

/// When, from where and what for, as it stands in a sentence.
fn use_of(used: &LastUse, view: &View<'_>) -> String {
    format!("{}: {}", whence(used, view), used.what)
}

/// When and from where: `2 min ago from 10.0.0.7`.
pub(super) fn whence(used: &LastUse, view: &View<'_>) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}", when::relative(used.at, view.now))
}

/// `1 scope`, `3 scopes`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
