//! The forms in which a new secret is copied or printed: bare, or as the line that a client reads.
//! No form is a shell command, because a shell would keep the secret in its history. The secret
//! panel and `create --format` call it.

use zeroize::Zeroizing;

use super::json;
use crate::domain::{Name, Secret, labelled_enum::labels};

labels! {
    /// A form of a new secret. The label is the value of `--format`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum SecretFormat, ALL, as_str {
        /// The secret alone.
        #[default]
        Secret => "secret",
        /// An HTTP header.
        Header => "header",
        /// A line of an `.env` file. The variable is named after the token.
        Env => "env",
        /// A line of a `.netrc` file. The operator replaces `HOST`.
        Netrc => "netrc",
        /// A user name and a password, separated by a colon.
        UserPass => "userpass",
        /// A JSON object.
        Json => "json",
    }
}

impl SecretFormat {
    /// What is copied or printed, for a message.
    pub fn description(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Header => "HTTP header",
            Self::Env => ".env line",
            Self::Netrc => ".netrc line",
            Self::UserPass => "user and password",
            Self::Json => "JSON",
        }
    }

    /// The text with the secret of the token `name`, without a line break. It is wiped when
    /// dropped. The user name is the id of the token, which needs no quotes in any format.
    pub fn text(self, secret: &Secret, name: &Name) -> Zeroizing<String> {
        let id = secret.id();
        let (before, after) = match self {
            Self::Secret => (String::new(), ""),
            Self::Header => ("Authorization: Bearer ".to_owned(), ""),
            Self::Env => (format!("{}=", env_variable(name)), ""),
            Self::Netrc => (format!("machine HOST login {id} password "), ""),
            Self::UserPass => (format!("{id}:"), ""),
            Self::Json => {
                let (schema, name) = (json::SCHEMA_VERSION, json::quoted(name.as_str()));
                let fields = format!("\"schema\":{schema},\"id\":\"{id}\",\"name\":{name}");
                (format!("{{{fields},\"secret\":\""), "\"}")
            }
        };
        // The capacity is exact, so that no part of the secret stays in a freed buffer.
        let len = before.len() + secret.reveal().len() + after.len();
        let mut text = Zeroizing::new(String::with_capacity(len));
        text.push_str(&before);
        text.push_str(secret.reveal());
        text.push_str(after);
        text
    }
}

/// The name of an environment variable for the secret of the token `name`: `CI_DEPLOY_TOKEN`.
fn env_variable(name: &Name) -> String {
    let words = name.as_str().split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).map(str::to_uppercase).collect();
    match words.first() {
        Some(first) if first.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            format!("{}_TOKEN", words.join("_"))
        }
        Some(_) => format!("TOKEN_{}", words.join("_")),
        None => "TOKEN".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SecretPrefix, TokenId};

    fn texts(name: &str) -> (String, Vec<String>) {
        let draw = |out: &mut [u8]| {
            out.fill(7);
            Ok::<_, std::convert::Infallible>(())
        };
        let id = TokenId::parse("4fKq9Zt0WbXe").unwrap();
        let secret = Secret::generate(&SecretPrefix::default(), id, draw).unwrap();
        let name = Name::parse(name).unwrap();
        let texts = SecretFormat::ALL.map(|format| format.text(&secret, &name).to_string());
        (secret.reveal().to_owned(), texts.to_vec())
    }

    #[test]
    fn each_format_contains_the_secret_once() {
        let (secret, texts) = texts("ci deploy é\"");
        let expected = [
            "{}",
            "Authorization: Bearer {}",
            "CI_DEPLOY_TOKEN={}",
            "machine HOST login 4fKq9Zt0WbXe password {}",
            "4fKq9Zt0WbXe:{}",
            "{\"schema\":1,\"id\":\"4fKq9Zt0WbXe\",\"name\":\"ci deploy \\u00e9\\\"\",\"secret\":\"{}\"}",
        ];
        assert_eq!(texts, expected.map(|text| text.replace("{}", &secret)));
    }

    #[test]
    fn every_name_gives_a_valid_variable() {
        for (name, variable) in
            [("7-up", "TOKEN_7_UP"), ("鍵", "TOKEN"), ("a--b", "A_B_TOKEN"), ("--x", "X_TOKEN")]
        {
            assert_eq!(env_variable(&Name::parse(name).unwrap()), variable);
        }
    }
}
