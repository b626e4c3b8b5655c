//! Determines the actor: OS account, sudo caller and terminal or SSH client. All of these are read
//! once, when the program starts. A user can set environment variables freely, so the actor is
//! recorded and shown (escaped), but never grants or denies anything.

use crate::domain::{Actor, scan::redact_secrets};

/// Returns the effective account of this process, the sudo caller, and the SSH client address or
/// terminal of the session. `variable` reads an environment variable.
pub fn current_actor(variable: impl Fn(&str) -> Option<String>) -> Actor {
    // A secret that was exported by mistake must not get into the audit trail.
    let set = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty())?;
        Some(redact_secrets(&value))
    };
    let uid = rustix::process::geteuid().as_raw();
    let user = account_name(uid).or_else(|| set("USER")).unwrap_or_else(|| format!("uid {uid}"));
    let client = set("SSH_CONNECTION").and_then(|value| value.split(' ').next().map(str::to_owned));
    let from = client.or_else(|| set("SSH_TTY"));
    let sudo_user = set("SUDO_USER").map(Into::into);
    Actor { user: user.into(), sudo_user, from: from.map(Into::into) }
}

/// Looks up the name of `uid` in `/etc/passwd`. Accounts of a directory service (LDAP) are not in
/// it; for those, the caller uses the environment.
fn account_name(uid: u32) -> Option<String> {
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
    fn ssh_client_and_sudo_user_are_recorded() {
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
    fn a_secret_in_a_variable_is_not_recorded() {
        let secret = "pat_4fKq9Zt0WbXe_7Yc2mVdR0sPq8LhTz1NgJw5XaBk3UeFi4Wv6mn";
        let actor = current_actor(|_| Some(secret.to_owned()));
        assert!(actor.names().all(|name| !name.contains(secret)), "{actor}");
        assert_eq!(actor.sudo_user.as_deref(), Some("(the secret of 4fKq9Zt0WbXe)"));
    }

    #[test]
    fn account_is_recorded_without_environment_variables() {
        let actor = current_actor(|_| None);
        assert!(!actor.user.is_empty());
        assert_eq!((actor.sudo_user, actor.from), (None, None));
    }
}
