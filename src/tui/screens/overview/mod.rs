//! Overview tab: what needs attention, with a row for each state, and the figures of the store. It
//! changes nothing; `Enter` opens the list with the tokens of the selected row. Called by the app.

mod draw;

use ratatui::layout::Rect;

use crate::{
    domain::{AttentionKind, Overview, Timestamp},
    keymap::Action,
    service::ChainCheckResult,
    tui::{
        app::{
            effect::{Effect, Tab, UiChange},
            model::Model,
        },
        widgets::{canvas::Canvas, list_selection::ListSelection},
    },
};

/// Number of tokens above which a change of the store is counted at most once a minute.
const LARGE_STORE: usize = 20_000;

/// A row of the pane with what needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttentionRow {
    Tokens(AttentionKind),
    Damaged,
    Register,
    /// The runs of hooks that failed or wait.
    HookRuns,
    Chain,
}

/// The verified audit chain, and the time of the verification.
pub type VerifiedAt<'a> = (&'a ChainCheckResult, Timestamp);

#[derive(Debug, Default)]
pub struct OverviewScreen {
    overview: Option<Overview>,
    /// Whether the store or the time changed since the figures were requested.
    is_stale: bool,
    rows: ListSelection,
}

impl OverviewScreen {
    /// Shows new figures.
    pub fn deliver(&mut self, overview: Overview) {
        self.overview = Some(overview);
    }

    /// Requests the figures again when they are next shown.
    pub fn refresh(&mut self) {
        self.is_stale = true;
    }

    /// Whether the figures must be requested now. Afterwards, they count as requested. Figures of a
    /// large store are kept for a minute, because counting takes long.
    pub fn take_request(&mut self, ctx: &Model) -> bool {
        let is_recent = self.overview.as_ref().is_some_and(|overview| {
            ctx.summary.total > LARGE_STORE && (ctx.now - overview.at).num_seconds().abs() < 60
        });
        !is_recent && std::mem::take(&mut self.is_stale)
    }

    fn rows(&self) -> impl Iterator<Item = AttentionRow> {
        let overview = self.overview.as_ref();
        let damaged = overview.is_some_and(|overview| overview.damaged > 0);
        let register = overview.is_some_and(|overview| !overview.register.is_empty());
        let hooks = overview.is_some_and(|overview| !overview.hook_runs.is_empty());
        let tokens = AttentionKind::ALL.into_iter().map(AttentionRow::Tokens);
        let others = [
            (damaged, AttentionRow::Damaged),
            (register, AttentionRow::Register),
            (hooks, AttentionRow::HookRuns),
            (true, AttentionRow::Chain),
        ];
        tokens.chain(others.into_iter().filter_map(|(is_shown, row)| is_shown.then_some(row)))
    }

    pub fn update(&mut self, action: Action) -> Option<Effect> {
        if self.rows.apply_movement(action, self.rows().count()).is_some() {
            return None;
        }
        match action {
            Action::Open => self.open(),
            Action::Back => Some(Effect::Ui(UiChange::GoTo(Tab::Tokens))),
            _ => None,
        }
    }

    /// Opens what the selected row is about.
    fn open(&self) -> Option<Effect> {
        let overview = self.overview.as_ref()?;
        Some(match self.rows().nth(self.rows.selected())? {
            AttentionRow::Chain => Effect::Ui(UiChange::GoTo(Tab::Audit)),
            AttentionRow::Damaged => Effect::info("`patdeck doctor` lists the damaged records."),
            AttentionRow::Register => Effect::info("`patdeck doctor` says why and what to do."),
            AttentionRow::HookRuns => {
                Effect::info("`patdeck hooks` lists these runs, `patdeck hooks run` runs them.")
            }
            AttentionRow::Tokens(kind) => match (kind.list_filter(), &overview.most_denied) {
                (Some((status, search)), _) => {
                    Effect::Ui(UiChange::ShowList { status, search: search.to_owned() })
                }
                (None, Some(token)) => Effect::Ui(UiChange::ShowToken(token.id)),
                (None, None) => Effect::info("No check was denied today."),
            },
        })
    }

    /// Draws the tab. `chain` is the verified audit chain, once it is known.
    pub fn view(&mut self, area: Rect, chain: Option<VerifiedAt<'_>>, canvas: &mut Canvas<'_>) {
        let Some(overview) = &self.overview else {
            let style = canvas.ctx.theme.faint;
            canvas.line(area, 0).skip(1).text("Counting the tokens", style);
            return;
        };
        let rows: Vec<_> = self.rows().collect();
        let panes = draw::Panes::of(area, rows.len(), overview.checks_total() != (0, 0));
        let page = usize::from(panes.attention.height.saturating_sub(1));
        let top = self.rows.scroll_to_selection(page, rows.len());
        let shown = rows.iter().copied().enumerate().skip(top).take(page);
        draw::attention(overview, chain, (shown, self.rows.selected()), panes.attention, canvas);
        draw::expiries(overview, panes.expiries, canvas);
        draw::checks(overview, panes.checks, canvas);
        draw::statuses(overview, panes.statuses, canvas);
    }
}
