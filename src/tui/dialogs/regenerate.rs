//! The form before tokens get new secrets: the new lifetime, how long the old secrets keep
//! working, and for several tokens the new file that takes all secrets. For one token it
//! executes the command; for several it leads to the preview.

use ratatui::layout::{Position, Rect};

use super::{
    Dialog,
    text::{last_used, paragraph},
};
use crate::{
    domain::counted,
    domain::{Command, Confirmed, Overlap, Plan, Status, TokenId},
    keymap::Action,
    output::question::question,
    tui::{
        app::{effect::Effect, model::Model, service_request::ServiceRequest},
        widgets::{
            field::Field,
            form::{self, Focus, Form, FormAction, FormField, FormInput as _, Layout},
            lifetime::LifetimeField,
            paint::{Canvas, wrap},
            panel,
            radio_group::RadioGroup,
            scroll_view::ScrollView,
        },
    },
};

const MANY_TEXT: &str = "Each token gets a new secret and a new lifetime. All new secrets are \
                         saved to one new file (name, tab, secret on each line) before any old \
                         secret stops working. You will see the full list before anything changes.";

/// The numbers of the inputs that faults belong to.
const LIFETIME: usize = 0;
const FILE: usize = 2;

/// New secrets for tokens, being asked for.
#[derive(Debug)]
pub struct RegenerateDialog {
    tokens: Vec<TokenId>,
    /// The plan that the dialog on one token was opened on: the question that its buttons answer.
    confirmed: Option<Confirmed>,
    title: String,
    text: Vec<String>,
    lifetime: LifetimeField,
    /// `None` if no old secret works.
    overlap: Option<RadioGroup>,
    /// Where the secrets of several tokens go.
    file: Option<Field>,
    focus: Focus,
    fault: Option<String>,
}

impl RegenerateDialog {
    /// The dialog on what regenerating one token would do; its fields then say how.
    pub fn one(plan: &Plan, ctx: &Model) -> Self {
        let token = plan.changes.first().and_then(|change| change.before.token());
        let active = token.is_some_and(|token| token.status(plan.at) == Status::Active);
        let consequence = if active {
            "The token gets a new secret and a new lifetime; id, name, description and scopes \
             stay. The old secret stops working when the overlap ends, without one immediately."
        } else {
            "The token gets a new secret and a new lifetime and is active again; id, name, \
             description and scopes stay. The old secret can't be restored."
        };
        let status = token.map_or("", |token| token.status(plan.at).as_str());
        let last_used = token.map(|token| last_used(token, ctx));
        let previous = token.and_then(|token| token.overlap(plan.at)).map(|previous| {
            let until = ctx.relative(previous.until);
            format!("The secret before it, which would work until {until}, stops immediately.")
        });
        Self {
            tokens: plan.ids(),
            confirmed: Some(plan.confirmed()),
            title: format!("{} ({status})?", question(plan).trim_end_matches('?')),
            text: [consequence.to_owned()].into_iter().chain(previous).chain(last_used).collect(),
            lifetime: LifetimeField::new(ctx),
            overlap: active.then(overlaps),
            file: None,
            focus: Focus::default(),
            fault: None,
        }
    }

    /// The form on these tokens, with a file name that is not taken by an earlier use.
    pub fn many(tokens: Vec<TokenId>, ctx: &Model) -> Self {
        let wall = ctx.zone.wall(ctx.now).format("%Y%m%d-%H%M%S");
        Self {
            title: format!("Regenerate {}", counted(tokens.len(), "token")),
            tokens,
            confirmed: None,
            text: vec![MANY_TEXT.to_owned()],
            lifetime: LifetimeField::new(ctx),
            overlap: Some(overlaps()),
            file: Some(Field::line(&format!("./secrets-{wall}.tsv"))),
            focus: Focus { at: LIFETIME, accepts: true },
            fault: None,
        }
    }

    fn inputs(&mut self) -> Form<'_> {
        let is_one = self.confirmed.is_some();
        let hint = if is_one {
            "how long the old secret still works"
        } else {
            "how long the old secrets of active ones still work"
        };
        let mut fields = vec![FormField::new("Lifetime *", &mut self.lifetime).note(None, "")];
        let overlap = self.overlap.as_mut();
        fields.extend(overlap.map(|it| FormField::new("Overlap", it).note(None, hint)));
        fields.extend(self.file.as_mut().map(|file| FormField::new("New file", file)));
        let buttons = if is_one { &["Cancel", "Regenerate"] } else { &["Cancel", "Preview"] };
        Form { focus: &mut self.focus, fields, buttons }
    }
}

/// A choice of how long an old secret keeps working.
fn overlaps() -> RadioGroup {
    let words = Overlap::ALL.map(|overlap| match overlap {
        Overlap::None => "none",
        other => other.as_str(),
    });
    RadioGroup::new(words, 0)
}

impl Dialog for RegenerateDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.inputs())
    }

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        // Enter goes into the field for a custom lifetime.
        let on_buttons = self.focus.at >= self.inputs().fields.len();
        let enters = action == Action::Accept && !on_buttons;
        let action = if enters { Action::NextField } else { action };
        match self.inputs().update(action)? {
            FormAction::Submit => self.submit(ctx),
            FormAction::Cancel => self.cancel(),
        }
    }

    fn submit(&mut self, ctx: &Model) -> Option<Effect> {
        if self.lifetime.submit(ctx).is_none() {
            self.focus.at = LIFETIME;
            self.lifetime.enter(false);
            return None;
        }
        let request = self.request(ctx);
        if request.is_none() {
            self.focus.at = FILE;
            self.fail("a file name is needed: the secrets must go somewhere".into());
        }
        request.map(Effect::request)
    }

    fn edited(&mut self) {
        self.fault = None;
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let wide = 66.min(area.width.saturating_sub(6));
        let lines: Vec<_> = self.text.iter().flat_map(|text| paragraph(text, wide)).collect();
        let text = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let fault = self.fault.as_ref().map_or(0, |f| wrap(f, wide.saturating_sub(2)).len());
        let fields = self.inputs().height(wide, Layout::default());
        let fields = fields + u16::try_from(fault).unwrap_or(0);
        let size = (wide, text + fields + 4);
        let inner = panel::draw(&self.title, size, self.confirmed.is_some(), area, canvas);
        // Where it is low the words give way to the fields.
        let top = (text + 2).min(inner.height.saturating_sub(fields + 1));
        let mut sheet = ScrollView::new(inner, top + fields + 1, ctx);
        let (inner, page) = (sheet.page.area, &mut sheet.canvas(ctx));
        for (at, words) in (1..top).zip(&lines) {
            page.line(inner, at).text(words, theme.text());
        }
        let form = self.inputs();
        let (line, cursor) = form.draw(Layout { top, ..Layout::default() }, inner, page);
        let cursor = cursor.or(form.draw_buttons(inner, page));
        if let Some(fault) = &self.fault {
            form::fault(fault, line, inner, page);
        }
        sheet.lay(cursor, canvas)
    }

    /// `None` while no file is named.
    fn request(&self, ctx: &Model) -> Option<ServiceRequest> {
        let lifetime = self.lifetime.named(ctx)?;
        let overlap = self.overlap.as_ref().and_then(|it| Overlap::ALL.get(it.chosen()).copied());
        let secret_file = self.file.as_ref().map(|file| file.text().trim().to_owned());
        if secret_file.as_ref().is_some_and(String::is_empty) {
            return None;
        }
        let (tokens, overlap) = (self.tokens.clone(), overlap.unwrap_or_default());
        let command = Command::Regenerate { tokens, lifetime, overlap, secret_file };
        Some(match &self.confirmed {
            Some(confirmed) => ServiceRequest::Execute(command, confirmed.clone()),
            None => ServiceRequest::Preview(command),
        })
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
