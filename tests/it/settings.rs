//! Wrong settings end the start at once, with one line that says which.

use std::time::{Duration, Instant};

use crate::app::TestApp;

/// Starts `duoku serve` with one setting that cannot be used; gives what it said.
fn refused(settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let app = TestApp::stopped(settings);
    let begun = Instant::now();
    let mut serve = vec!["serve"];
    serve.extend(arguments);
    let mut running = app.background(&serve);
    let status = running.wait(Duration::from_secs(15));
    assert!(begun.elapsed() < Duration::from_secs(5), "{settings:?}: {:?}", begun.elapsed());
    assert!(!status.success(), "{settings:?}");
    let said = app.logged();
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("duoku: ")).collect();
    assert_eq!(lines.len(), 1, "one line: {said}");
    assert!(!said.contains("panicked"), "{said}");
    lines[0].to_owned()
}

#[test]
fn a_wrong_setting_is_named_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let taken = taken.local_addr().expect("an address").to_string();
    for (name, value, said) in [
        ("DUOKU_LISTEN", "nonsense", "listen"),
        ("DUOKU_LISTEN", taken.as_str(), taken.as_str()),
        ("DUOKU_UPLOAD_MAX_BYTES", "much", "DUOKU_UPLOAD_MAX_BYTES"),
        ("DUOKU_NONSENSE", "1", "DUOKU_NONSENSE"),
        ("DUOKU_WORK_LEASE_MS", "1", "work.lease_ms"),
        ("DUOKU_WORK_POLL_MS", "0", "work.poll_ms"),
        ("DUOKU_WORK_LIGHT_WORKERS", "0", "work.light_workers"),
        ("DUOKU_WORK_MAX_LIBRARY_JOBS", "-1", "work.max_library_jobs"),
        ("DUOKU_WORK_NICE", "20", "work.nice"),
        ("DUOKU_WORK_MAX_ATTEMPTS", "0", "work.max_attempts"),
        ("DUOKU_LOG_LEVEL", "==", "log.level"),
        ("DUOKU_SITE_ZONE", "Mars/Olympus", "Mars/Olympus"),
        ("DUOKU_DATA", "/proc/nothing", "/proc/nothing"),
        ("DUOKU_STORE", "/proc/nothing", "/proc/nothing"),
        ("DUOKU_DATABASE", "mysql://root:secret@localhost/x", "mysql"),
        ("DUOKU_SEARCH_DICTIONARY", "/nonexistent/words.txt", "/nonexistent/words.txt"),
        ("DUOKU_ADMIN_PASSWORD", "short", "8 characters"),
    ] {
        let line = refused(&[(name, value)], &[]);
        assert!(line.contains(said), "{name}={value}: {line}");
        assert!(!line.contains("secret"), "passwords are not told: {line}");
    }
}

#[test]
fn a_database_that_cannot_be_reached_is_told_soon() {
    let line = refused(&[("DUOKU_DATABASE", "postgres://duoku:secret@127.0.0.1:1/duoku")], &[]);
    assert!(line.contains("database") && !line.contains("secret"), "{line}");
}

#[test]
fn a_file_of_settings_is_checked_as_well() {
    let app = TestApp::stopped(&[]);
    let file = app.desk().join("duoku.toml");
    let path = file.to_str().expect("UTF-8").to_owned();
    for (text, said) in [
        ("[site]\nname = 5\n", "site.name"),
        ("[server]\nlissten = \"x\"\n", "lissten"),
        ("[sever]\n", "sever"),
        ("server = 5\n", "server"),
        ("[server\n", "duoku.toml"),
        ("[media]\ncrf = 99.0\n", "media.crf"),
    ] {
        std::fs::write(&file, text).expect("written");
        let line = refused(&[], &["--config", &path]);
        assert!(line.contains(said), "{text:?}: {line}");
    }
    let line = refused(&[], &["--config", "/nonexistent.toml"]);
    assert!(line.contains("/nonexistent.toml"), "{line}");
}

/// Two programs on one data folder and address: the second one says so, the
/// first one goes on.
#[tokio::test]
async fn a_second_server_on_the_same_address_is_told() {
    let app = TestApp::start();
    let address = app.address().to_owned();
    let line = refused(&[("DUOKU_LISTEN", &address)], &[]);
    assert!(line.contains(&address), "{line}");
    app.nobody().get("/healthz").await.expect(200);
}
