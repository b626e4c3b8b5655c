//! The form before many tokens get new secrets: how long they last, how long the old secrets of
//! active ones go on working, and the new file that takes all secrets. Leads to the preview.

use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
};

use super::{
    Dialog,
    regenerate::{overlap_of, overlaps},
    text::paragraph,
};
use crate::{
    domain::{Command, Lifetime, TokenId},
    keymap::Action,
    output::question::count,
    tui::{
        app::{effect::Effect, service_request::ServiceRequest, view_context::ViewContext},
        widgets::{
            buttons,
            choice::Choice,
            field::Field,
            form::{self, Note, labelled},
            lifetime::LifetimeField,
            paint::{Pen, wrap},
            panel,
        },
    },
};

const TEXT: &str = "Each token gets a new secret and a new lifetime. All new secrets are saved to \
                    one new file (name, tab, secret on each line) before any old secret stops \
                    working. You will see the full list before anything changes.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Lifetime,
    Overlap,
    File,
    Buttons,
}

/// New secrets for many tokens, being asked for.
#[derive(Debug)]
pub struct BulkRegenerateDialog {
    ids: Vec<TokenId>,
    lifetime: LifetimeField,
    overlap: Choice,
    file: Field,
    focus: Focus,
    go: bool,
    fault: Option<String>,
}

impl BulkRegenerateDialog {
    /// The form on these tokens, with a file name that is not taken by an earlier use.
    pub fn new(ids: Vec<TokenId>, ctx: &ViewContext<'_>) -> Self {
        let wall = ctx.zone.wall(ctx.now).format("%Y%m%d-%H%M%S");
        Self {
            ids,
            lifetime: LifetimeField::new(ctx),
            overlap: overlaps(),
            file: Field::line(&format!("./secrets-{wall}.tsv")),
            focus: Focus::Lifetime,
            go: true,
            fault: None,
        }
    }

    fn go(&mut self, down: bool) {
        if self.focus == Focus::Lifetime && self.lifetime.go(down) {
            return;
        }
        self.focus = match (self.focus, down) {
            (Focus::Lifetime, true) | (Focus::File, false) => Focus::Overlap,
            (Focus::Overlap, true) | (Focus::Buttons, false) => Focus::File,
            (Focus::File | Focus::Buttons, true) => Focus::Buttons,
            (Focus::Lifetime | Focus::Overlap, false) => Focus::Lifetime,
        };
        if self.focus == Focus::Lifetime {
            self.lifetime.enter(down);
        }
    }

    fn submit(&mut self, ctx: &ViewContext<'_>) -> Option<Effect> {
        let Some(lifetime) = self.lifetime.submit(ctx) else {
            self.focus = Focus::Lifetime;
            self.lifetime.enter(false);
            return None;
        };
        let Some(command) = self.command(lifetime) else {
            self.focus = Focus::File;
            self.fault = Some("a file name is needed: the secrets must go somewhere".into());
            return None;
        };
        Some(Effect::request(ServiceRequest::Preview(command)))
    }

    /// The command that it describes; `None` while no file is named.
    fn command(&self, lifetime: Lifetime) -> Option<Command> {
        let file = self.file.text().trim().to_owned();
        (!file.is_empty()).then(|| Command::Regenerate {
            tokens: self.ids.clone(),
            lifetime,
            overlap: overlap_of(&self.overlap),
            secret_file: Some(file),
        })
    }
}

impl Dialog for BulkRegenerateDialog {
    fn update(&mut self, action: Action, ctx: &ViewContext<'_>) -> Option<Effect> {
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Accept if self.focus != Focus::Buttons => self.go(true),
            Action::Accept if !self.go => return Some(Effect::close()),
            Action::Accept | Action::Submit => return self.submit(ctx),
            Action::Cancel => return Some(Effect::close()),
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, buf: &mut Buffer, ctx: &ViewContext<'_>) -> Option<Position> {
        let look = &ctx.look;
        let wide = 66.min(area.width.saturating_sub(6));
        let words = paragraph(TEXT, wide);
        let said = u16::try_from(words.len()).unwrap_or(u16::MAX);
        let lifetime = self.lifetime.height(wide);
        let fault = self.fault.as_ref().map_or(0, |f| wrap(f, wide.saturating_sub(2)).len());
        let fields = lifetime + 3 + u16::try_from(fault).unwrap_or(0);
        let title = format!("Regenerate {}", count(self.ids.len(), "token"));
        let size = (wide, said + fields + 4);
        let inner = panel::draw(&title, size, false, area, buf, look);
        // Where it is low the words give way to the fields.
        let mut line = (said + 2).min(inner.height.saturating_sub(fields + 1));
        for (at, words) in (1..line).zip(&words) {
            Pen::at(buf, inner, at, look).text(words, look.text());
        }
        let mut cursor = {
            let field = (Focus::Lifetime as usize, self.focus == Focus::Lifetime);
            self.lifetime.draw(line, field, inner, buf, ctx)
        };
        line += lifetime;
        let focused = self.focus == Focus::Overlap;
        let place =
            labelled("Overlap", (Focus::Overlap as usize, focused), (line, 1), inner, buf, ctx);
        cursor = cursor.or(self.overlap.draw(place, buf, ctx, focused));
        let hint = "how long the old secrets of active ones still work";
        form::note(&Note::Hint(hint.into()), line + 1, inner, buf, look);
        line += 2;
        let focused = self.focus == Focus::File;
        let place =
            labelled("New file", (Focus::File as usize, focused), (line, 1), inner, buf, ctx);
        cursor = cursor.or(self.file.draw(place, buf, look, focused));
        if let Some(fault) = &self.fault {
            form::fault(fault, line + 1, inner, buf, look);
        }
        let chosen = (self.focus == Focus::Buttons).then_some(usize::from(self.go));
        let last =
            Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
        cursor.or(buttons::draw(&["Cancel", "Preview"], chosen, last, buf, ctx))
    }

    fn text(&mut self, key: KeyEvent) {
        let changed = match self.focus {
            Focus::Lifetime => self.lifetime.press(key),
            Focus::Overlap => self.overlap.press(key),
            Focus::File => self.file.press(key),
            Focus::Buttons => {
                let turn = matches!(key.code, KeyCode::Left | KeyCode::Right);
                self.go ^= turn;
                turn
            }
        };
        if changed {
            self.fault = None;
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        match self.focus {
            Focus::Lifetime => self.lifetime.paste(text),
            Focus::File => {
                self.file.paste(text);
                true
            }
            Focus::Overlap | Focus::Buttons => false,
        }
    }

    fn focus_field(&mut self, field: usize) {
        let fields = [Focus::Overlap, Focus::File];
        let focus = fields.into_iter().find(|focus| *focus as usize == field);
        self.focus = focus.unwrap_or(Focus::Lifetime);
        self.lifetime.focus_field(field);
    }

    fn request(&self, ctx: &ViewContext<'_>) -> Option<ServiceRequest> {
        self.command(self.lifetime.named(ctx)?).map(ServiceRequest::Preview)
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
