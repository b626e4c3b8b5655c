//! The delivery of new secrets: records it, keeps the secrets that are printed when the app has quit,
//! and leads to a token whose secret may be lost. Called by `update`, and by the event loop at the end.

use super::{
    App,
    effect::{Tab, UiChange},
    pending_requests::RequestOrigin,
    service_request::ServiceRequest,
};
use crate::{
    domain::{Command, DeliveryMethod, Secret},
    keymap::{Action, Mode},
    tui::dialogs::secret::SecretPanel,
};

impl App {
    /// The secrets to print after the app has quit. Their panels can still be open.
    pub fn take_secrets_to_print(&mut self) -> Vec<Secret> {
        let open = self.secrets.drain(..).filter_map(SecretPanel::into_secret_to_print);
        std::mem::take(&mut self.secrets_to_print).into_iter().chain(open).collect()
    }

    /// Whether a secret on the screen would be lost if the app quit now.
    pub(super) fn would_lose_secret(&self) -> bool {
        self.secrets.iter().any(SecretPanel::would_be_lost)
    }

    /// Shows the delivery in the panel of the secret, and records it in the store.
    pub(super) fn record_delivery(&mut self, how: DeliveryMethod, text: String) {
        let delivery =
            self.secrets.last_mut().and_then(|panel| panel.on_delivered(how, Some(text)));
        if let Some(delivery) = delivery {
            self.request(RequestOrigin::App, delivery);
        }
    }

    /// Closes the topmost panel or dialog. Closing a secret panel records the secret as saved.
    pub(super) fn close_delivered(&mut self) {
        let delivery = self
            .secrets
            .last_mut()
            .and_then(|panel| panel.on_delivered(DeliveryMethod::Acknowledged, None));
        self.close();
        if let Some(delivery) = delivery {
            self.request(RequestOrigin::App, delivery);
        }
    }

    /// The line about undelivered secrets, in at most `columns` columns if possible. It is shown only
    /// where its keys work.
    pub(super) fn lost_secret_line(&self, columns: u16) -> Option<String> {
        // In a list that the overview opened, the key that hides the line leads back to the overview.
        let is_on_list = self.tab == Tab::Tokens
            && self.mode() == Mode::Tokens
            && !self.tokens.is_opened_from_overview();
        is_on_list.then(|| self.model.lost_secret_line(columns)).flatten()
    }

    /// Shows the token whose secret may be lost. If the token is shown already, asks whether its
    /// secret was saved.
    pub(super) fn go_to_lost_secret(&mut self) {
        let Some(id) = self.model.first_lost_secret() else {
            return self.info("No secret may be lost: all secrets were saved.");
        };
        let shown = self.model.token(&id).filter(|_| self.tab == Tab::Detail);
        if let Some(token) = shown.filter(|token| self.detail.id() == Some(token.id)) {
            let (token, digest) = (id, token.digest);
            let method = DeliveryMethod::Acknowledged;
            let command = Command::RecordDelivery { token, digest, method };
            return self.request(RequestOrigin::App, ServiceRequest::Preview(command));
        }
        self.run_ui_action(UiChange::ShowToken(id));
        let ctx = &self.model;
        let saved = ctx.key(Mode::Global, Action::GoToLostSecret);
        let regenerate = ctx.key(Mode::Detail, Action::Regenerate);
        self.warn(format!(
            "Its secret may be lost: {regenerate} issues a new one, {saved} says that you saved it."
        ));
    }
}
