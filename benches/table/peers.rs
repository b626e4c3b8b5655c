//! The same question asked of others, as whole processes, where they are installed: one key of
//! one store. Only the ratio to a process that does nothing compares.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Fault, commands::run, quantile};

const TIMES: usize = 40;

/// Asks each peer that is there, turn by turn with a process that does nothing.
pub(crate) fn compare() -> Result<(), Fault> {
    println!("\none key asked of others, as a whole process, times /bin/true");
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("peer.sqlite");
    if is_there("sqlite3") {
        let make = "create table pats(id text primary key, digest blob); \
                    insert into pats values('4fKq9Zt0WbXe', randomblob(32));";
        run(Command::new("sqlite3").arg(&database).arg(make))?;
    }
    told("sqlite3", || {
        let mut ask = Command::new("sqlite3");
        ask.arg(&database).arg("select digest from pats where id = '4fKq9Zt0WbXe'");
        ask
    })?;
    let socket = folder.path().join("redis");
    let redis = served(
        "redis-server",
        |server| {
            server.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket);
        },
        || socket.exists(),
    );
    if redis.is_some() {
        told("redis-cli", || {
            let mut ask = Command::new("redis-cli");
            ask.arg("-s").arg(&socket).args(["GET", "4fKq9Zt0WbXe"]);
            ask
        })?;
    } else {
        println!("{:<14} not installed", "redis-cli");
    }
    drop(redis);
    etcd(folder.path())?;
    // Without a store of its own pass does no more than say so.
    for (program, arguments) in [("pass", ["show", "nothing"]), ("python3", ["-c", "0"])] {
        told(program, || {
            let mut ask = Command::new(program);
            ask.args(arguments).env("HOME", folder.path());
            ask
        })?;
    }
    searched()
}

fn etcd(folder: &Path) -> Result<(), Fault> {
    let free = || TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let (clients, peers) = (free()?, free()?);
    let (at, to_peers) = (format!("http://{clients}"), format!("http://{peers}"));
    let etcd = served(
        "etcd",
        |server| {
            server.args(["--listen-client-urls", &at, "--advertise-client-urls", &at]);
            server.args(["--listen-peer-urls", &to_peers, "--data-dir"]).arg(folder.join("etcd"));
        },
        || TcpStream::connect(clients).is_ok(),
    );
    if etcd.is_none() {
        println!("{:<14} not installed", "etcdctl");
        return Ok(());
    }
    told("etcdctl", || {
        let mut ask = Command::new("etcdctl");
        ask.env("ETCDCTL_API", "3").args(["--endpoints", &at, "get", "4fKq9Zt0WbXe"]);
        ask
    })
}

fn is_there(program: &str) -> bool {
    let mut ask = Command::new(program);
    ask.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok()
}

fn told(program: &str, ask: impl Fn() -> Command) -> Result<(), Fault> {
    if !is_there(program) {
        println!("{program:<14} not installed");
        return Ok(());
    }
    let (mut theirs, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        theirs.push(run(ask().stdin(Stdio::null()))?);
        nothing.push(run(Command::new("/bin/true").stdin(Stdio::null()))?);
    }
    let ratio = quantile(&mut theirs, 0.5) / quantile(&mut nothing, 0.5);
    println!("{program:<14} {ratio:.2}");
    Ok(())
}

/// A server that ends with this value.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server, once it `is_ready`.
fn served(
    program: &str,
    with: impl Fn(&mut Command),
    is_ready: impl Fn() -> bool,
) -> Option<Server> {
    let mut server = Command::new(program);
    with(&mut server);
    let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let server = Server(child.ok()?);
    let deadline = Instant::now() + Duration::from_secs(5);
    while !is_ready() {
        if Instant::now() > deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
    Some(server)
}

/// fzf filters a million names once: what a search character costs there.
fn searched() -> Result<(), Fault> {
    if !is_there("fzf") {
        println!("{:<14} not installed", "fzf");
        return Ok(());
    }
    let mut names = Vec::new();
    for n in 0..1_000_000 {
        writeln!(names, "grafana-prod-{n}")?;
    }
    let mut fzf = Command::new("fzf");
    fzf.args(["--filter", "graf99"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let started = Instant::now();
    let mut child = fzf.spawn()?;
    let mut input = child.stdin.take().ok_or("no input")?;
    input.write_all(&names)?;
    drop(input);
    child.wait()?;
    println!(
        "{:<14} {:.0} ms for one search of 1,000,000 names",
        "fzf",
        started.elapsed().as_secs_f64() * 1_000.0
    );
    Ok(())
}
