//! Who is at the keyboard, read once at start from the account and the environment of the
//! session. What the environment says is shown escaped and never decides anything.

use crate::domain::Actor;

/// The account of this process, the one that called sudo, and where the session comes from.
/// `variable` reads the environment.
pub fn current_actor(variable: impl Fn(&str) -> Option<String>) -> Actor {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let uid = rustix::process::geteuid().as_raw();
    let user = account(uid).or_else(|| set("USER")).unwrap_or_else(|| format!("uid {uid}"));
    let client = set("SSH_CONNECTION").and_then(|told| told.split(' ').next().map(str::to_owned));
    let from = client.or_else(|| set("SSH_TTY"));
    let sudo_user = set("SUDO_USER").map(Into::into);
    Actor { user: user.into(), sudo_user, from: from.map(Into::into) }
}

/// The name of account `uid` in the system's list. Accounts from a directory service are not
/// in it; for those the environment has to do.
fn account(uid: u32) -> Option<String> {
    let list = std::fs::read_to_string("/etc/passwd").ok()?;
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        (id == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ssh_client_and_the_sudo_caller_are_named() {
        let actor = current_actor(|name| match name {
            "SSH_CONNECTION" => Some("192.0.2.7 51234 198.51.100.1 22".into()),
            "SUDO_USER" => Some("alice".into()),
            _ => None,
        });
        assert_eq!(actor.from.as_deref(), Some("192.0.2.7"));
        assert_eq!(actor.sudo_user.as_deref(), Some("alice"));
        assert!(!actor.user.is_empty());
    }

    #[test]
    fn an_empty_environment_still_names_the_account() {
        let actor = current_actor(|_| None);
        assert!(!actor.user.is_empty());
        assert_eq!((actor.sudo_user, actor.from), (None, None));
    }
}
