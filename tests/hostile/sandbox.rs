//! A folder with a home, a store and files of all kinds, copied afresh for each command. It knows
//! every secret that was issued in it. `Sandbox::state` is what a failed command must not change.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use patdeck::{
    cli::export_line,
    domain::{Command, Description, NewToken, SecretOverlap, Token},
    service::Clock,
    store::{OpenOptions, ReadOps as _, Store},
    testing::ServiceTestExt as _,
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use crate::subject::{memory_folder, new_token, run, service_on};

/// The path of the store below a home.
const STORE: &str = ".local/share/patdeck/store.redb";

/// An export line with a key that occurs twice, and one that is cut off.
const BROKEN_IMPORT: &str = "{\"schema\":1,\"kind\":\"patdeck export\",\"store\":\"29f992618b007eec\",\
    \"exported\":\"2026-11-24T12:00:00Z\",\"tokens\":2}\n{\"name\":\"a\",\"name\":\"b\"}\n{\"name\":";

/// The files that every sandbox starts from.
pub(crate) struct Template {
    folder: TempDir,
    /// All secrets that were issued.
    pub(crate) secrets: Vec<String>,
    /// Texts that name a token: names, ids and prefixes of ids.
    pub(crate) tokens: Vec<String>,
}

impl Template {
    pub(crate) fn new() -> Self {
        let folder = memory_folder();
        let (home, work) = (folder.path().join("home"), folder.path().join("work"));
        for new in [&home, &work, &folder.path().join("tmp")] {
            fs::create_dir_all(new).unwrap();
        }
        let store = home.join(STORE);
        fs::create_dir_all(store.parent().unwrap()).unwrap();
        private_folders(&home);
        let mut template = Self { folder, secrets: Vec::new(), tokens: Vec::new() };
        template.fill_store(&store, &work);
        write_files(&work);
        fs::create_dir(work.join("folder")).unwrap();
        write(&work.join("folder/notes.txt"), template.secrets.join("\n").as_bytes());
        symlink(&store, work.join("link")).unwrap();
        symlink("nowhere", work.join("dangling")).unwrap();
        symlink("/dev/zero", work.join("zero")).unwrap();
        symlink("/dev/full", work.join("full")).unwrap();
        template
    }

    /// Issues tokens of every status, and writes their secrets, a backup and an export.
    fn fill_store(&mut self, store: &Path, work: &Path) {
        let service = service_on(Store::open(store).unwrap(), Clock::System);
        let mut ids = Vec::new();
        for name in ["ci", "web", "two words", "ended", "gone", "café"] {
            let description = Description::parse("a description").unwrap();
            let issued = service.create(&NewToken { description, ..new_token(name) }).unwrap();
            let secret = issued.secret.reveal().to_owned();
            write(&work.join(format!("{name}.token")), format!("{secret}\n").as_bytes());
            self.secrets.push(secret);
            let id = issued.token.id.to_string();
            self.tokens.extend([name.to_owned(), id[..4].to_owned(), id]);
            ids.push(issued.token.id);
        }
        service.revoke(&ids[3]).unwrap();
        service.delete(&ids[4]).unwrap();
        let overlap = Command::Regenerate {
            tokens: vec![ids[1]],
            lifetime: None,
            overlap: SecretOverlap::Day,
            secret_file: None,
        };
        let issued = service.execute_confirmed(&overlap).unwrap().issued;
        self.secrets.extend(issued.iter().map(|one| one.secret.reveal().to_owned()));
        service.backup(&work.join("backup.redb")).unwrap();
        let exported = run("export", store, &["export"], "");
        write(&work.join("export.jsonl"), &exported.stdout);
        let utf16: Vec<u8> = String::from_utf8(exported.stdout)
            .unwrap()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        write(&work.join("utf16.jsonl"), &[b"\xff\xfe", utf16.as_slice()].concat());
    }

    /// Copies the template to a sandbox for `thread`.
    pub(crate) fn sandbox(&self, thread: usize) -> Sandbox {
        let root = self.folder.path().join(format!("sandbox-{thread}"));
        // Left by the last case, perhaps with folders that cannot be entered.
        let _ = fs::remove_dir_all(&root);
        for name in ["home", "work", "tmp"] {
            copy_folder(&self.folder.path().join(name), &root.join(name));
        }
        let mode = Mode::from_raw_mode(0o600);
        mknodat(CWD, root.join("work/fifo"), FileType::Fifo, mode, 0).unwrap();
        fs::create_dir(root.join("foreign")).unwrap();
        // Only root can give a folder away; for others it stays their own.
        let _ = std::os::unix::fs::chown(root.join("foreign"), Some(12_345), Some(12_345));
        let mut sandbox = Sandbox { root, entries: BTreeSet::new() };
        sandbox.entries = sandbox.all_files();
        sandbox
    }
}

/// The files of one command.
pub(crate) struct Sandbox {
    pub(crate) root: PathBuf,
    entries: BTreeSet<PathBuf>,
}

impl Sandbox {
    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.home().join(STORE)
    }

    /// Returns the exported tokens without their last uses, and the state of the audit chain.
    /// Asserts that the chain is intact and the tables agree.
    pub(crate) fn state(&self, case: &str) -> String {
        let options = OpenOptions { create_missing: false, ..OpenOptions::default() };
        let store = Store::open_with(&self.store(), options).unwrap();
        let (tokens, chain, faults) = store
            .read(|rows| {
                Ok::<_, patdeck::StoreError>((
                    rows.tokens()?,
                    rows.verify_chain()?,
                    rows.find_inconsistencies()?,
                ))
            })
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!((chain.first_fault, faults), (None, Vec::<String>::new()), "{case}");
        assert!(tokens.damaged.is_empty(), "{case}: {:?}", tokens.damaged);
        let lines: Vec<_> = tokens.rows.iter().map(exported_without_use).collect();
        format!("{}\n{} events, {:?}", lines.join("\n"), chain.events, chain.head)
    }

    /// The files that are new since the sandbox was made.
    pub(crate) fn new_files(&self) -> Vec<PathBuf> {
        self.all_files().difference(&self.entries).cloned().collect()
    }

    fn all_files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
                found.insert(entry.path());
            }
        }
        found
    }

    /// Asserts that only the owner can use the new files, and that none contains an old secret.
    pub(crate) fn check_new_files(&self, case: &str, secrets: &[String]) {
        for path in self.new_files() {
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_symlink() {
                continue;
            }
            assert_eq!(metadata.mode() & 0o077, 0, "{case}: {} is open to others", path.display());
            if metadata.is_file() {
                let bytes = fs::read(&path).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                let leaked = secrets.iter().any(|secret| text.contains(secret.as_str()));
                assert!(!leaked, "{case}: a secret is in {}", path.display());
            }
        }
    }
}

/// One line of an export without the last uses of both secrets, which a check records.
fn exported_without_use(token: &Token) -> String {
    let mut line: serde_json::Value = serde_json::from_str(&export_line(token)).unwrap();
    remove_uses(&mut line);
    line.to_string()
}

fn remove_uses(value: &mut serde_json::Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove("last_used");
        fields.remove("last_denied");
        fields.values_mut().for_each(remove_uses);
    }
}

/// Writes settings that are wrong in every way.
fn write_files(work: &Path) {
    write(&work.join("good.toml"), b"theme = \"mono\"\n");
    write(&work.join("broken.toml"), b"theme = \"mono\"\nthemes = [\n");
    write(&work.join("nul.toml"), b"store = \"a\0b\"\n");
    write(&work.join("escaped.toml"), b"store = \"a\\u0000b\"\nprefix = \"\\u001b[2J\"\n");
    write(&work.join("invalid.toml"), b"\xff\xfe\x00t\x00h");
    write(&work.join("huge.toml"), &b"# comment\n".repeat(1 << 20));
    write(&work.join("open.toml"), b"theme = \"mono\"\n");
    fs::set_permissions(work.join("open.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    write(&work.join("broken.jsonl"), BROKEN_IMPORT.as_bytes());
    write(&work.join("empty"), b"");
    write(&work.join("text"), b"shopping list\n");
    write(&work.join("-"), b"a file named like standard input\n");
}

/// Creates a file with mode 0600.
fn write(path: &Path, bytes: &[u8]) {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// Gives every folder below `home` the mode 0700.
fn private_folders(home: &Path) {
    for folder in [".local", ".local/share", ".local/share/patdeck"] {
        fs::set_permissions(home.join(folder), fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// Copies a folder with the permissions of its files. A link keeps its target, unless it names a
/// file of the template, whose copy it then names.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&source, &copy);
        } else if kind.is_symlink() {
            let is_store = entry.file_name() == OsStr::new("link");
            let target = fs::read_link(&source).unwrap();
            symlink(if is_store { Path::new("../home").join(STORE) } else { target }, copy)
                .unwrap();
        } else {
            fs::copy(&source, &copy).unwrap();
        }
    }
}
