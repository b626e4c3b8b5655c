//! The table of all default key bindings. To add a key, add a row here and an arm to the `update`
//! of the screen. The footer, the help, `[keys]` and the documents are derived from the table. The
//! tests in `map_tests` check the table.

use super::{Action, HelpSection, Mode};

/// One row of the table: an action in a mode, with its keys and its texts.
#[derive(Debug, Clone, Copy)]
pub struct KeyBinding {
    pub mode: Mode,
    pub action: Action,
    /// The default keys; the first one is shown. The keys of a sequence are separated by a space.
    pub keys: &'static [&'static str],
    /// The description in the help. It starts with a verb, has no full stop and has at most 48
    /// columns.
    pub help: &'static str,
    /// The label in the footer, at most 12 columns.
    pub hint: &'static str,
    pub section: HelpSection,
    /// The position in the footer. Rank 1 comes first and is dropped last. With rank 0, the footer
    /// does not show the binding.
    pub rank: u8,
}

/// Builds the table. Each line holds an action, its keys, footer label, help, section and rank.
macro_rules! bindings {
    ($($mode:ident { $(
        $action:ident [$($key:literal),*] $hint:literal $help:literal $section:ident $rank:literal;
    )* })*) => {
        /// The default bindings of all modes, in the order of the documents.
        pub const BINDINGS: &[KeyBinding] = &[$($(KeyBinding {
            mode: Mode::$mode,
            action: Action::$action,
            keys: &[$($key),*],
            help: $help,
            hint: $hint,
            section: HelpSection::$section,
            rank: $rank,
        },)*)*];
    };
}

/// The keys of the options of a form, which read them themselves: `[keys]` cannot change them.
pub const OPTION_KEYS: [(&str, &str); 4] = [
    ("Left, Right", "choose the previous or next option"),
    ("a letter", "go to the option that starts with it"),
    ("Space", "check or uncheck a box, or choose the next option"),
    ("*", "check every box, or none"),
];

bindings! {
    Tokens {
        New ["n"] "new" "create a token" Token 6;
        Open ["Enter", "l", "Right"] "open" "open the selected token" Token 1;
        AddScope ["a"] "scope" "add scopes to the token" Token 9;
        Edit ["e"] "edit" "edit name, description, limits, labels, owner" Token 10;
        Clone ["c"] "clone" "create a token from this one" Token 11;
        Revoke ["r"] "revoke" "revoke the token" Token 2;
        Regenerate ["R"] "regenerate" "regenerate the secret" Token 3;
        Delete ["D", "Delete"] "delete" "delete the token" Token 4;
        EndOverlap ["O"] "end old" "stop the old secret now" Token 0;
        Preset ["p"] "preset" "add the scopes of a preset" Token 0;
        Test ["T"] "test" "check what the token may do" Token 0;
        DeleteAll ["X"] "delete all" "delete every token" Token 14;
        Undo ["u"] "undo" "undo the last edit, scope change or deletion" Token 13;
        Mark ["Space"] "mark" "mark for bulk action" Token 5;
        MarkRange ["v"] "range" "start or end a range of marks" Token 0;
        MarkAll ["*"] "mark all" "mark all shown tokens" Token 0;
        CopyId ["y i"] "copy id" "copy the token id" Copy 12;
        CopyName ["y n"] "copy name" "copy the token name" Copy 0;
        CopyCommand ["y c"] "copy command" "copy the command that prints this list" Copy 0;
        CopyJson ["y j"] "copy JSON" "copy the token as JSON" Copy 0;
        Search ["/"] "search" "search by words and terms such as op:publish" View 7;
        NextStatus ["f"] "filter" "show the tokens of the next status" View 8;
        PreviousStatus ["F"] "filter" "show the tokens of the previous status" View 0;
        Expiring ["E"] "expiring" "show tokens expiring within 7, 30 or 90 days" View 0;
        NextView ["V"] "view" "show the next view of the config" View 0;
        NextSort ["s"] "sort" "sort by the next column" View 12;
        ReverseSort ["S"] "reverse" "reverse sort order" View 0;
        Zoom ["z"] "strip" "hide or show the strip of expiries" View 0;
        Back ["Esc"] "clear" "clear the range, the marks or the search" View 0;
    }
    Detail {
        New ["n"] "new" "create a token" Token 0;
        Revoke ["r"] "revoke" "revoke the token" Token 3;
        Regenerate ["R"] "regenerate" "regenerate the secret" Token 3;
        EndOverlap ["O"] "end old" "stop the old secret now" Token 2;
        AddScope ["a"] "add scope" "add scopes to the token" Token 4;
        Preset ["p"] "preset" "add the scopes of a preset" Token 6;
        RemoveScope ["d"] "remove scope" "remove the selected scope" Token 5;
        ClearScopes ["X"] "clear" "remove every scope" Token 9;
        Submit ["Ctrl-S", "Enter"] "apply" "apply the pending changes of scopes" Token 1;
        ToggleCell ["Space"] "toggle" "add or remove the selected scope" Token 2;
        ToggleRow ["-"] "row" "add or remove the scopes of the row" Token 0;
        ToggleColumn ["="] "column" "add or remove the scopes of the column" Token 0;
        NextCell ["Right", "l"] "choose" "select the next operation" Move 2;
        PreviousCell ["Left", "h"] "previous" "select the previous operation" Move 0;
        Test ["T"] "test" "check what the token may do" Token 6;
        Edit ["e"] "edit" "edit name, description, limits, labels, owner" Token 7;
        ScopeForm ["o"] "form" "list scopes in a table, or one on each row" View 12;
        Zoom ["z"] "zoom" "enlarge the hidden facts or the section" View 9;
        Clone ["c"] "clone" "create a token from this one" Token 8;
        Delete ["D", "Delete"] "delete" "delete the token" Token 8;
        Undo ["u"] "undo" "undo the last edit, scope change or deletion" Token 11;
        CopyId ["y i"] "copy id" "copy the token id" Copy 10;
        CopyName ["y n"] "copy name" "copy the token name" Copy 0;
        CopyCommand ["y c"] "copy command" "copy the command that shows this token" Copy 0;
        CopyJson ["y j"] "copy JSON" "copy the token as JSON" Copy 0;
        Back ["Esc"] "back" "go back to the list or the audit trail" App 2;
    }
    Audit {
        Open ["Enter", "l", "Right"] "open" "open the token of the event" Token 3;
        Search ["/"] "search" "search by words and terms such as since:7d" View 4;
        FilterToken ["f"] "token" "show only events of this token" View 4;
        FilterAction ["a"] "action" "show the events of the next kind" View 5;
        PreviousAction ["A"] "action" "show the events of the previous kind" View 0;
        FilterActor ["w"] "actor" "show only events of this actor" View 6;
        CopyCommand ["y c"] "copy command" "copy the command that prints this trail" Copy 7;
        Back ["Esc", "h", "Left"] "back" "clear the filter, or go back" App 2;
    }
    Overview {
        Open ["Enter", "l", "Right"] "open" "show the tokens or events of the selected row" Token 3;
        CopyCommand ["y c"] "copy command" "copy the command that prints these figures" Copy 0;
        Back ["Esc", "h", "Left"] "back" "go back to the list" App 2;
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
        Times ["t"] "times" "switch times: relative, local or UTC" View 15;
    }
    Search {
        Accept ["Enter"] "keep" "keep the search, go to the list" View 1;
        Cancel ["Esc"] "clear" "clear the search" View 2;
        Down ["Down"] "down" "go one row down" Move 3;
        Up ["Up"] "earlier" "recall an earlier search, or go one row up" Move 4;
        TakeTerm ["Tab"] "take term" "take the term that was probably meant" View 3;
        Terms ["Ctrl-G"] "terms" "list the search terms, and insert one" View 5;
    }
    Form {
        NextField ["Tab"] "field" "go to the next field" Form 3;
        PreviousField ["Shift-Tab"] "previous" "go to the previous field" Form 6;
        Down ["Down"] "down" "go down: rows, suggestions, then the next field" Form 0;
        Up ["Up"] "up" "go up: rows, suggestions, the previous field" Form 0;
        Accept ["Enter"] "next" "open a field, go to the next, or press a button" Form 5;
        Submit ["Ctrl-S"] "submit" "submit from any field" Form 1;
        Cancel ["Esc"] "close" "close the form" Form 2;
        CopyCommand ["Ctrl-Y"] "copy command" "copy the equivalent command" Form 4;
        Help ["Ctrl-G"] "help" "show the keys that work here" App 1;
    }
    Create {
        GoToScopes ["Ctrl-O"] "scopes" "go to the scopes of the new token" Form 6;
        ClearForm ["Ctrl-X"] "clear" "empty the form" Form 7;
    }
    Rows {
        AddRow ["a"] "add" "add a scope row" Form 1;
        Preset ["p"] "preset" "add the scopes of a preset" Form 3;
        ChangeRow ["e", "Enter"] "change" "change the selected scope row" Form 2;
        RemoveRow ["d", "Delete"] "remove" "remove the selected scope row" Form 3;
    }
    Ask {
        NextField ["Right", "Tab", "l"] "choose" "select the next button" Form 3;
        PreviousField ["Left", "Shift-Tab", "h"] "choose" "select the previous button" Form 0;
        Accept ["Enter"] "press" "press the selected button" Form 1;
        Cancel ["Esc", "q", "n"] "cancel" "cancel without changes" Form 2;
        CopyCommand ["Ctrl-Y", "y c"] "copy command" "copy the equivalent command" Form 4;
    }
    Confirm {
        Accept ["Enter"] "confirm" "confirm, once the text matches" Form 1;
        Cancel ["Esc"] "cancel" "cancel without changes" Form 2;
        CopyCommand ["Ctrl-Y"] "copy command" "copy the equivalent command" Form 3;
    }
    Bulk {
        Accept ["Enter"] "confirm" "confirm, once the count matches" Form 1;
        Cancel ["Esc"] "cancel" "cancel without changes" Form 2;
        CopyCommand ["Ctrl-Y"] "copy command" "copy the equivalent command" Form 3;
        Down ["Down"] "down" "scroll the list down" Move 4;
        Up ["Up"] "up" "scroll the list up" Move 5;
        PageDown ["PgDn"] "page" "scroll a page down" Move 6;
        PageUp ["PgUp"] "page" "scroll a page up" Move 0;
    }
    Secret {
        CopySecret ["y"] "copy" "copy the secret" Secret 1;
        CopyAsHeader ["Y h"] "header" "copy as an HTTP header: Authorization: Bearer" Secret 0;
        CopyAsEnv ["Y e"] ".env" "copy as a line of an .env file" Secret 0;
        CopyAsNetrc ["Y n"] ".netrc" "copy as a line of a .netrc file" Secret 0;
        CopyAsUserPass ["Y u"] "user:pass" "copy as user and password, for Docker, RabbitMQ" Secret 0;
        CopyAsJson ["Y j"] "JSON" "copy as JSON" Secret 0;
        Acknowledge ["a"] "I saved it" "confirm that you saved the secret" Secret 2;
        WriteSecret ["w"] "write" "write the secret to a new 0600 file" Secret 3;
        PrintSecret ["p"] "print" "print the secret to the terminal on exit" Secret 4;
        HideSecret ["s"] "hide/show" "hide or show the secret" Secret 5;
        Close ["Esc", "q", "Enter"] "close" "close the panel, if the secret is saved" Secret 6;
    }
    Menu {
        Accept ["Enter"] "run" "run the selected command" Move 1;
        Down ["Down", "Ctrl-N"] "down" "go one row down" Move 3;
        Up ["Up", "Ctrl-P"] "up" "go one row up" Move 4;
        PageDown ["PgDn"] "page" "go a page down" Move 0;
        PageUp ["PgUp"] "page" "go a page up" Move 0;
        Close ["Esc"] "close" "close this list" App 2;
    }
    Global {
        Help ["?"] "help" "show the keys that work here" App 1;
        Palette [":"] "commands" "find and run any command" App 8;
        Messages ["m"] "messages" "show message log" App 0;
        Quit ["q"] "quit" "quit patdeck" App 1;
        TokensTab ["1"] "tokens" "go to the token list" App 0;
        CreateTab ["2"] "create" "go to the create form" App 0;
        DetailTab ["3"] "detail" "go to the details of the token" App 0;
        AuditTab ["4"] "audit" "go to the audit trail" App 0;
        OverviewTab ["5"] "overview" "go to the overview of the store" App 0;
        NextTab ["Tab"] "next tab" "go to the next tab" App 16;
        PreviousTab ["Shift-Tab"] "previous tab" "go to the previous tab" App 0;
        GoToLostSecret ["!"] "lost secret" "go to a secret that may be lost; say it is saved" App 0;
        AcceptClock ["C"] "clock" "accept the clock after it was set back" App 0;
    }
    Always {
        Interrupt ["Ctrl-C"] "cancel" "cancel; press twice to quit" App 0;
        Suspend ["Ctrl-Z"] "suspend" "suspend patdeck; fg resumes it" App 0;
        Redraw ["Ctrl-L"] "redraw" "redraw the screen" App 0;
    }
}
