//! Puts keys back together that a slow link delivered in pieces.
//!
//! Owns the moment after a bare Esc: crossterm reports `ESC`, then 20 ms later `[A`, as the keys
//! Esc, `[` and `A`, and the last could be a command. It refuses to let any part of an unfinished
//! sequence act as a key. Pure: `input` feeds it events and the time.

use std::time::{Duration, Instant};

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Position;

use super::input::{Input, Mouse};

/// How long the rest of a sequence may take. Nobody types `Esc [` by hand, so once these two
/// were seen, being generous costs nothing, and being hasty would turn the rest into letters.
const REST_WAIT: Duration = Duration::from_millis(500);

/// A sequence longer than this is noise.
const LONGEST: usize = 32;

#[derive(Debug)]
enum State {
    Ground,
    /// A bare Esc: the key, or the first byte of a sequence.
    Escape,
    /// `Esc [` or `Esc O`, and what followed so far.
    Sequence {
        opener: char,
        text: String,
    },
    /// A bracketed paste whose opening marker came in pieces, so that its text comes as keys.
    Paste(String),
}

/// Turns terminal events into inputs, holding an Esc back until it is known what it was.
#[derive(Debug)]
pub struct EscapeReassembler {
    escape_wait: Duration,
    state: State,
    since: Option<Instant>,
}

impl EscapeReassembler {
    /// `escape_wait` is how long a bare Esc is held back.
    pub fn new(escape_wait: Duration) -> Self {
        Self { escape_wait, state: State::Ground, since: None }
    }

    /// When [`Reassembler::expire`] is due, unless an event comes first.
    pub fn deadline(&self) -> Option<Instant> {
        let wait = match self.state {
            State::Ground => return None,
            State::Escape => self.escape_wait,
            State::Sequence { .. } | State::Paste(_) => REST_WAIT,
        };
        self.since.map(|since| since + wait)
    }

    /// Takes one event, and hands out what is certain by now.
    ///
    /// A key that arrives after the deadline still counts as the rest of the sequence: then it
    /// was this process that was late, not the key.
    pub fn push(&mut self, event: Event, now: Instant) -> Vec<Input> {
        let mut out = Vec::new();
        match event {
            // The only place where releases are dropped: no screen ever sees one.
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => self.key(key, now, &mut out),
            Event::Paste(text) => {
                self.settle(&mut out);
                out.push(Input::Paste(text));
            }
            Event::Resize(width, height) => out.push(Input::Resize(width, height)),
            Event::Mouse(mouse) => {
                self.settle(&mut out);
                out.extend(pointed(mouse).map(Input::Mouse));
            }
            Event::FocusGained | Event::FocusLost => {}
        }
        out
    }

    /// Hands out what was held back, if its time is up.
    pub fn expire(&mut self, now: Instant) -> Vec<Input> {
        let mut out = Vec::new();
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.settle(&mut out);
        }
        out
    }

    /// Ends the waiting: Esc was a key, a sequence was noise, a paste is complete.
    fn settle(&mut self, out: &mut Vec<Input>) {
        match std::mem::replace(&mut self.state, State::Ground) {
            State::Ground | State::Sequence { .. } => {}
            State::Escape => out.push(Input::Key(KeyCode::Esc.into())),
            State::Paste(text) => out.push(Input::Paste(text)),
        }
    }

    fn key(&mut self, key: KeyEvent, now: Instant, out: &mut Vec<Input>) {
        self.since = Some(now);
        if key.code == KeyCode::Esc && key.modifiers.is_empty() {
            self.settle(out);
            self.state = State::Escape;
            return;
        }
        match (&mut self.state, printable(&key)) {
            (State::Escape, Some(opener @ ('[' | 'O'))) => {
                self.state = State::Sequence { opener, text: String::new() };
            }
            (State::Sequence { opener, text }, Some(char)) if char.is_ascii() => {
                text.push(char);
                if let Some(next) = step(*opener, text, out) {
                    self.state = next;
                }
            }
            (State::Paste(text), Some(char)) => text.push(char),
            (State::Paste(text), None) if is_line_end(&key) => text.push('\n'),
            (State::Paste(text), None) if key.code == KeyCode::Tab => text.push('\t'),
            _ => {
                self.settle(out);
                out.push(Input::Key(key));
            }
        }
    }
}

/// The character of a key that is nothing but a character.
fn printable(key: &KeyEvent) -> Option<char> {
    match key.code {
        // crossterm adds SHIFT to capital letters by itself.
        KeyCode::Char(char) if KeyModifiers::SHIFT.contains(key.modifiers) => Some(char),
        _ => None,
    }
}

fn is_line_end(key: &KeyEvent) -> bool {
    // In raw mode a line feed is reported as Ctrl-J.
    key.code == KeyCode::Enter
        || (key.code == KeyCode::Char('j') && key.modifiers == KeyModifiers::CONTROL)
}

/// The state after one more character, or none while the sequence is unfinished.
fn step(opener: char, text: &str, out: &mut Vec<Input>) -> Option<State> {
    // The Linux console sends F1 to F5 as `Esc [ [ A` to `E`.
    let unfinished = text.ends_with(|char| matches!(char, ' '..='?')) || text == "[";
    if unfinished && text.len() < LONGEST {
        return None;
    }
    if opener == '[' && text == "200~" {
        return Some(State::Paste(String::new()));
    }
    match text.strip_prefix('<') {
        Some(report) => out.extend(reported(report).map(Input::Mouse)),
        None => out.extend(decode(text).map(Input::Key)),
    }
    Some(State::Ground)
}

/// What the app takes of the mouse.
fn pointed(mouse: MouseEvent) -> Option<Mouse> {
    let at = Position::new(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click(at)),
        MouseEventKind::ScrollUp => Some(Mouse::Wheel { at, down: false }),
        MouseEventKind::ScrollDown => Some(Mouse::Wheel { at, down: true }),
        _ => None,
    }
}

/// The same of a report in pieces, `0;12;5M` behind its opener: button, column, row.
fn reported(text: &str) -> Option<Mouse> {
    let mut numbers = text.strip_suffix('M')?.split(';').map(|number| number.parse::<u16>().ok());
    let [button, column, row] = [numbers.next()??, numbers.next()??, numbers.next()??];
    let at = Position::new(column.checked_sub(1)?, row.checked_sub(1)?);
    match button {
        0 => Some(Mouse::Click(at)),
        64 | 65 => Some(Mouse::Wheel { at, down: button == 65 }),
        _ => None,
    }
}

/// The key of a complete sequence, by what follows its opener; unknown ones are no key.
fn decode(text: &str) -> Option<KeyEvent> {
    let last = text.chars().next_back()?;
    let mut numbers = text.strip_suffix(last)?.split(';').map(str::parse::<u8>);
    let first = numbers.next().and_then(Result::ok);
    let mask = numbers.next().and_then(Result::ok).unwrap_or(1).saturating_sub(1);
    if text.starts_with('[') {
        return None;
    }
    let code = match (last, first) {
        ('A', _) => KeyCode::Up,
        ('B', _) => KeyCode::Down,
        ('C', _) => KeyCode::Right,
        ('D', _) => KeyCode::Left,
        ('H', _) | ('~', Some(1 | 7)) => KeyCode::Home,
        ('F', _) | ('~', Some(4 | 8)) => KeyCode::End,
        ('Z', _) => return Some(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)),
        ('~', Some(2)) => KeyCode::Insert,
        ('~', Some(3)) => KeyCode::Delete,
        ('~', Some(5)) => KeyCode::PageUp,
        ('~', Some(6)) => KeyCode::PageDown,
        _ => return None,
    };
    Some(KeyEvent::new(code, modifiers(mask)))
}

fn modifiers(mask: u8) -> KeyModifiers {
    [KeyModifiers::SHIFT, KeyModifiers::ALT, KeyModifiers::CONTROL]
        .into_iter()
        .zip([1, 2, 4])
        .filter(|(_, bit)| mask & bit != 0)
        .fold(KeyModifiers::NONE, |all, (one, _)| all | one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WAIT: Duration = Duration::from_millis(25);

    /// A character as crossterm reports it.
    fn char_event(char: char) -> Event {
        let shift = if char.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
        match char {
            '\x1b' => Event::Key(KeyCode::Esc.into()),
            '\r' => Event::Key(KeyCode::Enter.into()),
            '\n' => Event::Key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL)),
            other => Event::Key(KeyEvent::new(KeyCode::Char(other), shift)),
        }
    }

    /// Feeds `text` character by character, `gap` apart, and lets all waiting end.
    fn feed(text: &str, gap: Duration) -> Vec<Input> {
        let mut reassembler = EscapeReassembler::new(WAIT);
        let mut now = Instant::now();
        let mut out = Vec::new();
        for char in text.chars() {
            out.extend(reassembler.expire(now));
            out.extend(reassembler.push(char_event(char), now));
            now += gap;
        }
        out.extend(reassembler.expire(now + REST_WAIT));
        assert_eq!(reassembler.deadline(), None);
        out
    }

    fn quick(text: &str) -> Vec<Input> {
        feed(text, Duration::from_millis(20))
    }

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
        Input::Key(KeyEvent::new(code, modifiers))
    }

    fn plain(code: KeyCode) -> Input {
        key(code, KeyModifiers::NONE)
    }

    #[test]
    fn a_lone_esc_comes_through_after_the_wait_and_not_before() {
        let mut reassembler = EscapeReassembler::new(WAIT);
        let start = Instant::now();
        assert_eq!(reassembler.push(char_event('\x1b'), start), []);
        assert_eq!(reassembler.deadline(), Some(start + WAIT));
        assert_eq!(reassembler.expire(start + WAIT / 2), []);
        assert_eq!(reassembler.expire(start + WAIT), [plain(KeyCode::Esc)]);
        assert_eq!(reassembler.deadline(), None);
    }

    #[test]
    fn split_sequences_become_their_keys() {
        let control = KeyModifiers::CONTROL;
        for (text, code, modifiers) in [
            ("\x1b[A", KeyCode::Up, KeyModifiers::NONE),
            ("\x1b[B", KeyCode::Down, KeyModifiers::NONE),
            ("\x1bOA", KeyCode::Up, KeyModifiers::NONE),
            ("\x1bOD", KeyCode::Left, KeyModifiers::NONE),
            ("\x1b[5~", KeyCode::PageUp, KeyModifiers::NONE),
            ("\x1b[6~", KeyCode::PageDown, KeyModifiers::NONE),
            ("\x1b[3~", KeyCode::Delete, KeyModifiers::NONE),
            ("\x1b[1;5A", KeyCode::Up, control),
            ("\x1b[1;6C", KeyCode::Right, control | KeyModifiers::SHIFT),
            ("\x1b[3;5~", KeyCode::Delete, control),
            ("\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
            ("\x1b[H", KeyCode::Home, KeyModifiers::NONE),
            ("\x1b[F", KeyCode::End, KeyModifiers::NONE),
            ("\x1bOH", KeyCode::Home, KeyModifiers::NONE),
            ("\x1b[1~", KeyCode::Home, KeyModifiers::NONE),
        ] {
            assert_eq!(quick(text), [key(code, modifiers)], "{text:?}");
        }
    }

    #[test]
    fn the_rest_may_take_longer_than_the_wait_once_it_has_begun() {
        let mut reassembler = EscapeReassembler::new(WAIT);
        let start = Instant::now();
        reassembler.push(char_event('\x1b'), start);
        reassembler.push(char_event('['), start);
        assert_eq!(reassembler.expire(start + WAIT * 10), []);
        let late = reassembler.push(char_event('A'), start + WAIT * 10);
        assert_eq!(late, [plain(KeyCode::Up)]);
    }

    #[test]
    fn esc_and_then_another_key_are_both_delivered_in_order() {
        assert_eq!(quick("\x1bj"), [plain(KeyCode::Esc), plain(KeyCode::Char('j'))]);
        assert_eq!(quick("\x1b\r"), [plain(KeyCode::Esc), plain(KeyCode::Enter)]);
        assert_eq!(quick("\x1b\x1b"), [plain(KeyCode::Esc), plain(KeyCode::Esc)]);
        assert_eq!(quick("\x1b\x1b[A"), [plain(KeyCode::Esc), plain(KeyCode::Up)]);
        assert_eq!(
            feed("\x1b[", WAIT * 2),
            [plain(KeyCode::Esc), plain(KeyCode::Char('['))],
            "typed by hand, with time between"
        );
    }

    #[test]
    fn an_unfinished_or_unknown_sequence_is_discarded_whole() {
        for text in ["\x1b[", "\x1b[1;5", "\x1bO", "\x1b[99~", "\x1b[13;2u", "\x1b[[A", "\x1b[I"] {
            assert_eq!(quick(text), [], "{text:?}");
        }
    }

    #[test]
    fn a_real_key_in_a_broken_sequence_still_counts() {
        assert_eq!(quick("\x1b[1\r"), [plain(KeyCode::Enter)]);
        assert_eq!(quick("\x1b[1\x1b"), [plain(KeyCode::Esc)]);
        assert_eq!(quick("\x1b[ä"), [plain(KeyCode::Char('ä'))]);
    }

    #[test]
    fn a_paste_with_a_split_marker_is_still_a_paste_and_never_keys() {
        assert_eq!(quick("\x1b[200~qD\r\nX"), [Input::Paste("qD\n\nX".into())]);
        assert_eq!(quick("\x1b[200~qDX\x1b[201~"), [Input::Paste("qDX".into())]);
    }

    #[test]
    fn other_events_pass_while_an_esc_is_held_back() {
        let mut reassembler = EscapeReassembler::new(WAIT);
        let now = Instant::now();
        reassembler.push(char_event('\x1b'), now);
        assert_eq!(reassembler.push(Event::Resize(3, 4), now), [Input::Resize(3, 4)]);
        assert_eq!(reassembler.push(Event::FocusLost, now), []);
        assert_eq!(
            reassembler.push(Event::Paste("x".into()), now),
            [plain(KeyCode::Esc), Input::Paste("x".into())]
        );
    }

    #[test]
    fn a_click_and_the_wheel_come_through_whole_or_in_pieces() {
        let at = Position::new(11, 4);
        let mouse = |kind| {
            let modifiers = KeyModifiers::NONE;
            let event = Event::Mouse(MouseEvent { kind, column: 11, row: 4, modifiers });
            EscapeReassembler::new(WAIT).push(event, Instant::now())
        };
        assert_eq!(
            mouse(MouseEventKind::Down(MouseButton::Left)),
            [Input::Mouse(Mouse::Click(at))]
        );
        assert_eq!(
            mouse(MouseEventKind::ScrollDown),
            [Input::Mouse(Mouse::Wheel { at, down: true })]
        );
        assert_eq!(mouse(MouseEventKind::Down(MouseButton::Right)), []);
        assert_eq!(mouse(MouseEventKind::Up(MouseButton::Left)), []);
        assert_eq!(quick("\x1b[<0;12;5M"), [Input::Mouse(Mouse::Click(at))]);
        assert_eq!(quick("\x1b[<64;12;5M"), [Input::Mouse(Mouse::Wheel { at, down: false })]);
        for text in ["\x1b[<0;12;5m", "\x1b[<2;12;5M", "\x1b[<0;0;5M", "\x1b[<0;12M", "\x1b[<M"] {
            assert_eq!(quick(text), [], "{text:?}");
        }
    }

    #[test]
    fn key_releases_are_dropped() {
        let release =
            KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        let mut reassembler = EscapeReassembler::new(WAIT);
        assert_eq!(reassembler.push(Event::Key(release), Instant::now()), []);
    }

    proptest! {
        #[test]
        fn text_without_esc_passes_unchanged(text in "[ -~\r]*") {
            let expected: Vec<Input> = text
                .chars()
                .map(|char| match char_event(char) {
                    Event::Key(key) => Input::Key(key),
                    _ => unreachable!(),
                })
                .collect();
            prop_assert_eq!(quick(&text), expected);
        }

        #[test]
        fn a_split_sequence_never_yields_a_letter(rest in "[\\[O][0-9;]{0,12}[@-~]?") {
            for input in quick(&format!("\x1b{rest}")) {
                let letter = matches!(input, Input::Key(KeyEvent { code: KeyCode::Char(_), .. }));
                prop_assert!(!letter, "{:?}", input);
            }
        }
    }
}
