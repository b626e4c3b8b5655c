//! Form for regenerating tokens: the lifetime, the overlap and, for several tokens, the file for
//! the new secrets. For one token, submitting the form executes the command. For several tokens, it
//! opens the preview.

use ratatui::layout::{Position, Rect};

use super::{
    Dialog,
    shared_text::{last_use_sentence, short_last_use, wrap_paragraph},
};
use crate::{
    domain::counted,
    domain::{Command, ConfirmationProof, Plan, SecretOverlap, Status, TokenId},
    output::question::{overlap_effect, question},
    tui::{
        app::{effect::Effect, model::Model, service_request::ServiceRequest},
        widgets::{
            canvas::{Canvas, wrap},
            form::{self, Form, FormField, FormFocus, FormInput as _, FormSpacing},
            lifetime_field::LifetimeField,
            offscreen_canvas::OffscreenCanvas,
            panel,
            radio_group::RadioGroup,
            text_input::TextInput,
        },
    },
};

const MANY_TEXT: &str = "Each token gets a new secret and lifetime. All new secrets are saved to \
                         one new file (name, tab, secret on each line) before any old secret stops \
                         working. You will see the full list before anything changes.";
/// Replaces `MANY_TEXT` if there is not enough height.
const SHORT_MANY_TEXT: &str = "You will see the full list before anything changes.";

/// Index of the lifetime input, which can have a fault.
const LIFETIME: usize = 0;
/// Index of the file input, which can have a fault.
const FILE: usize = 2;

/// A form for regenerating one token or several.
#[derive(Debug)]
pub struct RegenerateDialog {
    tokens: Vec<TokenId>,
    /// The confirmation of the plan for one token, which the form shows. `None` for several tokens,
    /// because a preview shows their plan first.
    confirmed: Option<ConfirmationProof>,
    title: String,
    text: Vec<String>,
    /// The text that replaces `text` if there is not enough height.
    short_text: String,
    lifetime: LifetimeField,
    /// The choice of the overlap. `None` for one token that is not active, because such a token has
    /// no working secret.
    overlap: Option<RadioGroup>,
    /// The path of the new file for the secrets of several tokens.
    file: Option<TextInput>,
    focus: FormFocus,
    fault: Option<String>,
}

impl RegenerateDialog {
    /// The form for one token. It shows the consequence from `plan` above its fields.
    pub fn one(plan: &Plan, ctx: &Model) -> Self {
        let token = plan.changes.first().and_then(|change| change.before.token());
        let active = token.is_some_and(|token| token.status(plan.at) == Status::Active);
        let is_early = token.is_some_and(|token| token.status(plan.at) == Status::NotYetValid);
        let consequence = if is_early {
            "The token gets a new secret and lifetime; its start and everything else stay. The old \
             secret will never be valid."
        } else if active {
            "The token gets a new secret and lifetime; everything else stays: id, scopes, limits, \
             labels, owner."
        } else {
            "The token gets a new secret and lifetime and becomes active again; everything else stays: \
             id, scopes, limits, labels, owner. The old secret can't be restored."
        };
        let status = token.map_or("", |token| token.status(plan.at).as_str());
        let last_used = token.map(|token| last_use_sentence(token, ctx));
        let previous = overlap_effect(plan, |at| ctx.detailed_time(at));
        let ended = previous.as_ref().map(|_| "The old secret stops working, too.".to_owned());
        let short_use = token.map(|token| short_last_use(token, ctx));
        let lifetime = match &plan.command {
            Command::Regenerate { lifetime: Some(lifetime), .. } => *lifetime,
            _ => ctx.policy.default_lifetime,
        };
        Self {
            tokens: plan.ids(),
            confirmed: Some(plan.confirm()),
            title: format!("{} ({status})?", question(plan).trim_end_matches('?')),
            short_text: ended.into_iter().chain(short_use).collect::<Vec<_>>().join(" "),
            text: [consequence.to_owned()].into_iter().chain(previous).chain(last_used).collect(),
            lifetime: LifetimeField::with_lifetime(lifetime, ctx),
            overlap: active.then(overlaps),
            file: None,
            focus: FormFocus::default(),
            fault: None,
        }
    }

    /// The form for several tokens. The suggested file name contains the time, so a file with that
    /// name is unlikely to exist.
    pub fn many(tokens: Vec<TokenId>, ctx: &Model) -> Self {
        let wall = ctx.zone.wall_time(ctx.now).format("%Y%m%d-%H%M%S");
        Self {
            title: format!("Regenerate {}", counted(tokens.len(), "token")),
            tokens,
            confirmed: None,
            text: vec![MANY_TEXT.to_owned()],
            short_text: SHORT_MANY_TEXT.to_owned(),
            lifetime: LifetimeField::keeping(ctx),
            overlap: Some(overlaps()),
            file: Some(TextInput::single_line(&format!("./secrets-{wall}.tsv"))),
            focus: FormFocus { index: LIFETIME, is_on_submit: true },
            fault: None,
        }
    }

    /// The selected overlap. `None` if the dialog does not offer one.
    fn selected_overlap(&self) -> Option<SecretOverlap> {
        let choice = self.overlap.as_ref()?;
        SecretOverlap::ALL.get(choice.selected_index()).copied()
    }

    /// What the selected overlap does to the current secrets. During an overlap, a token also has an
    /// old one.
    fn overlap_hint(&self) -> String {
        let is_one = self.confirmed.is_some();
        let subject =
            if is_one { "The current secret" } else { "Current secrets of active tokens" };
        match self.selected_overlap().unwrap_or_default() {
            SecretOverlap::None if is_one => format!("{subject} stops working immediately"),
            SecretOverlap::None => format!("{subject} stop working immediately"),
            overlap if is_one => format!("{subject} keeps working for {}", overlap.as_str()),
            overlap => format!("{subject} keep working for {}", overlap.as_str()),
        }
    }

    fn inputs(&mut self) -> Form<'_> {
        let hint = self.overlap_hint();
        let mut fields = vec![FormField::new("Lifetime *", &mut self.lifetime).with_note(None, "")];
        let overlap = self.overlap.as_mut();
        fields.extend(overlap.map(|it| FormField::new("Overlap", it).with_note(None, hint)));
        fields.extend(self.file.as_mut().map(|file| FormField::new("New file", file)));
        let buttons = buttons(self.confirmed.is_some());
        Form { focus: &mut self.focus, fields, buttons }
    }
}

/// The buttons of the form for one token or for several ones.
fn buttons(is_one: bool) -> &'static [&'static str] {
    if is_one { &["Cancel", "Regenerate"] } else { &["Cancel", "Preview"] }
}

/// Radio buttons for the time for which a previous secret keeps working.
fn overlaps() -> RadioGroup {
    let words = SecretOverlap::ALL.map(|overlap| match overlap {
        SecretOverlap::None => "none",
        other => other.as_str(),
    });
    RadioGroup::new(words, 0)
}

impl Dialog for RegenerateDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.inputs())
    }

    fn buttons(&self) -> &[&'static str] {
        buttons(self.confirmed.is_some())
    }

    fn cancel(&mut self) -> Option<Effect> {
        Some(Effect::cancel("Not regenerated."))
    }

    fn submit(&mut self, ctx: &Model) -> Option<Effect> {
        if self.lifetime.submit(ctx).is_none() && !self.lifetime.keeps_last() {
            self.focus.index = LIFETIME;
            self.lifetime.enter(false);
            return None;
        }
        let request = self.request(ctx);
        if request.is_none() {
            self.focus.index = FILE;
            self.show_fault("Enter a file name for the new secrets".into());
        }
        request.map(Effect::request)
    }

    fn on_edit(&mut self) {
        self.fault = None;
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let wide = 66.min(area.width.saturating_sub(6));
        let lines: Vec<_> =
            self.text.iter().flat_map(|text| wrap_paragraph(text, wide, theme)).collect();
        let text = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let fault = self.fault.as_ref().map_or(0, |f| wrap(f, wide.saturating_sub(2), theme).len());
        let fields = self.inputs().height(wide, FormSpacing::default(), ctx);
        let fields = fields + u16::try_from(fault).unwrap_or(0);
        let size = (wide, text + fields + 4);
        let inner = panel::draw(&self.title, size, self.confirmed.is_some(), area, canvas);
        // If there is not enough height, a shorter text replaces the text. It is never cut: it
        // scrolls with the fields.
        let room = inner.height.saturating_sub(fields + 1);
        let is_short = room < text + 1;
        let lines = if is_short { wrap(&self.short_text, wide, theme) } else { lines };
        let text = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let top = if is_short { (text + 1).min(room).max(text) } else { (text + 2).min(room) };
        let first = if is_short { top - text } else { 1 };
        let mut offscreen_canvas = OffscreenCanvas::new(inner, top + fields + 1, ctx);
        let (inner, page) = (offscreen_canvas.content.area, &mut offscreen_canvas.canvas(ctx));
        for (at, words) in (first..top).zip(&lines) {
            page.line(inner, at).text(words, theme.text());
        }
        let form = self.inputs();
        let (line, cursor) = form.draw(FormSpacing { top, ..FormSpacing::default() }, inner, page);
        let cursor = cursor.or(form.draw_buttons(inner, page));
        if let Some(fault) = &self.fault {
            form::draw_fault(fault, line, inner, page);
        }
        offscreen_canvas.blit(cursor, canvas)
    }

    /// The command to execute or preview. `None` while the lifetime or file name is invalid.
    fn request(&self, ctx: &Model) -> Option<ServiceRequest> {
        let chosen = self.lifetime.valid_lifetime(ctx);
        if chosen.is_none() && !self.lifetime.keeps_last() {
            return None;
        }
        let overlap = self.selected_overlap();
        let secret_file = self.file.as_ref().map(|file| file.text().trim().to_owned());
        if secret_file.as_ref().is_some_and(String::is_empty) {
            return None;
        }
        let (tokens, overlap) = (self.tokens.clone(), overlap.unwrap_or_default());
        let command = Command::Regenerate { tokens, lifetime: chosen, overlap, secret_file };
        Some(match &self.confirmed {
            Some(confirmed) => ServiceRequest::Execute(command, confirmed.clone()),
            None => ServiceRequest::Preview(command),
        })
    }

    fn show_fault(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
