//! The one table of keys. To add a key, add a row here and an arm to the screen's `update`; footer,
//! help, `[keys]` and the README follow. Refuses nothing itself: its tests do.

use super::{Action, Group, Mode};

#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub mode: Mode,
    pub action: Action,
    /// The default keys, the one to show first; a sequence has a blank between its keys.
    pub keys: &'static [&'static str],
    /// The sentence of the help: starts with a verb, no full stop, at most 48 columns.
    pub help: &'static str,
    pub hint: &'static str,
    pub group: Group,
    /// Its place in the footer, 1 first and longest to stay; 0 is not in the footer.
    pub rank: u8,
}

/// One row a line: action, keys, footer word, help, group and rank, by mode.
macro_rules! bindings {
    ($($mode:ident { $(
        $action:ident [$($key:literal),*] $hint:literal $help:literal $group:ident $rank:literal;
    )* })*) => {
        /// Every key of the program, in the order of the documents.
        pub const BINDINGS: &[Binding] = &[$($(Binding {
            mode: Mode::$mode,
            action: Action::$action,
            keys: &[$($key),*],
            help: $help,
            hint: $hint,
            group: Group::$group,
            rank: $rank,
        },)*)*];
    };
}

bindings! {
    Tokens {
        New ["n"] "new" "create a token" Token 4;
        Open ["Enter", "l", "Right"] "open" "open the selected token" Token 3;
        AddScope ["a"] "scope" "add scopes to the token" Token 8;
        Edit ["e"] "edit" "edit name and description" Token 9;
        Clone ["c"] "clone" "create a token like this one" Token 10;
        Revoke ["r"] "revoke" "revoke the token" Token 6;
        Regenerate ["R"] "regenerate" "regenerate its secret" Token 7;
        Delete ["D", "Delete"] "delete" "delete the token" Token 10;
        DeleteAll ["X"] "delete all" "delete every token" Token 14;
        Undo ["u"] "undo" "undo the last change, bring back a delete" Token 13;
        Mark ["Space"] "mark" "mark the token for a change to many" Token 7;
        MarkRange ["v"] "range" "mark a range, v ends it" Token 0;
        MarkAll ["*"] "mark all" "mark all that are shown" Token 0;
        CopyId ["y i"] "copy id" "copy its id" Copy 11;
        CopyName ["y n"] "copy name" "copy its name" Copy 0;
        CopyCommand ["y c"] "copy command" "copy the command of this list" Copy 0;
        CopyJson ["y j"] "copy JSON" "copy the token as JSON" Copy 0;
        Search ["/"] "search" "search by words and terms such as op:publish" View 5;
        NextStatus ["f"] "filter" "show the next status" View 6;
        PreviousStatus ["F"] "filter" "show the previous status" View 0;
        Expiring ["E"] "expiring" "show what expires within a week" View 0;
        NextSort ["s"] "sort" "sort by the next column" View 12;
        ReverseSort ["S"] "reverse" "sort the other way round" View 0;
        Back ["Esc"] "clear" "clear the range, the marks, the search" View 0;
    }
    Detail {
        Revoke ["r"] "revoke" "revoke the token" Token 3;
        Regenerate ["R"] "regenerate" "regenerate its secret" Token 3;
        EndOverlap ["O"] "end old" "end the old secret now" Token 3;
        AddScope ["a"] "add scope" "add scopes to the token" Token 4;
        Preset ["p"] "preset" "add the scopes of a preset" Token 6;
        RemoveScope ["d"] "drop scope" "remove the selected scope" Token 5;
        ClearScopes ["X"] "drop all" "remove every scope" Token 9;
        Test ["T"] "test" "test what the token may do" Token 6;
        Edit ["e"] "edit" "edit name and description" Token 7;
        Clone ["c"] "clone" "create a token like this one" Token 8;
        Delete ["D", "Delete"] "delete" "delete the token" Token 8;
        Undo ["u"] "undo" "undo the last change, bring back a delete" Token 11;
        CopyId ["y i"] "copy id" "copy its id" Copy 10;
        CopyName ["y n"] "copy name" "copy its name" Copy 0;
        CopyCommand ["y c"] "copy command" "copy the command that shows it" Copy 0;
        CopyJson ["y j"] "copy JSON" "copy the token as JSON" Copy 0;
        Back ["Esc", "h", "Left"] "back" "go back to the list" App 2;
    }
    Audit {
        Open ["Enter", "l", "Right"] "open" "open the token of the event" Token 3;
        FilterToken ["f"] "token" "show this token's events only" View 4;
        FilterAction ["a"] "action" "show this kind of event only" View 5;
        FilterActor ["w"] "actor" "show this actor's events only" View 6;
        CopyCommand ["y c"] "copy command" "copy the command of this trail" Copy 0;
        Back ["Esc", "h", "Left"] "back" "clear the filter, or go back" App 2;
    }
    List {
        Down ["j", "Down"] "down" "go one row down" Move 0;
        Up ["k", "Up"] "up" "go one row up" Move 0;
        HalfPageDown ["Ctrl-D"] "half page" "go half a page down" Move 0;
        HalfPageUp ["Ctrl-U"] "half page" "go half a page up" Move 0;
        PageDown ["PgDn"] "page" "go a page down" Move 0;
        PageUp ["PgUp"] "page" "go a page up" Move 0;
        First ["g", "Home"] "first" "go to the first row" Move 0;
        Last ["G", "End"] "last" "go to the last row" Move 0;
        Times ["t"] "times" "show times relative, local or in UTC" View 15;
    }
    Search {
        Accept ["Enter"] "keep" "keep the search and go on" View 1;
        Cancel ["Esc"] "clear" "clear the search" View 2;
        Down ["Down"] "down" "go one row down" Move 3;
        Up ["Up"] "up" "go one row up" Move 0;
    }
    Form {
        NextField ["Tab", "Down"] "next" "go to the next field" Form 3;
        PreviousField ["Shift-Tab", "Up"] "previous" "go to the previous field" Form 6;
        Accept ["Enter"] "go on" "go on: next field, or press the button" Form 4;
        Submit ["Ctrl-S"] "submit" "submit from any field" Form 1;
        Cancel ["Esc"] "leave" "leave the form" Form 2;
        CopyCommand ["Ctrl-Y"] "command" "copy the command that does it" Form 5;
    }
    Rows {
        AddRow ["a"] "add" "add a scope row" Form 1;
        Preset ["p"] "preset" "add the scopes of a preset" Form 3;
        ChangeRow ["e", "Enter"] "change" "change the selected scope row" Form 2;
        RemoveRow ["d", "Delete"] "remove" "remove the selected scope row" Form 3;
    }
    Ask {
        NextField ["Right", "Tab", "l"] "choose" "choose the next button" Form 3;
        PreviousField ["Left", "Shift-Tab", "h"] "choose" "choose the previous button" Form 0;
        Accept ["Enter"] "press" "press the chosen button" Form 1;
        Cancel ["Esc", "q", "n"] "cancel" "cancel, changing nothing" Form 2;
        CopyCommand ["Ctrl-Y", "y c"] "command" "copy the command that does it" Form 4;
    }
    Confirm {
        Accept ["Enter"] "do it" "do it, once the text matches" Form 1;
        Cancel ["Esc"] "cancel" "cancel, changing nothing" Form 2;
        CopyCommand ["Ctrl-Y"] "command" "copy the command that does it" Form 3;
    }
    Bulk {
        Accept ["Enter"] "do it" "do it, once the count matches" Form 1;
        Cancel ["Esc"] "cancel" "cancel, changing nothing" Form 2;
        CopyCommand ["Ctrl-Y"] "command" "copy the command that does it" Form 3;
        Down ["Down"] "down" "scroll the tokens down" Move 4;
        Up ["Up"] "up" "scroll the tokens up" Move 5;
        PageDown ["PgDn"] "page" "scroll a page down" Move 6;
        PageUp ["PgUp"] "page" "scroll a page up" Move 0;
    }
    Secret {
        CopySecret ["y"] "copy" "copy the secret" Secret 1;
        WriteSecret ["w"] "write" "write the secret to a new 0600 file" Secret 2;
        PrintSecret ["p"] "print" "print the secret after the program ends" Secret 3;
        HideSecret ["s"] "hide" "hide or show the secret" Secret 4;
        Acknowledge ["a"] "I have it" "say that you have saved the secret" Secret 5;
        Close ["Esc", "q", "Enter"] "close" "close the panel, once it is safe" Secret 6;
    }
    Menu {
        Accept ["Enter"] "run" "run the selected command" Move 1;
        Down ["Down", "Ctrl-N"] "down" "go one row down" Move 3;
        Up ["Up", "Ctrl-P"] "up" "go one row up" Move 4;
        PageDown ["PgDn"] "page" "go a page down" Move 0;
        PageUp ["PgUp"] "page" "go a page up" Move 0;
        Close ["Esc"] "close" "close it" App 2;
    }
    Global {
        Help ["?"] "help" "show the keys that work here" App 1;
        Palette [":"] "commands" "find and run any command" App 5;
        Messages ["m"] "messages" "show what was said so far" App 0;
        Quit ["q"] "quit" "quit patdeck" App 1;
        TokensTab ["1"] "tokens" "go to the list of tokens" App 0;
        CreateTab ["2"] "create" "go to the create form" App 0;
        DetailTab ["3"] "detail" "go to the detail of the token" App 0;
        AuditTab ["4"] "audit" "go to the audit trail" App 0;
        NextTab ["Tab"] "tab" "go to the next tab" App 16;
        PreviousTab ["Shift-Tab"] "tab" "go to the previous tab" App 0;
        AcceptClock ["C"] "clock" "accept the clock, if it had gone back" App 0;
    }
    Always {
        Interrupt ["Ctrl-C"] "cancel" "cancel; press it twice to quit" App 0;
        Suspend ["Ctrl-Z"] "suspend" "suspend patdeck, fg brings it back" App 0;
        Redraw ["Ctrl-L"] "redraw" "paint the whole screen again" App 0;
    }
}
