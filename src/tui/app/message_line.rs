//! What the app says to the operator: one sentence at a time at the foot of the screen, and the
//! newest ones of this run with their times. No secret gets in: a sentence with one in it, from
//! wherever it came, loses it here.

use std::collections::VecDeque;

use chrono::TimeDelta;

use crate::domain::{SecretScanner, Timestamp};

/// How long a good word stands.
const STANDS: TimeDelta = TimeDelta::seconds(4);
/// Most sentences that are kept.
const KEPT: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub at: Timestamp,
    pub text: String,
    pub bad: bool,
}

/// The sentence that stands, and those before it.
#[derive(Debug, Default)]
pub struct MessageLine {
    stands: bool,
    until: Option<Timestamp>,
    /// Oldest first.
    messages: VecDeque<Message>,
}

impl MessageLine {
    /// Says something good, for a moment from `at` on.
    pub fn info(&mut self, text: &str, at: Timestamp) {
        self.until = Some(at + STANDS);
        self.keep(text, false, at);
    }

    /// Says what is wrong, until it is dismissed.
    pub fn warn(&mut self, text: &str, at: Timestamp) {
        self.until = None;
        self.keep(text, true, at);
    }

    fn keep(&mut self, text: &str, bad: bool, at: Timestamp) {
        self.stands = true;
        if self.messages.len() >= KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back(Message { at, text: without_secrets(text), bad });
    }

    /// Takes the sentence that stands away; it was read.
    pub fn dismiss(&mut self) {
        self.stands = false;
        self.until = None;
    }

    /// Takes a good word away whose moment is over at `now`.
    pub fn tick(&mut self, now: Timestamp) {
        if self.until.is_some_and(|until| until <= now) {
            self.dismiss();
        }
    }

    pub fn current(&self) -> Option<&Message> {
        self.messages.back().filter(|_| self.stands)
    }

    /// When what stands goes by itself.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// What was said, newest first.
    pub fn messages(&self) -> Vec<Message> {
        self.messages.iter().rev().cloned().collect()
    }
}

/// `text` with every secret in it replaced by its public part.
fn without_secrets(text: &str) -> String {
    let mut seen = Vec::new();
    let mut finder = SecretScanner::default();
    finder.feed(text.as_bytes(), |sighting| seen.push(sighting.secret));
    finder.finish(|sighting| seen.push(sighting.secret));
    let mut text = text.to_owned();
    for secret in seen {
        text = text.replace(secret.reveal(), &format!("(the secret of {})", secret.id()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Prefix, Secret, TokenId};

    fn at(second: i64) -> Timestamp {
        chrono::DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn a_good_word_goes_by_itself_and_a_bad_one_stays() {
        let mut line = MessageLine::default();
        line.info("done", at(0));
        line.tick(at(3));
        assert_eq!(line.current().map(|said| said.text.as_str()), Some("done"));
        line.tick(at(4));
        assert_eq!(line.current(), None);
        line.warn("no", at(5));
        line.tick(at(500));
        assert!(line.current().is_some_and(|said| said.bad));
        line.dismiss();
        assert_eq!(line.current(), None);
        let texts: Vec<_> = line.messages().into_iter().map(|said| said.text).collect();
        assert_eq!(texts, ["no", "done"], "newest first");
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut line = MessageLine::default();
        for number in 0..KEPT + 5 {
            line.info(&number.to_string(), at(0));
        }
        assert_eq!(line.messages().len(), KEPT);
        assert_eq!(line.messages().last().map(|said| said.text.clone()), Some("5".into()));
    }

    #[test]
    fn a_secret_is_neither_said_nor_kept() {
        let draw = |out: &mut [u8]| {
            out.fill(7);
            Ok::<_, std::convert::Infallible>(())
        };
        let id = TokenId::draw(draw).unwrap();
        let secret = Secret::generate(&Prefix::default(), id, draw).unwrap();
        let mut line = MessageLine::default();
        line.warn(&format!("there is no file {}.txt, {0}", secret.reveal()), at(0));
        let said = line.current().map(|said| said.text.clone()).unwrap_or_default();
        assert_eq!(
            said,
            format!("there is no file (the secret of {id}).txt, (the secret of {id})")
        );
        assert!(!format!("{line:?}").contains(&secret.reveal()[17..]));
    }
}
