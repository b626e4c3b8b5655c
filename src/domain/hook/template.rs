//! The command of a hook with its placeholders. Parses each item once, so that the text of a name is
//! never searched for placeholders. Refuses items in which a name could become an option or code.
//! Called by `Hook`.

use super::{HookError, HookRun};

/// A value of the event that a command can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Id,
    Name,
    Action,
    Event,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplateSegment {
    Text(String),
    Value(Placeholder),
}

/// One item of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    segments: Vec<TemplateSegment>,
}

impl Placeholder {
    fn parse(word: &str) -> Result<Self, HookError> {
        match word {
            "id" => Ok(Self::Id),
            "name" => Ok(Self::Name),
            "action" => Ok(Self::Action),
            "event" => Ok(Self::Event),
            _ => Err(HookError::UnknownPlaceholder(format!("{{{word}}}"))),
        }
    }
}

impl Template {
    /// Parses `text`. A word of lower-case letters in braces is a placeholder; other braces are text.
    fn parse(text: &str) -> Result<Self, HookError> {
        let (mut segments, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            let is_word = |word: &str| {
                !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || "-_".contains(c))
            };
            if let Some((word, behind)) = after.split_once('}').filter(|(word, _)| is_word(word)) {
                segments.push(TemplateSegment::Text(std::mem::take(&mut plain)));
                segments.push(TemplateSegment::Value(Placeholder::parse(word)?));
                rest = behind;
            } else {
                plain.push('{');
                rest = after;
            }
        }
        plain.push_str(rest);
        segments.push(TemplateSegment::Text(plain));
        segments.retain(|segment| *segment != TemplateSegment::Text(String::new()));
        Ok(Self { text: text.to_owned(), segments })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    fn has_name(&self) -> bool {
        self.segments.contains(&TemplateSegment::Value(Placeholder::Name))
    }

    fn starts_with_name(&self) -> bool {
        self.segments.first() == Some(&TemplateSegment::Value(Placeholder::Name))
    }

    /// The item for `run`. An event of the whole store has an empty id and name.
    pub(super) fn fill(&self, run: &HookRun) -> String {
        let mut filled = String::new();
        for segment in &self.segments {
            match segment {
                TemplateSegment::Text(text) => filled.push_str(text),
                TemplateSegment::Value(Placeholder::Id) => {
                    filled.push_str(run.token.as_ref().map_or("", |id| id.as_str()));
                }
                TemplateSegment::Value(Placeholder::Name) => filled.push_str(&run.name),
                TemplateSegment::Value(Placeholder::Action) => filled.push_str(run.action.verb()),
                TemplateSegment::Value(Placeholder::Event) => {
                    filled.push_str(&run.event.to_string());
                }
            }
        }
        filled
    }
}

/// Parses the items of a command.
pub(super) fn parse_command(items: &[&str]) -> Result<Vec<Template>, HookError> {
    let command = items.iter().map(|item| Template::parse(item)).collect::<Result<Vec<_>, _>>()?;
    let is_shell = items.first().is_some_and(|program| program.ends_with("sh"));
    let mut before: &str = "";
    let mut is_after_dashes = false;
    let mut has_script = false;
    for item in &command {
        let is_script_option = before.starts_with('-') && before.ends_with('c');
        if is_shell && !has_script && is_script_option {
            if item.has_name() {
                return Err(HookError::NameInScript);
            }
            has_script = true;
        } else if item.starts_with_name() && !is_after_dashes && !has_script {
            return Err(HookError::NameAsOption);
        }
        is_after_dashes |= item.text == "--";
        before = &item.text;
    }
    Ok(command)
}
