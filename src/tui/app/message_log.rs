//! The message line at the bottom of the screen, and the log of recent messages. A secret in a
//! message is replaced by the id of its token, because an error text can quote what the operator
//! typed. Owned by the app.

use std::{collections::VecDeque, time::Duration};

use crate::domain::{Timestamp, scan::redact_secrets};

/// How long an info message is shown.
const INFO_DURATION: Duration = Duration::from_secs(4);
/// The maximum number of messages in the log.
const MAX_MESSAGES: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub at: Timestamp,
    pub text: String,
    pub is_warning: bool,
}

/// The current message and the log.
#[derive(Debug, Default)]
pub struct MessageLog {
    is_visible: bool,
    /// When the current message expires, as a value of [`crate::service::Clock::elapsed`].
    until: Option<Duration>,
    /// The log, oldest message first. While `is_visible` is true, the last message is the current
    /// message.
    messages: VecDeque<Message>,
}

impl MessageLog {
    /// Shows an info message for [`INFO_DURATION`] from `elapsed`.
    pub fn info(&mut self, text: &str, at: Timestamp, elapsed: Duration) {
        self.until = Some(elapsed.saturating_add(INFO_DURATION));
        self.push(text, false, at);
    }

    /// Shows a warning until it is dismissed.
    pub fn warn(&mut self, text: &str, at: Timestamp) {
        self.until = None;
        self.push(text, true, at);
    }

    fn push(&mut self, text: &str, bad: bool, at: Timestamp) {
        self.is_visible = true;
        if self.messages.len() >= MAX_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(Message { at, text: redact_secrets(text), is_warning: bad });
    }

    /// Hides the current message; it stays in the log.
    pub fn dismiss(&mut self) {
        self.is_visible = false;
        self.until = None;
    }

    /// Hides an info message that has expired at `elapsed`.
    pub fn tick(&mut self, elapsed: Duration) {
        if self.until.is_some_and(|until| until <= elapsed) {
            self.dismiss();
        }
    }

    pub fn current(&self) -> Option<&Message> {
        self.messages.back().filter(|_| self.is_visible)
    }

    /// When the current message expires. Returns `None` if the message is a warning, which does not
    /// expire, or if no message is shown.
    pub fn until(&self) -> Option<Duration> {
        self.until
    }

    /// The log, newest first.
    pub fn messages(&self) -> Vec<Message> {
        self.messages.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Secret, SecretPrefix, TokenId};

    const AT: Timestamp = chrono::DateTime::UNIX_EPOCH;

    fn second(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn an_info_message_expires_and_a_warning_stays() {
        let mut line = MessageLog::default();
        line.info("done", AT, second(0));
        line.tick(second(3));
        assert_eq!(line.current().map(|message| message.text.as_str()), Some("done"));
        line.tick(second(4));
        assert_eq!(line.current(), None);
        line.warn("no", AT);
        line.tick(second(500));
        assert!(line.current().is_some_and(|message| message.is_warning));
        line.dismiss();
        assert_eq!(line.current(), None);
        let texts: Vec<_> = line.messages().into_iter().map(|message| message.text).collect();
        assert_eq!(texts, ["no", "done"], "newest first");
    }

    #[test]
    fn the_log_keeps_the_newest_messages() {
        let mut line = MessageLog::default();
        for number in 0..MAX_MESSAGES + 5 {
            line.info(&number.to_string(), AT, second(0));
        }
        assert_eq!(line.messages().len(), MAX_MESSAGES);
        assert_eq!(line.messages().last().map(|message| message.text.clone()), Some("5".into()));
    }

    #[test]
    fn secrets_are_redacted_in_messages() {
        let draw = |out: &mut [u8]| {
            out.fill(7);
            Ok::<_, std::convert::Infallible>(())
        };
        let id = TokenId::generate(draw).unwrap();
        let secret = Secret::generate(&SecretPrefix::default(), id, draw).unwrap();
        let mut line = MessageLog::default();
        line.warn(&format!("there is no file {}.txt, {0}", secret.reveal()), AT);
        let message = line.current().map(|message| message.text.clone()).unwrap_or_default();
        assert_eq!(
            message,
            format!("there is no file (the secret of {id}).txt, (the secret of {id})")
        );
        assert!(!format!("{line:?}").contains(&secret.reveal()[17..]));
    }
}
