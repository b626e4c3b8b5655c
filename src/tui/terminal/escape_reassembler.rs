//! Reassembles escape sequences that a slow connection delivers in several reads.
//!
//! If `[A` arrives 20 ms after `ESC`, crossterm reports the keys Esc, `[` and `A`, and the key `A`
//! could be a command. This module holds a bare Esc back and never lets a part of an unfinished
//! sequence act as a key. The module does no I/O: `input` passes events and the time to it.

use std::time::{Duration, Instant};

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Position;

use super::input::{MouseInput, TerminalInput};

/// Maximum gap between two characters of a sequence. Nobody types `Esc [` by hand, so the value can
/// be large. A short timeout would turn the rest of a slow sequence into letters.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(500);

/// Maximum length of a sequence, in characters. Longer sequences are discarded.
const MAX_SEQUENCE_LEN: usize = 32;

#[derive(Debug)]
enum ParserState {
    Ground,
    /// A bare Esc was received. It is either the Esc key or the start of a sequence.
    Escape,
    /// `Esc [` or `Esc O` was received. `text` contains the characters received since then.
    Sequence {
        opener: char,
        text: String,
    },
    /// In a bracketed paste whose start marker was split, so that its text arrives as keys.
    Paste(String),
}

/// Converts terminal events into inputs; holds an Esc back until its meaning is certain.
#[derive(Debug)]
pub struct EscapeReassembler {
    escape_wait: Duration,
    state: ParserState,
    /// Time of the last key.
    since: Option<Instant>,
}

impl EscapeReassembler {
    /// `escape_wait` is the time for which a bare Esc is held back.
    pub fn new(escape_wait: Duration) -> Self {
        Self { escape_wait, state: ParserState::Ground, since: None }
    }

    /// Time at which [`EscapeReassembler::expire`] must be called if no event arrives before that
    /// time.
    pub fn deadline(&self) -> Option<Instant> {
        let wait = match self.state {
            ParserState::Ground => return None,
            ParserState::Escape => self.escape_wait,
            ParserState::Sequence { .. } | ParserState::Paste(_) => SEQUENCE_TIMEOUT,
        };
        self.since.map(|since| since + wait)
    }

    /// Processes one event and returns the inputs whose meaning is certain.
    ///
    /// A call after the deadline still continues the sequence: the key arrived in time and only the
    /// call is late. If no key arrives in time, the caller calls [`EscapeReassembler::expire`]
    /// instead.
    pub fn push(&mut self, event: Event, now: Instant) -> Vec<TerminalInput> {
        let mut out = Vec::new();
        match event {
            // Key releases are dropped only here; screens never receive them.
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => self.handle_key(key, now, &mut out),
            Event::Paste(text) => {
                self.flush_pending(&mut out);
                out.push(TerminalInput::Paste(text));
            }
            Event::Resize(width, height) => out.push(TerminalInput::Resize(width, height)),
            Event::Mouse(mouse) => {
                self.flush_pending(&mut out);
                out.extend(mouse_input(mouse).map(TerminalInput::Mouse));
            }
            Event::FocusGained | Event::FocusLost => {}
        }
        out
    }

    /// Returns the held-back inputs if the deadline has passed.
    pub fn expire(&mut self, now: Instant) -> Vec<TerminalInput> {
        let mut out = Vec::new();
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.flush_pending(&mut out);
        }
        out
    }

    /// Ends the pending state: Esc becomes a key, an unfinished sequence is discarded, a paste is
    /// complete.
    fn flush_pending(&mut self, out: &mut Vec<TerminalInput>) {
        match std::mem::replace(&mut self.state, ParserState::Ground) {
            ParserState::Ground | ParserState::Sequence { .. } => {}
            ParserState::Escape => out.push(TerminalInput::Key(KeyCode::Esc.into())),
            ParserState::Paste(text) => out.push(TerminalInput::Paste(text)),
        }
    }

    fn handle_key(&mut self, key: KeyEvent, now: Instant, out: &mut Vec<TerminalInput>) {
        self.since = Some(now);
        if key.code == KeyCode::Esc && key.modifiers.is_empty() {
            self.flush_pending(out);
            self.state = ParserState::Escape;
            return;
        }
        match (&mut self.state, printable(&key)) {
            (ParserState::Escape, Some(opener @ ('[' | 'O'))) => {
                self.state = ParserState::Sequence { opener, text: String::new() };
            }
            (ParserState::Sequence { opener, text }, Some(char)) if char.is_ascii() => {
                text.push(char);
                if let Some(next) = advance(*opener, text, out) {
                    self.state = next;
                }
            }
            (ParserState::Paste(text), Some(char)) => text.push(char),
            (ParserState::Paste(text), None) if is_line_end(&key) => text.push('\n'),
            (ParserState::Paste(text), None) if key.code == KeyCode::Tab => text.push('\t'),
            _ => {
                self.flush_pending(out);
                out.push(TerminalInput::Key(key));
            }
        }
    }
}

/// The character of a key without modifiers other than Shift.
fn printable(key: &KeyEvent) -> Option<char> {
    match key.code {
        // crossterm adds SHIFT to capital letters.
        KeyCode::Char(char) if KeyModifiers::SHIFT.contains(key.modifiers) => Some(char),
        _ => None,
    }
}

fn is_line_end(key: &KeyEvent) -> bool {
    // In raw mode, crossterm reports a line feed as Ctrl-J, so Ctrl-J counts as a line break.
    key.code == KeyCode::Enter
        || (key.code == KeyCode::Char('j') && key.modifiers == KeyModifiers::CONTROL)
}

/// Checks whether a sequence is complete. `text` contains the characters after `Esc` and `opener`.
/// Adds the input of a complete sequence to `out` and returns the next state. Returns `None` while
/// the sequence is unfinished.
fn advance(opener: char, text: &str, out: &mut Vec<TerminalInput>) -> Option<ParserState> {
    // The Linux console sends F1 to F5 as `Esc [ [ A` to `E`, so a second `[` does not end the
    // sequence.
    let unfinished = text.ends_with(|char| matches!(char, ' '..='?')) || text == "[";
    if unfinished && text.len() < MAX_SEQUENCE_LEN {
        return None;
    }
    if opener == '[' && text == "200~" {
        return Some(ParserState::Paste(String::new()));
    }
    match text.strip_prefix('<') {
        Some(report) => out.extend(parse_mouse_report(report).map(TerminalInput::Mouse)),
        None => out.extend(decode(text).map(TerminalInput::Key)),
    }
    Some(ParserState::Ground)
}

/// The mouse input that the app handles; `None` for all other mouse events.
fn mouse_input(mouse: MouseEvent) -> Option<MouseInput> {
    let at = Position::new(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(MouseInput::Click(at)),
        MouseEventKind::ScrollUp => Some(MouseInput::Wheel { at, down: false }),
        MouseEventKind::ScrollDown => Some(MouseInput::Wheel { at, down: true }),
        _ => None,
    }
}

/// Parses the rest of a split SGR mouse report, such as `0;12;5M`: button, column, row.
fn parse_mouse_report(text: &str) -> Option<MouseInput> {
    let mut numbers = text.strip_suffix('M')?.split(';').map(|number| number.parse::<u16>().ok());
    let [button, column, row] = [numbers.next()??, numbers.next()??, numbers.next()??];
    let at = Position::new(column.checked_sub(1)?, row.checked_sub(1)?);
    match button {
        0 => Some(MouseInput::Click(at)),
        64 | 65 => Some(MouseInput::Wheel { at, down: button == 65 }),
        _ => None,
    }
}

/// The key of a complete sequence. `text` is the sequence without `Esc [` or `Esc O`. Returns
/// `None` if the sequence is unknown.
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

    /// The event that crossterm reports for `char`.
    fn char_event(char: char) -> Event {
        let shift = if char.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
        match char {
            '\x1b' => Event::Key(KeyCode::Esc.into()),
            '\r' => Event::Key(KeyCode::Enter.into()),
            '\n' => Event::Key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL)),
            other => Event::Key(KeyEvent::new(KeyCode::Char(other), shift)),
        }
    }

    /// Sends `text` one character every `gap`, then lets the last deadline pass.
    fn feed(text: &str, gap: Duration) -> Vec<TerminalInput> {
        let mut reassembler = EscapeReassembler::new(WAIT);
        let mut now = Instant::now();
        let mut out = Vec::new();
        for char in text.chars() {
            out.extend(reassembler.expire(now));
            out.extend(reassembler.push(char_event(char), now));
            now += gap;
        }
        out.extend(reassembler.expire(now + SEQUENCE_TIMEOUT));
        assert_eq!(reassembler.deadline(), None);
        out
    }

    fn quick(text: &str) -> Vec<TerminalInput> {
        feed(text, Duration::from_millis(20))
    }

    fn key(code: KeyCode, modifiers: KeyModifiers) -> TerminalInput {
        TerminalInput::Key(KeyEvent::new(code, modifiers))
    }

    fn plain(code: KeyCode) -> TerminalInput {
        key(code, KeyModifiers::NONE)
    }

    #[test]
    fn a_lone_esc_is_delivered_after_the_wait() {
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
    fn a_started_sequence_has_a_longer_timeout() {
        let mut reassembler = EscapeReassembler::new(WAIT);
        let start = Instant::now();
        reassembler.push(char_event('\x1b'), start);
        reassembler.push(char_event('['), start);
        assert_eq!(reassembler.expire(start + WAIT * 10), []);
        let late = reassembler.push(char_event('A'), start + WAIT * 10);
        assert_eq!(late, [plain(KeyCode::Up)]);
    }

    #[test]
    fn esc_and_another_key_are_delivered_in_order() {
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
    fn an_unfinished_or_unknown_sequence_is_discarded() {
        for text in ["\x1b[", "\x1b[1;5", "\x1bO", "\x1b[99~", "\x1b[13;2u", "\x1b[[A", "\x1b[I"] {
            assert_eq!(quick(text), [], "{text:?}");
        }
    }

    #[test]
    fn a_key_after_a_broken_sequence_is_delivered() {
        assert_eq!(quick("\x1b[1\r"), [plain(KeyCode::Enter)]);
        assert_eq!(quick("\x1b[1\x1b"), [plain(KeyCode::Esc)]);
        assert_eq!(quick("\x1b[ä"), [plain(KeyCode::Char('ä'))]);
    }

    #[test]
    fn a_paste_with_a_split_marker_is_never_keys() {
        assert_eq!(quick("\x1b[200~qD\r\nX"), [TerminalInput::Paste("qD\n\nX".into())]);
        assert_eq!(quick("\x1b[200~qDX\x1b[201~"), [TerminalInput::Paste("qDX".into())]);
    }

    #[test]
    fn other_events_pass_while_esc_is_held_back() {
        let mut reassembler = EscapeReassembler::new(WAIT);
        let now = Instant::now();
        reassembler.push(char_event('\x1b'), now);
        assert_eq!(reassembler.push(Event::Resize(3, 4), now), [TerminalInput::Resize(3, 4)]);
        assert_eq!(reassembler.push(Event::FocusLost, now), []);
        assert_eq!(
            reassembler.push(Event::Paste("x".into()), now),
            [plain(KeyCode::Esc), TerminalInput::Paste("x".into())]
        );
    }

    #[test]
    fn mouse_reports_are_read_whole_or_split() {
        let at = Position::new(11, 4);
        let mouse = |kind| {
            let modifiers = KeyModifiers::NONE;
            let event = Event::Mouse(MouseEvent { kind, column: 11, row: 4, modifiers });
            EscapeReassembler::new(WAIT).push(event, Instant::now())
        };
        assert_eq!(
            mouse(MouseEventKind::Down(MouseButton::Left)),
            [TerminalInput::Mouse(MouseInput::Click(at))]
        );
        assert_eq!(
            mouse(MouseEventKind::ScrollDown),
            [TerminalInput::Mouse(MouseInput::Wheel { at, down: true })]
        );
        assert_eq!(mouse(MouseEventKind::Down(MouseButton::Right)), []);
        assert_eq!(mouse(MouseEventKind::Up(MouseButton::Left)), []);
        assert_eq!(quick("\x1b[<0;12;5M"), [TerminalInput::Mouse(MouseInput::Click(at))]);
        assert_eq!(
            quick("\x1b[<64;12;5M"),
            [TerminalInput::Mouse(MouseInput::Wheel { at, down: false })]
        );
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
            let expected: Vec<TerminalInput> = text
                .chars()
                .map(|char| match char_event(char) {
                    Event::Key(key) => TerminalInput::Key(key),
                    _ => unreachable!(),
                })
                .collect();
            prop_assert_eq!(quick(&text), expected);
        }

        #[test]
        fn a_split_sequence_never_yields_a_letter(rest in "[\\[O][0-9;]{0,12}[@-~]?") {
            for input in quick(&format!("\x1b{rest}")) {
                let letter = matches!(input, TerminalInput::Key(KeyEvent { code: KeyCode::Char(_), .. }));
                prop_assert!(!letter, "{:?}", input);
            }
        }
    }
}
