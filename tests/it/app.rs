//! The program under test, with its data folder and database.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use duoku::catalogue::{Account, AccountId, NetRole, Role, Sha256, TokenScopes};
use duoku::db::grants::{Grantee, Scope};
use duoku::db::{self, Db};
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::bucket::Bucket;
use crate::client::Client;

/// Password of `admin` in every test.
pub(crate) const PASSWORD: &str = "一张红纸 for tests";

/// How long the program may take to be ready on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A `duoku serve` of its own: data folder, database, address. Ended on drop.
pub(crate) struct TestApp {
    folder: tempfile::TempDir,
    database: Option<Database>,
    bucket: Option<Bucket>,
    settings: Vec<(String, String)>,
    server: Option<Running>,
}

/// A process that is ended with its owner.
pub(crate) struct Running {
    pub child: Child,
    /// Host and port, for a server.
    pub address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Memory that is its own, without mapped files.
    pub(crate) fn own_memory_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number.expect("in kB").parse().expect("a number")
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).expect("the process is there");
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self, at_most: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status;
            }
            assert!(begun.elapsed() < at_most, "still running after {at_most:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl TestApp {
    /// Starts a server with the settings of tests.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with `settings` (environment variables) over those of tests.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let mut app = Self::stopped(settings);
        app.serve(&[]);
        app
    }

    /// An installation whose server does not run yet.
    pub(crate) fn stopped(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("duoku-it-").tempdir().expect("a folder");
        let store = std::env::var("DUOKU_TEST_STORE").unwrap_or_default();
        let bucket = store.starts_with("s3").then(Bucket::start);
        // With "s3-pieces" uploads go there as they come.
        let pieces = (store == "s3-pieces").then_some(("DUOKU_UPLOAD_IN_BUCKET", "true"));
        let own = pieces.iter().chain(settings);
        let own = own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (database, settings) = (Database::create(), own.collect());
        Self { folder, database, bucket, settings, server: None }
    }

    /// Starts a server whose objects are in a bucket.
    pub(crate) fn in_bucket(settings: &[(&str, &str)]) -> Self {
        let mut app = Self::stopped(settings);
        app.bucket.get_or_insert_with(Bucket::start);
        app.serve(&[]);
        app
    }

    /// The bucket, where there is one.
    pub(crate) fn bucket(&self) -> &Bucket {
        self.bucket.as_ref().expect("the objects are in a bucket")
    }

    /// The folder of the objects.
    pub(crate) fn store(&self) -> PathBuf {
        self.bucket.as_ref().map_or_else(|| self.data().join("store"), Bucket::folder)
    }

    /// Starts `duoku serve ARGUMENTS` and waits until it is ready.
    pub(crate) fn serve(&mut self, arguments: &[&str]) {
        assert!(self.server.is_none(), "it runs already");
        self.server = Some(self.another(arguments));
    }

    /// Starts one more `duoku serve ARGUMENTS` on this installation and waits until it is ready.
    pub(crate) fn another(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(&["serve"]);
        command.args(arguments);
        self.begin(command)
    }

    /// Starts a server with nothing in `folder`, as if it was not installed; false where tests may
    /// not do so.
    pub(crate) fn serve_without(&mut self, folder: &str) -> bool {
        let hide = format!("mount -t tmpfs none {folder} && exec \"$@\"");
        let apart = |command: &mut Command| {
            command.args(["--mount", "--map-root-user", "sh", "-c", &hide, "sh"]);
        };
        let mut probe = Command::new("unshare");
        apart(&mut probe);
        if !probe.arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return false;
        }
        let plain = self.command(&["serve"]);
        let mut command = Command::new("unshare");
        apart(&mut command);
        command.arg(plain.get_program()).args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.server = Some(self.begin(command));
        true
    }

    fn begin(&self, mut command: Command) -> Running {
        command.stdout(Stdio::piped()).stderr(self.log());
        let mut child = command.spawn().expect("duoku starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let mut running = Running { child, address: String::new() };
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).for_each(|line| drop(send.send(line)));
        });
        let line = lines.recv_timeout(START).unwrap_or_else(|_| {
            panic!("duoku serve is not ready:\n{}", self.logged());
        });
        let address = line.split_once("://").expect("the line ends with the address").1;
        address.clone_into(&mut running.address);
        running
    }

    /// Starts a process that runs until it is dropped, such as `duoku work`.
    pub(crate) fn background(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        let child = command.stdout(Stdio::null()).stderr(self.log()).spawn().expect("duoku starts");
        Running { child, address: String::new() }
    }

    /// The server's process.
    pub(crate) fn server(&self) -> &Running {
        self.server.as_ref().expect("the server runs")
    }

    /// Host and port of the server.
    pub(crate) fn address(&self) -> &str {
        &self.server().address
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        drop(self.server.take().expect("the server runs"));
    }

    /// SIGTERM, and waits for the end, which must be a good one.
    pub(crate) fn stop(&mut self) {
        let mut server = self.server.take().expect("the server runs");
        server.signal(rustix::process::Signal::TERM);
        let status = server.wait(Duration::from_secs(20));
        assert!(status.success(), "{status}\n{}", self.logged());
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).stdin(Stdio::null()).output().expect("duoku starts");
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Runs a command that must go well; gives what it printed.
    pub(crate) fn ran(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.out
    }

    /// A command of the program, on this installation.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duoku"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DUOKU_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("DUOKU_LISTEN", "127.0.0.1:0")
            .env("DUOKU_DATA", self.data())
            .env("DUOKU_ADMIN_PASSWORD", PASSWORD)
            .env("DUOKU_UPLOAD_KEEP_FREE_BYTES", "0")
            .env("DUOKU_WORK_KEEP_FREE_BYTES", "0")
            .env("DUOKU_WORK_NICE", "0")
            .env("DUOKU_WORK_LEASE_MS", "3000")
            .env("DUOKU_WORK_POLL_MS", "200")
            .env("DUOKU_WORK_BACKOFF_MS", "200")
            // They go on after a resource is ready; tests/it/ocr.rs turns them on.
            .env("DUOKU_OCR_ENABLED", "false")
            .env("DUOKU_SLIDES_ENABLED", "false")
            .env("DUOKU_TWINS_ENABLED", "false");
        if let Some(database) = &self.database {
            command.env("DUOKU_DATABASE", &database.url);
        }
        if let Some(bucket) = &self.bucket {
            command.envs(bucket.settings());
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Changes a setting for the commands that come.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// From now on commands run as on another machine: with the same database and bucket, and a
    /// data folder of their own, which is given.
    pub(crate) fn move_to_another_machine(&mut self) -> tempfile::TempDir {
        let data = tempfile::Builder::new().prefix("duoku-it-").tempdir().expect("a folder");
        let database = self.database.as_ref().map(|database| database.url.clone());
        let database = database.unwrap_or_else(|| db::sqlite_file(&self.data().join("duoku.db")));
        self.set("DUOKU_DATABASE", &database);
        self.set("DUOKU_DATA", &data.path().display().to_string());
        data
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder beside the data, for a test's own files.
    pub(crate) fn desk(&self) -> PathBuf {
        let desk = self.folder.path().join("desk");
        fs::create_dir_all(&desk).expect("a folder");
        desk
    }

    /// The database, past the server.
    pub(crate) async fn db(&self) -> Db {
        fs::create_dir_all(self.data()).expect("a folder");
        let url = match &self.database {
            Some(database) => database.url.clone(),
            None => db::sqlite_file(&self.data().join("duoku.db")),
        };
        Db::open(&url).await.expect("the database opens")
    }

    /// The program's insides, in this process.
    pub(crate) async fn inside(&self) -> duoku::app::App {
        let command = self.command(&[]);
        let set = command.get_envs().filter_map(|(name, value)| {
            Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned()))
        });
        let set: Vec<(String, String)> = set.collect();
        for (name, value) in set.iter().filter(|(name, _)| name.starts_with("AWS_")) {
            #[expect(
                unsafe_code,
                reason = "nothing else in a test's process reads these meanwhile"
            )]
            unsafe {
                std::env::set_var(name, value);
            }
        }
        let config = duoku::config::Config::load(None, set.into_iter()).expect("settings of tests");
        duoku::app::App::open(config).await.expect("it opens")
    }

    /// Somebody who is not logged in.
    pub(crate) fn nobody(&self) -> Client {
        Client::new(self.address(), None)
    }

    /// The administrator.
    pub(crate) async fn admin(&self) -> Client {
        let db = self.db().await;
        let mut tx = db.begin().await.expect("a transaction");
        let admin = db::accounts::find_by_name(&mut tx, "admin", 0).await.expect("read");
        let token = token(&mut tx, admin.expect("made at the first start").id).await;
        tx.commit().await.expect("committed");
        db.close().await;
        Client::new(self.address(), Some(token))
    }

    /// A fresh account with roles in libraries.
    pub(crate) async fn person(&self, name: &str, roles: &[(&str, Role)]) -> Client {
        let db = self.db().await;
        let mut tx = db.begin().await.expect("a transaction");
        let account = Account::new(name, name, NetRole::Learner);
        db::accounts::insert(&mut tx, &account, None, 0).await.expect("inserted");
        for (slug, role) in roles {
            let library = db::libraries::find_by_slug(&mut tx, slug).await.expect("read");
            let library = library.expect("a library of that slug").id;
            let (to, on) = (Grantee::Account(account.id), Scope::Library(library));
            db::grants::grant(&mut tx, to, *role, on, 0, None).await.expect("granted");
        }
        let token = token(&mut tx, account.id).await;
        tx.commit().await.expect("committed");
        db.close().await;
        Client::new(self.address(), Some(token))
    }

    /// Waits until `duoku check` finds nothing wrong; gives its report.
    pub(crate) fn check(&self) -> Value {
        let begun = Instant::now();
        loop {
            let said = self.run(&["check", "--json"]);
            let report: Value =
                serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
            let clean = report["problems"].as_array().expect("a list").is_empty();
            assert_eq!(clean, said.code == 0, "the exit code says the same: {said:?}");
            if clean {
                return report;
            }
            // The index follows within two seconds.
            assert!(begun.elapsed() < Duration::from_secs(8), "{report:#}\n{}", self.logged());
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    /// Files in the store, relative to it.
    pub(crate) fn stored(&self) -> Vec<PathBuf> {
        let root = self.store();
        let mut files = Vec::new();
        collect(&root, &mut files);
        files.iter().map(|f| f.strip_prefix(&root).expect("within").to_owned()).collect()
    }

    /// What the server and the background processes have logged.
    pub(crate) fn logged(&self) -> String {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    fn log(&self) -> fs::File {
        let path = self.folder.path().join("log");
        fs::OpenOptions::new().create(true).append(true).open(path).expect("a log")
    }
}

impl Drop for TestApp {
    #[expect(clippy::print_stderr, reason = "helps to see why a test failed")]
    fn drop(&mut self) {
        self.server = None;
        if std::thread::panicking() {
            eprintln!("the server's last messages:\n{}", self.logged());
        }
    }
}

async fn token(tx: &mut db::Tx, account: AccountId) -> String {
    let token = Sha256::of(AccountId::fresh().to_string().as_bytes()).to_string();
    let hash = Sha256::of(token.as_bytes()).to_string();
    let all = TokenScopes::ALL;
    db::tokens::insert(tx, &hash, account, "tests", all, 0, None).await.expect("inserted");
    token
}

/// Adds all files below `folder` to `files`.
pub(crate) fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

/// A PostgreSQL database of one test, dropped with it.
pub(crate) struct Database {
    server: String,
    name: String,
    /// As the program is given it.
    pub url: String,
}

impl Database {
    /// A fresh one, when the tests run on PostgreSQL.
    pub(crate) fn create() -> Option<Self> {
        let server = std::env::var("DUOKU_TEST_DATABASE").ok().filter(|url| !url.is_empty())?;
        let name = format!("duoku_test_{}", AccountId::fresh());
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{base}/{name}");
        execute(&server, format!("CREATE DATABASE {name}"));
        Some(Self { server, name, url })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(&self.server, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Runs a statement from outside of any runtime.
fn execute(url: &str, statement: String) {
    let url = url.to_owned();
    let ran = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let mut connection = PgConnection::connect(&url).await?;
            connection.execute(sqlx::AssertSqlSafe(statement)).await?;
            connection.close().await
        })
    });
    ran.join().expect("no panic").expect("PostgreSQL answers");
}

/// Calls `look` until it gives something, for `at_most`.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    at_most: Duration,
    mut look: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < at_most, "not within {at_most:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Processes whose parent is `parent`, with their command lines.
pub(crate) fn children_of(parent: u32) -> Vec<(u32, String)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|id| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // The name in parentheses may hold anything; state and parent follow it.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let (state, of) = (fields.next()?, fields.next()?);
            (of == parent.to_string() && state != "Z").then(|| {
                let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
                (id, String::from_utf8_lossy(&line).replace('\0', " "))
            })
        })
        .collect()
}

/// Whether a process is there and not a zombie.
pub(crate) fn is_alive(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z")))
}
