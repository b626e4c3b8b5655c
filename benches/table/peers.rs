//! Comparison with other programs, if installed: looks up one key in a whole process. Only the
//! ratio to `/bin/true` is comparable between machines.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{BenchError, commands::run, quantile};

/// Number of processes of each kind.
const TIMES: usize = 40;

/// Measures each installed peer, alternating with `/bin/true`, and prints the ratios.
pub(crate) fn compare() -> Result<(), BenchError> {
    println!("\none key lookup by other programs, whole process, times /bin/true");
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("peer.sqlite");
    if is_installed("sqlite3") {
        let make = "create table pats(id text primary key, digest blob); \
                    insert into pats values('4fKq9Zt0WbXe', randomblob(32));";
        run(Command::new("sqlite3").arg(&database).arg(make))?;
    }
    print_ratio("sqlite3", || {
        let mut query = Command::new("sqlite3");
        query.arg(&database).arg("select digest from pats where id = '4fKq9Zt0WbXe'");
        query
    })?;
    let socket = folder.path().join("redis");
    let redis = start_server(
        "redis-server",
        |server| {
            server.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket);
        },
        || socket.exists(),
    );
    if redis.is_some() {
        print_ratio("redis-cli", || {
            let mut query = Command::new("redis-cli");
            query.arg("-s").arg(&socket).args(["GET", "4fKq9Zt0WbXe"]);
            query
        })?;
    } else {
        println!("{:<14} not installed", "redis-cli");
    }
    drop(redis);
    measure_etcd(folder.path())?;
    // `pass` without a store only prints an error: the lower bound of its run time.
    for (program, arguments) in [("pass", ["show", "nothing"]), ("python3", ["-c", "0"])] {
        print_ratio(program, || {
            let mut query = Command::new(program);
            query.args(arguments).env("HOME", folder.path());
            query
        })?;
    }
    measure_fzf()
}

fn measure_etcd(folder: &Path) -> Result<(), BenchError> {
    let free_address = || TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let (clients, peers) = (free_address()?, free_address()?);
    let (client_url, peer_url) = (format!("http://{clients}"), format!("http://{peers}"));
    let etcd = start_server(
        "etcd",
        |server| {
            server.args([
                "--listen-client-urls",
                &client_url,
                "--advertise-client-urls",
                &client_url,
            ]);
            server.args(["--listen-peer-urls", &peer_url, "--data-dir"]).arg(folder.join("etcd"));
        },
        || TcpStream::connect(clients).is_ok(),
    );
    if etcd.is_none() {
        println!("{:<14} not installed", "etcdctl");
        return Ok(());
    }
    print_ratio("etcdctl", || {
        let mut query = Command::new("etcdctl");
        query.env("ETCDCTL_API", "3").args(["--endpoints", &client_url, "get", "4fKq9Zt0WbXe"]);
        query
    })
}

fn is_installed(program: &str) -> bool {
    let mut query = Command::new(program);
    query.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    query.status().is_ok()
}

fn print_ratio(program: &str, command: impl Fn() -> Command) -> Result<(), BenchError> {
    if !is_installed(program) {
        println!("{program:<14} not installed");
        return Ok(());
    }
    let (mut peer_times, mut true_times) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        peer_times.push(run(command().stdin(Stdio::null()))?);
        true_times.push(run(Command::new("/bin/true").stdin(Stdio::null()))?);
    }
    let ratio = quantile(&mut peer_times, 0.5) / quantile(&mut true_times, 0.5);
    println!("{program:<14} {ratio:.2}");
    Ok(())
}

/// A server process that is killed on drop.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits until it `is_ready`; `None` if it cannot be started or after 5 s.
fn start_server(
    program: &str,
    configure: impl Fn(&mut Command),
    is_ready: impl Fn() -> bool,
) -> Option<Server> {
    let mut server = Command::new(program);
    configure(&mut server);
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

/// Measures one fzf filter run over a million names, which compares with one search character.
fn measure_fzf() -> Result<(), BenchError> {
    if !is_installed("fzf") {
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
